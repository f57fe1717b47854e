"""What really happens on Salesforce while fields are made or have been changed by others, and our package for admins.

docs/explain/platforms.md lists the tests named after a trap.
"""

import json
import re
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from connectors.contract import FieldSpec, FieldType
from connectors.errors import NotAllowed, NotKnown
from connectors.salesforce.provisioning import TRIES
from connectors.salesforce.setup_rules import PERMISSION_SET
from sandbox.faults import Fault

XMLNS = "{http://soap.sforce.com/2006/04/metadata}"
_LISTS = ("value", "fieldPermissions", "fields", "types", "members")


def read(element: ElementTree.Element) -> Any:
    """An element of a metadata file as the Tooling API's JSON would have it."""
    if not len(element):
        text = element.text or ""
        return {"true": True, "false": False}.get(text, int(text) if re.fullmatch(r"\d+", text) else text)
    found: dict[str, Any] = {}
    for child in element:
        name = child.tag.removeprefix(XMLNS)
        if name in _LISTS:
            found.setdefault(name, []).append(read(child))
        else:
            assert name not in found, f"{name} comes twice"
            found[name] = read(child)
    return found


@pytest.fixture
def files(box: SimpleNamespace, fields) -> dict[str, Any]:
    """The package as an administrator's tools read it, by path."""
    texts = box.connect().package(fields)
    return {name: read(ElementTree.fromstring(text)) for name, text in texts.items() if name.startswith("metadata/")}


@pytest.fixture
def admin(box: SimpleNamespace) -> Any:
    """What an administrator's tool sends: method and path, JSON."""

    def call(path: str, **body: Any) -> str:
        answer = requests.post(
            f"{box.sandbox.url}/salesforce/services/data/v62.0/{path}",
            json=body,
            headers={"Authorization": f"Bearer {box.platform.token}"},
            timeout=10,
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    return call


def test_an_org_where_exactly_the_package_was_deployed_has_no_drift(box, fields, files, admin) -> None:
    manifest = {each["name"]: each["members"] for each in files["metadata/package.xml"]["types"]}
    made = []
    for object_ in ("Contact", "Lead"):
        for field in files[f"metadata/objects/{object_}.object"]["fields"]:
            made.append(f"{object_}.{field.pop('fullName')}")
            admin("tooling/sobjects/CustomField", FullName=made[-1], Metadata=field)
    assert sorted(made) == sorted(manifest["CustomField"])
    assert manifest["PermissionSet"] == [PERMISSION_SET]
    rights = files[f"metadata/permissionsets/{PERMISSION_SET}.permissionset"]
    set_ = admin(
        "sobjects/PermissionSet", Name=PERMISSION_SET, Label=rights["label"], Description=rights["description"]
    )
    for each in rights["fieldPermissions"]:
        object_ = each["field"].split(".")[0]
        admin(
            "sobjects/FieldPermissions",
            ParentId=set_,
            SobjectType=object_,
            Field=each["field"],
            PermissionsRead=each["readable"],
            PermissionsEdit=each["editable"],
        )
    assert len(box.connect().drift(fields)) == 2  # nobody has the permission set yet
    user = box.platform.org.records.tables["User"]
    admin("sobjects/PermissionSetAssignment", AssigneeId=min(user), PermissionSetId=set_)
    connector = box.connect()
    assert connector.drift(fields) == []
    before = box.sandbox.snapshot()
    assert connector.provision(fields) == []
    assert box.sandbox.snapshot() == before


def test_the_package_says_what_each_field_means(files, fields) -> None:
    made = files["metadata/objects/Contact.object"]["fields"]
    assert [field["description"] for field in made] == [spec.description for spec in fields]
    assert files["metadata/package.xml"]["version"] == "62.0"


def test_texts_with_angles_and_umlauts_survive_the_package(box) -> None:
    spec = FieldSpec("segment", "SEG", "Größe <b>", FieldType.CHOICE, 'a & b "c"', ("<x>", "Å & Ö"))
    text = box.connect().package([spec])["metadata/objects/Lead.object"]
    (field,) = read(ElementTree.fromstring(text))["fields"]
    values = field["valueSet"]["valueSetDefinition"]["value"]
    assert (field["label"], field["description"]) == ("Größe <b>", 'a & b "c"')
    assert [value["fullName"] for value in values] == ["<x>", "Å & Ö"]


def test_trap_a_new_field_is_hidden_from_everybody_even_from_administrators(box, fields, admin) -> None:
    """It looks as if it had not been made."""
    admin("tooling/sobjects/CustomField", FullName="Contact.FT_Reasons__c", Metadata={
        "type": "Text", "label": "Reasons", "length": 255,
    })  # fmt: skip
    assert "FT_Reasons__c" in box.connect().drift(fields)[0]
    done = box.connect().provision(fields)
    assert "created the field Contact.FT_Reasons__c" not in done
    assert f"made Contact.FT_Reasons__c visible to the permission set {PERMISSION_SET}" in done
    assert box.connect().drift(fields) == []


@pytest.fixture
def ready(box: SimpleNamespace, fields) -> SimpleNamespace:
    box.connect().provision(fields)
    return box


@pytest.mark.parametrize(
    ("field", "damage", "repair"),
    [
        ("FT_Buy_Score__c", {"scale": 0}, "set its length to 8 and its decimal places to 2"),
        ("FT_Buy_Score__c", {"precision": 5}, "set its length to 8"),
        ("FT_Buy_Score__c", {"type": "string"}, "delete it in Salesforce's setup, then foretag provision"),
        ("FT_Reasons__c", {"length": 80}, "set its length to 255"),
        ("FT_Segment__c", {"restricted": True, "values": ("Loyal",)}, "does not accept Lost: add these values"),
        ("FT_Segment__c", {"updateable": False}, "tick Edit Access"),
    ],
)
def test_trap_a_field_that_others_changed_is_named_with_its_repair(ready, fields, field, damage, repair) -> None:
    found = ready.platform.org.schema.find("Contact").fields[field]
    for name, value in damage.items():
        setattr(found, name, value)
    ready.platform.org.permissions.forget()
    (sentence,) = ready.connect().drift(fields)
    assert sentence.startswith(f"Contact.{field} ")
    assert repair in sentence


def test_trap_a_value_that_is_new_to_an_unrestricted_list_is_no_drift(ready, fields) -> None:
    ready.platform.org.schema.find("Contact").fields["FT_Segment__c"].values = ("Loyal",)
    assert ready.connect().drift(fields) == []


CREATES = (
    "tooling/sobjects/CustomField",
    "sobjects/PermissionSet",
    "sobjects/FieldPermissions",
    "sobjects/PermissionSetA",
)


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "truncate", "status"])
def test_trap_a_lost_answer_to_making_something_is_looked_up_and_not_guessed(box, fields, kind) -> None:
    box.connect().provision(fields)
    undisturbed = {name: len(rows) for name, rows in box.sandbox.snapshot()["salesforce"].items()}
    box.sandbox.reset()
    box.sandbox.inject(*(Fault("salesforce", f"POST .*{each}", kind, times=2, status=503) for each in CREATES))
    done = box.connect().provision(fields)
    assert len(done) == len(set(done)) == 2 * 2 * len(fields) + 1
    assert {name: len(rows) for name, rows in box.sandbox.snapshot()["salesforce"].items()} == undisturbed
    assert box.connect().drift(fields) == []


def test_making_something_whose_answer_is_always_lost_ends(box, fields) -> None:
    box.sandbox.inject(Fault("salesforce", f"POST .*{CREATES[0]}", "status", times=1_000, status=503))
    with pytest.raises(NotKnown, match="not sent again"):
        box.connect().provision(fields)
    assert box.sandbox.calls()["salesforce", "POST /services/data/v<version>/tooling/sobjects/CustomField"] == TRIES


def test_trap_a_field_that_appears_after_its_answer_was_lost_is_no_refusal(box, fields, admin) -> None:
    """Salesforce was still at it when it was looked up: then the second try is a duplicate."""
    admin("tooling/sobjects/CustomField", FullName="Contact.FT_Reasons__c", Metadata={
        "type": "Text", "label": "Reasons", "length": 255,
    })  # fmt: skip
    box.sandbox.inject(Fault("salesforce", "GET .*/tooling/query", "status", status=200, body='{"records": []}'))
    assert "created the field Contact.FT_Reasons__c" in box.connect().provision(fields)
    assert box.connect().drift(fields) == []


def test_trap_making_fields_takes_rights_that_a_run_does_not_have(box, fields) -> None:
    from connectors import open_connector
    from connectors.contract import Account

    address = {"instance_url": f"{box.sandbox.url}/salesforce"}
    account = Account("salesforce", "sf", box.platform.token, options=address, fields=fields)
    connector = open_connector(account, sleep=lambda _: None, monotonic=lambda: 0.0)
    assert not connector.capabilities.provision_in_runs
    with pytest.raises(NotAllowed):
        connector.provision(fields)


def test_trap_every_request_forbids_assignment_rules(ready, fields) -> None:
    """Also each part of a composite, which may not inherit it."""
    connector = ready.connect()
    sent: list[requests.PreparedRequest] = []
    transport = connector._transports[0]
    send = transport.send
    transport.send = lambda request, **more: (sent.append(request), send(request, **more))[1]
    from connectors.contract import Change

    people = [c for p in ready.pull(connector, "contacts") for c in p.contacts]
    changes = [Change("Contact", f"{people[0].id[:-6]}{n:03}AAA", None, {"buy_score": 1.0}) for n in range(300)]
    connector.check()
    list(connector.write(changes))
    assert len(sent) > 5
    assert {request.headers["Sforce-Auto-Assign"] for request in sent} == {"FALSE"}
    parts = json.loads(sent[-1].body)["compositeRequest"]
    assert [part["httpHeaders"] for part in parts] == [{"Sforce-Auto-Assign": "FALSE"}] * 2
