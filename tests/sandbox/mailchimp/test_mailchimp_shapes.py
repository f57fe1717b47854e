"""Names of the fields, compared with recorded answers of the real API where those are at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path("../shared/fixtures/mailchimp")

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recorded answers in {RECORDED}")

# What a member has depends on its history; merge fields are the account's own; links are fewer here.
OWN = {"merge_fields", "_links", "options", "unsubscribe_reason", "tags", "region", "social_card"}


def recorded(name: str) -> Any:
    content = json.loads((RECORDED / f"{name}.json").read_text())
    return content.get("body", content) if isinstance(content, dict) else content


def names(value: Any, path: str = "") -> set[str]:
    """Dotted names of everything in `value`; rows of a list share theirs."""
    if isinstance(value, list):
        return set().union(*(names(item, path) for item in value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        dotted = f"{path}.{key}".lstrip(".")
        found |= {dotted} if key in OWN else {dotted} | names(inner, dotted)
    return found


def assert_covers(ours: Any, real: Any, but: tuple[str, ...] = ()) -> None:
    """Everything the real answer has is in ours, `but` for what is listed."""
    missing = {name for name in names(real) - names(ours) if not name.startswith(but or "\0")}
    missing = {name for name in missing if name.rpartition(".")[2] not in OWN}
    assert not missing


def test_members(api):
    page = api.get("/{list}/members")
    assert_covers(page, recorded("list_members_page_count4_offset0"))
    assert_covers(api.member("ada@post.example"), recorded("member_get_with_tags"))
    assert_covers(api.member("ben@post.example"), recorded("list_member_unsubscribed"))
    assert "unsubscribe_reason" in api.member("ben@post.example")


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
    ],
)
def test_problems(api, name, method, path, body):
    ours, real = api.problem(method, path, body), recorded(name)
    assert (ours["status"], ours["title"]) == (real["status"], real["title"])
    assert_covers(ours, real)
    assert ("type" in ours) == ("type" in real)
