"""Members and the account as they are read: fields, pages, filters, manners."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import md5

import pytest
import requests

from sandbox.mailchimp.records import VIEWER_KEY
from sandbox.people import World
from sandbox.server import Sandbox

START = datetime(2017, 1, 1, tzinfo=UTC)


def test_an_answer_is_json_and_a_missing_thing_is_a_problem_document(api):
    ping = api.call("GET", "/ping")
    assert ping.json() == {"health_status": "Everything's Chimpy!"}
    assert ping.headers["Content-Type"] == "application/json; charset=utf-8"
    for path in ("/nowhere", "/{list}/members/" + "0" * 32, "/reports/none", "/lists/other/members", "/batches/none"):
        problem = api.problem("GET", path)
        assert (problem["status"], problem["title"]) == (404, "Resource Not Found")
        assert problem["instance"]


@pytest.mark.parametrize(
    ("auth", "status", "title"),
    [
        (None, 401, "API Key Missing"),
        (("x", "wrong-us1"), 401, "API Key Invalid"),
        (("x", "0123456789abcdef0123456789abcdef-us6"), 403, "Forbidden"),
    ],
)
def test_a_wrong_key_is_turned_away(api, auth, status, title):
    answer = requests.get(f"{api.base}/ping", auth=auth)
    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    if status == 403:
        assert answer.json()["detail"] == "The API key provided is linked to datacenter 'us1'"


@pytest.mark.parametrize("scheme", ["Bearer", "apikey"])
def test_the_key_is_accepted_in_the_other_forms(api, scheme):
    key = api.session.auth[1]
    assert requests.get(f"{api.base}/ping", headers={"Authorization": f"{scheme} {key}"}).status_code == 200


@pytest.mark.parametrize(("limits", "refused"), [(True, 2), (False, 0)])
def test_the_eleventh_call_at_once_is_refused_unless_limits_are_off(limits, refused):
    with (
        Sandbox(World((), (), (), (), ()), START, platforms=["mailchimp"], latency=0.5, limits=limits) as sandbox,
        ThreadPoolExecutor(12) as pool,
    ):
        auth = ("x", sandbox.platform("mailchimp").token)
        calls = [pool.submit(requests.get, f"{sandbox.url}/mailchimp/3.0/ping", auth=auth) for _ in range(12)]
        answers = [call.result() for call in calls]
    over = [answer for answer in answers if answer.status_code == 429]
    assert len(over) == refused
    assert all(answer.json()["title"] == "Too Many Requests" for answer in over)
    assert all("Retry-After" not in answer.headers for answer in over)


def test_the_root_tells_about_the_account(api):
    root = api.get("/")
    assert root["total_subscribers"] == 3
    assert root["account_timezone"] == "UTC"


def test_a_member_is_found_by_hash_address_and_contact_id(api):
    by_address = api.member("ADA@post.example")
    assert by_address["id"] == md5(b"ada@post.example").hexdigest()
    assert by_address["email_address"] == "Ada@Post.example"
    assert by_address["merge_fields"] == {"FNAME": "Ada", "LNAME": "Åberg", "AGE": "35-44", "INCOME": "50-74K"}
    assert by_address["stats"]["ecommerce_data"] == {
        "total_revenue": 52.36,
        "number_of_orders": 2,
        "currency_code": "USD",
    }
    assert api.member(by_address["id"]) == api.member(by_address["contact_id"]) == by_address


def test_opt_out_and_move_show_on_the_member(api):
    ben, cyd = api.member("ben@post.example"), api.member("cyd@new.example")
    assert (ben["status"], ben["last_changed"]) == ("unsubscribed", "2017-06-05T09:00:00+00:00")
    assert ben["unsubscribe_reason"]
    assert (cyd["status"], cyd["last_changed"]) == ("subscribed", "2017-07-01T09:00:00+00:00")
    assert cyd["timestamp_opt"] == "2017-01-04T09:00:00+00:00"
    api.problem("GET", "/{list}/members/cyd@old.example")


def test_pages_default_to_ten_are_capped_and_zero_means_the_default(api):
    api.batch(*({"email_address": f"n{i}@more.example", "status": "subscribed"} for i in range(30)))
    whole = api.get("/{list}/members", count=5000)
    assert (len(whole["members"]), whole["total_items"]) == (34, 34)
    assert len(api.get("/{list}/members")["members"]) == 10
    assert len(api.get("/{list}/members", count=0)["members"]) == 10
    pages = [api.get("/{list}/members", count=15, offset=offset)["members"] for offset in (0, 15, 30)]
    assert [m["id"] for page in pages for m in page] == [m["id"] for m in whole["members"]]
    beyond = api.get("/{list}/members", offset=100)
    assert (beyond["members"], beyond["total_items"]) == ([], 34)
    assert api.problem("GET", "/{list}/members", count="many")["errors"][0]["field"] == "count"


def test_fields_start_at_the_outermost_object(api):
    narrow = api.get("/{list}/members", fields="members.id,members.merge_fields.FNAME,total_items")
    assert set(narrow) == {"members", "total_items"}
    assert all(set(m) == {"id", "merge_fields"} and set(m["merge_fields"]) == {"FNAME"} for m in narrow["members"])
    assert api.get("/{list}/members", fields="id,email_address") == {}
    assert api.get("/{list}/members", fields="m,e,m,b,e,r,s") == {}
    assert "_links" in api.get("/{list}/members", fields="members,members.id")["members"][0]


def test_exclude_fields_needs_the_envelope_too(api):
    unharmed = api.get("/{list}/members", exclude_fields="email_address")
    assert all("email_address" in m and "_links" in m for m in unharmed["members"])
    slim = api.get("/{list}/members", exclude_fields="members._links,members.merge_fields.AGE,_links")
    assert "_links" not in slim
    assert all(
        "_links" not in m and "AGE" not in m["merge_fields"] and "FNAME" in m["merge_fields"] for m in slim["members"]
    )


def test_since_is_strictly_later_and_before_strictly_earlier_by_whole_seconds(api):
    def ids(**filters):
        return {m["email_address"] for m in api.get("/{list}/members", **filters)["members"]}

    moved = "2017-07-01T09:00:00+00:00"
    assert ids(since_last_changed="2017-07-01T08:59:59+00:00") == {"cyd@new.example"}
    assert ids(since_last_changed="2017-07-01T08:59:59.999Z") == {"cyd@new.example"}
    assert ids(since_last_changed=moved) == set()
    assert ids(since_last_changed="2017-07-01T11:00:00+02:00") == set()
    assert ids(since_last_changed="2017-06-05T08:59:59Z", before_last_changed=moved) == {"ben@post.example"}
    assert ids(since_timestamp_opt="2017-01-31T00:00:00Z") == {"dee@post.example"}
    assert ids(before_timestamp_opt="2017-01-03T00:00:00Z") == {"Ada@Post.example"}


def test_a_plus_sign_sent_bare_turns_the_filter_off(api):
    raw = api.session.get(f"{api.base}/lists/{api.list_id}/members?since_last_changed=2017-07-01T09:00:00+00:00")
    assert raw.json()["total_items"] == 4
    assert api.problem("GET", "/{list}/members", since_last_changed="yesterday")["title"] == "Invalid Resource"


def test_sorting_is_only_on_request(api):
    def stamps(**query):
        return [m["last_changed"] for m in api.get("/{list}/members", count=100, **query)["members"]]

    api.batch(*({"email_address": f"n{i}@more.example", "status": "subscribed"} for i in range(20)))
    ascending = stamps(sort_field="last_changed", sort_dir="ASC")
    assert ascending == sorted(ascending)
    assert stamps(sort_field="last_changed", sort_dir="DESC") == sorted(ascending, reverse=True)
    assert stamps() not in (ascending, ascending[::-1])
    assert api.problem("GET", "/{list}/members", sort_field="email")["errors"][0]["field"] == "sort_field"


def test_archived_members_are_listed_only_when_asked_for(api):
    assert api.call("DELETE", "/{list}/members/dee@post.example").status_code == 204
    assert api.get("/{list}/members")["total_items"] == 3
    archived = api.get("/{list}/members", status="archived")["members"]
    assert [m["email_address"] for m in archived] == ["dee@post.example"]
    assert api.member("dee@post.example")["status"] == "archived"
    assert api.get("/{list}/members", status="unsubscribed")["total_items"] == 1
    assert api.problem("GET", "/{list}/members", status="gone")["errors"][0]["field"] == "status"


def test_the_audience_counts_its_members(api):
    stats = api.get("/{list}")["stats"]
    assert (stats["member_count"], stats["unsubscribe_count"], stats["cleaned_count"]) == (3, 1, 0)
    assert (stats["merge_field_count"], stats["campaign_count"]) == (4, 2)
    assert stats["campaign_last_sent"] == "2017-08-01T09:00:00+00:00"
    assert stats["last_unsub_date"] == "2017-06-05T09:00:00+00:00"


def test_a_viewer_may_look_but_not_change(api):
    api.session.auth = ("anybody", VIEWER_KEY)
    assert api.get("/")["role"] == "viewer"
    assert api.get("/lists")["total_items"] == 1
    for path, body in (("/{list}", {"members": []}), ("/{list}/merge-fields", {}), ("/batches", {"operations": []})):
        assert api.problem("POST", path, body)["title"] == "Forbidden"
