"""The stream `deals`: a won deal is an order, a lost one is a lost deal, an open one is nothing yet."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from connectors.contract import Page
from connectors.hubspot.answers import cents, instant, next_page, parts
from connectors.hubspot.changes import Row
from connectors.hubspot.sdk import RAW, Api
from connectors.hubspot.walk import Walk
from connectors.records import Activity, ActivityKind

STREAM = "deals"

_PROPERTIES = ["amount", "closedate", "createdate", "deal_currency_code", "hs_is_closed", "hs_is_closed_won"]
_MERGED = "hs_merged_object_ids"
_MODIFIED = "hs_lastmodifieddate"
_ASSOCIATIONS_BATCH = 1_000
_SEARCH_PAGES = 5  # of 200 deals: what one call for their contacts can take


class Deals:
    """Pulls deals, one activity for each contact of a deal."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Won and lost deals; a changed deal that is neither (any more), or deleted, comes as removed."""
        walk = Walk(
            self._api.deals,
            self._api.deal_search,
            _MODIFIED,
            [*_PROPERTIES, _MERGED],
            associations="contacts",
            gather=_SEARCH_PAGES,
        )
        for leg in walk.legs(cursor, until):
            contacts = self._listed_contacts(leg.rows) if leg.listed else self._contacts(row["id"] for row in leg.rows)
            activities = [
                activity
                for row in leg.rows
                if not (leg.listed and _is_open(row))
                for activity in _activities(row, contacts.get(str(row["id"]), ()))
            ]
            yield Page(STREAM, leg.cursor, activities=tuple(activities))

    def _listed_contacts(self, rows: Iterable[Row]) -> dict[str, list[str]]:
        """The contacts of deals that came with them; asked for again where a deal has more than fit."""
        found, cut = {}, []
        for row in rows:
            contacts = (row.get("associations") or {}).get("contacts") or {}
            found[str(row["id"])] = [str(contact["id"]) for contact in contacts.get("results") or []]
            if next_page(contacts):
                cut.append(row["id"])
        return found | self._contacts(cut)

    def _contacts(self, deals: Iterable[str]) -> dict[str, list[str]]:
        """The contacts of each deal."""
        found: dict[str, list[str]] = {}
        open_: list[dict[str, str]] = [{"id": str(deal)} for deal in deals]
        while open_:
            inputs, open_ = open_[:_ASSOCIATIONS_BATCH], open_[_ASSOCIATIONS_BATCH:]
            # deals without a contact stand under `errors` in the answer, which is none
            answer = self._api.associations.get_page("deals", "contacts", {"inputs": inputs}, **RAW)
            for result in answer["results"]:
                deal = str(result["from"]["id"])
                found.setdefault(deal, []).extend(str(to["toObjectId"]) for to in result["to"])
                after = next_page(result)
                if after:
                    open_.append({"id": deal, "after": after})
        return found


def _activities(row: Row, contacts: Iterable[str]) -> Iterator[Activity]:
    """One activity for each contact; a contact with several roles in the deal is counted once.

    Deals that were merged into this one are gone.
    """
    properties: dict[str, Any] = row["properties"]
    won = _is(properties, "hs_is_closed_won")
    at = instant(properties.get("closedate")) or instant(properties.get("createdate")) or instant(row.get("createdAt"))
    if at is None:
        return
    for contact in dict.fromkeys(contacts):
        yield Activity(
            id=f"{row['id']}:{contact}",
            kind=ActivityKind.DEAL_LOST if _is(properties, "hs_is_closed") and not won else ActivityKind.ORDER,
            at=at,
            contact_id=contact,
            amount=cents(properties.get("amount")),
            currency=properties.get("deal_currency_code") or None,
            removed=bool(row.get("archived")) or _is_open(row),
        )
        for merged in parts(properties.get(_MERGED)):
            if merged != str(row["id"]):
                yield Activity(f"{merged}:{contact}", ActivityKind.ORDER, at, contact_id=contact, removed=True)


def _is_open(row: Row) -> bool:
    properties = row["properties"]
    return not row.get("archived") and not _is(properties, "hs_is_closed") and not _is(properties, "hs_is_closed_won")


def _is(properties: dict[str, Any], name: str) -> bool:
    return str(properties.get(name) or "").lower() == "true"
