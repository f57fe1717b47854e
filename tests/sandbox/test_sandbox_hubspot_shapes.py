"""The pretended HubSpot's answers have the keys, types and nulls of answers recorded from the real one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox

RECORDED = Path("../shared/fixtures/hubspot")
CONTACTS = "/crm/v3/objects/contacts"
PROPERTIES = "/crm/v3/properties/contacts"
AGE = {"name": "age__c", "label": "Age", "type": "number", "fieldType": "number", "groupName": "shopper"}
INTERESTS = {
    "name": "interests__c",
    "label": "Interests",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "shopper",
    "options": [{"label": "Art", "value": "art"}],
}

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded HubSpot answers are not on this machine")


NOT_OFFERED = {
    "amp_events_e_visited_page": "events of single visits are sold with the Enterprise plan only, and are not read",
    "amp_marketing_emails_page1": "marketing e-mails themselves are not read",
}
"""Recordings of endpoints that the sandbox does not have, and why not."""


def shape(value: Any, at: str = "") -> dict[str, set[str]]:
    """The types of everything in an answer, by its place; the elements of a list share one.

    The names of a record's properties depend on the portal and are left out.
    """
    found: dict[str, set[str]] = {at: {"null" if value is None else type(value).__name__}}
    inner: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        inner = [(f"{at}.{'*' if at.endswith('.properties') else key}", each) for key, each in value.items()]
    elif isinstance(value, list):
        inner = [(f"{at}[]", each) for each in value]
    for place, each in inner:
        for where, types in shape(each, place).items():
            found.setdefault(where, set()).update(types)
    return found


def assert_alike(ours: Any, recorded: Any) -> None:
    """The same places, and nothing of a type (or a null) that was not recorded there."""
    have, want = shape(ours), shape(recorded)
    assert set(have) == set(want)
    assert {place: types for place, types in have.items() if not types <= want[place] | _shown(place)} == {}


def _shown(place: str) -> set[str]:
    """A property may be empty in one portal and not in another."""
    return {"null"} if place.endswith(".properties.*") else set()


def test_every_recording_is_compared_with() -> None:
    assert {file.stem for file in RECORDED.glob("*.json")} == {*COMPARED, *REFUSALS, *NOT_OFFERED}


def list_page(hubspot) -> Any:
    return hubspot.get(CONTACTS, limit=3, properties="email")


def update_complete(hubspot) -> Any:
    return hubspot.update({"id": "151", "properties": {"firstname": "A"}}, {"id": "301", "properties": {}})


def update_not_found(hubspot) -> Any:
    wrong = {"id": "unknown", "properties": {"firstname": "B"}}
    return hubspot.update({"id": "151", "properties": {"firstname": "A"}}, wrong, status=207)


def update_twice(hubspot) -> Any:
    return hubspot.update(*[{"id": "151", "properties": {}}] * 2, status=400)


def update_unknown_property(hubspot) -> Any:
    return hubspot.update({"id": "151", "properties": {"first000name": "A", "last000name": "B"}}, status=400)


def create_existing(hubspot) -> Any:
    email = hubspot.get(f"{CONTACTS}/151", properties="email")["properties"]["email"]
    rows = [{"objectWriteTraceId": str(n), "properties": {"email": e}} for n, e in enumerate((email, "n@example.org"))]
    return hubspot.post(f"{CONTACTS}/batch/create", {"inputs": rows}, 207)


def associations(hubspot) -> Any:
    inputs = [{"id": row["id"]} for row in hubspot.everything(CONTACTS)]
    return hubspot.post("/crm/v4/associations/contacts/deals/batch/read", {"inputs": inputs}, 207)


def properties_created(hubspot) -> Any:
    return hubspot.post(f"{PROPERTIES}/batch/create", {"inputs": [AGE, INTERESTS]}, 201)


def properties_existing(hubspot) -> Any:
    hubspot.post(PROPERTIES, AGE, 201)
    return hubspot.post(f"{PROPERTIES}/batch/create", {"inputs": [AGE, INTERESTS]}, 207)


def property_changed(hubspot) -> Any:
    hubspot.post(PROPERTIES, INTERESTS, 201)
    return hubspot.call("PATCH", f"{PROPERTIES}/interests__c", json={"options": [{"label": "Art", "value": "art"}]})


def group_created(hubspot) -> Any:
    return hubspot.post(f"{PROPERTIES}/groups", {"name": "made", "label": "Made"}, 201)


def unknown_type(hubspot) -> Any:
    return hubspot.post("/crm/v3/objects/butterflies/search", {}, 400)


def lists_found(hubspot) -> Any:
    for name, kind in (("Members", "MANUAL"), ("Regulars", "DYNAMIC"), ("Guests", "SNAPSHOT")):
        hubspot.post("/crm/v3/lists", {"name": name, "processingType": kind, "objectTypeId": "0-1"})
    (someone,) = hubspot.get(CONTACTS, limit=1)["results"]
    hubspot.call("PUT", "/crm/v3/lists/1/memberships/add", json=[someone["id"]])
    return hubspot.post("/crm/v3/lists/search", {"count": 2})


COMPARED: dict[str, Callable[[Any], Any]] = {
    "amp_contacts_list_page": list_page,
    "amp_batch_update_contacts_200": update_complete,
    "amp_batch_update_contacts_207_not_found": update_not_found,
    "amp_batch_update_contacts_400_duplicate_ids": update_twice,
    "amp_batch_update_contacts_400_property_doesnt_exist": update_unknown_property,
    "amp_batch_create_contacts_207_conflict_traceid": create_existing,
    "amp_associations_v4_contacts_companies": associations,
    "amp_properties_batch_create": properties_created,
    "amp_properties_batch_create_207_exists": properties_existing,
    "amp_property_patch_enum_options": property_changed,
    "amp_property_group_create": group_created,
    "amp_error_400_search_invalid_object": unknown_type,
    "amp_lists_search_page1": lists_found,
}
REFUSALS = ("amp_error_403_missing_scopes", "issue117_429_ten_secondly_rolling")


@pytest.mark.parametrize("recording", COMPARED)
def test_answers_have_the_recorded_shape(hubspot, recording: str) -> None:
    recorded = json.loads((RECORDED / f"{recording}.json").read_text())
    assert_alike(COMPARED[recording](hubspot), recorded)


def test_refusals_have_the_recorded_shape(small_sandbox: Sandbox, small_world, connect) -> None:
    missing, throttled = (json.loads((RECORDED / f"{name}.json").read_text()) for name in REFUSALS)
    with Sandbox(small_world, small_sandbox.clock.date, ("hubspot",)) as limited:
        hubspot, platform = connect(limited), limited.platform("hubspot")
        platform.scopes.discard("forms")
        assert_alike(hubspot.get("/marketing/v3/forms", 403), missing)
        platform.limits.burst.limit = 0
        assert_alike(hubspot.get(CONTACTS, 429), throttled)
