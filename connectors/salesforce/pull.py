"""Reads a stream: windows of time, in each of them one query after the other, each query in the order of the ids.

A window is [since, until) of the stamps that move with every change. Inside it rows come by id, so that the last id
seen is all it takes to go on after a stop: a row that changes meanwhile moves out of the window, into the next one.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.contract import Page
from connectors.errors import Rejected
from connectors.records import Activity, Contact
from connectors.salesforce.answers import locator_died

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

OVERLAP = timedelta(minutes=15)
"""Windows overlap by this: a long transaction shows its rows late, with the stamp of when it began."""

Row = Mapping[str, Any]
"""One row of an answer; the fields of a parent stand beside its own as `Opportunity.Amount`."""


@dataclass(frozen=True, slots=True)
class Source:
    """One query of a stream, and how its rows are read."""

    object: str
    columns: Sequence[str]
    stamps: Sequence[str]
    """The first is the row's own; a change of any of them brings the row back."""
    read: Callable[[Row], Sequence[Contact | Activity]]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a stream stands. `until` is None between two windows."""

    since: datetime | None = None
    """Between two windows: where the last one ended; inside one: where it began (None: at the beginning of time)."""
    until: datetime | None = None
    source: int = 0
    after: str = ""
    """The id of the last row seen of this source."""

    def text(self) -> str:
        """As `Page.cursor`."""
        moments = [moment and moment.isoformat() for moment in (self.since, self.until)]
        return json.dumps([*moments, self.source, self.after])

    @classmethod
    def of(cls, text: str | None) -> "Cursor":
        """The cursor a page gave; the beginning for None."""
        if text is None:
            return cls()
        since, until, source, after = json.loads(text)
        return cls(since and datetime.fromisoformat(since), until and datetime.fromisoformat(until), source, after)


def pages(
    sf: "Salesforce", stream: str, sources: Sequence[Source], cursor: str | None, until: datetime
) -> Iterator[Page]:
    """The rest of the window a former pull left half-way, if it did, and then everything up to `until`."""
    at = Cursor.of(cursor)
    if at.until is not None:
        yield from _window(sf, stream, sources, at, at.until)
        at = Cursor(at.until)
    begin = at.since - OVERLAP if at.since else None
    end = until.replace(microsecond=0)  # queries know whole seconds only; the rest of this one comes next time
    yield from _window(sf, stream, sources, Cursor(begin, end), end)


def _window(sf: "Salesforce", stream: str, sources: Sequence[Source], start: Cursor, end: datetime) -> Iterator[Page]:
    for number in range(start.source, len(sources)):
        source = sources[number]
        after = start.after if number == start.source else ""
        for rows, total, more in _answers(sf, source, start.since, end, after):
            if more:
                cursor = Cursor(start.since, end, number, rows[-1]["Id"])
            elif number + 1 < len(sources):
                cursor = Cursor(start.since, end, number + 1)
            else:
                cursor = Cursor(end)
            whole = len(sources) == 1 and not after
            yield _page(stream, source, rows, cursor, total if whole else None, first=start.since is None)


def _page(
    stream: str, source: Source, rows: list[dict[str, Any]], cursor: Cursor, total: int | None, *, first: bool
) -> Page:
    records = [record for row in rows for record in source.read(_flat(row))]
    return Page(
        stream,
        cursor.text(),
        contacts=tuple(record for record in records if isinstance(record, Contact)),
        activities=tuple(  # what is gone before it was ever read need not be forgotten
            record for record in records if isinstance(record, Activity) and not (first and record.removed)
        ),
        total=total,
    )


def _answers(
    sf: "Salesforce", source: Source, since: datetime | None, until: datetime, after: str
) -> Iterator[tuple[list[dict[str, Any]], int, bool]]:
    """Page by page: the rows, how many the query finds in all, and whether there are more."""
    answer = sf.query(soql(source, since, until, after), include_deleted=True)
    while True:
        rows = answer["records"]
        more = not answer["done"]
        yield rows, answer["totalSize"], more
        if not more:
            return
        try:
            answer = sf.query_more(answer["nextRecordsUrl"], identifier_is_url=True)
        except Rejected as error:
            if not locator_died(error):
                raise
            answer = sf.query(soql(source, since, until, rows[-1]["Id"]), include_deleted=True)


def soql(source: Source, since: datetime | None, until: datetime, after: str) -> str:
    """The query for the rows of a window behind the id `after`."""
    from simple_salesforce.format import format_soql

    if since is None:
        changed = format_soql("{:literal} < {}", source.stamps[0], until)
    else:
        each = [format_soql("({0:literal} >= {1} AND {0:literal} < {2})", s, since, until) for s in source.stamps]
        changed = f"({' OR '.join(each)})"
    beyond = format_soql(" AND Id > {}", after) if after else ""
    selected = ",".join(source.columns)
    return f"SELECT {selected} FROM {source.object} WHERE {changed}{beyond} ORDER BY Id"  # noqa: S608 - names from describe


def _flat(row: Mapping[str, Any]) -> Row:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if not isinstance(value, dict):
            flat[name] = value
        elif name != "attributes":
            flat.update({f"{name}.{field}": part for field, part in value.items()})
    return flat
