"""The stream `members`: people, what they agreed to, our own fields and tags.

Each audience is read twice: everyone but the archived, and the archived, whom Mailchimp does not list among the rest.
What changed is read in the order of change up to a fixed moment. A member who changes meanwhile leaves that window, so
that those behind move up: when a page says that the window holds fewer rows than before, that many are read again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import Page
from connectors.mailchimp.answers import instant
from connectors.mailchimp.fields import Fields
from connectors.mailchimp.schema import Schema
from connectors.mailchimp.sdk import PAGE, Answer, Api
from connectors.records import Consent, Contact

STREAM = "members"
OVERLAP = timedelta(minutes=15)
"""Read again at the next pull, for a clock of ours that is ahead of Mailchimp's."""

_SHOWN = ("FNAME", "LNAME")
_COLUMNS = (
    "contact_id", "email_address", "status", "merge_fields", "source", "timestamp_signup", "timestamp_opt",
    "last_changed", "tags_count", "tags",
)  # fmt: skip
_CONSENT = {"subscribed": Consent.GRANTED, "transactional": Consent.UNKNOWN}
_WRITABLE = ("subscribed", "unsubscribed", "transactional")


@dataclass(frozen=True, slots=True)
class Window:
    """Part of an audience (all but the archived, or those) being read: changes after `since` and before `before`."""

    audience: str
    archived: bool
    since: str | None
    before: str
    offset: int = 0
    total: int = 0

    @property
    def key(self) -> str:
        """What `Cursor.marks` knows this part of the audience by."""
        return f"{self.audience}/archived" if self.archived else self.audience


@dataclass(slots=True)
class Cursor:
    """Up to when each part of each audience was read, and the window that a pull left half-way."""

    marks: dict[str, str] = field(default_factory=dict)
    window: Window | None = None

    def text(self) -> str:
        """As `Page.cursor`."""
        return json.dumps({"marks": self.marks, "window": self.window and asdict(self.window)})

    @classmethod
    def of(cls, text: str | None) -> "Cursor":
        """The cursor a page gave; the beginning for None."""
        if text is None:
            return cls()
        state = json.loads(text)
        return cls(state["marks"], state["window"] and Window(**state["window"]))


class Members:
    """Pulls members. `wanted` are the further merge tags that the admin asked for."""

    def __init__(self, api: Api, fields: Fields, schema: Schema, wanted: Iterable[str]) -> None:
        self._api = api
        self._fields = fields
        self._schema = schema
        self._shown = tuple(dict.fromkeys((*_SHOWN, *wanted)))

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """What a former pull left, if it did, and then every audience up to `until`."""
        state = Cursor.of(cursor)
        audiences = self._schema.audiences()
        if state.window:
            yield from self._window(state, state.window, alone=False)
        before = (until.replace(microsecond=0) + timedelta(seconds=1)).isoformat()
        for audience in audiences:
            for archived in (False, True):
                window = Window(audience, archived, None, before)
                window = replace(window, since=state.marks.get(window.key))
                yield from self._window(state, window, alone=len(audiences) == 1 and not archived)
        if not audiences:
            yield Page(STREAM, state.text())

    def _window(self, state: Cursor, window: Window, *, alone: bool) -> Iterator[Page]:
        mark = (datetime.fromisoformat(window.before) - OVERLAP).isoformat()
        more = True
        while more:
            answer = self._page(window)
            lost = window.total - answer["total_items"]
            if lost > 0:
                window = replace(window, offset=max(0, window.offset - lost), total=answer["total_items"])
                continue
            rows = answer["members"]
            brought = len({row["contact_id"] for row in rows})  # a row that came twice stands for one place
            window = replace(window, offset=window.offset + brought, total=answer["total_items"])
            more = bool(rows) and window.offset < window.total
            if not more:
                state.marks[window.key] = mark
            state.window = window if more else None
            contacts = tuple(self._contact(window.audience, row) for row in rows)
            yield Page(STREAM, state.text(), contacts=contacts, total=window.total if alone else None)

    def _page(self, window: Window) -> Answer:
        query: dict[str, Any] = {"status": "archived"} if window.archived else {}
        if window.since:
            query["since_last_changed"] = window.since
        return self._api.call(
            self._api.lists.get_list_members_info,
            window.audience,
            **query,
            before_last_changed=window.before,
            sort_field="last_changed",
            sort_dir="ASC",
            count=PAGE,
            offset=window.offset,
            fields=[*(f"members.{name}" for name in _COLUMNS), "total_items"],
        )

    def _contact(self, audience: str, row: Mapping[str, Any]) -> Contact:
        merge, tags, status = row.get("merge_fields") or {}, self._tags(audience, row), row["status"]
        foreign = ";".join(sorted(tag for tag in tags if not self._fields.is_ours(tag)))
        shown = {"status": status, "source": row.get("source"), "tags": foreign}
        shown |= {tag: merge.get(tag) for tag in self._shown}
        return Contact(
            object=audience,
            id=row["contact_id"],
            email=row.get("email_address") or None,
            consent=_CONSENT.get(status, Consent.OPTED_OUT),
            created_at=instant(row.get("timestamp_signup")) or instant(row.get("timestamp_opt")),
            modified_at=instant(row.get("last_changed")),
            properties={name: value for name, value in shown.items() if value not in (None, "") and _is_scalar(value)},
            owned=self._fields.read(merge, tags),
            writable=status in _WRITABLE,
        )

    def _tags(self, audience: str, row: Mapping[str, Any]) -> list[str]:
        """The names of a member's tags. A member shows fifty; those who have more are asked for all of them."""
        tags = row.get("tags") or []
        if row.get("tags_count", 0) > len(tags):
            tags = self._api.call(self._api.lists.get_list_member_tags, audience, row["contact_id"], count=PAGE)["tags"]
        return [tag["name"] for tag in tags]


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float)
