"""One query, page after page: the next page is fetched while this one is used."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.errors import Rejected, Stop, Unavailable
from connectors.salesforce.answers import locator_died

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

LONGEST = 14_000
"""Characters of a query, escaped for an address: a little less than the 16,384 bytes that Salesforce reads."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of a query."""

    rows: list[dict[str, Any]]
    total: int
    """Rows the query finds in all."""
    more: bool
    last: str
    """The id of the last row up to here."""


def answers(
    sf: "Salesforce",
    object_: str,
    columns: Sequence[str],
    stamps: Sequence[str],
    low: datetime | None,
    high: datetime,
    after: str,
) -> Iterator[Answer]:
    """The pages of rows that changed in [low, high), behind the id `after`; deleted and archived ones too.

    A page may be short, or even empty, without being the last. A query the server no longer knows, or whose pages lead
    in a circle, is asked anew behind the last row. TooSlow where Salesforce gives up on the query.
    """

    def ask(after: str) -> Any:
        return sf.query(soql(object_, columns, stamps, low, high, after), include_deleted=True)

    def follow(locator: str | None, after: str) -> Any:
        if not locator or locator in followed:
            return ask(after)
        followed.add(locator)
        try:
            return sf.query_more(locator, identifier_is_url=True)
        except Rejected as error:
            if not locator_died(error):
                raise
            return ask(after)

    followed: set[str] = set()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="query") as pool:
        coming = pool.submit(ask, after)
        while True:
            answer = coming.result()
            rows, more = answer["records"], not answer["done"]
            after = rows[-1]["Id"] if rows else after
            if more:
                locator = answer.get("nextRecordsUrl")
                if not rows and locator in followed:
                    raise Unavailable(f"{object_}: the pages of the query lead in a circle; nothing was lost")
                coming = pool.submit(follow, locator, after)
            yield Answer(rows, answer["totalSize"], more, after)
            if not more:
                return


def soql(
    object_: str, columns: Sequence[str], stamps: Sequence[str], low: datetime | None, high: datetime, after: str
) -> str:
    """The query for the rows of a window behind the id `after`; Stop where it would be too long to be sent."""
    from simple_salesforce.format import format_soql

    if low is None:
        changed = format_soql("{:literal} < {}", stamps[0], high)
    else:
        each = [format_soql("({0:literal} >= {1} AND {0:literal} < {2})", s, low, high) for s in stamps]
        changed = f"({' OR '.join(each)})"
    beyond = format_soql(" AND Id > {}", after) if after else ""
    query = f"SELECT {','.join(columns)} FROM {object_} WHERE {changed}{beyond} ORDER BY Id"  # noqa: S608 - names from describe
    if len(query) + 2 * query.count(",") > LONGEST:  # a comma takes three characters in an address
        raise Stop(f"{object_}: the query for {len(columns)} fields is too long for Salesforce: shorten `properties`")
    return query
