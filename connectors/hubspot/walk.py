"""The way through all records of one type: once through the list, from then on only what changed.

The cursor is JSON with a `phase`:
- `list`: pages of the list endpoint, which has no limit on the number of records; `since` is when this began.
- `archived`: the same through the recycle bin.
- `changed`: a search in the order of change. Every page restarts at the newest moment of the page before (rows at that
  moment that were already brought are left out), not at an offset: a record that changes during the pull leaves its
  place, and with offsets the one behind it would be skipped. So the platform's limit of 10,000 results per search is
  never met either. When a page holds one single moment (a mass update), that moment is gone through by record id.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.hubspot.answers import instant, millis, next_page
from connectors.hubspot.sdk import RAW

Row = dict[str, Any]

OVERLAP = timedelta(minutes=10)
"""The search index lags behind, and the platform's clock is not ours: this much is read again."""
_OVERLAP_MS = OVERLAP // timedelta(milliseconds=1)
BIN_PAUSE = timedelta(hours=6)
"""From one round through the recycle bin to the next: the search shows no deletions, and each round costs a call."""
_BIN_PAUSE_MS = BIN_PAUSE // timedelta(milliseconds=1)
LIST_PAGE = 100
SEARCH_PAGE = 200
SEARCH_WINDOW = 10_000
LONGEST_NAMES = 5_000
"""Characters of property names that fit into an address; with more, the first pull searches too (names in the body)."""
_FIRST_MOMENT = 1_000  # a filter at the epoch itself is answered with HTTP 500


@dataclass(frozen=True, slots=True)
class Leg:
    """Some records, and the cursor that resumes behind them. `listed`: they come from the list endpoint."""

    rows: list[Row]
    cursor: str
    listed: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the search stands. Everything before `low` (epoch ms) was brought, and of that moment the ids in `seen`."""

    low: int
    seen: tuple[str, ...] = ()
    tie: str | None = None
    """Set while the moment `low` is gone through by id: the last id."""
    after: str | None = None
    """The offset, where there is nothing to restart at: after an empty page, and beyond the end of the pull."""


class Walk:
    """Goes through the records of one type. `modified` is the property that tells when a record last changed."""

    def __init__(
        self,
        basic: Any,
        search: Any,
        modified: str,
        properties: list[str],
        *,
        associations: str | None,
        gather: int = 1,
    ) -> None:
        self._basic = basic
        self._search = search
        self._modified = modified
        self._properties = [modified, *properties]
        self._associations = [associations] if associations else None
        self._gather = gather
        """Search pages per leg."""

    def legs(self, cursor: str | None, until: datetime) -> Iterator[Leg]:
        """All legs behind `cursor`; records changed well after `until` are left for the next pull."""
        state = json.loads(cursor) if cursor else self._beginning(until)
        if state["phase"] == "changed":
            yield from self._changed(Place(**state["place"]), state["bin"], until)
            return
        if state["phase"] == "list":
            archived = {"phase": "archived", "since": state["since"], "after": None}
            yield from self._list(state, archived, until)
            state = archived
        low = max(_FIRST_MOMENT, state["since"] - _OVERLAP_MS)
        yield from self._list(state, _searching(Place(low), {"after": None, "since": state["since"]}), until)

    def _beginning(self, until: datetime) -> dict[str, Any]:
        if len(_address(self._properties)) < len(",".join(self._properties)):
            return _searching(Place(_FIRST_MOMENT), {"after": None, "since": 0})
        return {"phase": "list", "since": millis(until), "after": None}

    def _list(self, state: dict[str, Any], then: dict[str, Any], until: datetime) -> Iterator[Leg]:
        after = state["after"]
        while True:
            rows, after = self._page(after, archived=state["phase"] == "archived")
            rows = [row for row in rows if self._moment(row) <= millis(until + OVERLAP)]
            yield Leg(rows, json.dumps({**state, "after": after} if after else then), listed=True)
            if not after:
                return

    def _page(self, after: str | None, *, archived: bool) -> tuple[list[Row], str | None]:
        answer = self._basic.get_page(
            limit=LIST_PAGE,
            after=after,
            properties=[_address(self._properties)],
            associations=self._associations,
            archived=archived,
            **RAW,
        )
        return answer["results"], next_page(answer)

    def _changed(self, place: Place, bin_: dict[str, Any], until: datetime) -> Iterator[Leg]:
        """The search, then one page of the recycle bin while a round through it is due or under way."""
        at: Place | None = place
        finished = Place(max(_FIRST_MOMENT, millis(until - OVERLAP)))
        while at:
            rows: list[Row] = []
            for _ in range(self._gather):
                more, at = self._step(at, until)
                rows += more
                if at is None:
                    break
            yield Leg(rows, json.dumps(_searching(at or finished, bin_)), listed=False)
        if not bin_["after"] and millis(until) - bin_["since"] < _BIN_PAUSE_MS:
            return
        rows, after = self._page(bin_["after"], archived=True)
        began = bin_["began"] if bin_["after"] else millis(until)
        new = [row for row in rows if _archived_since(row, bin_["since"])]
        turn = {"after": after, "since": bin_["since"], "began": began} if after else {"after": None, "since": began}
        yield Leg(new, json.dumps(_searching(finished, turn)), listed=True)

    def _step(self, at: Place, until: datetime) -> tuple[list[Row], Place | None]:
        """One page of the search: its new rows, and where to go on (None: nowhere)."""
        answer = self._search.do_search(self._question(at, until), **RAW)
        rows, after = answer["results"], next_page(answer)
        horizon = millis(until + OVERLAP)
        fresh = [row for row in rows if row["id"] not in at.seen and self._moment(row) <= horizon]
        if after is None:
            return fresh, None if at.tie is None else Place(at.low + 1)
        if not rows:
            return fresh, replace(at, after=after)
        if at.tie is not None:
            return fresh, replace(at, tie=str(rows[-1]["id"]), after=None)
        # moments behind `until` may be newer than the row's place in the index, so they are nothing to restart at
        newest = max((moment for moment in map(self._moment, rows) if moment <= millis(until)), default=at.low)
        if newest > at.low:
            return fresh, Place(newest, tuple(row["id"] for row in rows if self._moment(row) == newest))
        if all(self._moment(row) == at.low for row in rows):
            return fresh, Place(at.low, tuple({*at.seen, *(row["id"] for row in rows)}), tie="0")
        beyond = int(after) + SEARCH_PAGE > SEARCH_WINDOW  # those rows are behind `until`: the next pull brings them
        return fresh, None if beyond else replace(at, after=after)

    def _question(self, at: Place, until: datetime) -> dict[str, Any]:
        if at.tie is None:
            order = self._modified
            filters = [_filter(order, "GTE", at.low), _filter(order, "LTE", millis(until + OVERLAP))]
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

    def _moment(self, row: Row) -> int:
        at = instant(row["properties"].get(self._modified)) or instant(row.get("updatedAt"))
        return millis(at) if at else 0


def _searching(place: Place, bin_: dict[str, Any]) -> dict[str, Any]:
    return {"phase": "changed", "place": asdict(place), "bin": bin_}


def _filter(name: str, operator: str, value: object) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": str(value)}


def _archived_since(row: Row, since: int) -> bool:
    at = instant(row.get("archivedAt"))
    return at is None or millis(at + OVERLAP) >= since


def _address(names: list[str]) -> str:
    """As many of the names as an address may hold, as one value: the SDK would repeat the parameter for each."""
    text = ",".join(names)
    return text if len(text) <= LONGEST_NAMES else text[:LONGEST_NAMES].rpartition(",")[0]
