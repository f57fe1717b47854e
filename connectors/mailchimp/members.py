"""The stream `members`: people, what they agreed to, our own fields and tags.

Each audience is read twice: everyone but the archived, and the archived, whom Mailchimp does not list among the rest.
What changed is read in the order of change up to a fixed moment, several pages at once. A member who changes meanwhile
leaves that window, so that those behind move up: when a page says that the window holds fewer rows than before, that
many are read again. Where our clock is ahead of Mailchimp's, a member who changes comes back at the window's end and
the number of rows stays: then fewer different members than rows went by, and the window is gone over once more. Who
left the window before it was read comes at the end of the pull, so that nobody who is there is taken for gone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.ahead import ahead
from connectors.contract import Page
from connectors.mailchimp.answers import instant
from connectors.mailchimp.fields import Fields
from connectors.mailchimp.pages import AT_ONCE, Pages, Tally, whole
from connectors.mailchimp.schema import Schema
from connectors.mailchimp.sdk import PAGE, Answer, Api
from connectors.records import Consent, Contact

STREAM = "members"
OVERLAP = timedelta(minutes=15)
"""Read again at the next pull, for a clock of ours that is ahead of Mailchimp's."""
_JUST_BEFORE, _NEVER = timedelta(seconds=2), timedelta(days=365)
_SHOWN = ("FNAME", "LNAME")
COLUMNS = (
    "contact_id", "email_address", "status", "merge_fields", "source", "timestamp_signup", "timestamp_opt",
    "last_changed", "tags_count", "tags", "marketing_permissions",
)  # fmt: skip
"""What is asked for of a member."""
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
    """Up to when each part of each audience was read; the window that a pull left half-way; who left its windows."""

    marks: dict[str, str] = field(default_factory=dict)
    window: Window | None = None
    left: int = 0

    def text(self) -> str:
        """As `Page.cursor`."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str | None) -> "Cursor":
        """The cursor a page gave; the beginning for None."""
        if text is None:
            return cls()
        state = json.loads(text)
        return cls(state["marks"], state["window"] and Window(**state["window"]), state.get("left", 0))


class Members:
    """Pulls members. `wanted` are the further merge tags that the admin asked for."""

    def __init__(self, api: Api, fields: Fields, schema: Schema, wanted: Iterable[str]) -> None:
        self._api = api
        self._fields = fields
        self._schema = schema
        self._shown = tuple(dict.fromkeys((*_SHOWN, *wanted)))

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """What a former pull left, if it did, and then every audience up to `until`.

        Raises Unavailable for an audience that changes faster than it can be read.
        """
        state = Cursor.of(cursor)
        audiences = self._schema.audiences()
        if state.window:
            yield from self._window(state, state.window)
        before = (until.replace(microsecond=0) + timedelta(seconds=1)).isoformat()
        windows = [Window(audience, archived, None, before) for audience in audiences for archived in (False, True)]
        windows = [replace(window, since=state.marks.get(window.key)) for window in windows]
        with closing(ahead((partial(self._page, window, 0) for window in windows), AT_ONCE)) as firsts:
            for window, first in zip(windows, firsts, strict=True):
                yield from self._window(state, window, first, alone=len(audiences) == 1)
        if state.left or not audiences:
            late = [contact for window in windows for contact in self._latecomers(window)]
            state.left = 0
            yield Page(STREAM, state.text(), contacts=tuple(late))

    def _latecomers(self, window: Window) -> tuple[Contact, ...]:
        """Who changed while the window was read, and so may have left it unread."""
        end = datetime.fromisoformat(window.before)
        late = replace(window, since=(end - _JUST_BEFORE).isoformat(), before=(end + _NEVER).isoformat())
        return self.contacts(window.audience, whole(partial(self._page, late), "members", "contact_id"))

    def _window(
        self, state: Cursor, window: Window, first: Answer | None = None, *, alone: bool = False
    ) -> Iterator[Page]:
        """The pages of a window, until nobody can have slipped through; `first` is its first page, where at hand."""
        mark = (datetime.fromisoformat(window.before) - OVERLAP).isoformat()
        what = f"members of audience {window.audience}"
        tally, more = Tally(window.offset), True
        with closing(Pages(partial(self._page, window), PAGE)) as pages:
            while more:
                answer, first = pages.at(window.offset, first), None
                rows, total = answer["members"], answer["total_items"]
                if total < window.total:
                    lost = window.total - total
                    state.left += lost
                    window = replace(window, offset=max(0, window.offset - lost), total=total)
                    continue
                ids = {row["contact_id"] for row in rows}  # a row that came twice stands for one place
                offset, more = tally.beyond(window.offset, ids, total, what)
                window = replace(window, offset=offset, total=total)
                if not more:
                    state.marks[window.key] = mark
                state.window = window if more else None
                contacts = self.contacts(window.audience, rows)
                yield Page(STREAM, state.text(), contacts=contacts, total=total if alone else None)

    def _page(self, window: Window, offset: int) -> Answer:
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
            offset=offset,
            fields=[*(f"members.{name}" for name in COLUMNS), "total_items"],
        )

    def contacts(self, audience: str, rows: Sequence[Mapping[str, Any]]) -> tuple[Contact, ...]:
        """The members of a page. A member shows fifty tags; those who have more are asked for all of them."""
        cut = [row["contact_id"] for row in rows if row.get("tags_count", 0) > len(row.get("tags") or ())]
        with closing(ahead((partial(self._all_tags, audience, id_) for id_ in cut), AT_ONCE)) as asked:
            tags = dict(zip(cut, asked, strict=True))
        return tuple(self._contact(audience, row, tags.get(row["contact_id"], row.get("tags") or ())) for row in rows)

    def _all_tags(self, audience: str, contact_id: str) -> Sequence[Mapping[str, Any]]:
        tags: Sequence[Mapping[str, Any]] = self._api.call(
            self._api.lists.get_list_member_tags, audience, contact_id, count=PAGE
        )["tags"]
        return tags

    def _contact(self, audience: str, row: Mapping[str, Any], tags: Iterable[Mapping[str, Any]]) -> Contact:
        merge, status, names = row.get("merge_fields") or {}, row.get("status"), [tag["name"] for tag in tags]
        foreign = ";".join(sorted(name for name in names if not self._fields.is_ours(name)))
        allowed = ";".join(sorted(p["text"] for p in row.get("marketing_permissions") or () if p.get("enabled")))
        shown = {"status": status, "source": row.get("source"), "tags": foreign, "marketing_permissions": allowed}
        shown |= {tag: merge.get(tag) for tag in self._shown}
        return Contact(
            object=audience,
            id=row["contact_id"],
            email=row.get("email_address") or None,
            consent=_consent(row),
            created_at=instant(row.get("timestamp_signup")) or instant(row.get("timestamp_opt")),
            modified_at=instant(row.get("last_changed")),
            properties={name: value for name, value in shown.items() if value not in (None, "") and _is_scalar(value)},
            owned=self._fields.read(merge, names),
            writable=status in _WRITABLE,
        )


def _consent(row: Mapping[str, Any]) -> Consent:
    """What a member agreed to. Whoever left, bounced, never confirmed or is archived gets no marketing.

    Subscribed, but none of the audience's marketing permissions ticked: most were never asked, and it is not a yes.
    """
    status, permissions = row.get("status"), row.get("marketing_permissions") or ()
    if not status:
        return Consent.UNKNOWN
    if status == "subscribed" and permissions and not any(permission.get("enabled") for permission in permissions):
        return Consent.UNKNOWN
    return _CONSENT.get(status, Consent.OPTED_OUT)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float)
