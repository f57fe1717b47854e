"""The connected store: customers and their orders, appended as they come."""

from collections import defaultdict

from sandbox.mailchimp.records import Customer, Order


class Shop:
    """Orders in the order they arrived; customers by contact id."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.by_id: dict[str, Order] = {}
        self.customers: dict[str, Customer] = {}
        self.credited: dict[str, list[Order]] = defaultdict(list)
        """Campaign id → the orders it is credited with ("" holds the rest)."""

    def take(self, order: Order) -> None:
        """A new order."""
        self.orders.append(order)
        self.by_id[order.id] = order
        self.credited[order.campaign_id].append(order)
        customer = order.customer
        customer.orders += 1
        customer.spent = round(customer.spent + order.total, 2)
        customer.updated_at = order.processed_at

    def cancel(self, order: Order, at: str, now: str) -> None:
        """The store reports at `now` that an order was cancelled at `at`."""
        if not order.cancelled_at:
            order.customer.orders -= 1
            order.customer.spent = round(order.customer.spent - order.total, 2)
        order.cancelled_at, order.updated_at, order.financial_status = at, now, "cancelled"
