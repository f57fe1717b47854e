"""What may leave the machine, and what never does."""

import json

import pytest

from connectors.allowlist import AllowList
from connectors.errors import NotAllowed
from connectors.mailchimp.rules import merge_prefix, rules, tag_prefix

MEMBER = {"email_address": "ada@post.example", "merge_fields": {"FT_BUY": 73.5}}
READ = {"method": "GET", "path": "/reports/c1/email-activity", "operation_id": "c1"}
LOYAL = {"name": "FT: Loyal", "status": "active"}


def tagging(path="/lists/a1/members/0123/tags", **body):
    """An operation of an asynchronous batch that sets a member's tags in silence, unless told otherwise."""
    text = json.dumps({"tags": [LOYAL], "is_syncing": True} | body)
    return {"method": "POST", "path": path, "operation_id": "c1", "body": text}


SILENT = tagging()


@pytest.fixture
def allow():
    return AllowList(rules("ft_", [], provision=True))


def send(allow, method, path, body=None):
    return allow.rule_for(method, path, {}, None if body is None else json.dumps(body)).name


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("GET", "/", None, "account"),
        ("GET", "/lists/a1/members", None, "members"),
        ("POST", "/lists/a1", {"members": [MEMBER], "update_existing": True}, "members update"),
        ("POST", "/lists/a1/segments", {"name": "FT: Loyal", "static_segment": []}, "tag create"),
        ("POST", "/batches", {"operations": [READ]}, "batch start"),
        ("POST", "/batches", {"operations": [READ, SILENT]}, "batch start"),
        ("GET", "/ecommerce/stores/my%20server/orders", None, "orders"),
    ],
)
def test_what_the_adapter_sends_is_let_through(allow, method, path, body, name):
    assert send(allow, method, path, body) == name


@pytest.mark.parametrize(
    "members",
    [
        [{**MEMBER, "status": "subscribed"}],
        [{**MEMBER, "status_if_new": "subscribed"}],
        [{**MEMBER, "tags": ["FT: Loyal"]}],
        [{**MEMBER, "merge_fields": {"FNAME": "Ada"}}],
        [{**MEMBER, "merge_fields": {"FT_BUY": 1, "ADDRESS": "x"}}],
        [{**MEMBER, "merge_fields": {"FT_BUY": True}}],
        [{**MEMBER, "merge_fields": {"FT_BUY": None}}],
        [{"email_address": "ada@post.example"}],
        [MEMBER] * 501,
        {"0": MEMBER},
    ],
)
def test_a_write_holds_nothing_but_addresses_and_our_merge_fields(allow, members):
    with pytest.raises(NotAllowed, match="was not sent"):
        send(allow, "POST", "/lists/a1", {"members": members, "update_existing": True})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/lists/a1", {"members": [MEMBER]}),
        ("POST", "/lists/a1", {"members": [MEMBER], "update_existing": False}),
        ("POST", "/lists/a1", {"members": [MEMBER], "update_existing": True, "sync_tags": True}),
        ("POST", "/lists/a1/members", {"email_address": "new@post.example", "status": "subscribed"}),
        ("PUT", "/lists/a1/members/0123", {"email_address": "ada@post.example"}),
        ("PATCH", "/lists/a1/members/0123", {"status": "unsubscribed"}),
        ("DELETE", "/lists/a1/members/0123", None),
        ("POST", "/lists/a1/members/0123/actions/delete-permanent", None),
        ("POST", "/lists/a1/members/0123/tags", {"tags": [{"name": "VIP", "status": "active"}]}),
        ("DELETE", "/lists/a1/merge-fields/5", None),
        ("POST", "/lists/a1/merge-fields", {"tag": "SCORE", "name": "S", "type": "number", "public": False}),
        ("POST", "/lists/a1/merge-fields", {"tag": "FT_BUY", "name": "S", "type": "number", "public": True}),
        ("POST", "/lists/a1/merge-fields", {"tag": "FT_BUY", "name": "S", "type": "number"}),
        ("POST", "/lists/a1/segments", {"name": "VIP", "static_segment": []}),
        ("POST", "/lists/a1/segments", {"name": "FT: Loyal", "static_segment": ["ada@post.example"]}),
        ("POST", "/lists/a1/segments", {"name": "FT: Loyal", "options": {"match": "all"}}),
        ("DELETE", "/lists/a1/segments/7", None),
        ("POST", "/campaigns", {"type": "regular"}),
        ("POST", "/campaigns/c1/actions/send", None),
        ("POST", "/batches", {"operations": [{**READ, "method": "DELETE"}]}),
        ("POST", "/batches", {"operations": [{**READ, "path": "/lists/a1/members"}]}),
        ("POST", "/batches", {"operations": [{**READ, "body": "{}"}]}),
        ("POST", "/batches", {"operations": [READ] * 1001}),
        ("POST", "/batches", {"operations": [READ, tagging(is_syncing=False)]}),
        ("POST", "/batches", {"operations": [{**SILENT, "body": json.dumps({"tags": [LOYAL]})}]}),
        ("POST", "/batches", {"operations": [{**SILENT, "body": SILENT["body"][:-1] + ', "is_syncing": false}'}]}),
        ("POST", "/batches", {"operations": [{**SILENT, "body": "not JSON"}]}),
        ("POST", "/batches", {"operations": [{**SILENT, "method": "PATCH"}]}),
        ("POST", "/batches", {"operations": [{**SILENT, "params": {"x": "1"}}]}),
        ("POST", "/batches", {"operations": [tagging(status="subscribed")]}),
        ("POST", "/batches", {"operations": [tagging(tags=[{"name": "VIP", "status": "active"}])]}),
        ("POST", "/batches", {"operations": [tagging(tags=[{**LOYAL, "status": "gone"}])]}),
        ("POST", "/batches", {"operations": [tagging(tags=[{**LOYAL, "is_syncing": True}])]}),
        ("POST", "/batches", {"operations": [tagging(tags="FT: Loyal")]}),
        ("POST", "/batches", {"operations": [tagging("/lists/a1/members/0123")]}),
        ("POST", "/batches", {"operations": [tagging("/lists/a1/members/0123/events")]}),
        ("POST", "/batches", {"operations": [tagging("/lists/a1/members/../tags")]}),
        ("DELETE", "/batches/b1", None),
    ],
)
def test_everything_else_is_refused(allow, method, path, body):
    with pytest.raises(NotAllowed):
        send(allow, method, path, body)


def test_members_are_put_into_no_segment_but_those_that_are_our_tags():
    made = list(rules("ft_", [], provision=True))
    allow = AllowList(made)
    listing = next(rule for rule in made if rule.name == "tags")
    body = {"members_to_add": ["ada@post.example"], "members_to_remove": []}
    with pytest.raises(NotAllowed, match="not one of our tags"):
        send(allow, "POST", "/lists/a1/segments/7", body)
    segments = [
        {"id": 7, "name": "FT: Loyal", "type": "static", "list_id": "a1"},
        {"id": 8, "name": "VIP", "type": "static", "list_id": "a1"},
        {"id": 9, "name": "FT: Saved", "type": "saved", "list_id": "a1"},
    ]
    listing.learn({"segments": segments})
    assert send(allow, "POST", "/lists/a1/segments/7", body) == "tag members"
    for path in ("/lists/a1/segments/8", "/lists/a1/segments/9", "/lists/a2/segments/7"):
        with pytest.raises(NotAllowed, match="not one of our tags"):
            send(allow, "POST", path, body)
    for wrong in ({**body, "name": "FT: New"}, {"members_to_add": ["ada"]}, {"members_to_add": ["a@b.example"] * 501}):
        with pytest.raises(NotAllowed):
            send(allow, "POST", "/lists/a1/segments/7", wrong)
    listing.learn({"segments": [{**segments[0], "name": "Somebody's own"}]})
    with pytest.raises(NotAllowed, match="not one of our tags"):
        send(allow, "POST", "/lists/a1/segments/7", body)


def test_a_tag_that_we_created_is_ours():
    made = list(rules("ft_", [], provision=True))
    next(rule for rule in made if rule.name == "tag create").learn(
        {"id": 7, "name": "FT: Loyal", "type": "static", "list_id": "a1"}
    )
    assert send(AllowList(made), "POST", "/lists/a1/segments/7", {"members_to_add": ["a@b.example"]}) == "tag members"


def test_with_chosen_audiences_no_other_is_touched():
    allow = AllowList(rules("ft_", ["a1"]))
    body = {"members": [MEMBER], "update_existing": True}
    assert send(allow, "POST", "/lists/a1", body) == "members update"
    for method, path, sent in (("POST", "/lists/a2", body), ("GET", "/lists/a2/members", None)):
        with pytest.raises(NotAllowed):
            send(allow, method, path, sent)


def test_our_names():
    assert (merge_prefix("ft_"), tag_prefix("ft_")) == ("FT_", "FT: ")


@pytest.mark.parametrize("prefix", ["", "_", "ft", "FT_", "acme_", "1_", "f-_"])
def test_a_prefix_that_leaves_no_room_is_refused(prefix, connect):
    with pytest.raises(ValueError, match="merge tags"):
        connect(prefix=prefix)
