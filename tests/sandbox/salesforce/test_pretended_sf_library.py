"""The pretended Salesforce through simple_salesforce, which insists on https: an adapter sends it here instead."""

from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from sandbox.salesforce import CLIENT_ID, CLIENT_SECRET


class Redirect(requests.adapters.HTTPAdapter):
    """Sends every call to the sandbox, whatever host it names."""

    def __init__(self, site):
        super().__init__()
        self._site = urlsplit(site)

    def send(self, request, **more):
        parts = urlsplit(request.url)
        path = self._site.path + parts.path.removeprefix(self._site.path)
        request.url = urlunsplit(("http", self._site.netloc, path, parts.query, ""))
        return super().send(request, **{**more, "timeout": 10})


@pytest.fixture
def library(sf):
    with requests.Session() as session:
        session.mount("https://", Redirect(sf.site))
        yield Salesforce(
            consumer_key=CLIENT_ID, consumer_secret=CLIENT_SECRET, domain="shop.my", session=session, version="60.0"
        )


def test_client_credentials_log_in(library, sf):
    assert library.session_id == sf.salesforce.token
    assert library.limits()["DailyApiRequests"]["Max"] == 100_000
    assert library.api_usage["api-usage"].total == 100_000
    with requests.Session() as session:
        session.mount("https://", Redirect(sf.site))
        with pytest.raises(SalesforceAuthenticationFailed):
            Salesforce(consumer_key=CLIENT_ID, consumer_secret="wrong", domain="shop.my", session=session)


def test_queries_describes_and_collections(library):
    rows = list(library.query_all_iter("SELECT Id FROM Contact"))
    assert len(rows) == 3
    assert {field["name"] for field in library.Contact.describe()["fields"]} >= {"Id", "Email", "Age_Band__c"}
    body = {"records": [{"attributes": {"type": "Contact"}, "id": rows[0]["Id"], "Title": "A"}]}
    assert library.restful("composite/sobjects", method="PATCH", json=body)[0]["success"] is True
    assert library.Contact.get(rows[0]["Id"])["Title"] == "A"
    assert library.query("SELECT COUNT() FROM Contact WHERE Title = 'A'")["totalSize"] == 1


def test_pages(library):
    session = library.session
    session.headers["Sforce-Query-Options"] = "batchSize=200"
    made = [{"attributes": {"type": "Lead"}, "LastName": f"New {n}", "Company": "New Co"} for n in range(200)]
    for _ in range(2):
        library.restful("composite/sobjects", method="POST", json={"records": made})
    rows = list(library.query_all_iter("SELECT Id FROM Lead WHERE Company = 'New Co' ORDER BY Id"))
    assert len({row["Id"] for row in rows}) == 400


def test_tooling(library):
    field = {"FullName": "Contact.Score__c", "Metadata": {"type": "Number", "label": "x", "precision": 5, "scale": 2}}
    made = library.toolingexecute("sobjects/CustomField", method="POST", data=field)
    assert made["success"] is True
    query = {"q": "SELECT Id FROM CustomField WHERE DeveloperName = 'Score'"}
    assert library.toolingexecute("query", params=query)["records"][0]["Id"] == made["id"]


def test_bulk_jobs(library, sf):
    ids = [row["Id"] for row in library.query("SELECT Id FROM Contact ORDER BY Id")["records"]]
    records = [{"Id": each, "Title": "B"} for each in ids] + [{"Id": ids[0][:-4] + "zAAA", "Title": "B"}]
    (result,) = library.bulk2.Contact.update(records=records, wait=0.01)
    assert (result["numberRecordsTotal"], result["numberRecordsFailed"]) == (4, 1)
    assert len(library.bulk2.Contact.get_successful_records(result["job_id"]).splitlines()) == 4
    pages = list(library.bulk2.Contact.query("SELECT Id, Title FROM Contact", max_records=2, wait=0.01))
    assert [len(page.splitlines()) for page in pages] == [3, 2]


def test_an_ended_session_is_told_apart(sf):
    with requests.Session() as session:
        session.mount("https://", Redirect(sf.site))
        library = Salesforce(session_id=sf.salesforce.token, instance="shop.my.salesforce.com", session=session)
        sf.salesforce.expire_token()
        with pytest.raises(SalesforceExpiredSession):
            library.query("SELECT Id FROM Contact")
