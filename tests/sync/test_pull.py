from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Page
from connectors.errors import NotPermitted
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync.pull import pull
from sync.store import facts

NOW = datetime(2017, 9, 30, 12, tzinfo=UTC)


def contacts(*numbers: int) -> tuple[Contact, ...]:
    return tuple(Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED) for n in numbers)


def orders(*numbers: int) -> tuple[Activity, ...]:
    return tuple(Activity(f"o{n}", ActivityKind.ORDER, NOW - timedelta(days=n), str(n), amount=100) for n in numbers)


def test_every_stream_is_stored_with_its_cursor_and_people_are_settled(site, platform) -> None:
    platform.pages = {
        "contacts": [Page("contacts", "c1", contacts(1, 2)), Page("contacts", "c2", contacts(3))],
        "deals": [Page("deals", "d1", (), orders(1, 2, 3))],
    }
    seen = []
    results = pull(site, NOW, lambda pulled, page: seen.append((pulled.stream, page.cursor)))
    assert {
        each.stream: (each.contacts + each.activities, each.contacts_changed, each.activities_new) for each in results
    } == {
        "contacts": (3, 3, 0),
        "deals": (3, 0, 3),
    }
    assert sorted(seen) == [("contacts", "c1"), ("contacts", "c2"), ("deals", "d1")]
    assert facts.cursor(site.db, "hubspot", "contacts") == "c2"
    assert site.db.execute("SELECT count(*) FROM person_activity").fetchone()[0] == 3


def test_the_next_pull_goes_on_from_the_stored_cursor(site, platform) -> None:
    platform.pages = {"contacts": [Page("contacts", "c1", contacts(1))]}
    pull(site, NOW)
    pull(site, NOW)
    assert platform.asked == [("contacts", None), ("contacts", "c1")]


def test_a_stream_that_fails_keeps_what_came_and_stops_no_other(site, platform) -> None:
    platform.pages = {"contacts": [Page("contacts", "c1", contacts(1))], "deals": [Page("deals", "d1", (), orders(1))]}
    platform.fail_stream = {"deals": NotPermitted("the token lacks crm.objects.deals.read")}
    results = {each.stream: each for each in pull(site, NOW)}
    assert results["contacts"].problem is None
    assert results["deals"].problem == "the token lacks crm.objects.deals.read"
    assert facts.cursor(site.db, "hubspot", "deals") == "d1"


def test_an_unknown_error_is_not_swallowed(site, platform) -> None:
    platform.fail_stream = {"contacts": ZeroDivisionError("a bug")}
    with pytest.raises(ZeroDivisionError, match="a bug"):
        pull(site, NOW)


def test_many_pages_of_many_streams_all_arrive(site, platform) -> None:
    platform.pages = {
        f"s{stream}": [
            Page(f"s{stream}", f"c{page}", contacts(*range(stream * 1000 + page * 10, stream * 1000 + page * 10 + 10)))
            for page in range(30)
        ]
        for stream in range(5)
    }
    assert sum(each.contacts for each in pull(site, NOW)) == 1500
    assert site.db.execute("SELECT count(*) FROM contact").fetchone()[0] == 1500


def test_an_address_that_a_platform_quotes_is_not_passed_on(site, platform) -> None:
    platform.fail_stream = {"contacts": NotPermitted("owner@shop.example may not read contacts")}
    (pulled,) = pull(site, NOW)
    assert pulled.problem is not None
    assert pulled.problem.endswith("may not read contacts")
    assert "owner@" not in pulled.problem
