"""Reads a stream: windows of time, in each of them its queries in turn, each query in the order of the ids.

A window is [since, until) of the stamps that move with every change. Inside it rows come by id, so that the last id
seen is all it takes to go on after a stop: a row that changes meanwhile moves out of the window, into the next one.
A window that takes Salesforce too long is read in pieces. While one query is read the next one begins.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from connectors.ahead import ahead
from connectors.contract import Page
from connectors.errors import Unavailable
from connectors.records import Activity, Contact
from connectors.salesforce.answers import TooSlow
from connectors.salesforce.cursor import Cursor
from connectors.salesforce.query import Answer, answers

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

OVERLAP = timedelta(minutes=15)
"""Windows overlap by this: a long transaction shows its rows late, with the stamp of when it began."""
SHORTEST = timedelta(hours=1)
"""No piece of a window is shorter: within the overlap, rows that show late would be lost between two pieces."""
_EARLIEST = datetime(1999, 1, 1, tzinfo=UTC)
"""When Salesforce began: nothing is older."""

Row = Mapping[str, Any]
"""One row of an answer; the fields of a parent stand beside its own as `Opportunity.Amount`."""
Records = Sequence[Contact | Activity]
Pieces = Iterator[tuple[Answer, Cursor | None]]
_AT_ONCE = 2
"""Queries of one stream under way side by side: tasks and events."""


@dataclass(frozen=True, slots=True)
class Source:
    """One query of a stream, and how its rows are read."""

    object: str
    columns: Sequence[str]
    stamps: Sequence[str]
    """The first is the row's own; a change of any of them brings the row back."""
    read: Callable[[Row], Records]
    gone: frozenset[str] = frozenset()
    """Ids that Salesforce's log of deletions names for this window."""
    missing: Callable[[set[str]], Records] | None = None
    """Takes those of them that had no row; gives records of what is gone for good."""


def pages(
    sf: "Salesforce", stream: str, sources: Sequence[Source], cursor: str | None, until: datetime
) -> Iterator[Page]:
    """The rest of the window a former pull left half-way, if it did, and then everything up to `until`."""
    at = Cursor.of(cursor)
    if at.until is not None:
        yield from _window(sf, stream, sources, at, at.until)
        at = Cursor(at.until)
    yield from _window(sf, stream, sources, Cursor(begin_of(at), end := whole_second(until)), end)


def begin_of(at: Cursor) -> datetime | None:
    """Where the window behind this cursor begins."""
    return at.since - OVERLAP if at.since and at.until is None else at.since


def whole_second(until: datetime) -> datetime:
    """Where a window ends: queries know whole seconds only; the rest of this one comes next time."""
    return until.replace(microsecond=0)


def _window(sf: "Salesforce", stream: str, sources: Sequence[Source], start: Cursor, end: datetime) -> Iterator[Page]:
    places = [start, *(Cursor(start.since, end, number) for number in range(start.source + 1, len(sources)))]
    begun = (partial(_begun, _pieces(sf, sources[at.source], at, end)) for at in places)
    with closing(ahead(begun, _AT_ONCE)) as found:
        for at, pieces in zip(places, found, strict=True):
            source, gone = sources[at.source], set(sources[at.source].gone)
            behind = Cursor(start.since, end, at.source + 1) if at.source + 1 < len(sources) else Cursor(end)
            whole = len(sources) == 1 and not at.after
            for answer, cursor in pieces:
                records = [record for row in answer.rows for record in source.read(_flat(row))]
                gone.difference_update(row["Id"] for row in answer.rows)
                if gone and source.missing and cursor is None:
                    records += source.missing(gone)
                whole = whole and (cursor is None or cursor.high is None)
                total = answer.total if whole else None
                yield _page(stream, records, cursor or behind, total, first=start.since is None)


def _begun(pieces: Pieces) -> Pieces:
    """The same pieces, the first of them read already."""
    return chain([next(pieces)], pieces)


def _pieces(sf: "Salesforce", source: Source, at: Cursor, end: datetime) -> Pieces:
    """The answers of one source, each with the cursor behind it; None behind the last."""
    low, high, after = at.low or at.since, at.high or end, at.after
    while True:
        place = replace(at, low=low, high=high) if (low, high) != (at.since, end) else replace(at, low=None, high=None)
        try:
            for answer in answers(sf, source.object, source.columns, source.stamps, low, high, after):
                if answer.more:
                    yield answer, replace(place, after=answer.last)
                elif high < end:
                    yield answer, replace(at, low=high, high=end, after="")
                else:
                    yield answer, None
        except TooSlow as error:
            high, after = _middle(low, high, error), ""  # what came of this piece already comes again
            continue
        if high == end:
            return
        low, high, after = high, end, ""


def _middle(low: datetime | None, high: datetime, error: TooSlow) -> datetime:
    half = (high - (low or _EARLIEST)) / 2
    if half < SHORTEST:
        raise Unavailable(f"{error} Not even {2 * half} of changes can be read at once") from error
    return (high - half).replace(microsecond=0)


def _page(stream: str, records: Records, cursor: Cursor, total: int | None, *, first: bool) -> Page:
    return Page(
        stream,
        cursor.text(),
        contacts=tuple(record for record in records if isinstance(record, Contact)),
        activities=tuple(  # what is gone before it was ever read need not be forgotten
            record for record in records if isinstance(record, Activity) and not (first and record.removed)
        ),
        total=total,
    )


def _flat(row: Mapping[str, Any]) -> Row:
    flat = {name: value for name, value in row.items() if not isinstance(value, dict)}
    for name in row.keys() - flat.keys() - {"attributes"}:
        flat.update({f"{name}.{field}": part for field, part in row[name].items()})
    return flat
