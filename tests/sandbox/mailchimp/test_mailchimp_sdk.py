"""Mailchimp's own Python library against the pretended one."""

import mailchimp_marketing
import pytest
import requests
from mailchimp_marketing.api_client import ApiClientError


@pytest.fixture
def sdk(api):
    client = mailchimp_marketing.Client({"api_key": api.session.auth[1], "server": "us1"})
    client.api_client.host = api.base
    return client


def test_it_reads_the_account_and_its_members(api, sdk):
    assert sdk.ping.get()["health_status"]
    assert sdk.root.get_root()["account_name"] == "Corner Shop"
    assert sdk.lists.get_all_lists()["lists"][0]["id"] == api.list_id
    members = sdk.lists.get_list_members_info(api.list_id, count=1000, sort_field="last_changed", sort_dir="ASC")
    assert members["total_items"] == 4
    cyd = sdk.lists.get_list_member(api.list_id, "cyd@new.example")
    assert cyd["merge_fields"]["FNAME"] == "Cyd"


def test_fields_as_a_list_work_and_as_a_text_end_in_a_bare_response(api, sdk):
    narrow = sdk.lists.get_list_members_info(api.list_id, fields=["members.id"])
    assert all(set(member) == {"id"} for member in narrow["members"])
    trapped = sdk.lists.get_list_members_info(api.list_id, fields="members.id")
    assert isinstance(trapped, requests.Response)
    assert trapped.json() == {}


def test_it_writes_scores_and_tags(api, sdk):
    sdk.lists.add_list_merge_field(api.list_id, {"tag": "SCORE", "name": "Score", "type": "number", "public": False})
    body = {"members": [{"email_address": "ada@post.example", "merge_fields": {"SCORE": 88}}], "update_existing": True}
    done = sdk.lists.batch_list_members(api.list_id, body)
    assert done["updated_members"][0]["merge_fields"]["SCORE"] == 88
    tag = sdk.lists.create_segment(api.list_id, {"name": "Loyal", "static_segment": []})
    added = sdk.lists.batch_segment_members({"members_to_add": ["ada@post.example"]}, api.list_id, tag["id"])
    assert added["total_added"] == 1
    assert sdk.lists.tag_search(api.list_id, name="loy")["tags"] == [{"id": tag["id"], "name": "Loyal"}]
    assert sdk.lists.update_list_member_tags(api.list_id, "ada@post.example", {"tags": []}).status_code == 204


def test_it_reads_mailings_orders_and_batches(api, sdk):
    campaign = sdk.campaigns.list(status="sent")["campaigns"][0]
    assert sdk.reports.get_campaign_report(campaign["id"])["emails_sent"] == 4
    assert sdk.reports.get_email_activity_for_campaign(campaign["id"])["total_items"] == 4
    assert sdk.reports.get_campaign_recipients(campaign["id"])["total_items"] == 4
    assert sdk.ecommerce.orders(count=2)["total_items"] == 4
    batch = sdk.batches.start({"operations": [{"method": "GET", "path": "/ping"}]})
    assert sdk.batches.status(batch["id"])["status"] == "started"


def test_a_problem_arrives_as_text_in_an_error(api, sdk):
    with pytest.raises(ApiClientError) as caught:
        sdk.lists.get_list_member(api.list_id, "nobody@post.example")
    assert caught.value.status_code == 404
    assert isinstance(caught.value.text, str)
    assert "Resource Not Found" in caught.value.text
