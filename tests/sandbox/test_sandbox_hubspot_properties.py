"""Property definitions of the pretended HubSpot, and who may call how often."""

from typing import Any

import pytest
import requests

from sandbox.hubspot import limits as limits_module
from sandbox.people import World
from sandbox.server import Sandbox

PROPERTIES = "/crm/v3/properties/contacts"
CONTACTS = "/crm/v3/objects/contacts"
SCORE = {"name": "score", "label": "Score", "type": "number", "fieldType": "number", "groupName": "scores"}
TIER = {
    "name": "tier",
    "label": "Tier",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "scores",
    "options": [{"label": "High", "value": "high"}, {"label": "Low", "value": "low"}],
}


@pytest.fixture
def group(hubspot) -> str:
    return hubspot.post(f"{PROPERTIES}/groups", {"name": "scores", "label": "Scores"}, 201)["name"]


def test_creating_twice_reports_what_exists_and_makes_the_rest(hubspot, group) -> None:
    made = hubspot.post(f"{PROPERTIES}/batch/create", {"inputs": [SCORE]}, 201)
    assert made["results"][0]["modificationMetadata"]["readOnlyValue"] is False
    again = hubspot.post(f"{PROPERTIES}/batch/create", {"inputs": [SCORE, TIER]}, 207)
    assert [each["name"] for each in again["results"]] == ["tier"]
    assert again["errors"][0]["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"
    assert again["errors"][0]["context"] == {"name": ["score"]}
    hubspot.post(PROPERTIES, SCORE, 409)
    hubspot.post(f"{PROPERTIES}/groups", {"name": "scores", "label": "Scores"}, 409)


def test_definitions_can_be_read_by_both_versions(hubspot, group) -> None:
    hubspot.post("/crm/properties/2026-09/contacts", TIER, 201)
    everything = {each["name"]: each for each in hubspot.get(PROPERTIES)["results"]}
    assert everything["tier"] == hubspot.get("/crm/properties/2026-09/0-1/tier")
    assert everything["email"]["modificationMetadata"]["readOnlyValue"] is False
    assert everything["hs_email_click"]["modificationMetadata"]["readOnlyValue"] is True
    found = hubspot.post(f"{PROPERTIES}/batch/read", {"inputs": [{"name": "tier"}, {"name": "nope"}]}, 207)
    assert ([each["name"] for each in found["results"]], found["numErrors"]) == (["tier"], 1)
    hubspot.get(f"{PROPERTIES}/nope", 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fieldType": "text"},
        {"fieldType": "calculation_score"},
        {"groupName": "elsewhere"},
        {"name": "Score"},
        {"name": "1score"},
        {"label": ""},
        {"type": "bool", "fieldType": "booleancheckbox"},
        {"type": "enumeration", "fieldType": "select", "options": [{"label": "A", "value": "a"}] * 2},
    ],
)
def test_definitions_that_do_not_fit_together_are_refused(hubspot, group, wrong: dict[str, Any]) -> None:
    hubspot.post(PROPERTIES, {**SCORE, **wrong}, 400)
    assert hubspot.get("/crm/v3/limits/custom-properties")["byObjectType"][0]["usage"] == 7


def test_changing_options_replaces_them(hubspot, group) -> None:
    hubspot.post(PROPERTIES, TIER, 201)
    changed = hubspot.call("PATCH", f"{PROPERTIES}/tier", json={"options": [{"label": "Middle", "value": "mid"}]})
    assert [option["value"] for option in changed["options"]] == ["mid"]
    (contact,) = hubspot.get(CONTACTS, limit=1)["results"]
    hubspot.update({"id": contact["id"], "properties": {"tier": "high"}}, status=400)
    hubspot.call("PATCH", f"{PROPERTIES}/email", 400, json={"label": "Mail"})


def test_an_archived_property_takes_its_values_along(small_sandbox, hubspot, group) -> None:
    hubspot.post(PROPERTIES, SCORE, 201)
    (contact,) = hubspot.get(CONTACTS, limit=1)["results"]
    hubspot.update({"id": contact["id"], "properties": {"score": "5"}})
    hubspot.call("DELETE", f"{PROPERTIES}/score", 204)
    assert "score" not in small_sandbox.snapshot()["hubspot"]["contacts"][contact["id"]]
    hubspot.get(f"{PROPERTIES}/score", 404)
    assert [each["name"] for each in hubspot.get(PROPERTIES, archived="true")["results"]] == ["score"]
    hubspot.post(PROPERTIES, SCORE, 201)
    assert hubspot.get(f"{CONTACTS}/{contact['id']}", properties="score")["properties"]["score"] is None
    hubspot.call("DELETE", f"{PROPERTIES}/email", 400)


def test_a_group_goes_when_it_is_empty(hubspot, group) -> None:
    hubspot.post(PROPERTIES, SCORE, 201)
    hubspot.call("DELETE", f"{PROPERTIES}/groups/scores", 400)
    hubspot.post(f"{PROPERTIES}/batch/archive", {"inputs": [{"name": "score"}]}, 204)
    hubspot.call("DELETE", f"{PROPERTIES}/groups/scores", 204)
    hubspot.get(f"{PROPERTIES}/groups/scores", 404)


def test_the_number_of_custom_properties_is_limited(hubspot, group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.hubspot.property_routes.CUSTOM_LIMIT", 8)
    hubspot.post(PROPERTIES, SCORE, 201)
    assert "limit of 8" in hubspot.post(PROPERTIES, TIER, 400)["message"]


def test_without_the_right_token_there_is_nothing(small_sandbox, hubspot) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = requests.get(hubspot.url + CONTACTS, headers=headers, timeout=5)
        assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_a_missing_scope_is_named(small_sandbox, hubspot, group) -> None:
    small_sandbox.platform("hubspot").scopes.discard("crm.schemas.contacts.write")
    answer = hubspot.post(PROPERTIES, SCORE, 403)
    assert answer["category"] == "MISSING_SCOPES"
    assert answer["context"]["requiredGranularScopes"] == ["crm.schemas.contacts.write"]
    hubspot.get(PROPERTIES)


@pytest.fixture
def limited(small_world: World, monkeypatch: pytest.MonkeyPatch):
    """A sandbox that keeps HubSpot's limits, with a clock the test moves."""
    from datetime import UTC, datetime

    class Clock:
        now = 1000.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(limits_module, "time", clock)
    with Sandbox(small_world, datetime(2017, 7, 1, tzinfo=UTC), ("hubspot",)) as sandbox:
        yield sandbox, clock


def test_190_calls_in_ten_seconds_and_no_more(limited, connect) -> None:
    sandbox, clock = limited
    hubspot = connect(sandbox)
    for _ in range(190):
        hubspot.get(f"{CONTACTS}/151")
    answer = hubspot.session.get(f"{hubspot.url}{CONTACTS}/151", timeout=5)
    assert answer.status_code == 429
    assert answer.json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert answer.headers["X-HubSpot-RateLimit-Remaining"] == "0"
    assert "Retry-After" not in answer.headers
    hubspot.post("/crm/v4/associations/contacts/deals/batch/read", {"inputs": []})
    hubspot.post(f"{CONTACTS}/search", {})
    clock.now += 10
    hubspot.get(f"{CONTACTS}/151")


def test_five_searches_a_second(limited, connect) -> None:
    sandbox, clock = limited
    hubspot = connect(sandbox)
    for _ in range(5):
        hubspot.post(f"{CONTACTS}/search", {})
    assert hubspot.post("/crm/v3/objects/deals/search", {}, 429)["policyName"] == "SECONDLY"
    hubspot.get(CONTACTS)
    clock.now += 1
    hubspot.post(f"{CONTACTS}/search", {})


def test_a_day_has_so_many_calls_and_the_next_day_more(limited, connect) -> None:
    from datetime import UTC, datetime

    sandbox, _ = limited
    hubspot = connect(sandbox)
    sandbox.platform("hubspot").limits.daily_limit = 3
    for _ in range(2):
        hubspot.get(CONTACTS)
    answer = hubspot.session.get(hubspot.url + CONTACTS, timeout=5)
    assert answer.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    assert hubspot.get(CONTACTS, 429)["policyName"] == "DAILY"
    sandbox.advance(datetime(2017, 7, 2, tzinfo=UTC))
    (usage,) = hubspot.get("/account-info/v3/api-usage/daily/private-apps")["results"]
    assert usage["currentUsage"] == 1
