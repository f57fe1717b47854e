"""Setting up, writing and reading back, on the sandbox over real HTTP."""

import copy
import math
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from connectors.contract import Change, Result
from connectors.errors import NotPermitted, SchemaDrift
from connectors.mailchimp.fields import from_mailchimp, to_mailchimp
from sandbox.faults import Fault
from sandbox.mailchimp.records import LIST_ID, VIEWER_KEY, Member

AFTER = {
    "buy_score": 73.46,
    "segment": "Loyal",
    "tags": ("Control", "Loyal"),
    "why": "Bought 3 times, opens <often>",
    "scored_on": "2017-08-01",
    "control": True,
}


@pytest.fixture
def ready(chimp, fields):
    chimp.provision(fields)
    return chimp


@pytest.fixture
def people(chimp, drain):
    """Those we may write to."""
    return [c for c in drain(chimp, "members")[0] if c.writable and c.properties["status"] == "subscribed"]


def changes_of(people, after=None):
    return [Change(c.object, c.id, c.email, after or AFTER, {key: c.owned.get(key) for key in AFTER}) for c in people]


def written(connector, changes):
    outcomes = [outcome for batch in connector.write(changes) for outcome in batch]
    assert len(outcomes) == len(changes)
    return {outcome.id: outcome.result for outcome in outcomes}


def without_ours(snapshot):
    """A snapshot without our fields and tags, and without the stamps that any write moves."""
    left = copy.deepcopy(snapshot["mailchimp"])
    for member in left["members"].values():
        member["merge_fields"] = {k: v for k, v in member["merge_fields"].items() if not k.startswith("FT_")}
        member["tags"] = [tag for tag in member["tags"] if not tag.startswith("FT: ")]
        del member["last_changed"], member["tags_count"]
    left["merge_fields"] = {k: v for k, v in left["merge_fields"].items() if not k.startswith("FT_")}
    left["segments"] = {k: v for k, v in left["segments"].items() if not v["name"].startswith("FT: ")}
    return left


def test_setting_up_makes_what_is_missing_and_nothing_else(chimp, sandbox, fields):
    before = without_ours(sandbox.snapshot())
    assert len(chimp.drift(fields)) == 8
    assert len(chimp.provision(fields)) == 8
    assert chimp.drift(fields) == []
    assert chimp.provision(fields) == []
    after = sandbox.snapshot()
    assert without_ours(after) == before
    made = {tag: field for tag, field in after["mailchimp"]["merge_fields"].items() if tag.startswith("FT_")}
    assert {tag: field["type"] for tag, field in made.items()} == {
        "FT_BUY": "number",
        "FT_SEGMENT": "text",
        "FT_WHY": "text",
        "FT_ON": "date",
        "FT_CTRL": "text",
    }
    assert not any(field["public"] for field in made.values())
    assert made["FT_BUY"]["help_text"] == "How likely the next order is."
    tags = {segment["name"] for segment in after["mailchimp"]["segments"].values()}
    assert tags == {"FT: Control", "FT: Loyal", "FT: New"}


@pytest.mark.parametrize("route", ["POST .*/merge-fields", "POST .*/segments$"])
def test_an_answer_that_is_lost_while_setting_up_does_no_harm(chimp, sandbox, fields, route):
    sandbox.inject(Fault("mailchimp", route, "reset_after"))
    assert len(chimp.provision(fields)) == 8
    assert chimp.drift(fields) == []


def test_trap_no_room_for_our_fields_is_said_before_any_is_made(chimp, sandbox, fields):
    audience = sandbox.platform("mailchimp")._account.audience
    kind = type(next(iter(audience.fields.values())))
    for n in range(24):
        audience.add_field(kind(0, f"MORE{n}", f"More {n}", "text"))
    with pytest.raises(SchemaDrift, match="room for 2 more merge fields, 5 are needed"):
        chimp.provision(fields)
    assert not any(tag.startswith("FT_") for tag in audience.fields)
    assert any("room for 2" in finding.text for finding in chimp.check() if finding.level == "fail")


def test_what_was_changed_by_hand_is_noticed(ready, sandbox, fields):
    audience = sandbox.platform("mailchimp")._account.audience
    audience.fields["FT_BUY"].type = "text"
    audience.fields["FT_WHY"].public = True
    del audience.fields["FT_ON"]
    audience.drop_segment(audience.segment_named("FT: New"), sandbox.clock.now())
    problems = "\n".join(ready.drift(fields))
    assert "FT_BUY is of type text instead of number" in problems
    assert "FT_ON is missing" in problems
    assert "FT: New is missing" in problems
    findings = [finding.text for finding in ready.check() if finding.level == "warn"]
    assert any("subscribers can see FT_WHY" in text for text in findings)
    assert any(text.startswith("3 of our fields and tags are missing or were changed") for text in findings)
    assert len(findings) == 2


def test_a_healthy_account_is_told_so(ready):
    assert [finding.level for finding in ready.check()] == ["ok"] * 3


def test_what_was_written_reads_back_equal_and_nothing_else_has_changed(ready, sandbox, people, drain, date):
    cursor = drain(ready, "members")[2]
    before = without_ours(sandbox.snapshot())
    changes = changes_of(people)
    ready.calls.clear()
    foreseen = ready.predict_calls(changes)
    assert set(written(ready, changes).values()) == {Result.WRITTEN}
    assert ready.calls.total() == foreseen == 5  # a look, a sample, the values, two tags
    assert without_ours(sandbox.snapshot()) == before
    contacts = drain(ready, "members", cursor, date + timedelta(minutes=1))[0]
    assert {c.id for c in contacts} == {c.id for c in people}
    assert all(c.owned == AFTER for c in contacts)
    # a second time nothing moves, and emptying leaves nothing behind
    written(ready, changes)
    empty = dict.fromkeys(AFTER)
    assert set(written(ready, changes_of(contacts, empty)).values()) == {Result.WRITTEN}
    assert all(c.owned == {} for c in drain(ready, "members")[0])
    assert without_ours(sandbox.snapshot()) == before


def test_tags_that_somebody_else_gave_stay(ready, sandbox, people, drain):
    someone = people[0]
    with requests.Session() as session:
        session.auth = ("anybody", sandbox.platform("mailchimp").token)
        url = f"{sandbox.url}/mailchimp/3.0/lists/{LIST_ID}/members/{someone.id}/tags"
        session.post(url, json={"tags": [{"name": "VIP", "status": "active"}]}).raise_for_status()
    written(ready, changes_of(people))
    contacts = {c.id: c for c in drain(ready, "members")[0]}
    written(ready, changes_of(contacts.values(), {"tags": ("New",)}))
    now = {c.id: c for c in drain(ready, "members")[0]}
    assert now[someone.id].owned["tags"] == ("New",)
    assert now[someone.id].properties["tags"] == "VIP"


def test_the_gone_and_the_refused_do_not_keep_the_others_from_being_written(ready, sandbox, people):
    audience = sandbox.platform("mailchimp")._account.audience
    first, second, third, fourth, *rest = people
    audience.forget(audience.find(first.id))
    audience.readdress(audience.find(second.id), "moved@post.example")
    changes = changes_of([first, second, *rest])
    changes.append(Change(LIST_ID, third.id, third.email, {**AFTER, "why": "x" * 300}))
    changes.append(Change(LIST_ID, fourth.id, fourth.email, {**AFTER, "scored_on": "someday"}))
    members = len(audience.members)
    outcomes = written(ready, changes)
    assert [outcomes.pop(c.id) for c in (first, second)] == [Result.GONE, Result.GONE]
    assert [outcomes.pop(c.id) for c in (third, fourth)] == [Result.REJECTED, Result.REJECTED]
    assert set(outcomes.values()) == {Result.WRITTEN}
    assert len(outcomes) == len(rest)
    assert len(audience.members) == members


@pytest.fixture
def thousand(ready, sandbox):
    """A thousand subscribers, and a change for each of them."""
    audience, now = sandbox.platform("mailchimp")._account.audience, "2017-07-31T12:00:00+00:00"
    for n in range(1000):
        audience.add(Member(f"c{n:04}", f"reader{n}@post.example", "subscribed", now, now, n, "Import"))
    return [
        Change(LIST_ID, f"c{n:04}", f"reader{n}@post.example", {"buy_score": n / 10, "why": f"Because {n}"})
        for n in range(1000)
    ]


def test_trap_ten_different_poisons_among_a_thousand_rows(ready, sandbox, thousand):
    audience = sandbox.platform("mailchimp")._account.audience
    poisoned = {f"c{n:04}" for n in range(50, 1000, 100)}

    def poison(n, **what):
        thousand[n] = replace(thousand[n], **what)

    audience.forget(audience.find("reader50@post.example"))
    audience.readdress(audience.find("reader150@post.example"), "moved@post.example")
    poison(250, email=None)
    poison(350, email="reader350")
    poison(450, email="reader450@example.com")
    poison(550, after={"why": "x" * 300})
    poison(650, after={"scored_on": "someday"})
    poison(750, after={"buy_score": "much"})
    poison(850, after={"buy_score": math.inf})
    poison(950, after={"why": "half a pair: \ud83d"})
    outcomes = {o.id: o for batch in ready.write(thousand) for o in batch}
    assert len(outcomes) == 1000
    assert {id_ for id_, o in outcomes.items() if o.result is not Result.WRITTEN} == poisoned
    assert [outcomes[f"c0{n}50"].result for n in range(10)] == [Result.GONE] * 2 + [Result.REJECTED] * 8
    assert all(outcomes[id_].reason for id_ in poisoned)
    assert len({outcomes[id_].reason for id_ in poisoned}) >= 9
    held = {id_: m["merge_fields"] for id_, m in sandbox.snapshot()["mailchimp"]["members"].items()}
    assert all(held[c.id]["FT_BUY"] == c.after["buy_score"] for c in thousand if c.id not in poisoned)
    assert len(audience.members) == len(held)
    # mended, those that are still there are written
    mended = [
        Change(LIST_ID, id_, f"reader{int(id_[1:])}@post.example", {"buy_score": 1.0}) for id_ in sorted(poisoned)[2:]
    ]
    assert set(written(ready, mended).values()) == {Result.WRITTEN}


def test_a_key_that_may_only_look_is_named_before_anything_is_written(ready, sandbox, connect, people):
    viewer = connect(f"{sandbox.url}/mailchimp/3.0", token=VIEWER_KEY)
    finding = viewer.check()[0]
    assert (finding.level, "role viewer: may not change contacts" in finding.text) == ("fail", True)
    with pytest.raises(NotPermitted, match="not permitted"):
        written(viewer, changes_of(people))


def test_nobodys_status_moves_whatever_it_is(ready, sandbox, drain):
    before = {id_: m["status"] for id_, m in sandbox.snapshot()["mailchimp"]["members"].items()}
    everyone = drain(ready, "members")[0]
    outcomes = written(ready, changes_of(everyone, {"buy_score": 1.0}))
    assert set(outcomes.values()) == {Result.WRITTEN}
    assert {id_: m["status"] for id_, m in sandbox.snapshot()["mailchimp"]["members"].items()} == before
    assert set(before.values()) > {"subscribed", "unsubscribed"}


@pytest.mark.parametrize("route", [f"POST /3.0/lists/{LIST_ID}$", "POST .*/segments/"])
@pytest.mark.parametrize("kind", ["truncate", "reset_before", "reset_after", "status"])
def test_faults_leave_nothing_unwritten(ready, sandbox, people, drain, route, kind):
    sandbox.inject(*(Fault("mailchimp", route, kind, status=status) for status in (429, 403, 500)))
    assert set(written(ready, changes_of(people)).values()) == {Result.WRITTEN}
    assert all(c.owned == AFTER for c in drain(ready, "members")[0] if c.id in {p.id for p in people})


@pytest.mark.parametrize("value", [0.0, -0.0, 73.456, -12.5, 1e6, "Åsa; “x”", "2017-08-01", True, False])
def test_values_survive_the_way_there_and_back(value, fields):
    kind = {float: 0, str: 3, bool: 5}[type(value)]
    spec = fields[4] if value == "2017-08-01" else fields[kind]
    back = from_mailchimp(spec.type, to_mailchimp(value))
    assert back == (round(value, 2) if isinstance(value, float) else value)
    assert str(back) != "-0.0"


@pytest.mark.parametrize("kind", range(6))
@pytest.mark.parametrize("value", ["", None])
def test_an_empty_value_is_none(value, kind, fields):
    assert from_mailchimp(fields[kind].type, value) is None


@pytest.mark.parametrize(("kind", "value"), [(0, "much"), (4, "08/01")])
def test_an_unreadable_value_is_none(kind, value, fields):
    assert from_mailchimp(fields[kind].type, value) is None
