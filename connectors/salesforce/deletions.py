"""Salesforce's log of deletions: it names also those that left the recycle bin, which no query shows any more."""

import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connectors.salesforce.answers import error_code

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

log = logging.getLogger(__name__)

REACH = timedelta(days=14)
"""How far back it is asked for: Salesforce answers for 15 days."""
_AT_ONCE = 400
"""Ids of one query: it has to fit into an address of 16,384 characters."""


def address(sf: "Salesforce", object_: str, until: datetime) -> str:
    """The address that tells who was deleted in the days before `until`."""
    start, end = (quote(f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}") for at in (until - REACH, until))
    return f"v{sf.sf_version}/sobjects/{object_}/deleted/?start={start}&end={end}"


def logged(object_: str, part: Mapping[str, Any], since: datetime | None) -> frozenset[str]:
    """The ids the log names for the time from `since` on; none for a first pull (None), which knows nobody yet.

    A log that may not be read, or is too long, is passed over: queries tell of the others.
    """
    if since is None:
        return frozenset()
    if part["statusCode"] != 200:
        code, message = error_code(part["result"])
        log.warning("%s: no log of deletions: HTTP %s %s: %s", object_, part["statusCode"], code, message)
        return frozenset()
    rows = part["result"]["deletedRecords"]
    return frozenset(row["id"] for row in rows if datetime.fromisoformat(row["deletedDate"]) >= since)


def without_row(sf: "Salesforce", object_: str, ids: Collection[str]) -> list[str]:
    """Those of the ids that not even a query for everything finds. Merged ones are found."""
    from simple_salesforce.format import format_soql

    wanted, found = sorted(ids), set()
    for start in range(0, len(wanted), _AT_ONCE):
        query = format_soql(f"SELECT Id FROM {object_} WHERE Id IN {{}}", wanted[start : start + _AT_ONCE])  # noqa: S608 - Contact or Lead
        found |= {row["Id"] for row in sf.query(query, include_deleted=True)["records"]}
    return [id_ for id_ in wanted if id_ not in found]
