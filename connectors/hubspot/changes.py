"""What changed, by HubSpot's search, in the order of change.

Every page restarts at the newest moment of the page before (rows that were already brought are left out), not at an
offset: a record that changes during the pull leaves its place, and with offsets the one behind it would be skipped. So
the platform's limit of 10,000 results per search is never met either. When a page holds one single moment (a mass
update), that moment is gone through by record id.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.hubspot.answers import instant, millis, next_page, stuck
from connectors.hubspot.sdk import RAW

Row = dict[str, Any]

OVERLAP = timedelta(minutes=10)
"""The search index lags behind, and the platform's clock is not ours: this much is read again."""
OVERLAP_MS = OVERLAP // timedelta(milliseconds=1)
SEARCH_PAGE = 200
SEARCH_WINDOW = 10_000
FIRST_MOMENT = 1_000
"""Epoch ms; a filter at the epoch itself is answered with HTTP 500."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the search stands. Everything before `low` (epoch ms) was brought, and the ids in `seen` from there on."""

    low: int
    seen: tuple[str, ...] = ()
    tie: str | None = None
    """Set while the moment `low` is gone through by id: the last id."""
    after: str | None = None
    """The offset, where there is nothing to restart at: after an empty page, and beyond the end of the pull."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the search: its new rows, where to go on (None: nowhere), and how many rows there were in all."""

    rows: list[Row]
    next: Place | None
    total: int | None


class Changes:
    """Searches the records of one type. `modified` is the property that tells when a record last changed."""

    def __init__(self, search: Any, modified: str, properties: list[str]) -> None:
        self._search = search
        self._modified = modified
        self._properties = properties

    def moment(self, row: Row) -> int:
        """When the record last changed (epoch ms); 0 where the row does not say."""
        at = instant(row["properties"].get(self._modified)) or instant(row.get("updatedAt"))
        return millis(at) if at else 0

    def born(self, row: Row) -> int:
        """When the record came into being (epoch ms); when it last changed, where the row does not say."""
        at = instant(row.get("createdAt"))
        return millis(at) if at else self.moment(row)

    def page(self, at: Place, until: datetime, *, everybody: bool) -> Found:
        """One page from `at` on, of what changed until shortly after `until`.

        With `everybody` also of what changed later, but was there before: who changes during a long pull is no less
        there.
        """
        answer = self._search.do_search(self._question(at, until, everybody), **RAW)
        rows, after = answer["results"], next_page(answer)
        horizon, age = millis(until + OVERLAP), self.born if everybody else self.moment
        fresh = [row for row in rows if row["id"] not in at.seen and age(row) <= horizon]
        total = answer.get("total")
        return Found(fresh, self._next(at, rows, after, until), None if total is None else total - len(at.seen))

    def _next(self, at: Place, rows: list[Row], after: str | None, until: datetime) -> Place | None:
        if after is None:
            return None if at.tie is None else Place(at.low + 1)
        if not rows:
            return replace(at, after=self._beyond(at, after))
        if at.tie is not None:
            if str(rows[-1]["id"]) == at.tie:
                raise stuck("search")
            return replace(at, tie=str(rows[-1]["id"]), after=None)
        newest = self._settled(at, rows, until)
        if newest > at.low:
            return Place(newest, tuple(row["id"] for row in rows if self.moment(row) >= newest))
        if all(self.moment(row) == at.low for row in rows):
            return Place(at.low, tuple({*at.seen, *(row["id"] for row in rows)}), tie="0")
        if int(after) + SEARCH_PAGE > SEARCH_WINDOW:
            return None  # those rows are behind `until`: the next pull brings them
        return replace(at, after=self._beyond(at, after))

    @staticmethod
    def _beyond(at: Place, after: str) -> str:
        if after == at.after:
            raise stuck("search")
        return after

    def _settled(self, at: Place, rows: list[Row], until: datetime) -> int:
        """The newest moment of a page that is safe to restart at.

        A row may show a newer moment than the one it has in the index, and such a moment says nothing of the rows
        behind it. That is the case for a few minutes at most, so moments that old are preferred. Those of the last
        minutes are read again by the next pull; those behind `until` are nothing to restart at.
        """
        moments = [self.moment(row) for row in rows]
        settled = max((each for each in moments if each <= millis(until - OVERLAP)), default=at.low)
        return settled if settled > at.low else max((m for m in moments if m <= millis(until)), default=at.low)

    def _question(self, at: Place, until: datetime, everybody: bool) -> dict[str, Any]:
        if at.tie is None:
            order = self._modified
            filters = [_filter(order, "GTE", at.low)]
            if not everybody:
                filters.append(_filter(order, "LTE", millis(until + OVERLAP)))
        else:
            order = "hs_object_id"
            filters = [_filter(self._modified, "EQ", at.low), _filter(order, "GT", at.tie)]
        question = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": self._properties,
            "limit": SEARCH_PAGE,
        }
        return question if at.after is None else {**question, "after": at.after}


def _filter(name: str, operator: str, value: object) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": str(value)}
