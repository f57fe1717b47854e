import csv
import io

import pytest


def cells(answer):
    return list(csv.reader(io.StringIO(answer.text)))


def ingest(sf, text, object_name="Contact", operation="update", headers=None, **more):
    """Run one job to its end; returns its path and last status."""
    asked = {"object": object_name, "operation": operation, "contentType": "CSV", **more}
    job = sf.call("POST", "jobs/ingest", json=asked).json()
    assert (job["state"], job["contentUrl"]) == ("Open", f"services/data/v60.0/jobs/ingest/{job['id']}/batches")
    path = f"jobs/ingest/{job['id']}"
    assert sf.call("PUT", f"{path}/batches", data=text.encode()).status_code == 201
    closed = sf.call("PATCH", path, json={"state": "UploadComplete"}, headers=headers).json()
    assert closed["state"] == "UploadComplete"
    assert sf.get(path)["state"] == "InProgress"
    return path, sf.get(path)


def test_rows_succeed_and_fail_one_by_one(sf):
    ann, ben, gone = (sf.id_of("Contact", email) for email in ("ann@shop.example", "ben@x.example", "c@x.example"))
    sf.salesforce.delete(gone)
    path, status = ingest(sf, f"Id,Title\n{ann},A\n{gone},B\n{ben},C\n")
    assert (status["state"], status["numberRecordsProcessed"], status["numberRecordsFailed"]) == ("JobComplete", 3, 1)
    good = sf.call("GET", f"{path}/successfulResults")
    assert good.text.splitlines()[0] == '"sf__Id","sf__Created","Id","Title"'
    assert cells(good)[1:] == [[ann, "false", ann, "A"], [ben, "false", ben, "C"]]
    bad = cells(sf.call("GET", f"{path}/failedResults"))
    assert bad == [["sf__Id", "sf__Error", "Id", "Title"], ["", "ENTITY_IS_DELETED:entity is deleted:--", gone, "B"]]
    assert cells(sf.call("GET", f"{path}/unprocessedRecords")) == [["Id", "Title"]]


def test_a_blank_cell_is_ignored_and_na_clears(sf):
    ann, ben = sf.id_of("Contact", "ann@shop.example"), sf.id_of("Contact", "ben@x.example")
    ingest(sf, f"Id,Title,Department\n{ann},A,D\n{ben},B,E\n")
    ingest(sf, f"Id,Title,Department\n{ann},,#N/A\n{ben},#N/A,\n")
    rows = sf.query("SELECT Title, Department FROM Contact WHERE FirstName IN ('Ann', 'Ben') ORDER BY FirstName")
    assert [(row["Title"], row["Department"]) for row in rows] == [("A", None), (None, "E")]


def test_cells_are_read_as_the_field_wants_them(sf):
    sf.add_field("Contact.Score__c")
    sf.add_field("Contact.Yes__c", "Checkbox", defaultValue=False)
    sf.add_field("Contact.At__c", "DateTime")
    ann, ben = sf.id_of("Contact", "ann@shop.example"), sf.id_of("Contact", "ben@x.example")
    head = "Id,Score__c,Yes__c,At__c\n"
    cleo = sf.id_of("Contact", "c@x.example")
    path, _ = ingest(sf, f"{head}{ann},12.5,TRUE,2017-04-01T10:00:00.000Z\n{ben},much,,\n{cleo},,perhaps,\n")
    (row,) = sf.query("SELECT Score__c, At__c FROM Contact WHERE Yes__c = true")
    assert (row["Score__c"], row["At__c"]) == (12.5, "2017-04-01T10:00:00.000+0000")
    errors = [row[1] for row in cells(sf.call("GET", f"{path}/failedResults"))[1:]]
    assert errors == [
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Contact.Score__c: value not of required type: much:Score__c--",
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Contact.Yes__c: value not of required type: perhaps:Yes__c--",
    ]


@pytest.mark.parametrize("header", ["Id,Nope__c", "Title"])
def test_an_unknown_column_or_no_id_fails_the_job_and_leaves_all_rows(sf, header):
    path, status = ingest(sf, f"{header}\nx,1\n")
    assert status["state"] == "Failed"
    assert status["errorMessage"].startswith("InvalidBatch : Field name not found : ")
    assert len(cells(sf.call("GET", f"{path}/unprocessedRecords"))) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Id,Title\r\nx,1\r\n", "LineEnding is invalid"),
        ("Id,Title,title\nx,1,2\n", "provided more than once"),
        ("Id,Title\nx,1,2\n", "number of cells"),
    ],
)
def test_rows_that_cannot_be_read_fail_the_job(sf, text, said):
    _, status = ingest(sf, text)
    assert (status["state"], said in status["errorMessage"]) == ("Failed", True)


def test_a_row_that_comes_twice_is_refused_the_second_time(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    path, status = ingest(sf, f"Id,Title\n{ann},A\n{ann},B\n")
    assert status["numberRecordsFailed"] == 1
    assert cells(sf.call("GET", f"{path}/failedResults"))[1][1].startswith("DUPLICATE_VALUE:")


def test_uploads_are_csv_not_empty_and_once(sf):
    asked = {"object": "Contact", "operation": "update"}
    path = f"jobs/ingest/{sf.call('POST', 'jobs/ingest', json=asked).json()['id']}/batches"

    def code(data, kind="text/csv"):
        answer = sf.call("PUT", path, data=data, headers={"Content-Type": kind})
        return answer.json()[0]["errorCode"] if answer.content else answer.status_code

    assert code(b"Id\n", "application/json") == "INVALIDJOB"
    assert code(b"") == "INVALIDBATCH"
    assert code(b"Id\n") == 201
    assert code(b"Id\n") == "INVALIDJOBSTATE"
    assert sf.call("POST", "jobs/ingest", json={**asked, "state": "x"}).json()[0]["errorCode"] == "JSON_PARSER_ERROR"


def test_leads_keep_their_owner_only_when_told(sf):
    row = sf.query("SELECT Id, OwnerId FROM Lead WHERE IsConverted = false")[0]

    def owner():
        return sf.query(f"SELECT OwnerId FROM Lead WHERE Id = '{row['Id']}'")[0]["OwnerId"]

    ingest(sf, f"Id,Title\n{row['Id']},A\n", "Lead", headers={"Sforce-Auto-Assign": "FALSE"})
    assert owner() == row["OwnerId"]
    ingest(sf, f"Id,Title\n{row['Id']},A\n", "Lead")
    assert owner() != row["OwnerId"]


def test_rows_can_be_made_and_deleted_too(sf):
    path, _ = ingest(sf, "LastName,Company\r\nNew,New Co\r\n", "Lead", "insert", lineEnding="CRLF")
    ((made, created, *_),) = cells(sf.call("GET", f"{path}/successfulResults"))[1:]
    assert created == "true"
    ingest(sf, f"Id\n{made}\n", "Lead", "delete")
    assert sf.query(f"SELECT Id FROM Lead WHERE Id = '{made}'") == []


def test_jobs_refuse_what_they_cannot_do(sf):
    def code(method, path, **body):
        return sf.call(method, path, json=body).json()[0]["errorCode"]

    assert code("POST", "jobs/ingest", object="Nope", operation="update") == "INVALID_TYPE"
    assert code("POST", "jobs/ingest", object="Contact", operation="upsert") == "INVALIDJOB"
    assert code("POST", "jobs/ingest", object="Contact", operation="update", columnDelimiter="X") == "INVALIDJOB"
    path = (
        "jobs/ingest/" + sf.call("POST", "jobs/ingest", json={"object": "Contact", "operation": "update"}).json()["id"]
    )
    assert sf.call("GET", f"{path}/failedResults").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert sf.call("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert code("PATCH", path, state="UploadComplete") == "INVALIDJOBSTATE"
    assert sf.call("PUT", f"{path}/batches", data=b"Id\n").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert [job["id"] for job in sf.get("jobs/ingest")["records"]] == [path.rsplit("/", 1)[1]]
    assert sf.call("DELETE", path).status_code == 204
    assert sf.call("GET", path).status_code == 404
    assert code("POST", "jobs/query", operation="query", query="SELECT COUNT() FROM Contact") == "API_ERROR"
    assert code("POST", "jobs/query", operation="query", query="SELECT Nope FROM Contact") == "INVALID_FIELD"
    assert code("POST", "jobs/query", operation="explode", query="SELECT Id FROM Contact") == "INVALIDJOB"


def test_query_jobs_give_pages_of_csv_with_a_locator(sf):
    text = (
        "SELECT Id, OpportunityId, Opportunity.Amount, IsPrimary, CreatedDate FROM OpportunityContactRole ORDER BY Id"
    )
    job = sf.call("POST", "jobs/query", json={"operation": "queryAll", "query": text}).json()
    assert (job["state"], job["object"]) == ("UploadComplete", "OpportunityContactRole")
    path = f"jobs/query/{job['id']}"
    assert sf.call("GET", f"{path}/results").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert [sf.get(path)["state"], sf.get(path)["state"]] == ["InProgress", "JobComplete"]
    first = sf.call("GET", f"{path}/results", params={"maxRecords": "2"})
    assert (first.headers["Sforce-Locator"], first.headers["Sforce-NumberOfRecords"]) == ("2", "2")
    last = sf.call("GET", f"{path}/results", params={"maxRecords": "2", "locator": "2"})
    assert (last.headers["Sforce-Locator"], last.headers["Sforce-NumberOfRecords"]) == ("null", "1")
    assert cells(first)[0] == ["Id", "OpportunityId", "Opportunity.Amount", "IsPrimary", "CreatedDate"]
    assert cells(first)[0] == cells(last)[0]
    assert cells(first)[1][2:] == ["10.5", "true", "2017-01-03T10:00:00.000Z"]
    assert sf.call("GET", f"{path}/results", params={"locator": "x"}).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert len(sf.get("jobs/query")["records"]) == 1
    assert sf.call("DELETE", path).status_code == 204


def test_null_is_a_blank_cell_and_quotes_are_doubled(sf):
    ann = sf.id_of("Contact", "ann@shop.example")
    sf.update({"attributes": {"type": "Contact"}, "id": ann, "Title": 'say "hi", now'})
    text = "SELECT Title, Department FROM Contact WHERE FirstName = 'Ann'"
    job = sf.call("POST", "jobs/query", json={"operation": "query", "query": text}).json()
    for _ in range(2):
        sf.get(f"jobs/query/{job['id']}")
    assert sf.call("GET", f"jobs/query/{job['id']}/results").text == '"Title","Department"\n"say ""hi"", now",""\n'
