"""The pretended Salesforce's answers have the keys, types and nulls of answers recorded from real orgs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path("../shared/fixtures/salesforce")
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded Salesforce answers are not on this machine")

IN_SHAPES = {
    "describe_account", "describe_case", "describe_contact", "describe_event", "describe_global", "describe_lead",
    "describe_opportunity", "describe_opportunitycontactrole", "doc_bulk2_failedresults", "doc_bulk2_successfulresults",
    "doc_error_403_request_limit", "doc_error_401_expired_session", "get_organization", "rec_composite_invalid_type",
    "rec_collections_update_converted_lead", "rec_collections_create_required_missing", "rec_get_contact_404",
}  # fmt: skip
"""Compared in test_pretended_sf_shapes.py."""
NOT_OFFERED = {
    "describe_": "describes of the same objects in an older version of the API",
    "doc_error_bulk1": "the older Bulk API is not imitated",
    "doc_listview": "list views are for people",
    "doc_oauth_refresh": "there are no refresh tokens with client credentials",
    "doc_query_aggregate": "aggregates are not imitated",
    "doc_upsert_300": "upserts by external ids are not imitated",
    "rec_bulk1": "the older Bulk API is not imitated",
    "rec_collections_create_topicassignment": "topics are not imitated",
    "rec_collections_upsert": "upserts by external ids are not imitated",
    "rec_composite_304": "answers by change since a date are not imitated",
    "rec_describe": "describes of the same objects in an older version of the API",
    "rec_query_topicassignment": "topics are not imitated",
    "rec_soap": "logins over SOAP end in 2026",
    "rec_topic": "topics are not imitated",
}
"""Recordings of what the sandbox does not have, by how their names begin, and why not."""


def recorded(name: str) -> Any:
    read = json.loads((RECORDED / f"{name}.json").read_text())
    return read["response"]["body"] if isinstance(read, dict) and "response" in read else read


def shape(value: Any, at: str = "") -> dict[str, set[str]]:
    """The types of everything in an answer, by its place; the elements of a list share one."""
    kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    found = {at: {"null" if value is None else kind}}
    inner: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        inner = [(f"{at}.{key}", each) for key, each in value.items()]
    elif isinstance(value, list):
        inner = [(f"{at}[]", each) for each in value]
    for place, each in inner:
        for where, types in shape(each, place).items():
            found.setdefault(where, set()).update(types)
    return found


def contact(sf: Any, email: str = "ann@shop.example", **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Contact"}, "id": sf.id_of("Contact", email), **values}


def parts(sf: Any, *urls: str) -> Any:
    asked = [
        {"method": "GET", "url": f"/services/data/v60.0/{url}", "referenceId": str(n)} for n, url in enumerate(urls)
    ]
    return sf.call("POST", "composite", json={"compositeRequest": asked}).json()


def new_member(sf: Any) -> Any:
    campaign = sf.query("SELECT Id FROM Campaign")[0]["Id"]
    who = {"CampaignId": campaign, "ContactId": sf.id_of("Contact", "ben@x.example")}
    return sf.call("POST", "composite/sobjects", json={"records": [{"attributes": {"type": "CampaignMember"}, **who}]})


def job(sf: Any, looks: int = 0, rows: bytes = b"Id,Title\n", close: bool = True) -> Any:
    """An ingest job at a stage of its life."""
    answer = sf.call("POST", "jobs/ingest", json={"object": "Contact", "operation": "update"}).json()
    path = f"jobs/ingest/{answer['id']}"
    if close:
        sf.call("PUT", f"{path}/batches", data=rows)
        answer = sf.call("PATCH", path, json={"state": "UploadComplete"}).json()
    for _ in range(looks):
        answer = sf.get(path)
    answer.pop("contentUrl", None) if looks else None
    return answer


def query_job(sf: Any, looks: int = 0) -> Any:
    answer = sf.call("POST", "jobs/query", json={"operation": "query", "query": "SELECT Id FROM Contact"}).json()
    for _ in range(looks):
        answer = sf.get(f"jobs/query/{answer['id']}")
    return answer


def window(sf: Any, what: str) -> Any:
    sf.salesforce.delete(sf.id_of("Contact", "ann@shop.example"))
    return sf.get(f"sobjects/Contact/{what}", start="2017-04-01T00:00:00Z", end="2017-04-16T00:00:00Z")


def unknown_filter(sf: Any) -> Any:
    return sf.call("GET", "query", params={"q": "SELECT Id FROM Contact WHERE Description = 'x'"}).json()


def made(sf: Any, name: str, **values: Any) -> Any:
    return sf.call("POST", f"sobjects/{name}/", json=values).json()


COMPARED: dict[str, Callable[[Any], Any]] = {
    "doc_error_400_invalid_field": unknown_filter,
    "doc_get_deleted": lambda sf: window(sf, "deleted"),
    "doc_get_updated": lambda sf: window(sf, "updated"),
    "rec_bulk2_ingest_1_created": lambda sf: job(sf, close=False),
    "rec_bulk2_ingest_3_inprogress": lambda sf: job(sf, looks=1),
    "rec_bulk2_ingest_4_jobcomplete": lambda sf: job(sf, looks=2),
    "rec_bulk2_query_job_created": query_job,
    "rec_bulk2_query_jobcomplete": lambda sf: query_job(sf, looks=2),
    "rec_campaign_create_201": lambda sf: made(sf, "Campaign", Name="A"),
    "rec_collections_create_campaignmember": lambda sf: new_member(sf).json(),
    "rec_collections_delete": lambda sf: sf.call("DELETE", f"composite/sobjects?ids={contact(sf)['id']}").json(),
    "rec_collections_update_contacts_ok": lambda sf: sf.update(contact(sf, Title="A")).json(),
    "rec_collections_update_partial_invalid_email": lambda sf: sf.update(
        contact(sf, Title="A"), contact(sf, "ben@x.example", Email="bad")
    ).json(),
    "rec_composite_404": lambda sf: parts(sf, "sobjects/Foo"),
    "rec_composite_queries": lambda sf: parts(
        sf, *(f"query?q=SELECT {names} FROM Account LIMIT 1" for names in ("Id", "Id, Name"))
    ),
    "rec_limits_recordcount": lambda sf: sf.get("limits/recordCount", sObjects="Account"),
    "rec_query_campaignmember": lambda sf: sf.get("query", q="SELECT ContactId FROM CampaignMember"),
    "rec_query_contacts": lambda sf: sf.get("query", q="SELECT Id FROM Contact"),
    "rec_query_empty": lambda sf: sf.get("query", q="SELECT Id FROM Account WHERE Name = 'nobody'"),
    "rec_sobject_create_201": lambda sf: made(sf, "Account", Name="A"),
}
GOT = ("rec_get_account", "rec_get_contact", "rec_get_lead", "rec_get_lead_converted")
OTHERS = {
    "doc_error_414", "doc_oauth_error", "rec_bulk2_failedresults_empty", "rec_bulk2_ingest_2_patched_uploadcomplete",
    "rec_bulk2_query_results",
}  # fmt: skip
"""Compared in a test of their own below."""


def test_every_recording_is_compared_with() -> None:
    known = {*COMPARED, *GOT, *OTHERS, *IN_SHAPES}
    left = {file.stem for file in RECORDED.iterdir()} - known
    assert {name for name in left if not name.startswith(tuple(NOT_OFFERED))} == set()
    assert known <= {file.stem for file in RECORDED.iterdir()}


@pytest.mark.parametrize("name", COMPARED)
def test_an_answer_has_the_recorded_keys_types_and_nulls(sf, name: str) -> None:
    ours, theirs = shape(COMPARED[name](sf)), shape(recorded(name))
    renamed = {place.replace("LeadId", "ContactId"): types for place, types in theirs.items()}
    assert ours == renamed


@pytest.mark.parametrize("name", GOT)
def test_a_record_has_the_recorded_types(sf, name: str) -> None:
    real = recorded(name)
    object_ = real["attributes"]["type"]
    where = f" WHERE IsConverted = {str(real['IsConverted']).lower()}" if object_ == "Lead" else ""
    id_ = sf.query(f"SELECT Id FROM {object_}{where}")[0]["Id"]
    ours, theirs = shape(sf.get(f"sobjects/{object_}/{id_}")), shape(real)
    own = {place for place in ours if place.endswith("__c")}
    newer = {".IndividualId", ".LastActivityDate", ".Rating", ".IsEmailBounced", ".LeadSource", ".NumberOfEmployees"}
    assert set(ours) - own - newer <= set(theirs)
    both = {place for place in set(ours) & set(theirs) if not {"null"} & (ours[place] | theirs[place])}
    assert len(both) > 8
    assert {place: ours[place] for place in both} == {place: theirs[place] for place in both}


def test_a_closed_job_has_the_recorded_types(sf) -> None:
    ours, theirs = shape(job(sf)), shape(recorded("rec_bulk2_ingest_2_patched_uploadcomplete"))
    assert theirs.items() <= ours.items()


def test_results_are_written_as_recorded(sf) -> None:
    query = query_job(sf, looks=2)
    results = sf.call("GET", f"jobs/query/{query['id']}/results")
    header = (RECORDED / "rec_bulk2_query_results.csv").read_text().splitlines()[0]
    assert results.text.splitlines()[0] == header.split(",")[0] == '"Id"'
    done = job(sf, looks=2)
    empty = sf.call("GET", f"jobs/ingest/{done['id']}/failedResults").text
    assert empty.startswith((RECORDED / "rec_bulk2_failedresults_empty.csv").read_text().split(",Id")[0])


def test_refusals_outside_the_api_look_as_documented(sf) -> None:
    import requests

    answer = requests.post(f"{sf.site}/services/oauth2/token", data={"grant_type": "password"}, timeout=10)
    assert shape(answer.json()) == shape(recorded("doc_oauth_error"))
    long = sf.call("GET", "query", params={"q": "SELECT Id FROM Contact WHERE Name = '" + "x" * 17_000 + "'"})
    assert long.status_code == 414
    assert (RECORDED / "doc_error_414.html").read_text().strip() in long.text
