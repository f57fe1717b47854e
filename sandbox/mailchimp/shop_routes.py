"""Routes of the connected store: the store, its customers, its orders."""

from collections.abc import Sequence

from flask import request

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.records import LIST_ID, STORE_ID, Customer, Order, stamp
from sandbox.mailchimp.wire import Body, base_url, flag, invalid, links, not_found, page, sent_body


class ShopRoutes:
    """The store over HTTP: orders cannot be filtered by date nor sorted."""

    def __init__(self, account: Account) -> None:
        self.account, self.shop = account, account.shop

    def stores(self) -> Body:
        """GET /ecommerce/stores: the one store."""
        orders = self.shop.orders
        store = {
            "id": STORE_ID,
            "list_id": LIST_ID,
            "name": "Corner Shop",
            "platform": "API",
            "domain": "shop.example",
            "is_syncing": False,
            "email_address": "hello@shop.example",
            "currency_code": "USD",
            "money_format": "$",
            "primary_locale": "en",
            "timezone": "UTC",
            "list_is_active": True,
            "created_at": orders[0].processed_at if orders else "",
            "updated_at": orders[-1].processed_at if orders else "",
            "_links": links(self._store_url(), {"self": ("GET", ""), "orders": ("GET", "/orders")}),
        }
        return {"stores": page([store]), "total_items": 1, "_links": links(request.base_url, {"self": ("GET", "")})}

    def all_orders(self) -> Body:
        """GET /ecommerce/orders."""
        return self._orders()

    def store_orders(self) -> Body:
        """GET the orders of the store."""
        return {"store_id": STORE_ID} | self._orders()

    def one_order(self, order_id: str) -> Body:
        """GET one order."""
        return self._order(self._known(order_id))

    def change_order(self, order_id: str) -> Body:
        """PATCH an order: the store reports its cancellation (`cancelled_at_foreign`)."""
        order, at = self._known(order_id), sent_body().get("cancelled_at_foreign")
        if not isinstance(at, str) or not at:
            raise invalid(("cancelled_at_foreign", "This value should not be blank."))
        self.shop.cancel(order, at, stamp(self.account.clock.now()))
        return self._order(order)

    def customers(self) -> Body:
        """GET the customers of the store."""
        rows = list(self.shop.customers.values())
        if email := request.args.get("email_address"):
            rows = [customer for customer in rows if customer.email.lower() == email.lower()]
        return {
            "store_id": STORE_ID,
            "customers": [self._customer(customer) for customer in page(rows)],
            "total_items": len(rows),
            "_links": links(request.base_url, {"self": ("GET", "")}),
        }

    def _orders(self) -> Body:
        rows: Sequence[Order] = self.shop.orders
        if customer := request.args.get("customer_id"):
            rows = [order for order in rows if order.customer.id == customer]
        if campaign := request.args.get("campaign_id"):
            rows = [order for order in rows if order.campaign_id == campaign]
        if flag("has_outreach"):
            rows = [order for order in rows if order.campaign_id]
        return {
            "orders": [self._order(order) for order in page(rows)],
            "total_items": len(rows),
            "_links": links(request.base_url, {"self": ("GET", "")}),
        }

    def _known(self, order_id: str) -> Order:
        if (order := self.shop.by_id.get(order_id)) is None:
            raise not_found()
        return order

    def _store_url(self) -> str:
        return f"{base_url()}/ecommerce/stores/{STORE_ID}"

    def _order(self, order: Order) -> Body:
        body = plain_order(order)
        body["customer"] = self._customer(order.customer)
        body["lines"] = _lines(order)
        body["_links"] = links(f"{self._store_url()}/orders/{order.id}", {"self": ("GET", ""), "update": ("PATCH", "")})
        return body

    def _customer(self, customer: Customer) -> Body:
        member = self.account.audience.members.get(customer.contact_id)
        return {
            "id": customer.id,
            "email_address": customer.email,
            "opt_in_status": member is not None and member.status == "subscribed",
            "company": "",
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "orders_count": customer.orders,
            "total_spent": customer.spent,
            "created_at": customer.created_at,
            "updated_at": customer.updated_at,
        }


def plain_order(order: Order) -> Body:
    """An order without details: the address of its customer, the number of its lines."""
    body: Body = {
        "id": order.id,
        "customer": {"id": order.customer.id, "email_address": order.customer.email},
        "store_id": STORE_ID,
        "campaign_id": order.campaign_id,
        "financial_status": order.financial_status,
        "fulfillment_status": "shipped",
        "currency_code": "USD",
        "order_total": order.total,
        "discount_total": 0,
        "tax_total": 0,
        "shipping_total": 0,
        "processed_at_foreign": order.processed_at,
        "updated_at_foreign": order.updated_at,
        "lines": order.lines,
    }
    if order.cancelled_at:
        body["cancelled_at_foreign"] = order.cancelled_at
    return body


def _lines(order: Order) -> list[Body]:
    """One line per article bought; the world knows the sum only, so it is spread evenly to the cent."""
    cents, rest = divmod(round(order.total * 100), order.lines)
    return [
        {"id": f"{order.id}-{n}", "product_id": "article", "quantity": 1, "price": (cents + (n < rest)) / 100}
        for n in range(order.lines)
    ]
