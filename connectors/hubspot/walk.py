"""The way through all records of one type: once through the list, from then on only what changed.

The cursor is JSON with a `phase`:
- `list`: pages of the list endpoint, which has no limit on the number of records; `since` is when this began.
- `archived`: the same through the recycle bin.
- `changed`: what changed, by search (see `changes`), and behind it a page of the recycle bin as `bin` says. `listed` is
  when the list was gone through; while a pull is under way, `since` is what earlier pulls have reached.

While a page is read and stored, the next one is on its way.
"""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.ahead import ahead
from connectors.hubspot.answers import instant, millis, next_page, stuck
from connectors.hubspot.changes import FIRST_MOMENT, OVERLAP, OVERLAP_MS, Changes, Place, Row
from connectors.hubspot.sdk import RAW

BIN_PAUSE = timedelta(hours=6)
"""From one round through the recycle bin to the next: the search shows no deletions, and each round costs a call."""
_BIN_PAUSE_MS = BIN_PAUSE // timedelta(milliseconds=1)
LIST_PAGE = 100
LONGEST_NAMES = 5_000
"""Characters of property names that fit into an address; with more, the first pull searches too (names in the body)."""

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Leg:
    """Some records, and the cursor that resumes behind them. `listed`: they come from the list endpoint."""

    rows: list[Row]
    cursor: str
    listed: bool
    total: int | None = None
    """Records from this leg on, where HubSpot says so: the list does not."""
    since: int = 0
    """What earlier pulls have reached (epoch ms); 0 where there were none."""


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
        anew: timedelta | None = None,
    ) -> None:
        self._basic = basic
        self._properties = [modified, *properties]
        self._changes = Changes(search, modified, self._properties)
        self._associations = [associations] if associations else None
        self._gather = gather
        """Search pages per leg."""
        self._anew = anew
        """After so long everything is listed once more; None: only when a pull has no cursor."""

    def legs(self, cursor: str | None, until: datetime) -> Iterator[Leg]:
        """All legs behind `cursor`. What came into being well after `until` is left for the next pull."""
        way = deque([self._start(cursor, until)])

        def step() -> Leg:
            leg, behind = self._leg(way.popleft(), until)
            if behind is not None:
                way.append(behind)
            return leg

        yield from ahead(iter(lambda: step if way else None, None), at_once=1)

    def _start(self, cursor: str | None, until: datetime) -> State:
        state: State = json.loads(cursor) if cursor else {}
        finished = state.get("phase") == "changed" and "since" not in state
        old = finished and self._anew is not None and millis(until - self._anew) >= state.get("listed", 0)
        if state and not old:
            return state
        if len(_address(self._properties)) < len(",".join(self._properties)):
            return _searching(Place(FIRST_MOMENT), {"after": None, "since": 0}, listed=millis(until)) | {"since": 0}
        return {"phase": "list", "since": millis(until), "after": None}

    def _leg(self, state: State, until: datetime) -> tuple[Leg, State | None]:
        """The leg at `state`, and the state behind it; None when the pull is over."""
        if state["phase"] == "changed":
            return self._changed(state, until)
        if state["phase"] == "bin":
            return self._emptied(state, until), None
        rows, after = self._page(state["after"], archived=state["phase"] == "archived")
        rows = [row for row in rows if self._changes.born(row) <= millis(until + OVERLAP)]
        if after:
            state = {**state, "after": after}
            return Leg(rows, json.dumps(state), listed=True), state
        if state["phase"] == "list":
            state = {"phase": "archived", "since": state["since"], "after": None}
            return Leg(rows, json.dumps(state), listed=True), state
        place = Place(max(FIRST_MOMENT, state["since"] - OVERLAP_MS))
        end = _searching(place, {"after": None, "since": state["since"]}, listed=state["since"])
        return Leg(rows, json.dumps(end), listed=True), None

    def _page(self, after: str | None, *, archived: bool) -> tuple[list[Row], str | None]:
        answer = self._basic.get_page(
            limit=LIST_PAGE,
            after=after,
            properties=[_address(self._properties)],
            associations=self._associations,
            archived=archived,
            **RAW,
        )
        following = next_page(answer)
        if following is not None and following == after:
            raise stuck("list")
        return answer["results"], following

    def _changed(self, state: State, until: datetime) -> tuple[Leg, State | None]:
        """Some pages of the search; behind the last one, the bin while a round through it is due or under way."""
        at: Place | None = Place(**state["place"])
        since, bin_ = state.get("since", state["place"]["low"]), state["bin"]
        rows: list[Row] = []
        total = None
        for _ in range(self._gather):
            if at is None:
                break
            found = self._changes.page(at, until, everybody=since == 0)
            rows += found.rows
            at = found.next
            total = found.total if total is None else total
        finished = _searching(_finished(until), bin_, listed=state.get("listed", 0))
        behind = {**state, "place": asdict(at), "since": since} if at else finished
        leg = Leg(rows, json.dumps(behind), listed=False, total=total, since=since)
        if at is not None:
            return leg, behind
        due = bin_["after"] or millis(until) - bin_["since"] >= _BIN_PAUSE_MS
        return leg, {**finished, "phase": "bin"} if due else None

    def _emptied(self, state: State, until: datetime) -> Leg:
        """One page of the recycle bin: what was put there since the last round began."""
        bin_ = state["bin"]
        rows, after = self._page(bin_["after"], archived=True)
        began = bin_["began"] if bin_["after"] else millis(until)
        new = [row for row in rows if _archived_since(row, bin_["since"])]
        turn = {"after": after, "since": bin_["since"], "began": began} if after else {"after": None, "since": began}
        return Leg(new, json.dumps({**state, "phase": "changed", "bin": turn}), listed=True)


def _searching(place: Place, bin_: State, *, listed: int) -> State:
    return {"phase": "changed", "place": asdict(place), "bin": bin_, "listed": listed}


def _finished(until: datetime) -> Place:
    return Place(max(FIRST_MOMENT, millis(until - OVERLAP)))


def _archived_since(row: Row, since: int) -> bool:
    at = instant(row.get("archivedAt"))
    return at is None or millis(at + OVERLAP) >= since


def _address(names: list[str]) -> str:
    """As many of the names as an address may hold, as one value: the SDK would repeat the parameter for each."""
    text = ",".join(names)
    return text if len(text) <= LONGEST_NAMES else text[:LONGEST_NAMES].rpartition(",")[0]
