"""Deals as orders."""

import json

import pytest

from connectors.errors import Unavailable
from connectors.hubspot.walk import BIN_PAUSE

DEALS = "https://api.hubapi.com/crm/v3/objects/deals"
CONTACTS_OF = "https://api.hubapi.com/crm/v4/associations/deals/contacts/batch/read"
WON = {"hs_is_closed": "true", "hs_is_closed_won": "true", "amount": "12.50", "deal_currency_code": "EUR"}
LOST = {"hs_is_closed": "true", "hs_is_closed_won": "false", "amount": "99"}
OPEN = {"hs_is_closed": "false", "hs_is_closed_won": "false", "amount": "99"}


def deal(id_, properties, *contacts, after=None, **more):
    stamps = {"closedate": "2017-05-01T10:00:00Z", "hs_lastmodifieddate": "2017-07-31T23:55:00Z"}
    paging = {"paging": {"next": {"after": after}}} if after else {}
    inline = {"contacts": {"results": [{"id": each, "type": "deal_to_contact"} for each in contacts], **paging}}
    associations = {"associations": inline} if contacts else {}
    return {"id": id_, "properties": {**stamps, **properties}, **associations, **more}


def nobody(*deals):
    """How HubSpot says that deals have no contacts."""
    sub = "crm.associations.NO_ASSOCIATIONS_FOUND"
    return [{"status": "error", "subCategory": sub, "context": {"fromObjectId": [id_]}} for id_ in deals]


def remembered(pages):
    """The ids of what a store holds after these pages."""
    held = set()
    for page in pages:
        held = {id_ for id_ in held if not id_.startswith(page.whole)} | {each.id for each in page.activities}
    return held


@pytest.fixture
def listed(web, connect, date):
    """The pages of a first pull that lists these deals (and these archived ones)."""

    def pulled(*rows, archived=()):
        web.get(DEALS, json={"results": list(rows)})
        web.get(DEALS, json={"results": list(archived)})
        return list(connect().pull("deals", None, date))

    return pulled


def told(pages):
    return [activity for page in pages for activity in page.activities]


@pytest.fixture
def searched(web, connect, drain, date):
    """The pages of a second pull that finds these deals changed."""

    def pulled(*rows, archived=()):
        web.get(DEALS, json={"results": []})
        web.get(DEALS, json={"results": []})
        connector = connect()
        cursor = drain(connector, "deals")[2]
        web.post(f"{DEALS}/search", json={"total": len(rows), "results": list(rows)})
        web.get(DEALS, json={"results": list(archived)})
        return list(connector.pull("deals", cursor, date + BIN_PAUSE))

    return pulled


def test_a_won_deal_is_an_order_for_each_contact(listed):
    orders = told(listed(deal("5", WON, "1", "2")))
    assert [(order.id, order.contact_id) for order in orders] == [("5:1", "1"), ("5:2", "2")]
    first = orders[0]
    assert (first.kind, first.amount, first.currency, first.removed) == ("order", 1250, "EUR", False)
    assert first.at.isoformat() == "2017-05-01T10:00:00+00:00"


def test_trap_several_labels_of_one_association_count_once(listed):
    assert len(told(listed(deal("5", WON, "1", "1", "1")))) == 1


def test_a_lost_deal_is_one_and_an_open_deal_is_nothing(listed):
    activities = told(listed(deal("5", LOST, "1"), deal("6", OPEN, "1")))
    assert [(activity.id, activity.kind) for activity in activities] == [("5:1", "deal_lost")]


@pytest.mark.parametrize("amount", ["", None, "n/a", "NaN"])
def test_trap_an_amount_that_is_no_number_is_no_price(listed, amount):
    [order] = told(listed(deal("5", WON | {"amount": amount, "deal_currency_code": None}, "1")))
    assert (order.amount, order.currency) == (None, None)


def test_a_deal_below_zero_is_a_refund(listed):
    [refund] = told(listed(deal("5", WON | {"amount": "-12.5"}, "1")))
    assert (refund.kind, refund.amount) == ("refund", 1250)


def test_a_deal_without_contacts_is_nobodys_order(listed):
    assert told(listed(deal("5", WON))) == []


def test_an_archived_deal_takes_its_orders_away(listed):
    pages = listed(
        deal("5", WON, "1", "2"), archived=[deal("5", WON, archived=True, archivedAt="2017-07-01T00:00:00Z")]
    )
    assert remembered(pages[:1]) == {"5:1", "5:2"}
    assert remembered(pages) == set()


def test_trap_a_merged_deal_takes_the_old_orders_away(listed):
    pages = listed(deal("9", WON | {"hs_merged_object_ids": "5;6;9"}, "1"))
    assert {"5:", "6:", "9:"} <= set(pages[0].whole)
    assert remembered(pages) == {"9:1"}


def test_trap_a_deal_in_another_currency_is_converted_at_the_accounts_own_rate(web, listed):
    web.get("https://api.hubapi.com/account-info/v3/details", json={"companyCurrency": "EUR"})
    dollars = WON | {"deal_currency_code": "USD", "amount": "12.50", "amount_in_home_currency": "11.404"}
    orders = told(listed(deal("5", dollars, "1"), deal("6", dollars, "2"), deal("7", WON, "3")))
    assert [(order.amount, order.currency) for order in orders] == [(1140, "EUR"), (1140, "EUR"), (1250, "EUR")]
    assert sum("details" in call.request.url for call in web.calls) == 1


def test_a_deal_without_a_rate_keeps_its_currency(listed):
    [order] = told(listed(deal("5", WON | {"deal_currency_code": "USD"}, "1")))
    assert (order.amount, order.currency) == (1250, "USD")


def test_a_deal_keeps_its_currency_where_the_accounts_own_may_not_be_seen(web, listed):
    web.get("https://api.hubapi.com/account-info/v3/details", status=403, json={"message": "no"})
    [order] = told(listed(deal("5", WON | {"deal_currency_code": "USD", "amount_in_home_currency": "11"}, "1")))
    assert (order.amount, order.currency) == (1250, "USD")


def test_trap_more_contacts_than_fit_into_the_list_are_asked_for(web, listed):
    answers = [
        {"results": [{"from": {"id": "5"}, "to": [{"toObjectId": 1}], "paging": {"next": {"after": "x"}}}]},
        {"results": [{"from": {"id": "5"}, "to": [{"toObjectId": 2}]}]},
    ]
    for answer in answers:
        web.post(CONTACTS_OF, json=answer)
    orders = told(listed(deal("5", WON, "1", after="x"), deal("6", WON, "3")))
    assert [order.id for order in orders] == ["5:1", "5:2", "6:3"]
    asked = [json.loads(call.request.body) for call in web.calls if call.request.method == "POST"]
    assert asked == [{"inputs": [{"id": "5"}]}, {"inputs": [{"id": "5", "after": "x"}]}]


def test_trap_associations_that_lead_to_themselves_end_with_an_error(web, listed):
    looping = {"results": [{"from": {"id": "5"}, "to": [{"toObjectId": 1}], "paging": {"next": {"after": "x"}}}]}
    web.post(CONTACTS_OF, json=looping)
    web.assert_all_requests_are_fired = False  # whether the bin is asked for meanwhile is a matter of luck
    with pytest.raises(Unavailable, match="again and again"):
        listed(deal("5", WON, "1", after="x"))


def test_a_changed_deal_that_is_no_longer_won_takes_its_order_away(searched):
    pages = searched(deal("5", OPEN))
    assert told(pages) == []
    assert "5:" in pages[0].whole


def test_trap_a_contact_that_left_a_deal_takes_its_order_along(web, searched):
    web.post(CONTACTS_OF, json={"results": [{"from": {"id": "5"}, "to": [{"toObjectId": 2}]}]})
    pages = searched(deal("5", WON))
    assert [activity.id for activity in told(pages)] == ["5:2"]
    assert pages[0].whole == ("5:",)


def test_a_deal_archived_later_takes_its_order_away_without_another_call(searched):
    pages = searched(archived=[deal("5", WON, archived=True, archivedAt="2017-08-01T00:00:00Z")])
    assert told(pages) == []
    assert pages[-1].whole == ("5:",)


def test_trap_deals_without_contacts_in_a_207_are_no_failure(web, searched):
    found = {"from": {"id": "5"}, "to": [{"toObjectId": 1}]}
    web.post(CONTACTS_OF, status=207, json={"results": [found], "errors": nobody("6"), "numErrors": 36})
    assert [order.id for order in told(searched(deal("5", WON), deal("6", WON)))] == ["5:1"]


def test_trap_deals_that_the_answer_does_not_mention_are_asked_for_again(web, searched):
    web.post(CONTACTS_OF, json={"results": []})
    web.post(CONTACTS_OF, json={"results": [{"from": {"id": "5"}, "to": [{"toObjectId": 1}]}]})
    assert [order.id for order in told(searched(deal("5", WON), deal("6", WON)))] == ["5:1"]


def test_five_pages_of_changes_need_one_call_for_contacts(web, connect, drain, date):
    """The sixth page's deals need the second call."""
    web.get(DEALS, json={"results": []})
    web.get(DEALS, json={"results": []})
    connector = connect()
    cursor = drain(connector, "deals")[2]
    for page in range(6):
        stamp = f"2017-07-31T23:5{page + 1}:00.000Z"
        rows = [deal(str(page * 200 + n), WON | {"hs_lastmodifieddate": stamp}) for n in range(200)]
        paging = {"paging": {"next": {"after": "200"}}} if page < 5 else {}
        web.post(f"{DEALS}/search", json={"results": rows, **paging})
    web.post(CONTACTS_OF, status=207, json={"results": [], "errors": nobody(*map(str, range(1_200)))})
    list(connector.pull("deals", cursor, date))
    asked = [json.loads(call.request.body) for call in web.calls if call.request.url == CONTACTS_OF]
    assert [len(body["inputs"]) for body in asked] == [1_000, 200]
