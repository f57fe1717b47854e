"""The pretended HubSpot's answers have the keys of answers recorded from the real one."""

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


def shape(value: Any) -> Any:
    """The keys of an answer at every depth; the properties of a record depend on the portal and are left out."""
    if isinstance(value, dict):
        return {key: None if key == "properties" else shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        merged: dict[str, Any] = {}
        for each in value:
            if isinstance(each, dict):
                merged |= shape(each)
        return [merged]
    return None


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


@pytest.mark.parametrize(
    ("recording", "ask"),
    [
        ("amp_contacts_list_page", list_page),
        ("amp_batch_update_contacts_200", update_complete),
        ("amp_batch_update_contacts_207_not_found", update_not_found),
        ("amp_batch_update_contacts_400_duplicate_ids", update_twice),
        ("amp_batch_update_contacts_400_property_doesnt_exist", update_unknown_property),
        ("amp_batch_create_contacts_207_conflict_traceid", create_existing),
        ("amp_associations_v4_contacts_companies", associations),
        ("amp_properties_batch_create", properties_created),
        ("amp_properties_batch_create_207_exists", properties_existing),
        ("amp_property_patch_enum_options", property_changed),
        ("amp_property_group_create", group_created),
        ("amp_error_400_search_invalid_object", unknown_type),
    ],
)
def test_answers_have_the_recorded_keys(hubspot, recording: str, ask: Callable[[Any], Any]) -> None:
    recorded = json.loads((RECORDED / f"{recording}.json").read_text())
    assert shape(ask(hubspot)) == shape(recorded)


def test_refusals_have_the_recorded_keys(small_sandbox: Sandbox, small_world, connect) -> None:
    with Sandbox(small_world, small_sandbox.clock.date, ("hubspot",)) as limited:
        hubspot, platform = connect(limited), limited.platform("hubspot")
        platform.scopes.discard("forms")
        missing = json.loads((RECORDED / "amp_error_403_missing_scopes.json").read_text())
        assert shape(hubspot.get("/marketing/v3/forms", 403)) == shape(missing)
        platform.limits.burst.limit = 0
        throttled = json.loads((RECORDED / "issue117_429_ten_secondly_rolling.json").read_text())
        assert shape(hubspot.get(CONTACTS, 429)) == shape(throttled)
