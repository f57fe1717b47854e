"""When contacts were mailed and answered: first and last dates, and every one in between where that is wanted."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Change
from connectors.hubspot import mail
from connectors.records import ActivityKind

END = datetime(2017, 12, 31, tzinfo=UTC)


def row(**properties):
    return {"id": "7", "properties": properties}


def versions(*values, at="2026-05-01T00:00:00Z"):
    return [{"value": value, "timestamp": at, "sourceType": "CALCULATED"} for value in values]


@pytest.fixture
def historic(sandbox, connect):
    return connect(f"{sandbox.url}/hubspot", mail_history=True)


def clicks(activities):
    return Counter(each.contact_id for each in activities if each.kind is ActivityKind.CLICK)


def test_trap_opens_and_clicks_between_first_and_last_are_in_the_history(hub, historic, sandbox, world, drain):
    sandbox.advance(END)
    mailed = {person.household for person in world.people if person.mailer == "hubspot"}
    moved = {person.household for person in world.people if person.moved or person.opted_out}
    done = Counter(
        str(1 + 50 * each.household)
        for each in world.redemptions
        if each.at <= END and each.household in mailed - moved
    )
    several = {id_: times for id_, times in done.items() if times > 2}
    assert several
    told, plain = clicks(drain(historic, "contacts", until=END)[1]), clicks(drain(hub, "contacts", until=END)[1])
    assert {id_: told[id_] for id_ in several} == several
    assert {plain[id_] for id_ in several} == {2}


def test_the_history_costs_a_call_for_every_fifty_who_were_mailed_more_than_twice(historic, sandbox, drain):
    sandbox.advance(END)
    contacts = drain(historic, "contacts", until=END)[0]
    assert 1 <= historic.calls["contacts read"] <= -(-len(contacts) // 50) + historic.calls["contacts list"]


def test_our_own_writes_cause_no_reading_of_history(historic, fields, date, drain):
    historic.provision(fields)
    contacts, _, cursor = drain(historic, "contacts")
    opted_out = {each.id for each in contacts if each.consent == "opted_out"}
    given = [Change("contacts", each.id, None, {"buy_score": 1.0}) for each in contacts if each.id not in opted_out]
    list(historic.write(given))
    before = historic.calls["contacts read"]
    changed = drain(historic, "contacts", cursor, date + timedelta(hours=1))[0]
    assert len(changed) == len(given)
    assert historic.calls["contacts read"] == before


def test_an_opt_out_is_dated_by_its_history(historic, world, date, drain):
    left = {
        str(1 + 50 * person.household): person.opted_out["hubspot"]
        for person in world.people
        if person.opted_out.get("hubspot", date) < date
    }
    assert left
    told = {
        each.contact_id: each.at for each in drain(historic, "contacts")[1] if each.kind is ActivityKind.UNSUBSCRIBE
    }
    assert told.keys() == left.keys()
    assert all(abs(told[id_] - at) < timedelta(seconds=1) for id_, at in left.items())


def test_trap_the_time_of_a_calculated_version_is_not_when_it_happened():
    past = {"propertiesWithHistory": {"hs_email_last_open_date": versions("2026-03-01T00:00:00Z", "1767225600000", "")}}
    told = list(mail.activities(row(hs_email_last_open_date="2026-03-01T00:00:00Z"), past))
    assert sorted(f"{each.at:%Y-%m-%d}" for each in told) == ["2026-01-01", "2026-03-01"]
    assert {each.kind for each in told} == {ActivityKind.OPEN}


@pytest.mark.parametrize(("seconds", "machine"), [(0, True), (9, True), (10, False), (-5, False)])
def test_trap_who_opens_within_ten_seconds_is_a_scanner(seconds, machine):
    told = mail.activities(
        row(
            hs_email_last_send_date="2026-05-01T09:00:20Z",
            hs_email_last_open_date=f"2026-05-01T09:00:{20 + seconds:02}Z",
            hs_email_last_reply_date="2026-05-01T09:00:21Z",
        )
    )
    assert {each.kind: each.machine for each in told} == {
        ActivityKind.SEND: False,
        ActivityKind.OPEN: machine,
        ActivityKind.RESPONSE: False,
    }


def test_visits_and_talks_are_told_too():
    told = mail.activities(
        row(hs_analytics_last_visit_timestamp="2026-05-01T09:00:20Z", notes_last_contacted="1746274394150")
    )
    assert {each.kind for each in told} == {ActivityKind.VISIT, ActivityKind.TOUCH}


def test_the_history_of_deleted_contacts_is_not_asked_for():
    assert mail.pasts(None, [row(hs_email_optout="true") | {"archived": True}], 0) == {}


def test_trap_counters_that_are_no_numbers_hide_nothing():
    assert mail.pasts(None, [row(hs_email_open="n/a", hs_email_click=None)], 0) == {}


def test_dates_stay_when_the_counters_start_over_with_a_new_address():
    before = list(mail.activities(row(hs_email_last_open_date="2026-05-01T09:00:20Z")))
    after = list(mail.activities(row(hs_email_last_open_date=None, hs_email_open=None)))
    assert before
    assert not any(each.removed for each in after)
