"""One member over time: the calls of a recorded sequence, answered by the sandbox as the real API answered them."""

import json
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

RECORDED = Path("../shared/fixtures/mailchimp/sequence_member_write_semantics.json")
ADDRESS, LATER_ADDRESS = "wx@post.example", "px@post.example"

pytestmark = pytest.mark.skipif(not RECORDED.is_file(), reason=f"no recorded sequence at {RECORDED}")


@pytest.fixture
def calls():
    return json.loads(RECORDED.read_text())["calls"]


@pytest.fixture
def replay(api, calls):
    """What the sandbox answers to call after call, a second apart; the member is made where the recording has it."""
    for tag, kind in (("PHONE", "text"), ("USERID", "text"), ("LTV", "number"), ("JOINED_AT", "date")):
        api.add_field(tag, kind)
    known = next(n for n, call in enumerate(calls) if call["status"] != 404)
    first = next(call["member"] for call in calls if call["member"])
    answers = []
    for n, call in enumerate(calls):
        api.sandbox.clock.set(api.sandbox.clock.date + timedelta(seconds=1))
        if n == known:
            new = {"email_address": ADDRESS, "status": first["status"], "merge_fields": filled(first)}
            assert api.call("POST", "/{list}/members", new).status_code == 200
            api.sandbox.clock.set(api.sandbox.clock.date + timedelta(seconds=1))
        body = dict(call["request"])
        if "email_address" in body:
            moved = call["member"] and call["member"]["id"] != first["id"]
            body["email_address"] = LATER_ADDRESS if moved else ADDRESS
        tail = call["path"].partition("/members/")[2].replace("{hash}", ADDRESS)
        answers.append(api.call(call["method"], f"/{{list}}/members/{tail}", body or None))
    return answers


def filled(member):
    return {tag: value for tag, value in member["merge_fields"].items() if value != ""}


def members(calls, answers):
    """The members of the recording beside ours, where both have one."""
    pairs = [(call["member"], answer) for call, answer in zip(calls, answers, strict=True) if call["member"]]
    return [(real, answer.json()) for real, answer in pairs]


def test_every_call_is_answered_with_the_same_status(calls, replay):
    assert [answer.status_code for answer in replay] == [call["status"] for call in calls]
    for call, answer in zip(calls, replay, strict=True):
        if call["error"]:
            assert answer.json()["errors"] == call["error"]["errors"]


def test_the_member_is_the_same_after_every_call(calls, replay):
    found = members(calls, replay)
    assert len(found) > 30
    for real, ours in found:
        assert ours["status"] == real["status"]
        assert filled(ours) == filled(real)
        assert {tag["name"] for tag in ours["tags"]} == {tag["name"] for tag in real["tags"]}
    for name in ("id", "contact_id", "last_changed"):  # they move when, and only when, the recorded ones do
        steps = [(a[0][name] != b[0][name], a[1][name] != b[1][name]) for a, b in pairwise(found)]
        assert [ours for _, ours in steps] == [real for real, _ in steps], name
