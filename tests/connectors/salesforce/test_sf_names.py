import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Account, FieldSpec, FieldType
from connectors.errors import ConnectorError
from connectors.records import Value
from connectors.salesforce.cursor import Cursor
from connectors.salesforce.happenings import opportunity_sources
from connectors.salesforce.looks import Look, Looks
from connectors.salesforce.names import field_name, from_salesforce, ours, to_salesforce
from connectors.salesforce.people import people_source

RECORDED = Path("../shared/fixtures/salesforce")
WORDS = st.text("abc ÅÄÖ'\"&<>", min_size=1, max_size=9)
VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.NUMBER: st.floats(-1e6, 1e6).map(lambda number: round(number, 2)),
    FieldType.TEXT: WORDS,
    FieldType.CHOICE: WORDS,
    FieldType.TAGS: st.lists(WORDS, unique=True, min_size=1).map(lambda tags: tuple(sorted(tags))),
    FieldType.DATE: st.dates().map(lambda day: day.isoformat()),
    FieldType.YES_NO: st.booleans(),
}


@given(st.sampled_from(list(FieldType)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind])))
def test_what_is_written_reads_back_equal(pair: tuple[FieldType, Value]) -> None:
    kind, value = pair
    spec = FieldSpec("key", "KEY", "Label", kind, "Text")
    sent = json.loads(json.dumps(to_salesforce(spec, value)))
    assert from_salesforce(spec, sent) == value


@pytest.mark.parametrize("kind", [kind for kind in FieldType if kind is not FieldType.YES_NO])
@pytest.mark.parametrize("empty", [None, "", ()])
def test_nothing_is_written_as_null_and_read_as_nothing(kind: FieldType, empty: Value) -> None:
    spec = FieldSpec("key", "KEY", "Label", kind, "Text")
    assert to_salesforce(spec, empty) is None
    assert from_salesforce(spec, None) is None


def test_whole_numbers_are_read_as_floats() -> None:
    value = from_salesforce(FieldSpec("key", "KEY", "Label", FieldType.NUMBER, "Text"), 44)
    assert (value, type(value)) == (44.0, float)


@pytest.mark.parametrize(
    ("prefix", "key", "name"),
    [("ft_", "buy_score", "FT_Buy_Score__c"), ("ft_", "tags", "FT_Tags__c"), ("acme_", "segment", "ACME_Segment__c")],
)
def test_field_names(prefix: str, key: str, name: str) -> None:
    assert field_name(prefix, key) == name
    assert re.fullmatch(ours(prefix), name)


def recorded(name: str) -> dict[str, Any]:
    path = RECORDED / f"{name}.json"
    if not path.exists():
        pytest.skip("the recorded answers of real orgs are not part of this repository")
    answer: dict[str, Any] = json.loads(path.read_text())
    return answer["response"]["body"] if "response" in answer else answer


UNTIL = datetime(2017, 6, 1, tzinfo=UTC)


class Described:
    """Answers describes from recordings."""

    sf_version = "62.0"

    def __init__(self, **objects: str) -> None:
        self._objects = objects

    def restful(self, path: str, method: str, json: dict[str, Any]) -> dict[str, Any]:
        names = [part["url"].split("/")[2] for part in json["batchRequests"]]
        known = [self._objects.get(name) for name in names]
        results = [
            {"statusCode": 200, "result": recorded(name)} if name else {"statusCode": 404, "result": []}
            for name in known
        ]
        return {"results": results}


def look(**objects: str) -> Look:
    return Looks(Described(**objects), list(objects)).take(next(iter(objects)), UNTIL)


@pytest.mark.parametrize("fixture", ["describe_contact", "rec_describe_contact_devorg_v42"])
def test_a_real_orgs_contacts_can_be_selected(fixture: str) -> None:
    account = Account("salesforce", "sf", "t", options={"properties": ["MailingAddress", "Description"]})
    source = people_source(None, account, "Contact", look(Contact=fixture), Cursor())
    assert {"Id", "IsDeleted", "MasterRecordId", "Email", "LeadSource", "Description"} <= set(source.columns)
    assert not {"MailingAddress", "HasOptedOutOfEmail"} & set(source.columns)
    assert source.stamps == ["SystemModstamp"]


@pytest.mark.parametrize("fixture", ["describe_lead", "rec_describe_lead_devorg_v42"])
def test_a_real_orgs_leads_can_be_selected(fixture: str) -> None:
    source = people_source(None, Account("salesforce", "sf", "t"), "Lead", look(Lead=fixture), Cursor())
    assert {"IsConverted", "ConvertedContactId", "Industry"} <= set(source.columns)
    assert "Status" not in source.columns


def test_a_real_orgs_opportunities_can_be_selected() -> None:
    sf = Described(OpportunityContactRole="describe_opportunitycontactrole", Opportunity="describe_opportunity")
    (source,) = opportunity_sources(sf)
    assert {"Opportunity.Amount", "Opportunity.CloseDate", "ContactId"} <= set(source.columns)
    assert "Opportunity.CurrencyIsoCode" not in source.columns


@pytest.mark.parametrize(
    "fixture", ["doc_error_400_invalid_field", "doc_error_401_expired_session", "doc_error_403_request_limit"]
)
def test_documented_refusals_are_recognised(fixture: str, connect: Callable[..., Any], org, data: str) -> None:
    body, status = recorded(fixture), int(fixture.split("_")[2])
    org.post(f"{data}/composite/batch", json=body, status=status)
    with pytest.raises(ConnectorError) as caught:
        connect().drift(())
    assert type(caught.value).__name__ == {400: "SchemaDrift", 401: "NotAuthorised", 403: "QuotaSpent"}[status]
