"""Members on the sandbox over real HTTP, and what happens while the audience moves."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from threading import Event

import pytest
import requests

from connectors.errors import Unavailable
from connectors.mailchimp.fields import Fields
from connectors.records import Consent
from sandbox.faults import Fault
from sandbox.mailchimp.records import LIST_ID
from sandbox.mailchimp.wire import Problem
from sandbox.server import Sandbox


@pytest.fixture
def audience(web, api, connect):
    """A connector on an audience that holds `rows`, `shown` of them a page, and claims to hold `total`."""

    def opened(rows, shown=1000, total=None):
        def answer(request):
            held, offset = [] if "status" in request.params else rows, int(request.params["offset"])
            claimed = len(held) if total is None or not held else total
            return 200, {}, json.dumps({"members": held[offset : offset + shown], "total_items": claimed})

        web.add_callback("GET", f"{api}/lists/b2/members", answer, content_type="application/json")
        return connect(audiences=["b2"])

    return opened


@pytest.fixture
def members(sandbox):
    return sandbox.snapshot()["mailchimp"]["members"]


@pytest.fixture
def admin(sandbox):
    """Somebody else at work in the account."""
    with requests.Session() as session:
        session.auth = ("anybody", sandbox.platform("mailchimp").token)
        base = f"{sandbox.url}/mailchimp/3.0/lists/{LIST_ID}"

        def call(method, path, **body):
            answer = session.request(method, base + path, json=body)
            assert answer.ok, answer.text
            return answer.json() if answer.content else None

        yield call


def by_status(members, status):
    return [m["contact_id"] for m in members.values() if m["status"] == status]


def test_the_first_pull_brings_everyone_once_with_what_they_agreed_to(chimp, members, drain):
    contacts, activities, _ = drain(chimp, "members")
    assert sorted(c.id for c in contacts) == sorted(members)
    assert activities == []
    assert chimp.calls == {"audiences": 1, "members": 2}
    for contact in contacts:
        row = members[contact.id]
        assert (contact.object, contact.email) == (LIST_ID, row["email_address"])
        assert contact.consent is (Consent.GRANTED if row["status"] == "subscribed" else Consent.OPTED_OUT)
        assert contact.writable is (row["status"] in ("subscribed", "unsubscribed"))
        assert contact.created_at == datetime.fromisoformat(row["timestamp_opt"])
        assert contact.modified_at == datetime.fromisoformat(row["last_changed"])
        assert contact.properties["status"] == row["status"]
        assert contact.properties["FNAME"] == row["merge_fields"]["FNAME"]
        assert contact.owned == {}
    for status in ("unsubscribed", "archived"):
        assert by_status(members, status), f"the world has nobody who is {status}"
    assert any(contact.email != contact.email.lower() for contact in contacts)


@pytest.mark.parametrize(
    ("status", "consent", "writable"),
    [
        ("subscribed", Consent.GRANTED, True),
        ("unsubscribed", Consent.OPTED_OUT, True),
        ("transactional", Consent.UNKNOWN, True),
        ("pending", Consent.OPTED_OUT, False),
        ("cleaned", Consent.OPTED_OUT, False),
    ],
)
def test_each_status_says_what_was_agreed_to(chimp, admin, drain, status, consent, writable):
    admin("POST", "/members", email_address="Shop@post.example", status=status)
    contact = next(c for c in drain(chimp, "members")[0] if c.email == "Shop@post.example")
    assert (contact.consent, contact.writable) == (consent, writable)


def test_with_nothing_changed_a_pull_costs_two_calls_and_one_for_the_audiences(chimp, drain, date):
    cursor = drain(chimp, "members")[2]
    assert chimp.calls["audiences"] == 1
    chimp.calls.clear()
    contacts, _, later = drain(chimp, "members", cursor, date + timedelta(hours=1))
    assert (contacts, chimp.calls) == ([], {"members": 2})
    assert later != cursor


def test_the_next_pull_brings_only_what_changed(chimp, sandbox, members, drain, date):
    cursor = drain(chimp, "members")[2]
    sandbox.advance(date + timedelta(days=30))
    now = sandbox.snapshot()["mailchimp"]["members"]
    changed = {id_ for id_ in now if members.get(id_, {}).get("last_changed") != now[id_]["last_changed"]}
    assert 0 < len(changed) < len(now)
    contacts, _, _ = drain(chimp, "members", cursor, date + timedelta(days=30))
    assert {c.id for c in contacts} == changed
    assert all(c.email == now[c.id]["email_address"] for c in contacts)


def test_trap_a_member_who_is_archived_or_moves_keeps_the_id(chimp, admin, members, drain, date):
    cursor = drain(chimp, "members")[2]
    first, second = by_status(members, "subscribed")[:2]
    admin("DELETE", f"/members/{first}")
    admin("PATCH", f"/members/{second}", email_address="Brand.New@post.example")
    found = {c.id: c for c in drain(chimp, "members", cursor, date + timedelta(minutes=1))[0]}
    assert (found[first].consent, found[first].writable) == (Consent.OPTED_OUT, False)
    assert found[second].email == "Brand.New@post.example"


def test_foreign_tags_are_a_property_and_ours_are_values(chimp, admin, members, fields, drain):
    chimp.provision(fields)
    someone = by_status(members, "subscribed")[0]
    names = ("VIP", "b2b", "FT: Loyal", "ft: control", "FT: Renamed since")
    admin("POST", f"/members/{someone}/tags", tags=[{"name": name, "status": "active"} for name in names])
    contact = next(c for c in drain(chimp, "members")[0] if c.id == someone)
    assert contact.properties["tags"] == "VIP;b2b"
    assert contact.owned == {"tags": ("Control", "Loyal", "Renamed since")}


def test_trap_the_case_of_a_tag_is_mailchimps_to_choose(fields):
    told = Fields("ft_", fields).read({}, ["FT: LOYAL", "ft: control", "vip"])
    assert told == {"tags": ("Control", "Loyal")}


def test_trap_more_tags_than_a_member_shows_are_asked_for(chimp, admin, members, drain):
    someone = by_status(members, "subscribed")[0]
    tags = [*(f"tag {n:02}" for n in range(60)), "FT: Loyal"]
    admin("POST", f"/members/{someone}/tags", tags=[{"name": name, "status": "active"} for name in tags])
    contact = next(c for c in drain(chimp, "members")[0] if c.id == someone)
    assert contact.owned == {"tags": ("Loyal",)}
    assert chimp.calls["member tags"] == 1


@pytest.mark.parametrize("kind", ["truncate", "reset_before", "reset_after", "status"])
def test_faults_lose_nobody(chimp, sandbox, members, drain, kind):
    sandbox.inject(*(Fault("mailchimp", "GET .*/members", kind, status=status) for status in (429, 403, 500)))
    assert sorted(c.id for c in drain(chimp, "members")[0]) == sorted(members)


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr("connectors.mailchimp.members.PAGE", 7)


def test_a_stop_after_any_page_loses_nobody_and_repeats_nothing(chimp, members, small_pages, date):
    whole = list(chimp.pull("members", None, date))
    assert len(whole) > len(members) // 7
    for stop in range(1, len(whole), 3):
        before = [c.id for page in whole[:stop] for c in page.contacts]
        after = [c.id for page in chimp.pull("members", whole[stop - 1].cursor, date) for c in page.contacts]
        assert set(before) | set(after) == set(members)
        assert len(before) + len(after) <= len(members) + 7


def test_trap_offset_drift_skips_nobody(chimp, sandbox, admin, members, small_pages, drain, date):
    later, left = date + timedelta(hours=1), by_status(members, "subscribed")
    sandbox.advance(later)
    seen = []
    for page in chimp.pull("members", None, date):
        seen += [c.id for c in page.contacts]
        for _ in range(3):  # those already read move to the end, behind what this pull looks at
            mover = next((id_ for id_ in seen if id_ in left), None)
            if mover:
                left.remove(mover)
                admin("PATCH", f"/members/{mover}", merge_fields={"AGE": "changed"})
    assert set(seen) == set(members)
    assert len(left) < len(by_status(members, "subscribed")) - 20


def test_trap_offset_drift_is_noticed_where_our_clock_is_ahead(chimp, admin, members, small_pages, date):
    """Whoever changes comes back at the window's end then: the number of rows stays, and one row is passed over."""
    left, seen = by_status(members, "subscribed"), []
    for number, page in enumerate(chimp.pull("members", None, date + timedelta(hours=1))):
        seen += [c.id for c in page.contacts]
        mover = next((id_ for id_ in seen if id_ in left), None)
        if mover and number < 4:
            left.remove(mover)
            admin("PATCH", f"/members/{mover}", merge_fields={"AGE": "changed"})
    assert set(seen) == set(members)
    assert len(seen) > len(members) + 7  # it was gone over once more


def test_trap_who_changes_before_he_was_read_is_brought_all_the_same(
    chimp, sandbox, admin, members, small_pages, drain, date
):
    """After a full pass whoever did not come counts as gone from the platform."""
    subscribed = by_status(members, "subscribed")
    sandbox.advance(date + timedelta(hours=1))
    seen = {}
    for number, page in enumerate(chimp.pull("members", None, date)):
        seen |= {c.id: c for c in page.contacts}
        if number == 0:
            changed, archived = [id_ for id_ in reversed(subscribed) if id_ not in seen][:2]
            admin("PATCH", f"/members/{changed}", merge_fields={"AGE": "changed"})
            admin("DELETE", f"/members/{archived}")
    assert set(seen) >= set(members)
    assert seen[changed].properties["AGE"] == "changed"
    assert seen[archived].consent is Consent.OPTED_OUT
    cursor = page.cursor
    assert json.loads(cursor)["left"] == 0
    news = {c.id for c in drain(chimp, "members", cursor, date + timedelta(hours=2))[0]}
    assert news >= {changed, archived}


def test_an_audience_that_never_stands_still_is_given_up_and_read_again_later(web, api, connect, small_pages, date):
    turns = count()

    def shuffled(request):
        rows = [{"contact_id": f"c{next(turns) % 5}", "status": "subscribed"} for _ in range(7)]
        return 200, {}, json.dumps({"members": rows, "total_items": 28})

    web.add_callback("GET", f"{api}/lists/b2/members", shuffled, content_type="application/json")
    cursor = None
    with pytest.raises(Unavailable, match="members of audience b2: the list changes faster"):
        for page in connect(audiences=["b2"]).pull("members", None, date):
            cursor = page.cursor
    assert json.loads(cursor)["marks"] == {}


def test_trap_pages_that_are_short_but_not_the_last(audience, drain):
    rows = [{"contact_id": f"c{n}", "status": "subscribed"} for n in range(25)]
    assert [c.id for c in drain(audience(rows, shown=10), "members")[0]] == [f"c{n}" for n in range(25)]


def test_a_list_that_ends_before_its_own_total_is_asked_again_and_then_believed(audience, drain, caplog):
    contacts, _, cursor = drain(audience([{"contact_id": "c1", "status": "subscribed"}], total=2), "members")
    assert {c.id for c in contacts} == {"c1"}
    assert "ends after 1 of the 2 rows" in caplog.text
    assert set(json.loads(cursor)["marks"]) == {"b2", "b2/archived"}


@pytest.mark.parametrize(
    ("enabled", "consent", "shown"),
    [((), Consent.GRANTED, None), ((True, False), Consent.GRANTED, "P0"), ((False, False), Consent.UNKNOWN, None)],
)
def test_marketing_permissions_that_nobody_ticked_are_no_yes(audience, drain, enabled, consent, shown):
    permissions = [{"text": f"P{n}", "enabled": on} for n, on in enumerate(enabled)]
    row = {"contact_id": "c1", "status": "subscribed", "marketing_permissions": permissions}
    (contact,) = drain(audience([row]), "members")[0]
    assert (contact.consent, contact.properties.get("marketing_permissions")) == (consent, shown)


def test_a_status_that_cannot_be_read_is_no_yes(audience, drain):
    (contact,) = drain(audience([{"contact_id": "c1"}]), "members")[0]
    assert (contact.consent, contact.writable) == (Consent.UNKNOWN, False)


def test_trap_null_merge_fields_and_tags(audience, drain):
    row = {"contact_id": "c1", "status": "subscribed", "merge_fields": None, "tags": None, "email_address": ""}
    (contact,) = drain(audience([row]), "members")[0]
    assert (contact.email, contact.owned, contact.properties) == (None, {}, {"status": "subscribed"})


def test_trap_an_import_in_one_second_is_read_whole_and_not_over_and_over(connect, world, drain, date):
    with Sandbox(world, date, platforms=["mailchimp"]) as sandbox:
        everyone = sandbox.platform("mailchimp")._account.audience.members.values()
        for member in everyone:
            member.last_changed = "2017-07-31T12:00:00+00:00"
        chimp = connect(f"{sandbox.url}/mailchimp/3.0")
        contacts, _, cursor = drain(chimp, "members")
        assert len({c.id for c in contacts}) == len(everyone)
        assert drain(chimp, "members", cursor, date + timedelta(hours=2))[0] == []


def test_only_chosen_audiences_are_read(web, api, connect, drain):
    web.get(f"{api}/lists/b2/members", json={"members": [], "total_items": 0})
    contacts, _, cursor = drain(connect(audiences=["b2"]), "members")
    assert contacts == []
    assert set(json.loads(cursor)["marks"]) == {"b2", "b2/archived"}


def test_an_account_without_an_audience_has_nobody(web, api, connect, drain):
    web.get(f"{api}/lists", json={"lists": [], "total_items": 0})
    assert drain(connect(), "members")[0] == []


def test_trap_ten_connections_are_for_everybody_together(chimp, monkeypatch, date):
    """Ours take six at most, four of them for one list, however much there is to read."""
    open_calls, refused = [], []
    # the sandbox counts a call until it is off the line, which may be a moment after we have its answer
    monkeypatch.setattr("sandbox.mailchimp.gate.SIMULTANEOUS_MAX", 9)
    monkeypatch.setattr("sandbox.mailchimp.gate.Problem", lambda *said: refused.append(said) or Problem(*said))
    monkeypatch.setattr("sandbox.gate.wait", lambda seconds: Event().wait(0.01))
    monkeypatch.setattr("connectors.mailchimp.members.PAGE", 3)
    monkeypatch.setattr("connectors.mailchimp.orders.PAGE", 40)
    streams = (*chimp.streams, "members", "members")  # else too few would want to be read at once
    with ThreadPoolExecutor(len(streams)) as pool:
        open_calls += pool.map(lambda stream: len(list(chimp.pull(stream, None, date))), streams)
    assert min(open_calls) > 1
    assert refused == []
