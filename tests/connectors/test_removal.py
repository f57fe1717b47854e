"""Taking our things off the pretended platforms: all of them, nothing else, and as often as one likes."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from connectors import open_connector
from connectors.contract import Account, Change, FieldSpec, FieldType, Result
from connectors.errors import NotAllowed, Stop
from sandbox.faults import Fault
from sandbox.people import PLATFORMS, World
from sandbox.server import Sandbox
from sandbox.world import small

DATE = datetime(2017, 6, 1, tzinfo=UTC)
FIELDS = (
    FieldSpec("buy_score", "BUY", "Chance to buy", FieldType.NUMBER, "How likely"),
    FieldSpec("segment", "SEGMENT", "Segment", FieldType.CHOICE, "The group", ("Loyal", "Lost")),
    FieldSpec("tags", "TAGS", "Tags", FieldType.TAGS, "The tags", ("Control", "Loyal", "Lost")),
    FieldSpec("control_group", "CONTROL", "Control group", FieldType.YES_NO, "Left out"),
)
VALUES = {"buy_score": 41.4, "segment": "Loyal", "tags": ("Loyal",), "control_group": True}
PATHS = {"hubspot": "/hubspot", "mailchimp": "/mailchimp/3.0", "salesforce": "/salesforce"}
THINGS = {"hubspot": 5, "mailchimp": 6, "salesforce": 10}
"""Four properties and a group; three merge fields and three tags; four fields on two objects, a set, its assignment."""
STAMPS = {
    "lastmodifieddate", "hs_lastmodifieddate", "last_changed", "updated_at", "LastModifiedDate", "LastModifiedById",
    "SystemModstamp",
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return small(40)


@pytest.fixture(params=PLATFORMS)
def box(request, world):
    """One platform: its sandbox, `.connect(cleanup)`, `.records()`, and `.before` anything of ours was made."""
    name = request.param
    with Sandbox(world, DATE, platforms=[name], limits=False) as sandbox:

        def connect(*, cleanup: bool = False) -> Any:
            address = sandbox.url + PATHS[name]
            options = {"instance_url": address} if name == "salesforce" else {}
            token = sandbox.platform(name).token
            account = Account(name, name, token, address, options, fields=FIELDS, provision=True, cleanup=cleanup)
            return open_connector(account, sleep=lambda seconds: None, monotonic=lambda: 0.0)

        def records() -> dict[tuple[str, str], dict[str, Any]]:
            return {
                (kind, id_): {key: value for key, value in row.items() if key not in STAMPS and value not in ("", None)}
                for kind, rows in sandbox.snapshot()[name].items()
                for id_, row in rows.items()
            }

        yield SimpleNamespace(name=name, sandbox=sandbox, connect=connect, records=records, before=records())


@pytest.fixture
def full(box):
    """The platform with our fields made and one contact written."""
    connector = box.connect()
    connector.provision(FIELDS)
    (stream,) = connector.capabilities.contact_streams[:1]
    contact = next(c for page in connector.pull(stream, None, DATE) for c in page.contacts if c.writable)
    (outcomes,) = connector.write([Change(contact.object, contact.id, contact.email, VALUES)])
    assert [outcome.result for outcome in outcomes] == [Result.WRITTEN]
    assert box.records() != box.before
    return box


def test_everything_of_ours_goes_and_nothing_else(full):
    went = full.connect(cleanup=True).remove(FIELDS)
    assert len(went) == THINGS[full.name]
    assert full.records() == full.before


def test_a_dry_run_says_the_same_and_changes_nothing(full):
    there = full.records()
    would = full.connect(cleanup=True).remove(FIELDS, dry_run=True)
    assert full.records() == there
    assert full.connect(cleanup=True).remove(FIELDS) == would


def test_where_nothing_is_nothing_goes(full):
    full.connect(cleanup=True).remove(FIELDS)
    full.sandbox.reset_calls()
    assert full.connect(cleanup=True).remove(FIELDS) == []
    assert not [route for _, route in full.sandbox.calls() if route.startswith("DELETE")]


def test_a_connector_that_runs_removes_nothing(full):
    there = full.records()
    with pytest.raises(NotAllowed):
        full.connect().remove(FIELDS)
    assert full.records() == there


def test_an_answer_that_is_lost_does_no_harm(full):
    full.sandbox.inject(Fault(full.name, "^DELETE", "reset_after", times=3))
    assert len(full.connect(cleanup=True).remove(FIELDS)) == THINGS[full.name]
    assert full.records() == full.before


def test_what_the_platform_keeps_is_named_and_the_rest_goes(full):
    full.sandbox.inject(Fault(full.name, "^DELETE", "status", status=400))
    with pytest.raises(Stop, match=r"1 could not be\. Most likely .*_?(buy|BUY|Buy)") as stop:
        full.connect(cleanup=True).remove(FIELDS)
    assert "was answered with HTTP 400" in str(stop.value)
    left = {"hubspot": 2, "mailchimp": 1, "salesforce": 3}[full.name]  # and the group or permission set stays with it
    assert len(full.connect(cleanup=True).remove(FIELDS)) == left
    assert full.records() == full.before


def test_our_fields_can_be_made_again(full):
    full.connect(cleanup=True).remove(FIELDS)
    connector = full.connect()
    assert connector.provision(FIELDS)
    assert connector.drift(FIELDS) == []


def ask(sandbox: Sandbox, method: str, path: str, body: object) -> Any:
    """Somebody else's act on the platform."""
    kind = path.split("/")[1]
    token = sandbox.platform(kind).token
    by_key = {"auth": ("", token)} if kind == "mailchimp" else {"headers": {"Authorization": f"Bearer {token}"}}
    answer = requests.request(method, sandbox.url + path, json=body, timeout=5, **by_key)
    assert answer.ok, answer.text
    return answer.json()


def make_foreign_things(box) -> None:
    """Things of somebody else's that look like ours."""
    match box.name:
        case "hubspot":
            of = {"label": "Feet", "type": "string", "fieldType": "text"}
            home = "/hubspot/crm/v3/properties/contacts"
            ask(box.sandbox, "POST", home, {**of, "name": "ft_size", "groupName": "contactinformation"})
            ask(box.sandbox, "POST", home, {**of, "name": "ft_notes", "groupName": "foretag"})
            ask(box.sandbox, "PATCH", f"{home}/ft_segment", {"groupName": "contactinformation"})
        case "mailchimp":
            home = "/mailchimp/3.0/lists/4f2a9c17be"
            ask(box.sandbox, "POST", f"{home}/merge-fields", {"tag": "FT_SIZE", "name": "Feet", "type": "text"})
            ask(box.sandbox, "POST", f"{home}/segments", {"name": "FTP customers", "static_segment": []})
        case "salesforce":
            home = "/salesforce/services/data/v62.0"
            text = {"type": "Text", "length": 20, "label": "Feet"}
            field = {"FullName": "Contact.FT_Size__c", "Metadata": text}
            ask(box.sandbox, "POST", f"{home}/tooling/sobjects/CustomField", field)
            ask(box.sandbox, "POST", f"{home}/sobjects/PermissionSet", {"Name": "sales", "Label": "foretag fields"})


def test_what_only_looks_like_ours_stays(full):
    make_foreign_things(full)
    there = full.records()
    full.connect(cleanup=True).remove(FIELDS)
    gone = {key[1] for key in there.keys() - full.records().keys()}
    kept = {key[1] for key in full.records().keys() - full.before.keys()}
    if full.name == "hubspot":
        assert gone == {"ft_buy_score", "ft_tags", "ft_control_group"}
        assert kept == {"ft_size", "ft_notes", "ft_segment", "foretag"}
    else:
        assert len(kept) == 2
        assert full.connect(cleanup=True).remove(FIELDS) == []
