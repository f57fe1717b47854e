"""Names and types of the fields, compared with recorded answers of the real API where those are at hand."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sandbox.mailchimp.records import API_KEY, DATACENTER, address_hash

RECORDED = Path("../shared/fixtures/mailchimp")

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recorded answers in {RECORDED}")

# What a member has depends on its history; merge fields are the account's own; links are fewer here.
OWN = {"merge_fields", "_links", "options", "unsubscribe_reason", "tags", "region", "social_card"}
TYPES = {int: "number", float: "number"}
NULL = {"NoneType"}  # not set in the recording: says nothing of its type


def recorded(name: str) -> Any:
    content = json.loads((RECORDED / f"{name}.json").read_text())
    return content.get("body", content) if isinstance(content, dict) else content


def kinds(value: Any, path: str = "") -> dict[str, set[str]]:
    """Dotted names of everything in `value` with the types met there; rows of a list share theirs."""
    if isinstance(value, list):
        found: dict[str, set[str]] = {}
        for item in value:
            for name, types in kinds(item, path).items():
                found.setdefault(name, set()).update(types)
        return found
    if not isinstance(value, dict):
        return {}
    found = {}
    for key, inner in value.items():
        dotted = f"{path}.{key}".lstrip(".")
        found[dotted] = {TYPES.get(type(inner), type(inner).__name__)}
        if key not in OWN:
            found |= kinds(inner, dotted)
    return found


def assert_covers(ours: Any, real: Any, but: tuple[str, ...] = ()) -> None:
    """Everything the real answer has is in ours, `but` for what is listed, and of the types the real one has it in."""
    mine, theirs = kinds(ours), kinds(real)
    missing = {name for name in theirs.keys() - mine.keys() if not name.startswith(but or "\0")}
    missing = {name for name in missing if name.rpartition(".")[2] not in OWN}
    assert not missing
    both = mine.keys() & theirs.keys()
    other = {name: (mine[name], theirs[name]) for name in both if theirs[name] != NULL and mine[name] - theirs[name]}
    assert not other


def test_members(api):
    page = api.get("/{list}/members")
    assert_covers(page, recorded("list_members_page_count4_offset0"))
    assert_covers(api.member("ada@post.example"), recorded("member_get_with_tags"))
    assert_covers(api.member("ben@post.example"), recorded("list_member_unsubscribed"))
    assert "unsubscribe_reason" in api.member("ben@post.example")


def test_one_member_however_it_is_asked_for_or_written(api):
    new = {"email_address": "new@post.example", "status": "subscribed", "merge_fields": {"FNAME": "New"}}
    assert_covers(api.call("POST", "/{list}/members", new).json(), recorded("member_post_200_created"))
    changed = {"merge_fields": {"LNAME": "Reader", "email_address": "new@post.example"}}
    assert_covers(api.call("PUT", "/{list}/members/new@post.example", changed).json(), recorded("member_put_200"))
    tagged = api.call("POST", "/{list}/members/new@post.example/tags", {"tags": []})
    real = json.loads((RECORDED / "member_tags_post_204.json").read_text())
    assert (tagged.status_code, tagged.text) == (real["status"], real["body"])
    assert tagged.headers["Content-Type"] == real["headers"]["Content-Type"]
    assert api.call("DELETE", "/{list}/members/new@post.example").status_code == 204
    assert_covers(api.member("new@post.example"), recorded("member_get_archived"))


def test_nobody(api):
    real = recorded("list_members_empty_since_future")
    ours = api.get("/{list}/members", since_last_changed="2099-01-01T00:00:00Z")
    assert_covers(ours, real)
    assert (ours["members"], ours["total_items"]) == (real["members"], real["total_items"])


def test_the_audience(api):
    per_send = ("lists.stats.member_count_since_send", "lists.stats.unsubscribe_count_since_send")
    averages = ("lists.stats.cleaned_count_since_send", "lists.stats.avg_", "lists.stats.target_sub_rate")
    assert_covers(api.get("/lists"), recorded("lists"), but=per_send + averages)
    assert_covers(api.get("/{list}/merge-fields")["merge_fields"], recorded("merge_fields")["merge_fields"])
    segment = api.call("POST", "/{list}/segments", {"name": "x", "static_segment": []}).json()
    static = json.loads((RECORDED / "segment_static_tag.json").read_text())
    assert_covers(segment, static["segment"])


def test_mailings(api):
    campaign = api.get("/campaigns")["campaigns"][0]
    assert_covers(campaign, recorded("campaign"))
    assert_covers(api.get(f"/reports/{campaign['id']}"), recorded("report"))
    activity = api.get(f"/reports/{campaign['id']}/email-activity")
    assert_covers(activity, recorded("reports_email_activity_page"))
    assert_covers(api.get(f"/reports/{campaign['id']}/unsubscribed")["unsubscribes"], recorded("unsubscribe"))


def test_batches(api):
    batch = api.call("POST", "/batches", {"operations": [{"method": "GET", "path": "/ping"}]}).json()
    assert_covers(batch, recorded("batch_status_finished"))


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("error_404_not_found", "GET", "/{list}/members/none@post.example", None),
        ("error_400_merge_fields_invalid", "PUT", "/{list}/members/ada@post.example", {"merge_fields": {"FNAME": []}}),
        (
            "error_400_member_exists",
            "POST",
            "/{list}/members",
            {"email_address": "ada@post.example", "status": "pending"},
        ),
        (
            "error_400_fake_or_invalid",
            "POST",
            "/{list}/members",
            {"email_address": "a@example.com", "status": "pending"},
        ),
        ("error_400_member_in_compliance_state", "PATCH", "/{list}/members/ben@post.example", {"status": "subscribed"}),
        ("error_400_batch_schema_whole_request", "POST", "/{list}", {"members": [{"status": ""}]}),
        ("error_405_cannot_archive", "DELETE", "/{list}/members/fay@post.example", None),
        (
            "error_400_forgotten_email",
            "POST",
            "/{list}/members",
            {"email_address": "gus@post.example", "status": "pending"},
        ),
        (
            "error_400_too_many_signups",
            "POST",
            "/{list}/members",
            {"email_address": "hal@post.example", "status": "pending"},
        ),
        ("error_403_wrong_datacenter", "GET", "/lists", None),
    ],
)
def test_problems(api, name, method, path, body):
    audience = api.sandbox.platform("mailchimp")._account.audience
    audience.forgotten.add(address_hash("gus@post.example"))
    audience.everywhere.add(address_hash("hal@post.example"))
    for call, where in (("POST", "/{list}/members"), ("DELETE", "/{list}/members/fay@post.example")):
        api.call(call, where, {"email_address": "fay@post.example", "status": "subscribed"})
    if "datacenter" in name:
        api.session.auth = ("anybody", API_KEY.replace(DATACENTER, "us9"))
    ours, real = api.problem(method, path, body), recorded(name)
    assert (ours["status"], ours["title"]) == (real["status"], real["title"])
    assert wording(ours["detail"]) == wording(real["detail"])
    assert_covers(ours, real)
    assert ("type" in ours) == ("type" in real)


def wording(detail: str) -> str:
    """A sentence without the address or the data centre that it is about."""
    return re.sub(r"\S+@\S+|'us\d+'", "X", detail)


def test_entries_of_a_batch(api):
    operations = [{"method": "GET", "path": "/lists/none", "operation_id": None}]
    operations.append({"method": "GET", "path": "/lists", "operation_id": "known"})
    batch = api.call("POST", "/batches", {"operations": operations}).json()["id"]
    while api.get(f"/batches/{batch}")["status"] != "finished":
        pass
    entries = api.sandbox.platform("mailchimp")._batches.batches[batch].entries
    assert_covers(entries, json.loads((RECORDED / "batch_result_file_entries.json").read_text()))
