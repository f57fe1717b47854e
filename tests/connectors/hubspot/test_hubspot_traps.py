"""What changes on HubSpot between two pulls in ways that are easy to miss, over real HTTP."""

from datetime import timedelta

import pytest
import requests

from connectors.contract import Change, Result
from connectors.records import Consent


@pytest.fixture
def by_hand(sandbox):
    """A marketer's own act on the portal, past the connector."""

    def act(method, path, **properties):
        headers = {"Authorization": f"Bearer {sandbox.platform('hubspot').token}"}
        address = f"{sandbox.url}/hubspot/crm/v3/objects/{path}"
        answer = requests.request(method, address, json={"properties": properties}, headers=headers, timeout=5)
        assert answer.ok, answer.text
        return answer.json()

    return act


def test_trap_what_the_search_shows_late_comes_with_the_next_pull(hub, sandbox, by_hand, date, drain):
    contacts, _, cursor = drain(hub, "contacts")
    sandbox.platform("hubspot").quirks.index_lag = timedelta(minutes=9)
    sandbox.advance(date + timedelta(hours=1))
    by_hand("PATCH", f"contacts/{contacts[0].id}", lastname="Late")
    told = []
    for minutes in (60, 65, 70, 75, 90):
        sandbox.advance(max(sandbox.clock.date, date + timedelta(minutes=minutes)))
        found, _, cursor = drain(hub, "contacts", cursor, date + timedelta(minutes=minutes))
        told += [contact.properties["lastname"] for contact in found if contact.id == contacts[0].id]
    assert told[0] == "Late"
    assert len(told) <= 2


def test_trap_a_calculated_value_that_moves_no_date_comes_with_the_next_full_pull(hub, sandbox, date, drain):
    contacts, _, cursor = drain(hub, "contacts")
    portal = sandbox.platform("hubspot")._portal
    one = contacts[0].id
    portal.contacts.change(portal.contacts.live[one], {"age": "44"}, portal.now(), "CALCULATED", bump=False)
    later = date + timedelta(hours=1)
    assert one not in {contact.id for contact in drain(hub, "contacts", cursor, later)[0]}
    whole = {contact.id: contact for contact in drain(hub, "contacts", None, later)[0]}
    assert whole[one].properties["age"] == "44"
    assert {id_: each for id_, each in whole.items() if id_ != one} == {each.id: each for each in contacts[1:]}


@pytest.mark.parametrize("names", [1, 400], ids=["by list", "by search"])
def test_trap_who_changes_during_a_long_full_pull_is_not_missing_from_it(sandbox, connect, by_hand, date, drain, names):
    """Whoever a full pull does not bring counts as purged."""
    hub = connect(f"{sandbox.url}/hubspot", properties=[f"custom_property_number_{n}" for n in range(names)])
    before = {contact.id for contact in drain(hub, "contacts")[0]}
    sandbox.advance(date + timedelta(hours=1))
    for id_ in sorted(before)[:5]:
        by_hand("PATCH", f"contacts/{id_}", lastname="Changed")
    created = by_hand("POST", "contacts", firstname="Newcomer")["id"]
    contacts, _, cursor = drain(hub, "contacts")
    assert {contact.id for contact in contacts} == before
    later = {contact.id for contact in drain(hub, "contacts", cursor, date + timedelta(hours=2))[0]}
    assert {created, *sorted(before)[:5]} <= later


def test_trap_what_leaves_a_deal_without_changing_it_is_noticed_within_a_week(hub, sandbox, date):
    portal = sandbox.platform("hubspot")._portal
    pages = list(hub.pull("deals", None, date))
    deal, tied = next((deal, tied) for deal, tied in portal.contacts_of.items() if tied)
    portal.untie(deal, tied[0])
    noticed = []
    for day in range(1, 10):
        sandbox.advance(date + timedelta(days=day))
        before = hub.calls["deals list"]
        pages = list(hub.pull("deals", pages[-1].cursor, date + timedelta(days=day)))
        noticed.append(any(f"{deal}:" in page.whole for page in pages))
        assert (hub.calls["deals list"] - before > 1) is noticed[-1], "listed once a week, else a page of the bin"
    assert noticed == [False] * 6 + [True] + [False] * 2


def test_trap_a_changed_address_is_the_same_contact(hub, by_hand, date, drain):
    contacts, _, cursor = drain(hub, "contacts")
    one = contacts[0]
    by_hand("PATCH", f"contacts/{one.id}", email="new@post.example", hs_additional_emails=one.email)
    [told] = [each for each in drain(hub, "contacts", cursor, date + timedelta(hours=1))[0] if each.id == one.id]
    assert (told.email, told.other_emails) == ("new@post.example", (one.email,))


def test_trap_a_contact_without_an_address_is_one_too(hub, by_hand, drain):
    made = by_hand("POST", "contacts", firstname="Nameless")["id"]
    [told] = [each for each in drain(hub, "contacts")[0] if each.id == made]
    assert (told.email, told.consent) == (None, Consent.UNKNOWN)


def test_trap_a_contact_that_leaves_a_deal_or_is_merged_takes_no_order_twice(hub, sandbox, date, drain):
    portal = sandbox.platform("hubspot")._portal
    deals = [deal for deal, tied in portal.contacts_of.items() if tied][:2]
    left, merged = (portal.contacts_of[deal][0] for deal in deals)
    others = [id_ for id_ in portal.contacts.live if id_ not in (left, merged)]
    portal.tie(deals[0], others[0])
    first = list(hub.pull("deals", None, date))
    assert sum(each.id.startswith(f"{deals[0]}:") for page in first for each in page.activities) == 2
    portal.untie(deals[0], left)
    portal.merge(portal.contacts.live[others[1]], portal.contacts.live[merged], portal.now())
    for deal in deals:
        portal.deals.change(portal.deals.live[deal], {"dealname": "touched"}, portal.now(), "CRM_UI")
    held = set()
    for page in [*first, *hub.pull("deals", first[-1].cursor, date + timedelta(hours=1))]:
        held = {id_ for id_ in held if not id_.startswith(page.whole)} | {each.id for each in page.activities}
    assert {id_ for id_ in held if id_.startswith((f"{deals[0]}:", f"{deals[1]}:"))} == {
        f"{deals[0]}:{others[0]}",
        f"{deals[1]}:{others[1]}",
    }


def test_trap_the_survivor_of_a_merge_may_have_a_new_id(hub, sandbox, by_hand, fields, date, drain):
    hub.provision(fields)
    contacts, _, cursor = drain(hub, "contacts")
    first, second, other = (contact.id for contact in contacts[:3])
    sandbox.platform("hubspot").quirks.merged_anew = True
    headers = {"Authorization": f"Bearer {sandbox.platform('hubspot').token}"}
    merge = {"primaryObjectId": first, "objectIdToMerge": second}
    address = f"{sandbox.url}/hubspot/crm/v3/objects/contacts/merge"
    survivor = requests.post(address, json=merge, headers=headers, timeout=5).json()["id"]
    assert survivor not in (first, second)
    given = [Change("contacts", id_, None, {"buy_score": 1.0}) for id_ in (first, second, other)]
    outcomes = {each.id: (each.result, each.reason) for batch in hub.write(given) for each in batch}
    gone = (Result.GONE, f"merged into {survivor}")
    assert outcomes == {first: gone, second: gone, other: (Result.WRITTEN, "")}
    told = {each.id: each for each in drain(hub, "contacts", cursor, date + timedelta(hours=1))[0]}
    assert set(told[survivor].aliases) == {first, second}
