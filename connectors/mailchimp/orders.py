"""The stream `orders`: orders of the connected stores.

Mailchimp can neither filter nor sort them. So the cursor keeps how far a store was read and which order was the last:
when it still stands at its place, only what comes behind it is new; when not, everything is read again. Orders that
were changed later (cancelled, refunded) show up when everything is read again every week.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.contract import Page
from connectors.mailchimp.answers import cents, instant
from connectors.mailchimp.pages import Pages, Tally, whole
from connectors.mailchimp.sdk import PAGE, Answer, Api
from connectors.records import Activity, ActivityKind

STREAM = "orders"
FULL_PASS = timedelta(days=7)
_CANCELLED = ("cancelled", "canceled", "voided")
_COLUMNS = (
    "id", "customer.email_address", "campaign_id", "financial_status", "currency_code", "order_total",
    "processed_at_foreign", "cancelled_at_foreign", "updated_at_foreign",
)  # fmt: skip


@dataclass(slots=True)
class Place:
    """How far a store was read."""

    begun: str
    """When everything was last read from the beginning."""
    read: int = 0
    last: str = ""
    """The id of the order before `read`."""
    total: int = 0


class Orders:
    """Pulls orders of the `chosen` stores, or of all."""

    def __init__(self, api: Api, chosen: Sequence[str]) -> None:
        self._api = api
        self._chosen = chosen

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """New orders; those that were cancelled come as removed."""
        places = {store: Place(**place) for store, place in json.loads(cursor or "{}").items()}
        stores = self._stores()
        for store in stores:
            place = places.get(store)
            if place is None or until - datetime.fromisoformat(place.begun) >= FULL_PASS:
                place = Place(until.isoformat())
            for rows, behind in self._store(store, place, until):
                places[store] = behind
                activities = tuple(activity for row in rows for activity in _activities(store, row))
                total = behind.total if len(stores) == 1 else None
                yield Page(STREAM, _text(places), activities=activities, total=total)
        if not stores:
            yield Page(STREAM, _text(places))

    def _stores(self) -> list[str]:
        if self._chosen:
            return list(self._chosen)
        page = partial(self._api.call, self._api.ecommerce.stores, fields=["stores.id", "total_items"], count=PAGE)
        return sorted(row["id"] for row in whole(lambda offset: page(offset=offset), "stores"))

    def _store(self, store: str, place: Place, until: datetime) -> Iterator[tuple[list[dict[str, Any]], Place]]:
        """Page by page: new orders, and the place behind them."""
        what = f"orders of the store {store}"
        check, more, tally = place.read > 0, True, Tally(place.read)
        with closing(Pages(partial(self._page, store), PAGE)) as pages:
            while more:
                answer = pages.at(place.read - check)
                # a row that came twice stands for one place
                rows, total = list({row["id"]: row for row in answer["orders"]}.values()), answer["total_items"]
                if check and not (rows and rows[0]["id"] == place.last):
                    tally.again(what)
                    place, check = Place(until.isoformat()), False
                    continue
                if place.read and not check and total != place.total:
                    check = True
                    continue
                new = rows[1:] if check else rows
                last = new[-1]["id"] if new else place.last
                read, more = tally.beyond(place.read, [row["id"] for row in new], total, what)
                begun_anew = more and not read
                place, check = Place(until.isoformat()) if begun_anew else Place(place.begun, read, last, total), False
                yield new, place

    def _page(self, store: str, offset: int) -> Answer:
        fields = [*(f"orders.{name}" for name in _COLUMNS), "total_items"]
        return self._api.call(self._api.ecommerce.get_store_orders, store, fields=fields, count=PAGE, offset=offset)


def _text(places: Mapping[str, Place]) -> str:
    return json.dumps({store: asdict(place) for store, place in places.items()})


def _activities(store: str, row: Mapping[str, Any]) -> Iterator[Activity]:
    """The order, and the refund of one that was paid back."""
    at = instant(row.get("processed_at_foreign")) or instant(row.get("updated_at_foreign"))
    email = (row.get("customer") or {}).get("email_address")
    if at is None or not email:
        return
    status = str(row.get("financial_status") or "").casefold()
    order = Activity(
        id=f"{store}:{row['id']}",
        kind=ActivityKind.ORDER,
        at=at,
        email=email,
        amount=cents(row.get("order_total")),
        currency=row.get("currency_code") or None,
        campaign=row.get("campaign_id") or None,
        removed=bool(row.get("cancelled_at_foreign")) or status in _CANCELLED,
    )
    yield order
    if status == "refunded" and not order.removed:
        refunded = instant(row.get("updated_at_foreign")) or at
        yield Activity(
            f"{order.id}:refund",
            ActivityKind.REFUND,
            refunded,
            email=email,
            amount=order.amount,
            currency=order.currency,
        )
