"""What may leave the machine, and that nothing else does."""

import json

import pytest

from connectors.allowlist import AllowList
from connectors.contract import Change
from connectors.errors import NotAllowed
from connectors.hubspot.rules import rules
from connectors.hubspot.sdk import versioned

CONTACTS = "/crm/v3/objects/contacts"
PROPERTIES = "/crm/v3/properties/contacts"


def row(**properties):
    return {"id": "7", "properties": properties}


def definition(**changes):
    given = {"name": "ft_x", "label": "X", "type": "string", "fieldType": "text", "groupName": "foretag"}
    return {"inputs": [given | changes]}


FORBIDDEN = {
    "create a contact": ("POST", CONTACTS, row(ft_x="1")),
    "create contacts": ("POST", f"{CONTACTS}/batch/create", {"inputs": [row(ft_x="1")]}),
    "upsert contacts": ("POST", f"{CONTACTS}/batch/upsert", {"inputs": [row(ft_x="1")]}),
    "delete a contact": ("DELETE", f"{CONTACTS}/7", None),
    "archive contacts": ("POST", f"{CONTACTS}/batch/archive", {"inputs": [{"id": "7"}]}),
    "purge a contact": ("POST", f"{CONTACTS}/gdpr-delete", {"objectId": "7"}),
    "merge contacts": ("POST", f"{CONTACTS}/merge", {"primaryObjectId": "7", "objectIdToMerge": "8"}),
    "write one contact by its address": ("PATCH", f"{CONTACTS}/a@example.com", row(ft_x="1")),
    "subscription status": ("POST", "/communication-preferences/v3/subscribe", {"emailAddress": "a@example.com"}),
    "opt-out": ("POST", f"{CONTACTS}/batch/update", {"inputs": [row(hs_email_optout="false")]}),
    "owner": ("POST", f"{CONTACTS}/batch/update", {"inputs": [row(hubspot_owner_id="1")]}),
    "lifecycle stage": ("POST", f"{CONTACTS}/batch/update", {"inputs": [row(lifecyclestage="customer")]}),
    "address": ("POST", f"{CONTACTS}/batch/update", {"inputs": [row(email="b@example.com")]}),
    "a foreign field next to ours": ("POST", f"{CONTACTS}/batch/update", {"inputs": [row(ft_x="1", score="2")]}),
    "a field that only begins like ours": ("POST", f"{CONTACTS}/batch/update", {"inputs": [{**row(ft_="1")}]}),
    "no field at all": ("POST", f"{CONTACTS}/batch/update", {"inputs": [row()]}),
    "a value that is a null": ("POST", f"{CONTACTS}/batch/update", {"inputs": [row(ft_x=None)]}),
    "an address as id": ("POST", f"{CONTACTS}/batch/update", {"inputs": [{**row(ft_x="1"), "id": "a@example.com"}]}),
    "another key": ("POST", f"{CONTACTS}/batch/update", {"inputs": [{**row(ft_x="1"), "idProperty": "email"}]}),
    "associations": ("POST", f"{CONTACTS}/batch/update", {"inputs": [{**row(ft_x="1"), "associations": []}]}),
    "more than a hundred": ("POST", f"{CONTACTS}/batch/update", {"inputs": [row(ft_x="1")] * 101}),
    "a body of another shape": ("POST", f"{CONTACTS}/batch/update", [row(ft_x="1")]),
    "deals": ("POST", "/crm/v3/objects/deals/batch/update", {"inputs": [row(ft_x="1")]}),
    "a foreign property": ("POST", f"{PROPERTIES}/batch/create", definition(name="score")),
    "a property in another group": ("POST", f"{PROPERTIES}/batch/create", definition(groupName="contactinformation")),
    "a unique property": ("POST", f"{PROPERTIES}/batch/create", definition(hasUniqueValue=True)),
    "options of a foreign property": ("PATCH", f"{PROPERTIES}/lifecyclestage", {"options": []}),
    "the name of our property": ("PATCH", f"{PROPERTIES}/ft_x", {"label": "other"}),
    "archive our property": ("DELETE", f"{PROPERTIES}/ft_x", None),
    "another group": ("POST", f"{PROPERTIES}/groups", {"name": "sales", "label": "sales"}),
    "a list": ("POST", "/crm/v3/lists/", {"name": "x", "objectTypeId": "0-1", "processingType": "MANUAL"}),
    "a list in place of a search": ("POST", "/crm/v3/lists/search", {"name": "x", "offset": 0}),
    "another name of a list": ("PUT", "/crm/v3/lists/1/update-list-name", None),
    "the filters of a list": ("PUT", "/crm/v3/lists/1/update-list-filters", {"filterBranch": {}}),
    "somebody more on a list": ("PUT", "/crm/v3/lists/1/memberships/add", ["7"]),
    "everybody more on a list": ("PUT", "/crm/v3/lists/1/memberships/add-from/2", None),
    "somebody less on a list": ("PUT", "/crm/v3/lists/1/memberships/remove", ["7"]),
    "some for others on a list": ("PUT", "/crm/v3/lists/1/memberships/add-and-remove", {"recordIdsToAdd": ["7"]}),
    "nobody left on a list": ("DELETE", "/crm/v3/lists/1/memberships", None),
    "no list any more": ("DELETE", "/crm/v3/lists/1", None),
    "a body where none belongs": ("GET", CONTACTS, {"email": "b@example.com"}),
}
ALLOWED = {
    "contacts list": ("GET", CONTACTS, None),
    "contacts update": ("POST", f"{CONTACTS}/batch/update", {"inputs": [{**row(ft_x=""), "objectWriteTraceId": "7"}]}),
    "lists search": ("POST", "/crm/v3/lists/search", {"query": "", "offset": 0, "count": 500}),
    "list members": ("GET", "/crm/v3/lists/12/memberships?limit=250&after=7", None),
    "properties create": ("POST", f"{PROPERTIES}/batch/create", definition()),
    "property options": ("PATCH", f"{PROPERTIES}/ft_x", {"options": []}),
    "property group create": ("POST", f"{PROPERTIES}/groups", {"name": "foretag", "label": "foretag"}),
}


@pytest.mark.parametrize("version", ["v3", "2026-09"])
@pytest.mark.parametrize("what", FORBIDDEN)
def test_does_not_send(what, version):
    method, path, body = FORBIDDEN[what]
    with pytest.raises(NotAllowed):
        AllowList(rules("ft_", version, provision=True)).rule_for(
            method, versioned(path, version), {}, body and json.dumps(body)
        )


@pytest.mark.parametrize("version", ["v3", "2026-09"])
@pytest.mark.parametrize("what", ALLOWED)
def test_sends(what, version):
    method, path, body = ALLOWED[what]
    rule = AllowList(rules("ft_", version, provision=True)).rule_for(
        method, versioned(path, version), {}, body and json.dumps(body)
    )
    assert rule.name == what


def test_a_dated_account_sends_nothing_by_the_old_paths():
    with pytest.raises(NotAllowed):
        AllowList(rules("ft_", "2026-09")).rule_for("GET", CONTACTS, {}, None)


@pytest.mark.parametrize("prefix", ["", "_", "hs_", "hubspot_", "ft", "FT_", ".*_", "life"])
def test_prefix_under_which_foreign_fields_are_is_refused(prefix):
    with pytest.raises(ValueError, match="take something like"):
        list(rules(prefix, "v3"))


def test_a_change_under_an_address_leaves_nothing(web, connect):
    changes = [Change("contacts", "a@example.com", None, {"buy_score": 1.0})]
    with pytest.raises(NotAllowed):
        list(connect().write(changes))
    assert not web.calls
