"""The sandbox's own endpoints: other processes set its clock, read its counters, order faults, and start over."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

CONTACTS = "/crm/v3/objects/contacts"
MIDSUMMER = "2017-07-01T00:00:00+00:00"
FAULT = {"platform": "hubspot", "route": "GET .*/contacts", "kind": "status", "status": 503, "after": 1}


@pytest.fixture
def control(small_sandbox):
    """Calls one of the endpoints: with a body by POST, else by GET."""

    def call(path, body=None, status=200):
        url = f"{small_sandbox.url}/_sandbox/{path}"
        answer = requests.get(url, timeout=5) if body is None else requests.post(url, json=body, timeout=5)
        assert answer.status_code == status
        return answer.json()

    return call


def test_the_clock_goes_on_and_never_back(small_sandbox, control):
    assert control("clock") == {"date": MIDSUMMER, "skew": 0.0}
    moved = control("clock", {"date": "2017-10-31"})
    assert moved == {"date": "2017-10-31T00:00:00+00:00", "skew": 0.0}
    assert small_sandbox.clock.date == datetime(2017, 10, 31, tzinfo=UTC)
    assert "cannot go back" in control("clock", {"date": "2017-01-01"}, 400)["error"]
    assert control("clock") == moved


def test_a_platforms_clock_can_be_wrong(small_sandbox, hubspot, control):
    assert control("clock", {"skew": -90}) == {"date": MIDSUMMER, "skew": -90.0}
    (contact,) = hubspot.get(CONTACTS, limit=1)["results"]
    changed = hubspot.call("PATCH", f"{CONTACTS}/{contact['id']}", json={"properties": {"firstname": "Late"}})
    stamp = datetime.fromisoformat(changed["updatedAt"])
    assert small_sandbox.clock.date - stamp == pytest.approx(timedelta(seconds=90), abs=timedelta(seconds=1))


def test_counters_are_read_and_started_anew(hubspot, control):
    hubspot.get(CONTACTS)
    counted = control("counters")
    assert counted == {
        "platforms": ["hubspot"],
        "calls": [{"platform": "hubspot", "route": f"GET {CONTACTS}", "count": 1}],
    }
    assert control("counters", {}) == counted
    assert control("counters")["calls"] == []


def test_faults_are_ordered_and_listed(hubspot, control):
    assert control("faults", {"faults": [FAULT]}) == {"faults": 1}
    [shown] = control("faults")["faults"]
    assert shown.items() >= FAULT.items()
    hubspot.get(CONTACTS)
    answer = hubspot.session.get(hubspot.url + CONTACTS, timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (503, "text/html")
    hubspot.get(CONTACTS)
    assert control("faults") == {"faults": []}


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("faults", {"faults": [{**FAULT, "kind": "flood"}]}, "unknown fault kind"),
        ("faults", {"faults": [{**FAULT, "rate": 2}]}, "rate"),
        ("faults", {"faults": [{**FAULT, "colour": "red"}]}, "colour"),
        ("faults", {}, "faults"),
        ("clock", {"date": "soon"}, "soon"),
        ("clock", {"skew": "much"}, "much"),
        ("reset", {"date": "never"}, "never"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_and_changes_nothing(control, path, body, why):
    control("faults", {"faults": [FAULT]})
    before = control("clock"), control("faults"), control("snapshot")
    assert why in control(path, body, 400)["error"]
    assert (control("clock"), control("faults"), control("snapshot")) == before


def test_a_reset_starts_over(small_sandbox, hubspot, control):
    before = control("snapshot")
    assert before == small_sandbox.snapshot()
    hubspot.call("PATCH", f"{CONTACTS}/151", json={"properties": {"firstname": "Renamed"}})
    control("clock", {"date": "2017-09-01", "skew": 30})
    control("faults", {"faults": [FAULT]})
    assert control("snapshot") != before
    assert control("reset", {}) == {"date": MIDSUMMER, "skew": 0.0}
    assert (control("faults"), control("counters")["calls"]) == ({"faults": []}, [])
    assert control("snapshot") == before
    assert control("reset", {"date": "2017-03-01"})["date"] == "2017-03-01T00:00:00+00:00"
    hubspot.get(CONTACTS)
    assert len(control("snapshot")["hubspot"]["deals"]) < len(before["hubspot"]["deals"])


def test_a_share_of_the_calls_goes_wrong_the_same_ones_each_time(hubspot, control):
    def statuses(seed):
        control("reset", {})
        control("faults", {"faults": [{**FAULT, "after": 0, "rate": 0.25, "times": 1000, "seed": seed}]})
        return [hubspot.session.get(hubspot.url + CONTACTS, timeout=5).status_code for _ in range(80)]

    drawn = statuses(3)
    assert drawn == statuses(3)
    assert drawn != statuses(4)
    assert 10 <= drawn.count(503) <= 30
