"""The stream `deals`: a won deal is an order, a lost one is a lost deal, an open one is nothing yet."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from connectors.contract import Page
from connectors.errors import NotPermitted
from connectors.hubspot.answers import cents, instant, listed, next_page, parts, stuck
from connectors.hubspot.changes import Row
from connectors.hubspot.sdk import RAW, Api
from connectors.hubspot.walk import Leg, Walk
from connectors.records import Activity, ActivityKind

STREAM = "deals"

_PROPERTIES = [
    "amount",
    "amount_in_home_currency",
    "closedate",
    "createdate",
    "deal_currency_code",
    "hs_is_closed",
    "hs_is_closed_won",
    "hs_merged_object_ids",
]
_MODIFIED = "hs_lastmodifieddate"
_ASSOCIATIONS_BATCH = 1_000
_ANEW = timedelta(days=7)
"""Rates, and contacts that leave a deal, change nothing about when the deal last changed."""
_SEARCH_PAGES = 5  # of 200 deals: what one call for their contacts can take


class Deals:
    """Pulls deals, one activity for each contact of a deal."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Won and lost deals. What else was told of a deal is gone: it was reopened, deleted, or left by a contact."""
        walk = Walk(
            self._api.deals,
            self._api.deal_search,
            _MODIFIED,
            _PROPERTIES,
            associations="contacts",
            gather=_SEARCH_PAGES,
            anew=_ANEW,
        )
        for leg in walk.legs(cursor, until):
            closed = [row for row in leg.rows if _is_closed(row)]
            contacts = self._contacts_of(leg, closed)
            activities = tuple(each for row in closed for each in self._activities(row, contacts[str(row["id"])]))
            yield Page(STREAM, leg.cursor, activities=activities, whole=tuple(map(_told_as, _ids(leg.rows))))

    def _contacts_of(self, leg: Leg, rows: Iterable[Row]) -> dict[str, list[str]]:
        """The contacts of each deal. With the list they come along; asked for where a deal has more than fit."""
        found: dict[str, list[str]] = {str(row["id"]): [] for row in rows}
        if not leg.listed:
            told = self._asked(found)
            # an answer that does not mention a deal at all does not say that nobody belongs to it
            return found | told | self._asked(deal for deal in found if deal not in told)
        cut = []
        for row in rows:
            contacts = (row.get("associations") or {}).get("contacts") or {}
            found[str(row["id"])] = [str(contact["id"]) for contact in contacts.get("results") or []]
            if next_page(contacts):
                cut.append(str(row["id"]))
        return found | self._asked(cut)

    def _asked(self, deals: Iterable[str]) -> dict[str, list[str]]:
        """The contacts of the deals that the answer mentions; those without any stand there as errors."""
        found: dict[str, list[str]] = {}
        open_ = [{"id": deal} for deal in deals]
        while open_:
            inputs, open_ = open_[:_ASSOCIATIONS_BATCH], open_[_ASSOCIATIONS_BATCH:]
            answer = self._api.associations.get_page("deals", "contacts", {"inputs": inputs}, **RAW)
            for error in answer.get("errors") or []:
                found |= {deal: [] for deal in listed(error.get("context"), "fromObjectId")}
            for result in answer["results"]:
                deal, after = str(result["from"]["id"]), next_page(result)
                found.setdefault(deal, []).extend(str(to["toObjectId"]) for to in result["to"])
                if after and {"id": deal, "after": after} in inputs:
                    raise stuck("association list")
                if after:
                    open_.append({"id": deal, "after": after})
        return found

    def _activities(self, row: Row, contacts: Iterable[str]) -> Iterator[Activity]:
        """One activity for each contact; a contact with several roles in the deal is counted once."""
        properties = row["properties"]
        at = (
            instant(properties.get("closedate"))
            or instant(properties.get("createdate"))
            or instant(row.get("createdAt"))
        )
        if at is None:
            return
        amount, currency = self._money(properties)
        kind = ActivityKind.ORDER if _is(row, "hs_is_closed_won") else ActivityKind.DEAL_LOST
        if kind is ActivityKind.ORDER and amount is not None and amount < 0:
            kind, amount = ActivityKind.REFUND, -amount
        for contact in dict.fromkeys(contacts):
            id_ = _told_as(str(row["id"])) + contact
            yield Activity(id_, kind, at, contact_id=contact, amount=amount, currency=currency)

    def _money(self, properties: dict[str, Any]) -> tuple[int | None, str | None]:
        """Amount (cents) and currency: the account's own currency, by HubSpot's rate, where the deal has another."""
        amount, currency = cents(properties.get("amount")), properties.get("deal_currency_code") or None
        at_home = cents(properties.get("amount_in_home_currency"))
        if at_home is None or currency is None or at_home == amount or self._home_currency is None:
            return amount, currency
        return at_home, self._home_currency

    @cached_property
    def _home_currency(self) -> str | None:
        """Asked for only when a deal was converted; None where the token may not see it."""
        try:
            return self._api.get("/account-info/v3/details").get("companyCurrency") or None
        except NotPermitted:
            return None


def _told_as(deal: str) -> str:
    """How the ids of a deal's activities begin."""
    return f"{deal}:"


def _ids(rows: Iterable[Row]) -> list[str]:
    """The deals that rows tell about: also those that were merged into them, which are gone."""
    return list(
        dict.fromkeys(
            id_ for row in rows for id_ in (str(row["id"]), *parts(row["properties"].get("hs_merged_object_ids")))
        )
    )


def _is_closed(row: Row) -> bool:
    return not row.get("archived") and (_is(row, "hs_is_closed") or _is(row, "hs_is_closed_won"))


def _is(row: Row, name: str) -> bool:
    return str(row["properties"].get(name) or "").lower() == "true"
