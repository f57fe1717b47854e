"""Answers have the keys the real ones have, where recordings are at hand."""

import csv
import io
import json
from pathlib import Path

import pytest

RECORDED = Path("../shared/fixtures/salesforce")
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded Salesforce answers at ../shared/fixtures")


def recorded(name):
    return json.loads((RECORDED / name).read_text())


def body(name):
    return recorded(name)["response"]["body"]


@pytest.mark.parametrize(
    "name", ["Contact", "Lead", "Account", "Opportunity", "OpportunityContactRole", "Case", "Event"]
)
def test_describe(sf, name):
    real, ours = recorded(f"describe_{name.lower()}.json"), sf.get(f"sobjects/{name}/describe")
    newest = recorded("describe_contact.json")
    assert set(real) <= set(ours) == set(newest)
    theirs = {field["name"]: field for field in real["fields"]}
    for field in ours["fields"]:
        assert set(field) == set(newest["fields"][0])
        if field["name"] in theirs:
            same = ("type", "updateable", "createable", "nillable", "relationshipName", "soapType", "filterable")
            told = {key: field[key] for key in same}
            assert told == {key: theirs[field["name"]][key] for key in same}, field["name"]
    assert real["keyPrefix"] == ours["keyPrefix"]


def test_list_of_objects(sf):
    real, ours = recorded("describe_global.json"), sf.get("sobjects")
    assert set(ours) == set(real)
    assert set(ours["sobjects"][0]) == set(real["sobjects"][0])


def test_collections(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    good = sf.update({"attributes": {"type": "Contact"}, "id": ann, "Title": "A"}).json()[0]
    assert set(good) == set(body("rec_collections_update_contacts_ok.json")[0])
    failed = sf.update({"attributes": {"type": "Contact"}, "id": ann, "Email": "badone"}).json()[0]
    real = body("rec_collections_update_partial_invalid_email.json")[1]
    assert set(failed) == set(real)
    assert set(failed["errors"][0]) == set(real["errors"][0])
    assert failed["errors"][0]["statusCode"] == real["errors"][0]["statusCode"]
    (lead,) = sf.query("SELECT Id FROM Lead WHERE IsConverted = true")
    converted = sf.update({"attributes": {"type": "Lead"}, "id": lead["Id"], "LastName": "NoEdit"}).json()
    assert converted == body("rec_collections_update_converted_lead.json")
    missing = sf.call("POST", "composite/sobjects", json={"records": [{"attributes": {"type": "Account"}}]}).json()
    assert missing == body("rec_collections_create_required_missing.json")
    deleted = sf.call("DELETE", f"composite/sobjects?ids={ann}").json()
    assert set(deleted[0]) == set(body("rec_collections_delete.json")[0])


def test_queries(sf):
    real = body("rec_query_contacts.json")
    ours = sf.get("query", q="SELECT Id FROM Contact")
    assert set(ours) == set(real)
    assert set(ours["records"][0]) == set(real["records"][0])
    assert set(ours["records"][0]["attributes"]) == set(real["records"][0]["attributes"])


def test_composite(sf):
    parts = [{"method": "GET", "url": "/services/data/v60.0/query?q=select count() from XYZZY", "referenceId": "x"}]
    ours = sf.call("POST", "composite", json={"compositeRequest": parts}).json()["compositeResponse"][0]
    real = body("rec_composite_invalid_type.json")["compositeResponse"][1]
    assert set(ours) == set(real)
    assert set(ours["body"][0]) == set(real["body"][0])
    assert ours["body"][0]["message"].splitlines()[-1].startswith("sObject type 'XYZZY' is not supported.")
    missing = sf.call("GET", "sobjects/Contact/0034S000005YJX9QAO")
    assert missing.json() == body("rec_get_contact_404.json")


def test_bulk_jobs(sf):
    asked = {"object": "Contact", "operation": "update"}
    job = sf.call("POST", "jobs/ingest", json=asked).json()
    assert set(job) == set(recorded("rec_bulk2_ingest_1_created.json"))
    path = f"jobs/ingest/{job['id']}"
    sf.call("PUT", f"{path}/batches", data=b"Id,Title\n")
    closed = sf.call("PATCH", path, json={"state": "UploadComplete"}).json()
    assert set(closed) == set(recorded("rec_bulk2_ingest_2_patched_uploadcomplete.json")) | {
        "lineEnding",
        "columnDelimiter",
    }
    running, complete = sf.get(path), sf.get(path)
    assert set(running) - {"contentUrl"} == set(recorded("rec_bulk2_ingest_3_inprogress.json"))
    assert set(complete) - {"contentUrl"} == set(recorded("rec_bulk2_ingest_4_jobcomplete.json"))
    job = sf.call("POST", "jobs/query", json={"operation": "query", "query": "SELECT Id FROM Contact"}).json()
    assert set(job) == set(recorded("rec_bulk2_query_job_created.json"))
    sf.get(f"jobs/query/{job['id']}")
    assert set(sf.get(f"jobs/query/{job['id']}")) == set(recorded("rec_bulk2_query_jobcomplete.json"))


def test_bulk_results(sf):
    for name, columns in (("failedResults", 2), ("successfulResults", 2)):
        real = next(csv.reader(io.StringIO((RECORDED / f"doc_bulk2_{name.lower()}.csv").read_text())))
        job = sf.call("POST", "jobs/ingest", json={"object": "Contact", "operation": "update"}).json()["id"]
        sf.call("PUT", f"jobs/ingest/{job}/batches", data=b"Id,Title\n")
        sf.call("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"})
        sf.get(f"jobs/ingest/{job}")
        ours = next(csv.reader(io.StringIO(sf.call("GET", f"jobs/ingest/{job}/{name}").text)))
        assert ours[:columns] == real[:columns]


def test_refusals(start):
    sf = start(daily_quota=1)
    sf.get("limits")
    assert sf.get("limits") == recorded("doc_error_403_request_limit.json")
    sf.salesforce.expire_token()
    assert sf.get("limits") == recorded("doc_error_401_expired_session.json")


def test_organisation_and_created(sf):
    ours = sf.query("SELECT Id, Name, OrganizationType, IsSandbox, InstanceName, TimeZoneSidKey FROM Organization")[0]
    assert set(ours) <= set(recorded("get_organization.json"))
    made = sf.call("POST", "sobjects/Account/", json={"Name": "Smith Corp."})
    assert (made.status_code, set(made.json())) == (201, set(body("rec_sobject_create_201.json")))
