"""The vendors' own libraries, as they are installed, against the sandbox: nothing of them is changed but the host."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import mailchimp_marketing
import pytest
from hubspot import HubSpot
from hubspot.crm.contacts.exceptions import ApiException, NotFoundException, UnauthorizedException
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from sandbox.server import Sandbox
from sandbox.world import small

SCORE = {
    "name": "a_score",
    "label": "A score",
    "type": "number",
    "fieldType": "number",
    "groupName": "contactinformation",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(small(), datetime(2017, 7, 1, tzinfo=UTC), limits=False) as served:
        yield served


@pytest.fixture(scope="module")
def hubspot(sandbox: Sandbox) -> HubSpot:
    return HubSpot(access_token=sandbox.platform("hubspot").token, host=f"{sandbox.url}/hubspot")


@pytest.fixture(scope="module")
def mailchimp(sandbox: Sandbox) -> mailchimp_marketing.Client:
    client = mailchimp_marketing.Client()
    client.set_config({"api_key": sandbox.platform("mailchimp").token, "server": "us1"})
    client.api_client.host = f"{sandbox.url}/mailchimp/3.0"
    return client


class SandboxForHttps(HTTPAdapter):
    """Sends on what is meant for an address with https, the only kind simple_salesforce knows."""

    def __init__(self, site: str) -> None:
        super().__init__()
        self._site = site

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        request.url = self._site + str(request.url).removeprefix("https://shop.example")
        return super().send(request, *arguments, **options)


@pytest.fixture(scope="module")
def salesforce(sandbox: Sandbox) -> Iterator[Salesforce]:
    with Session() as session:
        session.mount("https://shop.example", SandboxForHttps(f"{sandbox.url}/salesforce"))
        token = sandbox.platform("salesforce").token
        yield Salesforce(session_id=token, instance="shop.example", session=session, version="61.0")


def test_hubspot_lists_everyone_page_by_page(hubspot: HubSpot) -> None:
    page = hubspot.crm.contacts.basic_api.get_page(limit=5, properties=["email"], associations=["deals"])
    assert len(page.results) == 5
    assert page.results[0].properties["email"]
    assert page.results[0].created_at.tzinfo is not None
    following = hubspot.crm.contacts.basic_api.get_page(limit=5, after=page.paging.next.after)
    assert not {row.id for row in page.results} & {row.id for row in following.results}
    assert len(hubspot.crm.contacts.get_all()) > 10


def test_hubspot_searches(hubspot: HubSpot) -> None:
    email = hubspot.crm.contacts.basic_api.get_page(limit=1).results[0].properties["email"]
    condition = {"propertyName": "email", "operator": "EQ", "value": email}
    question = {"filterGroups": [{"filters": [condition]}], "properties": ["email"], "limit": 10}
    found = hubspot.crm.contacts.search_api.do_search(public_object_search_request=question)
    assert found.total == 1
    assert found.results[0].properties["email"] == email


def test_hubspot_makes_a_property_and_writes_a_batch_with_its_failures_told_apart(hubspot: HubSpot) -> None:
    made = hubspot.crm.properties.core_api.create("contacts", SCORE)
    assert made.name == "a_score"
    assert "a_score" in {each.name for each in hubspot.crm.properties.core_api.get_all("contacts").results}
    ids = [row.id for row in hubspot.crm.contacts.basic_api.get_page(limit=3).results]
    inputs = [{"id": id_, "objectWriteTraceId": id_, "properties": {"a_score": 55}} for id_ in (*ids, "999999999")]
    done = hubspot.crm.contacts.batch_api.update({"inputs": inputs})
    assert done.num_errors == 1
    assert {row.id for row in done.results} == set(ids)
    read = {"inputs": [{"id": id_} for id_ in ids], "properties": ["a_score"], "propertiesWithHistory": []}
    assert {row.properties["a_score"] for row in hubspot.crm.contacts.batch_api.read(read).results} == {"55"}


def test_hubspot_errors_arrive_as_the_library_s_own(hubspot: HubSpot, sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundException):
        hubspot.crm.contacts.basic_api.get_by_id("999999999")
    with pytest.raises(ApiException) as refused:
        hubspot.crm.contacts.basic_api.get_page(limit=101)
    assert refused.value.status == 400
    stranger = HubSpot(access_token="wrong", host=f"{sandbox.url}/hubspot")
    with pytest.raises(UnauthorizedException):
        stranger.crm.contacts.basic_api.get_page()


def test_mailchimp_lists_and_updates_members(mailchimp: mailchimp_marketing.Client) -> None:
    [audience] = mailchimp.lists.get_all_lists()["lists"]
    page = mailchimp.lists.get_list_members_info(
        audience["id"], count=3, fields=["members.email_address", "total_items"]
    )
    assert page["total_items"] > 3
    field = {"tag": "A_SCORE", "name": "A score", "type": "number", "public": False}
    assert mailchimp.lists.add_list_merge_field(audience["id"], field)["tag"] == "A_SCORE"
    tags = {each["tag"] for each in mailchimp.lists.get_list_merge_fields(audience["id"], count=100)["merge_fields"]}
    assert "A_SCORE" in tags
    members = [{"email_address": row["email_address"], "merge_fields": {"A_SCORE": 55}} for row in page["members"]]
    done = mailchimp.lists.batch_list_members(audience["id"], {"members": members, "update_existing": True})
    assert (done["total_updated"], done["error_count"]) == (3, 0)
    tag = mailchimp.lists.create_segment(audience["id"], {"name": "Loyal", "static_segment": []})
    addresses = [row["email_address"] for row in page["members"]]
    added = mailchimp.lists.batch_segment_members({"members_to_add": addresses}, audience["id"], tag["id"])
    assert added["total_added"] == 3


def test_salesforce_queries_describes_and_updates_collections(salesforce: Salesforce) -> None:
    rows = list(salesforce.query_all_iter("SELECT Id, Email FROM Contact ORDER BY Id"))
    assert len(rows) > 3
    assert {"Id", "Email"} <= {field["name"] for field in salesforce.Contact.describe()["fields"]}
    records = [{"attributes": {"type": "Contact"}, "id": row["Id"], "Title": "Seen"} for row in rows[:3]]
    sent = {"allOrNone": False, "records": records}
    answers = salesforce.restful("composite/sobjects", method="PATCH", json=sent)
    assert [answer["success"] for answer in answers] == [True, True, True]
    assert salesforce.query("SELECT COUNT() FROM Contact WHERE Title = 'Seen'")["totalSize"] == 3


def test_salesforce_writes_and_reads_in_bulk(salesforce: Salesforce) -> None:
    ids = [row["Id"] for row in salesforce.query("SELECT Id FROM Contact ORDER BY Id LIMIT 2")["records"]]
    [job] = salesforce.bulk2.Contact.update(records=[{"Id": each, "Title": "Bulk"} for each in ids], wait=0.01)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 0)
    [text] = list(salesforce.bulk2.Contact.query("SELECT Id FROM Contact WHERE Title = 'Bulk'", wait=0.01))
    assert len(text.splitlines()) == 3
