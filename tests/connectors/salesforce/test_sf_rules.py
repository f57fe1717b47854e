import json

import pytest

from connectors.allowlist import AllowList
from connectors.errors import NotAllowed
from connectors.salesforce.rules import rules, token_rules

DATA = "/services/data/v62.0"
CONTACT = {"attributes": {"type": "Contact"}, "id": "0035g0000000002AAA"}
LEAD = {"attributes": {"type": "Lead"}, "id": "00Q5g0000000002AAA"}
NO_ASSIGNMENT = {"Sforce-Auto-Assign": "FALSE"}


@pytest.fixture
def allow() -> AllowList:
    return AllowList(rules("62.0", "ft_", provision=True))


def write(*records: object, **more: object) -> dict[str, object]:
    return {"allOrNone": False, "records": list(records), **more}


def ask(allow: AllowList, method: str, path: str, body: object = None, headers: dict[str, str] = NO_ASSIGNMENT) -> str:
    return allow.rule_for(method, path, headers, None if body is None else json.dumps(body)).name


def test_our_fields_of_contacts_and_leads_may_be_written(allow: AllowList) -> None:
    body = write({**CONTACT, "FT_Buy_Score__c": 1.5}, {**LEAD, "FT_Segment__c": None})
    assert ask(allow, "PATCH", f"{DATA}/composite/sobjects", body) == "write scores"


@pytest.mark.parametrize(
    "body",
    [
        write({**CONTACT, "Email": "new@example.org"}),
        write({**LEAD, "OwnerId": "0055g0000000001AAA"}),
        write({**LEAD, "Status": "Closed"}),
        write({**CONTACT, "HasOptedOutOfEmail": False}),
        write({**CONTACT, "Other_FT_Score__c": 1}),
        write({**CONTACT, "ft_buy_score__c": 1}),
        write({**CONTACT, "Account": {"FT_Buy_Score__c": 1}}),
        write({**CONTACT, "attributes": {"type": "Account"}, "id": "0015g0000000002AAA"}),
        write({**CONTACT, "attributes": {"type": "Lead"}}),
        write({**CONTACT, "attributes": {"type": "Contact", "url": "/elsewhere"}}),
        write({"attributes": {"type": "Contact"}, "FT_Buy_Score__c": 1}),
        write("0035g0000000002AAA"),
        write(*[CONTACT] * 201),
        write(CONTACT, sync_tags=True),
        {**write(CONTACT), "allOrNone": True},
        {"allOrNone": False, "records": "all"},
        [CONTACT],
        None,
    ],
)
def test_nothing_else_may_be_written(allow: AllowList, body: object) -> None:
    with pytest.raises(NotAllowed):
        ask(allow, "PATCH", f"{DATA}/composite/sobjects", body)


def part(**other: object) -> dict[str, object]:
    """A part of a composite as it may be sent, but for what is given."""
    whole = {
        "method": "PATCH",
        "url": f"{DATA}/composite/sobjects",
        "referenceId": "part0",
        "httpHeaders": NO_ASSIGNMENT,
        "body": write({**CONTACT, "FT_Buy_Score__c": 1.5}),
    }
    return {**whole, **other}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"method": "DELETE"},
        {"method": "POST"},
        {"url": f"{DATA}/composite/sobjects?_HttpMethod=DELETE"},
        {"url": f"{DATA}/sobjects/Contact/{CONTACT['id']}"},
        {"httpHeaders": {}},
        {"httpHeaders": {**NO_ASSIGNMENT, "X-HTTP-Method-Override": "DELETE"}},
        {"body": write({**CONTACT, "OwnerId": "0055g0000000001AAA"})},
        {"body": {"allOrNone": True, "records": []}},
        {"more": 1},
    ],
)
def test_the_parts_of_a_composite_write_our_fields_and_nothing_else(allow: AllowList, spoilt: dict) -> None:
    composite = f"{DATA}/composite"
    assert ask(allow, "POST", composite, {"allOrNone": False, "compositeRequest": [part()]}) == "write scores"
    for parts in ([part(**spoilt)], [part(), part(**spoilt)]):
        with pytest.raises(NotAllowed):
            ask(allow, "POST", composite, {"allOrNone": False, "compositeRequest": parts})


def test_a_write_that_could_reassign_leads_is_refused(allow: AllowList) -> None:
    with pytest.raises(NotAllowed, match="Sforce-Auto-Assign"):
        ask(allow, "PATCH", f"{DATA}/composite/sobjects", write(CONTACT), headers={})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{DATA}/sobjects/Contact", {"LastName": "New"}),
        ("POST", f"{DATA}/sobjects/Lead", {"LastName": "New", "Company": "New"}),
        ("POST", f"{DATA}/composite/sobjects", write(CONTACT)),
        ("PATCH", f"{DATA}/composite/sobjects/Contact/Email", write(CONTACT)),
        ("PATCH", f"{DATA}/sobjects/Contact/0035g0000000002AAA", {"FT_Buy_Score__c": 1}),
        ("DELETE", f"{DATA}/composite/sobjects", None),
        ("DELETE", f"{DATA}/sobjects/Contact/0035g0000000002AAA", None),
        ("DELETE", f"{DATA}/tooling/sobjects/CustomField/00N5g0000000002AAA", None),
        ("POST", f"{DATA}/composite", {"compositeRequest": []}),
        ("POST", f"{DATA}/jobs/ingest", {"object": "Contact", "operation": "delete"}),
        ("POST", "/services/oauth2/token", {"grant_type": "password"}),
        ("GET", "/services/data/v59.0/query/", None),
        ("GET", "/services/apexrest/anything", None),
    ],
)
def test_other_requests_are_not_sent(allow: AllowList, method: str, path: str, body: object) -> None:
    with pytest.raises(NotAllowed):
        ask(allow, method, path, body)


@pytest.mark.parametrize(
    "part",
    [
        {"method": "DELETE", "url": "v62.0/sobjects/Contact/describe"},
        {"method": "PATCH", "url": "v62.0/sobjects/Contact/0035g0000000002AAA", "richInput": {"Email": "x"}},
        {"method": "GET", "url": "v62.0/sobjects/Contact/describe", "richInput": {}},
        {"method": "GET", "url": "v62.0/sobjects/Contact/describe/../0035g0000000002AAA"},
        "v62.0/sobjects/Contact/describe",
    ],
)
def test_a_batch_holds_describes_only(allow: AllowList, part: object) -> None:
    with pytest.raises(NotAllowed):
        ask(allow, "POST", f"{DATA}/composite/batch", {"batchRequests": [part]})


@pytest.mark.parametrize(
    "body",
    [
        {"FullName": "Contact.Other__c", "Metadata": {"type": "Text", "label": "Other"}},
        {"FullName": "Account.FT_Segment__c", "Metadata": {"type": "Text", "label": "Segment"}},
        {"FullName": "Contact.FT_Segment__c", "Metadata": {"type": "Text", "formula": "OwnerId"}},
        {"FullName": "Contact.FT_Segment__c", "Id": "00N5g0000000002AAA", "Metadata": {"type": "Text"}},
    ],
)
def test_only_our_fields_are_made(allow: AllowList, body: object) -> None:
    with pytest.raises(NotAllowed):
        ask(allow, "POST", f"{DATA}/tooling/sobjects/CustomField", body)


def test_rights_go_to_our_permission_set_and_our_user_only() -> None:
    listed = rules("62.0", "ft_", provision=True)
    allow = AllowList(listed)
    by_name = {rule.name: rule for rule in listed}
    seen = [
        {"attributes": {"type": "PermissionSet"}, "Id": "0PS5g0000000009AAA", "Name": "Admin"},
        {"attributes": {"type": "PermissionSet"}, "Id": "0PS5g0000000001AAA", "Name": "foretag"},
        {"attributes": {"type": "Contact"}, "Id": "0035g0000000001AAA", "Name": "foretag"},
    ]
    learn_query, learn_user = by_name["query"].learn, by_name["who am I"].learn
    assert learn_query
    assert learn_user
    learn_query({"records": seen})
    learn_user({"user_id": "0055g0000000001AAA"})

    def permit(parent: str, field: str = "Contact.FT_Segment__c") -> str:
        body = {"ParentId": parent, "SobjectType": "Contact", "Field": field, "PermissionsRead": True}
        return ask(allow, "POST", f"{DATA}/sobjects/FieldPermissions", body)

    def assign(user: str, permission_set: str) -> str:
        body = {"AssigneeId": user, "PermissionSetId": permission_set}
        return ask(allow, "POST", f"{DATA}/sobjects/PermissionSetAssignment", body)

    assert permit("0PS5g0000000001AAA") == "make field visible"
    assert assign("0055g0000000001AAA", "0PS5g0000000001AAA") == "assign permission set"
    for forbidden in (
        lambda: permit("0PS5g0000000009AAA"),
        lambda: permit("0035g0000000001AAA"),
        lambda: permit("0PS5g0000000001AAA", "Contact.Email"),
        lambda: assign("0055g0000000001AAA", "0PS5g0000000009AAA"),
        lambda: assign("0055g0000000002AAA", "0PS5g0000000001AAA"),
        lambda: ask(allow, "POST", f"{DATA}/sobjects/PermissionSet", {"Name": "Admin", "Label": "Admin"}),
        lambda: ask(allow, "POST", f"{DATA}/sobjects/PermissionSet", {"Name": "foretag", "PermissionsApi": True}),
    ):
        with pytest.raises(NotAllowed):
            forbidden()


def test_the_login_asks_for_client_credentials_only() -> None:
    allow = AllowList(token_rules())
    assert allow.rule_for("POST", "/services/oauth2/token", {}, "grant_type=client_credentials").name == "access token"
    with pytest.raises(NotAllowed):
        allow.rule_for("POST", "/services/oauth2/token", {}, "grant_type=password&username=a&password=b")
    with pytest.raises(NotAllowed):
        allow.rule_for("GET", f"{DATA}/query/", {}, None)


@pytest.mark.parametrize(
    "body",
    [
        {"ids": [CONTACT["id"]], "fields": ["Id", "Email"]},
        {"ids": ["0015g0000000002AAA"], "fields": ["Id"]},
        {"ids": [CONTACT["id"]] * 2001, "fields": ["Id"]},
        {"ids": [], "fields": ["Id"]},
        {"ids": [CONTACT["id"]], "fields": ["Id"], "records": []},
    ],
)
def test_a_retrieval_asks_for_our_fields_of_contacts_and_leads_only(allow: AllowList, body: object) -> None:
    good = {"ids": [CONTACT["id"], LEAD["id"]], "fields": ["Id", "IsConverted", "FT_Segment__c"]}
    assert ask(allow, "POST", f"{DATA}/composite/sobjects/Contact", good) == "read scores"
    with pytest.raises(NotAllowed):
        ask(allow, "POST", f"{DATA}/composite/sobjects/Contact", body)
    with pytest.raises(NotAllowed):
        ask(allow, "POST", f"{DATA}/composite/sobjects/Account", good)
