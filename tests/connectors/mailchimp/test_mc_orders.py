"""Orders of the connected stores, on the sandbox and on a made-up list that changes while it is read."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import Unavailable
from connectors.records import ActivityKind
from sandbox.faults import Fault

STORE = "cornershop"


@pytest.fixture
def shop(sandbox):
    return sandbox.platform("mailchimp")._account.shop


def test_every_order_is_brought_with_its_buyer_and_price(chimp, shop, drain):
    activities = {a.id: a for a in drain(chimp, "orders")[1]}
    assert set(activities) == {f"{STORE}:{order.id}" for order in shop.orders}
    for order in shop.orders:
        activity = activities[f"{STORE}:{order.id}"]
        assert (activity.kind, activity.email) == (ActivityKind.ORDER, order.customer.email)
        assert (activity.amount, activity.currency) == (round(order.total * 100), "USD")
        assert activity.at == datetime.fromisoformat(order.processed_at)
        assert activity.campaign == (order.campaign_id or None)
    assert any(a.campaign for a in activities.values())
    assert chimp.calls == {"stores": 1, "orders": -(-len(shop.orders) // 1000)}


def test_with_nothing_changed_a_pull_costs_two_calls(chimp, drain, date):
    cursor = drain(chimp, "orders")[2]
    chimp.calls.clear()
    assert drain(chimp, "orders", cursor, date + timedelta(days=1))[1] == []
    assert chimp.calls == {"stores": 1, "orders": 1}


def test_the_next_pull_brings_the_new_orders_only(chimp, sandbox, shop, drain, date):
    cursor, known = drain(chimp, "orders")[2], len(shop.orders)
    later = date + timedelta(days=6)
    sandbox.advance(later)
    activities = drain(chimp, "orders", cursor, later)[1]
    assert [a.id for a in activities] == [f"{STORE}:{order.id}" for order in shop.orders[known:]]
    assert activities


def test_trap_a_cancelled_order_is_forgotten_within_a_week(chimp, shop, drain, store, date):
    _, activities, cursor = drain(chimp, "orders")
    cancelled = shop.orders[3]
    shop.cancel(cancelled, date.isoformat(), date.isoformat())
    later = date + timedelta(days=7)
    held = store(drain(chimp, "orders", cursor, later)[1], store(activities))
    assert set(held) == {f"{STORE}:{order.id}" for order in shop.orders if order is not cancelled}


def test_trap_an_order_may_be_credited_to_another_campaign_later(chimp, shop, drain, store, date):
    _, activities, cursor = drain(chimp, "orders")
    shop.orders[0].campaign_id = "c9"
    held = store(drain(chimp, "orders", cursor, date + timedelta(days=7))[1], store(activities))
    assert held[f"{STORE}:{shop.orders[0].id}"].campaign == "c9"


def test_a_refund_is_a_fact_of_its_own(chimp, shop, drain, date):
    order = shop.orders[0]
    order.financial_status, order.updated_at = "refunded", date.isoformat()
    found = {a.kind: a for a in drain(chimp, "orders")[1] if a.id.startswith(f"{STORE}:{order.id}")}
    assert found[ActivityKind.ORDER].amount == found[ActivityKind.REFUND].amount == round(order.total * 100)
    assert found[ActivityKind.REFUND].at == date


@pytest.mark.parametrize("status", ["cancelled", "Canceled", "voided"])
def test_an_order_that_never_came_about_is_none(chimp, shop, drain, store, status):
    order = shop.orders[0]
    order.financial_status = status
    assert f"{STORE}:{order.id}" not in store(drain(chimp, "orders")[1])


def test_trap_orders_keep_the_currency_they_were_paid_in(web, api, connect, drain):
    order = {
        "id": "1",
        "customer": {"email_address": "a@b.example"},
        "currency_code": "JPY",
        "order_total": 1200,
        "processed_at_foreign": "2017-07-01T09:00:00+09:00",
    }
    web.get(f"{api}/ecommerce/stores/s1/orders", json={"orders": [order], "total_items": 1})
    (activity,) = drain(connect(stores=["s1"]), "orders")[1]
    assert (activity.amount, activity.currency) == (120_000, "JPY")
    assert activity.at == datetime(2017, 7, 1, tzinfo=UTC)


def test_orders_that_moved_are_all_read_again(chimp, shop, drain, store, date):
    _, activities, cursor = drain(chimp, "orders")
    shop.orders.insert(0, shop.orders.pop())
    again = drain(chimp, "orders", cursor, date + timedelta(days=1))[1]
    assert len(again) == len(shop.orders)
    assert store(again) == store(activities)


def test_a_stop_after_any_page_loses_nothing(chimp, shop, drain, store, monkeypatch, date):
    monkeypatch.setattr("connectors.mailchimp.orders.PAGE", 100)
    pages = list(chimp.pull("orders", None, date))
    assert len(pages) == -(-len(shop.orders) // 100)
    for stop in range(1, len(pages), 3):
        before = [a for page in pages[:stop] for a in page.activities]
        after = drain(chimp, "orders", pages[stop - 1].cursor, date)[1]
        assert len(before) + len(after) == len(shop.orders) == len(store(before + after))


@pytest.mark.parametrize("kind", ["truncate", "reset_before", "reset_after", "status"])
def test_faults_lose_nothing(chimp, sandbox, shop, drain, kind):
    sandbox.inject(*(Fault("mailchimp", "orders", kind, status=status) for status in (429, 403, 502)))
    assert len(drain(chimp, "orders")[1]) == len(shop.orders)


class Listing:
    """A store's orders, `ids`, of which `moves` happen between two calls; page after page of three."""

    def __init__(self, ids, *moves):
        self.ids, self.moves = list(ids), list(moves)

    def __call__(self, request):
        offset, count = (int(request.params[name]) for name in ("offset", "count"))
        rows = [
            {
                "id": id_,
                "customer": {"email_address": "ada@post.example"},
                "order_total": 1.005,
                "processed_at_foreign": "2017-07-01T09:00:00+00:00",
            }
            for id_ in self.ids[offset : offset + count]
        ]
        answer = {"orders": rows, "total_items": len(self.ids)}
        if self.moves:
            self.moves.pop(0)(self.ids)
        return 200, {}, json.dumps(answer)


@pytest.fixture
def listed(web, api, connect, monkeypatch):
    monkeypatch.setattr("connectors.mailchimp.orders.PAGE", 3)

    def listed(listing):
        url = f"{api}/ecommerce/stores/s1/orders"
        web.add_callback("GET", url, listing, content_type="application/json")
        return connect(stores=["s1"])

    return listed


@pytest.mark.parametrize(
    "move",
    [
        lambda ids: ids.append("z"),
        lambda ids: ids.insert(0, "z"),
        lambda ids: ids.remove("b"),
        lambda ids: ids.remove("c"),
    ],
    ids=["appended", "put first", "removed", "last one removed"],
)
def test_trap_a_list_that_changes_while_it_is_read_is_read_whole(listed, drain, move):
    listing = Listing("abcdefg", move)
    activities = drain(listed(listing), "orders")[1]
    assert {a.id for a in activities} >= {f"s1:{id_}" for id_ in listing.ids}


def test_orders_that_change_places_while_they_are_read_are_all_brought(listed, drain):
    def swap(ids):
        """As many as before, and the last one read stands where it stood; one moved in front of it and one behind."""
        ids[0], ids[4] = ids[4], ids[0]

    activities = drain(listed(Listing("abcdefg", swap)), "orders")[1]
    assert {a.id for a in activities} == {f"s1:{id_}" for id_ in "abcdefg"}


def test_a_list_that_never_stands_still_is_given_up(listed, drain):
    listing = Listing("abcdefg", *[lambda ids: ids.insert(0, f"z{len(ids)}")] * 50)
    with pytest.raises(Unavailable, match="faster than it can be read"):
        drain(listed(listing), "orders")


def test_the_amount_is_rounded_to_whole_cents(listed, drain):
    assert drain(listed(Listing("a")), "orders")[1][0].amount == 101


def test_an_account_without_a_store_has_no_orders(web, api, connect, drain):
    web.get(f"{api}/ecommerce/stores", json={"stores": [], "total_items": 0})
    assert drain(connect(), "orders")[1] == []


@pytest.mark.parametrize("missing", ["customer", "processed_at_foreign"])
def test_an_order_of_nobody_or_of_no_time_is_left_out(web, api, connect, drain, missing):
    order = {
        "id": "1",
        "customer": {"email_address": "a@b.example"},
        "processed_at_foreign": "2017-07-01T09:00:00+00:00",
    }
    del order[missing]
    web.get(f"{api}/ecommerce/stores/s1/orders", json={"orders": [order], "total_items": 1})
    assert drain(connect(stores=["s1"]), "orders")[1] == []
