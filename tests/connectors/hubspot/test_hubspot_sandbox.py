"""The whole adapter over real HTTP, against a pretended portal that was written from HubSpot's own documents."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from connectors.contract import Change, FieldSpec, FieldType, Result
from connectors.errors import SchemaDrift, Throttled
from connectors.records import Consent
from sandbox.faults import Fault

VALUES = {
    "buy_score": 71.5,
    "segment": "Loyal",
    "tags": ("big", "soon"),
    "why": "Bought 3 times; last: “Käse & <Brot>”, then nothing",
    "scored_on": "2017-08-01",
    "control": False,
}


def portal_of(sandbox):
    return sandbox.snapshot()["hubspot"]


def post(sandbox, path, body, method="POST"):
    """A marketer's own act on the portal, past the connector."""
    token = sandbox.platform("hubspot").token
    answer = requests.request(
        method, f"{sandbox.url}/hubspot{path}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=5
    )
    assert answer.ok, answer.text
    return answer


def results(connector, changes):
    return {outcome.id: outcome for batch in connector.write(changes) for outcome in batch}


def test_a_full_pull_brings_everybody_and_every_order(hub, sandbox, drain):
    portal = portal_of(sandbox)
    contacts = drain(hub, "contacts")[0]
    assert {contact.id for contact in contacts} == set(portal["contacts"])
    shown = {contact.id: portal["contacts"][contact.id] for contact in contacts}
    assert all(contact.email == shown[contact.id]["email"] for contact in contacts)
    assert all(contact.properties["firstname"] == shown[contact.id]["firstname"] for contact in contacts)
    left = {id_ for id_, row in shown.items() if row.get("hs_email_optout") == "true"}
    assert {contact.id for contact in contacts if contact.consent is Consent.OPTED_OUT} == left
    orders = drain(hub, "deals")[1]
    assert len(orders) == len({order.id for order in orders}) == len(portal["deals"])
    total = sum(round(float(row["amount"]) * 100) for row in portal["deals"].values())
    assert sum(order.amount for order in orders) == total
    assert {order.contact_id for order in orders} <= {contact.id for contact in contacts}


def test_a_full_pull_costs_a_call_a_hundred_and_one_for_the_bin(hub, sandbox, drain):
    portal = portal_of(sandbox)
    drain(hub, "contacts")
    drain(hub, "deals")
    assert hub.calls["contacts list"] == -(-len(portal["contacts"]) // 100) + 1
    assert hub.calls["deals list"] == -(-len(portal["deals"]) // 100) + 1
    assert set(hub.calls) == {"contacts list", "deals list"}


@pytest.mark.parametrize("stream", ["contacts", "deals", "forms"])
def test_with_nothing_changed_a_pull_costs_at_most_three_calls(hub, date, drain, stream):
    cursor = drain(hub, stream)[2]
    before = hub.calls.total()
    drain(hub, stream, cursor, date + timedelta(hours=1))
    assert hub.calls.total() - before <= 3


def test_streams_may_be_pulled_at_once(hub, drain):
    with ThreadPoolExecutor(3) as threads:
        at_once = dict(zip(hub.streams, threads.map(lambda stream: drain(hub, stream), hub.streams), strict=True))
    assert at_once == {stream: drain(hub, stream) for stream in hub.streams}


def test_a_second_pull_brings_only_what_changed(hub, sandbox, date, drain):
    cursors = {stream: drain(hub, stream)[2] for stream in hub.streams}
    before, later = portal_of(sandbox), date + timedelta(days=6)
    sandbox.advance(later)
    after = portal_of(sandbox)
    margin = (date - timedelta(minutes=10)).isoformat()
    changed = {id_ for id_, row in after["contacts"].items() if row["lastmodifieddate"] >= margin}
    assert {contact.id for contact in drain(hub, "contacts", cursors["contacts"], later)[0]} == changed
    orders = {order.id.partition(":")[0] for order in drain(hub, "deals", cursors["deals"], later)[1]}
    assert set(after["deals"]) - set(before["deals"]) <= orders
    assert all(after["deals"][id_]["hs_lastmodifieddate"] >= margin for id_ in orders)


def test_setting_up_the_fields_twice_creates_them_once(hub, sandbox, fields):
    assert len(hub.drift(fields)) == len(fields)
    assert len(hub.provision(fields)) == len(fields) + 1
    definitions = portal_of(sandbox)["contacts properties"]
    assert definitions["ft_tags"]["fieldType"] == "checkbox"
    assert definitions["ft_tags"]["description"] == "What stands out."
    assert [option["value"] for option in definitions["ft_segment"]["options"]] == ["Loyal", "New", "Lost"]
    assert hub.provision(fields) == []
    assert hub.drift(fields) == []
    assert portal_of(sandbox)["contacts properties"] == definitions


def test_new_options_are_added_and_the_marketers_own_stay(hub, sandbox, fields):
    hub.provision(fields)
    options = [*portal_of(sandbox)["contacts properties"]["ft_segment"]["options"], {"label": "Mine", "value": "mine"}]
    post(sandbox, "/crm/v3/properties/contacts/ft_segment", {"options": options}, "PATCH")
    more = FieldSpec("segment", "SEG", "Segment", FieldType.CHOICE, "", ("Loyal", "New", "Lost", "Asleep"))
    [problem] = hub.drift([more])
    assert "lacks the options Asleep" in problem
    assert hub.provision([more]) == ["ft_segment: added the options Asleep"]
    found = portal_of(sandbox)["contacts properties"]["ft_segment"]["options"]
    assert [option["value"] for option in found] == ["Loyal", "New", "Lost", "mine", "Asleep"]


def test_an_archived_property_is_noticed(hub, sandbox, fields):
    hub.provision(fields)
    post(sandbox, "/crm/v3/properties/contacts/ft_why", None, "DELETE")
    [problem] = hub.drift(fields)
    assert "ft_why is archived" in problem


def test_a_property_of_another_type_is_noticed_and_left_alone(hub, sandbox, fields):
    other = {"name": "ft_segment", "label": "Mine", "type": "string", "fieldType": "text"}
    post(sandbox, "/crm/v3/properties/contacts", {**other, "groupName": "contactinformation"})
    hub.provision(fields)
    [problem] = hub.drift(fields)
    assert "ft_segment is string/text instead of enumeration/select" in problem
    assert portal_of(sandbox)["contacts properties"]["ft_segment"]["label"] == "Mine"


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [({"modificationMetadata": {"readOnlyValue": True}}, "is read-only"), ({"hasUniqueValue": True}, "no value twice")],
)
def test_trap_a_property_that_takes_no_value_of_ours_is_noticed(hub, sandbox, fields, spoilt, said):
    hub.provision(fields)
    sandbox.platform("hubspot")._portal.properties["contacts"]["ft_why"].update(spoilt)
    [problem] = hub.drift(fields)
    assert "ft_why" in problem
    assert said in problem


def test_what_was_written_is_read_back_and_nothing_else_changed(hub, sandbox, date, fields, drain):
    hub.provision(fields)
    contacts, _, cursor = drain(hub, "contacts")
    before = portal_of(sandbox)
    some = [contact.id for contact in contacts[:120]]
    outcomes = results(hub, [Change("contacts", id_, None, VALUES) for id_ in some])
    assert {outcome.result for outcome in outcomes.values()} == {Result.WRITTEN}
    assert set(outcomes) == set(some)
    read = {contact.id: contact for contact in drain(hub, "contacts", cursor)[0]}
    assert all(read[id_].owned == VALUES for id_ in some)
    old = {contact.id: contact for contact in contacts}
    assert all(read[id_].properties == old[id_].properties for id_ in some)
    after = portal_of(sandbox)
    for snapshot in (before, after):
        for id_ in some:
            for name in [*(f"ft_{key}" for key in VALUES), "lastmodifieddate", "hs_lastmodifieddate"]:
                snapshot["contacts"][id_].pop(name, None)
    assert after == before


def test_writing_the_same_again_changes_nothing_and_none_empties(hub, sandbox, fields, drain):
    hub.provision(fields)
    one = drain(hub, "contacts")[0][0].id
    results(hub, [Change("contacts", one, None, VALUES)])
    before = portal_of(sandbox)
    results(hub, [Change("contacts", one, None, VALUES)])
    assert portal_of(sandbox) == before
    results(hub, [Change("contacts", one, None, dict.fromkeys(VALUES))])
    read = {contact.id: contact for contact in drain(hub, "contacts")[0]}
    assert read[one].owned == {}


def test_deleted_merged_and_unknown_contacts_are_gone(hub, sandbox, date, fields, drain):
    hub.provision(fields)
    contacts, _, cursor = drain(hub, "contacts")
    kept, deleted, primary, merged = (contact.id for contact in contacts[:4])
    post(sandbox, f"/crm/v3/objects/contacts/{deleted}", None, "DELETE")
    post(sandbox, "/crm/v3/objects/contacts/merge", {"primaryObjectId": primary, "objectIdToMerge": merged})
    given = [Change("contacts", id_, None, VALUES) for id_ in (kept, deleted, merged, "999999999")]
    outcomes = results(hub, given)
    assert outcomes[kept].result is Result.WRITTEN
    assert {outcomes[id_].result for id_ in (deleted, merged, "999999999")} == {Result.GONE}
    assert outcomes[merged].reason == f"merged into {primary}"
    found = drain(hub, "contacts", cursor, date + timedelta(hours=6))[0]
    told = {contact.id: contact for contact in found}
    assert told[deleted].deleted
    assert not told[deleted].writable
    assert merged in told[primary].aliases
    assert contacts[3].email in told[primary].other_emails


def test_a_poisoned_contact_is_named_and_the_others_are_written(hub, fields, drain):
    hub.provision(fields)
    ids = [contact.id for contact in drain(hub, "contacts")[0]]
    given = [Change("contacts", id_, None, VALUES | ({"segment": "Nonsense"} if id_ == ids[3] else {})) for id_ in ids]
    outcomes = results(hub, given)
    assert [id_ for id_, outcome in outcomes.items() if outcome.result is Result.REJECTED] == [ids[3]]
    assert "Nonsense" in outcomes[ids[3]].reason
    assert sum(outcome.result is Result.WRITTEN for outcome in outcomes.values()) == len(ids) - 1


def test_writing_before_the_fields_are_there_is_drift(hub, sandbox, drain):
    ids = [contact.id for contact in drain(hub, "contacts")[0]]
    before = portal_of(sandbox)
    with pytest.raises(SchemaDrift, match="ft_buy_score"):
        results(hub, [Change("contacts", id_, None, VALUES) for id_ in ids])
    assert portal_of(sandbox) == before


FAULTS = {
    "too many calls": Fault("hubspot", "contacts", "status", times=3, status=429, retry_after=1),
    "too many calls, without a wish": Fault("hubspot", "contacts", "status", times=3, status=429),
    "a word-less refusal": Fault("hubspot", "contacts", "status", times=2, status=403),
    "an outage": Fault("hubspot", "contacts", "status", times=3, status=503),
    "a lost request": Fault("hubspot", "contacts", "reset_before", times=2),
    "a lost answer": Fault("hubspot", "contacts", "reset_after", times=2),
    "half an answer": Fault("hubspot", "contacts", "truncate", times=2),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("act", ["pull", "write"])
def test_faults_are_outlived(sandbox, connect, fields, drain, name, act):
    hub = connect(f"{sandbox.url}/hubspot")
    hub.provision(fields)
    ids = [contact.id for contact in drain(hub, "contacts")[0]]
    sandbox.inject(replace(FAULTS[name]))
    if act == "pull":
        assert [contact.id for contact in drain(hub, "contacts")[0]] == ids
    else:
        outcomes = results(hub, [Change("contacts", id_, None, VALUES) for id_ in ids])
        assert {outcome.result for outcome in outcomes.values()} == {Result.WRITTEN}
        assert [contact.owned for contact in drain(hub, "contacts")[0]] == [VALUES] * len(ids)


def test_a_platform_that_refuses_for_good_is_given_up(sandbox, connect, drain):
    sandbox.inject(Fault("hubspot", "contacts", "status", times=99, status=429))
    with pytest.raises(Throttled):
        drain(connect(f"{sandbox.url}/hubspot"), "contacts")


def test_check_finds_all_in_order(hub, fields):
    hub.provision(fields)
    findings = hub.check()
    assert {finding.level for finding in findings} == {"ok"}
    assert "48201700" in findings[0].text
    assert "all our fields and tags are in place" in [finding.text for finding in findings]


def test_check_names_what_is_missing(hub, sandbox, fields):
    sandbox.platform("hubspot").scopes -= {"forms", "crm.objects.deals.read"}
    found = {finding.level: finding for finding in hub.check() if "scope" in finding.text}
    assert "crm.objects.deals.read" in found["fail"].text
    assert "lacks the scope forms" in found["warn"].text
    assert "form submissions are left out" in found["warn"].fix
    assert any(f"{len(fields)} of our fields and tags are missing" in finding.text for finding in hub.check())


def test_check_says_when_there_is_no_room(connect, sandbox, fields, monkeypatch):
    monkeypatch.setattr("sandbox.hubspot.other_routes.CUSTOM_LIMIT", 10)
    findings = connect(f"{sandbox.url}/hubspot").check()
    assert "HubSpot has room for 3 more contact properties, 6 are needed" in [finding.text for finding in findings]


def test_check_without_the_limits_still_tells_what_is_missing(connect, sandbox, fields):
    sandbox.inject(Fault("hubspot", "limits/custom-properties", "status", times=99, status=503))
    findings = connect(f"{sandbox.url}/hubspot").check()
    assert any(f"{len(fields)} of our fields and tags are missing" in finding.text for finding in findings)


def test_check_with_a_wrong_token_is_one_finding(sandbox, connect):
    [finding] = connect(f"{sandbox.url}/hubspot", token="pat-wrong").check()
    assert finding.level == "fail"
    assert finding.text.endswith("To put in a new secret: foretag secret set shop")


def test_check_of_a_platform_that_is_down_raises_nothing(connect):
    [finding] = connect("http://127.0.0.1:9").check()
    assert finding.level == "fail"
