"""Reads what our fields hold right now, two thousand records of one object a call."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from connectors.contract import Account, Change, Held
from connectors.salesforce.names import PEOPLE, by_name, owned
from connectors.salesforce.rules import RETRIEVED
from connectors.salesforce.schema import Schema, describe, readable

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce


def held(sf: "Salesforce", account: Account, changes: Sequence[Change]) -> Iterator[list[Held]]:
    """One list per call, behind one call that asks which of our fields are there and may be read."""
    schema = describe(sf, PEOPLE)
    for object_ in PEOPLE:
        ids = list(dict.fromkeys(change.id for change in changes if change.object == object_))
        for start in range(0, len(ids), RETRIEVED):
            yield _read(sf, account, schema, object_, ids[start : start + RETRIEVED])


def _read(sf: "Salesforce", account: Account, schema: Schema, object_: str, ids: Sequence[str]) -> list[Held]:
    ours = by_name(account.prefix, account.fields)
    body = {"ids": list(ids), "fields": readable(schema, object_, ["Id", "IsConverted", *ours])}
    rows: list[dict[str, Any] | None] = sf.restful(f"composite/sobjects/{object_}", method="POST", json=body) or []
    there = [row for row in rows if row and not row.get("IsConverted")]
    return [Held(object_, row["Id"], owned(ours, row)) for row in there]
