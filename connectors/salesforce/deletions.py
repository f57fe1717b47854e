"""Salesforce's log of deletions: it names also those that left the recycle bin, which no query shows any more."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connectors.salesforce.answers import error_code

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

log = logging.getLogger(__name__)

REACH = timedelta(days=14)
"""How far back it is asked for: Salesforce answers for 15 days."""
SHORTEST = timedelta(minutes=2)
"""Salesforce refuses a window of a minute or less."""
_AT_ONCE = 400
"""Ids of one query: it has to fit into an address of 16,384 characters."""


def deletions(sf: "Salesforce", object_: str, since: datetime | None, until: datetime) -> list[str]:
    """The address that tells who was deleted between the two; none for a first pull, which knows nobody yet."""
    if since is None or until - since < SHORTEST:
        return []
    start, end = (quote(f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}") for at in (max(since, until - REACH), until))
    return [f"v{sf.sf_version}/sobjects/{object_}/deleted/?start={start}&end={end}"]


def logged(object_: str, parts: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The ids the log names. A log that may not be read, or is too long, is passed over: queries tell of the others."""
    for part in parts:
        if part["statusCode"] == 200:
            return frozenset(row["id"] for row in part["result"]["deletedRecords"])
        code, message = error_code(part["result"])
        log.warning("%s: no log of deletions: HTTP %s %s: %s", object_, part["statusCode"], code, message)
    return frozenset()


def without_row(sf: "Salesforce", object_: str, ids: Collection[str]) -> list[str]:
    """Those of the ids that not even a query for everything finds. Merged ones are found."""
    from simple_salesforce.format import format_soql

    wanted, found = sorted(ids), set()
    for start in range(0, len(wanted), _AT_ONCE):
        query = format_soql(f"SELECT Id FROM {object_} WHERE Id IN {{}}", wanted[start : start + _AT_ONCE])  # noqa: S608 - Contact or Lead
        found |= {row["Id"] for row in sf.query(query, include_deleted=True)["records"]}
    return [id_ for id_ in wanted if id_ not in found]
