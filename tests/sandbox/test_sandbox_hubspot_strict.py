"""The pretended HubSpot refuses what the real one refuses, and can be as awkward as the real one."""

from datetime import timedelta

import pytest

CONTACTS = "/crm/v3/objects/contacts"
DEALS = "/crm/v3/objects/deals"
TIED = "/crm/v4/associations/deals/contacts/batch/read"


def named(value: str, operator: str = "EQ", **more) -> dict:
    asked = {"propertyName": "lastname", "operator": operator, "value": value, **more}
    return {"filterGroups": [{"filters": [asked]}]}


def test_an_address_that_is_too_long_is_refused(hubspot) -> None:
    names = ",".join(f"property_{n}" for n in range(2_000))
    assert hubspot.get(CONTACTS, 414, properties=names)["status"] == "error"


def test_a_search_that_is_too_long_is_refused_and_many_properties_are_not(hubspot) -> None:
    names = [f"property_{n}" for n in range(500)]
    assert hubspot.post(f"{CONTACTS}/search", {**named("x"), "properties": names})["total"] == 0
    assert "too long" in hubspot.post(f"{CONTACTS}/search", named("x" * 3_000), 400)["message"]


def test_texts_to_choose_from_are_found_in_lower_case_only(hubspot) -> None:
    (row,) = hubspot.get(CONTACTS, limit=1, properties="lastname")["results"]
    name = row["properties"]["lastname"]
    assert name != name.lower()
    for values, found in (([name.lower()], True), ([name], False)):
        answer = hubspot.post(f"{CONTACTS}/search", named("", "IN", values=values))
        assert (row["id"] in {each["id"] for each in answer["results"]}) is found


def test_a_change_may_stay_out_of_the_search_for_a_while(small_sandbox, hubspot) -> None:
    small_sandbox.platform("hubspot").quirks.index_lag = timedelta(minutes=3)
    (row,) = hubspot.get(CONTACTS, limit=1)["results"]
    hubspot.update({"id": row["id"], "properties": {"lastname": "Newname"}})
    question = named("Newname")
    assert hubspot.post(f"{CONTACTS}/search", question)["total"] == 0
    small_sandbox.advance(small_sandbox.clock.date + timedelta(minutes=4))
    assert hubspot.post(f"{CONTACTS}/search", question)["total"] == 1


@pytest.mark.parametrize("isolates", [True, False])
def test_a_wrong_value_fails_its_row_or_the_batch(small_sandbox, hubspot, isolates: bool) -> None:
    small_sandbox.platform("hubspot").quirks.isolates = isolates
    ids = [row["id"] for row in hubspot.get(CONTACTS, limit=2)["results"]]
    rows = [
        {"id": id_, "objectWriteTraceId": id_, "properties": {"lifecyclestage": stage}}
        for id_, stage in zip(ids, ("customer", "nonsense"), strict=True)
    ]
    answer = hubspot.update(*rows, status=207 if isolates else 400)
    assert ("nonsense" in answer["errors"][0]["message"]) is True
    stage = hubspot.get(f"{CONTACTS}/{ids[0]}", properties="lifecyclestage")["properties"]["lifecyclestage"]
    assert stage == "customer" or not isolates


def test_a_deal_may_have_several_contacts_and_a_contact_may_leave_it(small_sandbox, hubspot) -> None:
    portal = small_sandbox.platform("hubspot")._portal
    deal = next(iter(portal.deals.live))
    (first,) = portal.associated("deals", "contacts", deal)
    second = next(id_ for id_ in portal.contacts.live if id_ != first)
    portal.tie(deal, second)
    portal.tie(deal, second)
    (told,) = hubspot.post(TIED, {"inputs": [{"id": deal}]})["results"]
    assert [str(to["toObjectId"]) for to in told["to"]] == [first, second]
    portal.untie(deal, first)
    row = hubspot.get(f"{DEALS}/{deal}", associations="contacts")
    assert [each["id"] for each in row["associations"]["contacts"]["results"]] == [second]


@pytest.mark.parametrize(("wanted", "status"), [("companies", 200), ("butterflies", 400)])
def test_associations_with_a_type_that_is_none_are_refused(hubspot, wanted: str, status: int) -> None:
    hubspot.get(CONTACTS, status, limit=1, associations=wanted)
