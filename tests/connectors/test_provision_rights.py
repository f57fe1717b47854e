"""What makes our fields is sent by a connector opened to provision alone; an administrator gets the same as files."""

import json
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from connectors import ADAPTERS, open_connector
from connectors.contract import Account, FieldSpec, FieldType
from connectors.errors import NotAllowed
from sandbox.server import Sandbox
from sandbox.world import small

FIELDS = (
    FieldSpec("segment", "SEGMENT", "Segment", FieldType.CHOICE, "The one group.", ("Loyal", "At risk")),
    FieldSpec("tags", "TAGS", "Tags", FieldType.TAGS, "What stands out.", ("Big & <small>",)),
    FieldSpec("buy_score", "BUY", "Buy score", FieldType.NUMBER, "How likely."),
)
BASE = {"hubspot": "/hubspot", "mailchimp": "/mailchimp/3.0", "salesforce": "/salesforce"}
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(small(40), datetime(2017, 9, 30, tzinfo=UTC), limits=False) as sandbox:
        yield sandbox


@pytest.fixture
def connect(sandbox):
    def connect(kind, **rights):
        token = sandbox.platform(kind).token
        account = Account(kind, kind, token, sandbox.url + BASE[kind], fields=FIELDS, **rights)
        return open_connector(account, sleep=lambda seconds: None, monotonic=lambda: 0.0)

    return connect


@pytest.mark.parametrize("kind", ADAPTERS)
@pytest.mark.parametrize("rights", [{}, {"cleanup": True}])
def test_no_other_connector_makes_a_field(connect, sandbox, kind, rights):
    before = sandbox.snapshot()[kind]
    with pytest.raises(NotAllowed):
        connect(kind, **rights).provision(FIELDS)
    assert sandbox.snapshot()[kind] == before


@pytest.mark.parametrize("kind", ADAPTERS)
def test_a_run_makes_them_only_where_that_takes_no_right_over_the_whole_platform(connect, kind):
    assert connect(kind).capabilities.provision_in_runs == (kind != "salesforce")


@pytest.mark.parametrize("kind", ADAPTERS)
def test_the_package_costs_no_call_and_begins_with_what_to_do(connect, kind):
    connector = connect(kind)
    files = connector.package(FIELDS)
    assert "README.txt" in files
    assert connector.calls.total() == 0


def test_hubspots_package_holds_the_requests_that_would_be_sent(connect):
    files = connect("hubspot").package(FIELDS)
    inputs = {each["name"]: each for each in json.loads(files["properties.json"])["inputs"]}
    assert {name: each["type"] for name, each in inputs.items()} == {
        "ft_segment": "enumeration",
        "ft_tags": "enumeration",
        "ft_buy_score": "number",
    }
    assert json.loads(files["property-group.json"])["name"] == inputs["ft_segment"]["groupName"]
    assert "Loyal, At risk" in files["README.txt"]


def test_mailchimps_package_names_merge_fields_and_tags(connect):
    files = connect("mailchimp").package(FIELDS)
    fields = {each["tag"]: each["type"] for each in json.loads(files["merge-fields.json"])}
    assert fields == {"FT_SEGMENT": "text", "FT_BUY": "number"}
    assert "FT: Big & <small>" in files["README.txt"]


def test_salesforces_package_is_metadata_with_the_fields_and_their_rights(connect):
    files = connect("salesforce").package(FIELDS)
    lead = ElementTree.fromstring(files["metadata/objects/Lead.object"])
    names = [each.text for each in lead.findall(f"{NAMESPACE}fields/{NAMESPACE}fullName")]
    assert names == ["FT_Segment__c", "FT_Tags__c", "FT_Buy_Score__c"]
    assert "Big & <small>" in [each.text for each in lead.iter(f"{NAMESPACE}fullName")]
    rights = ElementTree.fromstring(files["metadata/permissionsets/foretag.permissionset"])
    assert len(rights.findall(f"{NAMESPACE}fieldPermissions")) == 2 * len(FIELDS)
    assert "Contact.FT_Buy_Score__c" in files["metadata/package.xml"]
