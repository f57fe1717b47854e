"""Deals as orders."""

import json

import pytest

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


@pytest.fixture
def listed(web, connect, drain):
    """The activities of a first pull that lists these deals (and these archived ones)."""

    def pulled(*rows, archived=()):
        web.get(DEALS, json={"results": list(rows)})
        web.get(DEALS, json={"results": list(archived)})
        return drain(connect(), "deals")[1]

    return pulled


@pytest.fixture
def searched(web, connect, drain, date):
    """The activities of a second pull that finds these deals changed."""

    def pulled(*rows, archived=()):
        web.get(DEALS, json={"results": []})
        web.get(DEALS, json={"results": []})
        connector = connect()
        cursor = drain(connector, "deals")[2]
        web.post(f"{DEALS}/search", json={"total": len(rows), "results": list(rows)})
        web.get(DEALS, json={"results": list(archived)})
        return drain(connector, "deals", cursor, date + BIN_PAUSE)[1]

    return pulled


def test_a_won_deal_is_an_order_for_each_contact(listed):
    orders = listed(deal("5", WON, "1", "2"))
    assert [(order.id, order.contact_id) for order in orders] == [("5:1", "1"), ("5:2", "2")]
    first = orders[0]
    assert (first.kind, first.amount, first.currency, first.removed) == ("order", 1250, "EUR", False)
    assert first.at.isoformat() == "2017-05-01T10:00:00+00:00"


def test_several_roles_of_one_contact_count_once(listed):
    assert len(listed(deal("5", WON, "1", "1", "1"))) == 1


def test_a_lost_deal_is_one_and_an_open_deal_is_nothing(listed):
    activities = listed(deal("5", LOST, "1"), deal("6", OPEN, "1"))
    assert [(activity.id, activity.kind) for activity in activities] == [("5:1", "deal_lost")]


def test_an_order_without_an_amount_has_no_price(listed):
    [order] = listed(deal("5", WON | {"amount": "", "deal_currency_code": None}, "1"))
    assert (order.amount, order.currency) == (None, None)


def test_a_deal_without_contacts_is_nobodys_order(listed):
    assert listed(deal("5", WON)) == []


def test_an_archived_deal_takes_its_order_away(listed):
    [order] = listed(archived=[deal("5", WON, "1", archived=True, archivedAt="2017-07-01T00:00:00Z")])
    assert (order.id, order.removed) == ("5:1", True)


def test_a_merged_deal_takes_the_old_orders_away(listed):
    activities = listed(deal("9", WON | {"hs_merged_object_ids": "5;6;9"}, "1"))
    assert {activity.id: activity.removed for activity in activities} == {"9:1": False, "5:1": True, "6:1": True}


def test_more_contacts_than_fit_into_the_list_are_asked_for(web, listed):
    answers = [
        {"results": [{"from": {"id": "5"}, "to": [{"toObjectId": 1}], "paging": {"next": {"after": "x"}}}]},
        {"results": [{"from": {"id": "5"}, "to": [{"toObjectId": 2}]}]},
    ]
    for answer in answers:
        web.post(CONTACTS_OF, json=answer)
    orders = listed(deal("5", WON, "1", after="x"), deal("6", WON, "3"))
    assert [order.id for order in orders] == ["5:1", "5:2", "6:3"]
    asked = [json.loads(call.request.body) for call in web.calls if call.request.method == "POST"]
    assert asked == [{"inputs": [{"id": "5"}]}, {"inputs": [{"id": "5", "after": "x"}]}]


def test_a_changed_deal_that_is_no_longer_won_takes_its_order_away(web, searched):
    web.post(CONTACTS_OF, json={"results": [{"from": {"id": "5"}, "to": [{"toObjectId": 1}]}]})
    [order] = searched(deal("5", OPEN))
    assert (order.id, order.removed) == ("5:1", True)


def test_a_deal_archived_later_takes_its_order_away_without_another_call(searched):
    [order] = searched(archived=[deal("5", WON, "1", archived=True, archivedAt="2017-08-01T00:00:00Z")])
    assert (order.id, order.removed) == ("5:1", True)


def test_deals_without_contacts_in_the_answer_are_no_failure(web, searched):
    error = {"subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND", "context": {"fromObjectId": ["6"]}}
    found = {"from": {"id": "5"}, "to": [{"toObjectId": 1}]}
    web.post(CONTACTS_OF, status=207, json={"results": [found], "errors": [error], "numErrors": 36})
    assert [order.id for order in searched(deal("5", WON), deal("6", WON))] == ["5:1"]


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
    web.post(CONTACTS_OF, json={"results": []})
    list(connector.pull("deals", cursor, date))
    asked = [json.loads(call.request.body) for call in web.calls if call.request.url == CONTACTS_OF]
    assert [len(body["inputs"]) for body in asked] == [1_000, 200]
