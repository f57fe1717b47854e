"""The connected store."""

from datetime import UTC, datetime


def test_orders_come_in_the_order_they_were_placed(api):
    page = api.get("/ecommerce/orders", count=1000)
    assert [o["id"] for o in page["orders"]] == ["101", "102", "104", "105"]
    assert page["total_items"] == 4
    first = page["orders"][0]
    assert (first["order_total"], first["currency_code"], first["financial_status"]) == (12.35, "USD", "paid")
    assert first["processed_at_foreign"] == first["updated_at_foreign"] == "2017-01-02T10:00:00+00:00"
    assert [line["price"] for line in first["lines"]] == [4.12, 4.12, 4.11]
    assert "cancelled_at_foreign" not in first
    assert first["customer"]["email_address"] == "Ada@Post.example"
    assert (first["customer"]["orders_count"], first["customer"]["total_spent"]) == (2, 52.36)


def test_new_orders_are_appended_and_no_filter_by_date_exists(api):
    before = [o["id"] for o in api.get("/ecommerce/orders", count=1000)["orders"]]
    api.sandbox.advance(datetime(2017, 12, 31, tzinfo=UTC))
    after = [o["id"] for o in api.get("/ecommerce/orders", count=1000, since="2017-11-01T00:00:00Z")["orders"]]
    assert after == [*before, "106"]
    assert [o["id"] for o in api.get("/ecommerce/orders", count=2, offset=2)["orders"]] == after[2:4]


def test_the_store_lists_its_orders_and_customers(api):
    [store] = api.get("/ecommerce/stores")["stores"]
    assert (store["currency_code"], store["list_id"]) == ("USD", api.list_id)
    orders = api.get(f"/ecommerce/stores/{store['id']}/orders", customer_id="3")
    assert ([o["id"] for o in orders["orders"]], orders["store_id"]) == (["102", "105"], store["id"])
    customers = api.get(f"/ecommerce/stores/{store['id']}/customers")["customers"]
    assert [c["id"] for c in customers] == ["1", "3"]
    [cyd] = api.get(f"/ecommerce/stores/{store['id']}/customers", email_address="CYD@new.example")["customers"]
    assert cyd["id"] == "3"
    assert api.get(f"/ecommerce/stores/{store['id']}/orders/101")["id"] == "101"
    assert api.problem("GET", f"/ecommerce/stores/{store['id']}/orders/999")["status"] == 404


def test_an_order_soon_after_a_click_is_credited_to_the_campaign(api):
    spring = api.get("/campaigns")["campaigns"][0]["id"]
    credited = api.get("/ecommerce/orders", campaign_id=spring)["orders"]
    assert [o["id"] for o in credited] == ["104"]
    assert api.get("/ecommerce/orders", has_outreach="true")["total_items"] == 1
    report = api.get(f"/reports/{spring}")["ecommerce"]
    assert (report["total_orders"], report["total_revenue"]) == (1, 40.01)


def test_a_cancelled_order_keeps_its_place(api):
    store = api.get("/ecommerce/stores")["stores"][0]["id"]
    path, at = f"/ecommerce/stores/{store}/orders/101", "2017-09-29T10:00:00+00:00"
    order = api.call("PATCH", path, {"cancelled_at_foreign": at}).json()
    assert (order["cancelled_at_foreign"], order["financial_status"]) == (at, "cancelled")
    assert order["updated_at_foreign"] == "2017-09-30T09:00:00+00:00"
    assert (order["customer"]["orders_count"], order["customer"]["total_spent"]) == (1, 40.01)
    assert api.get("/ecommerce/orders")["orders"][0]["id"] == "101"
    assert api.problem("PATCH", path, {})["errors"][0]["field"] == "cancelled_at_foreign"
