"""An account that could not be read: who waits, what stays, and what is not learned meanwhile."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import Page
from connectors.errors import Unavailable
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync import alerts
from sync.clock import FixedClock
from sync.cycle import NotAllRead, run, write
from sync.plan import WAITS
from sync.progress import Silent
from sync.runbook import one, run_lines
from sync.site import Site
from sync.status import as_data, as_lines
from sync.store import runs
from sync.store.scores import flows, newest_standings

DOWN = Unavailable("the platform is down")
TWO = [{"name": "one"}, {"name": "two"}]
ACCOUNTS = ("one", "two", "three")


def pages(people, at) -> dict[str, list[Page]]:
    """Contacts who bought once, 10 to 19 days before `at`."""
    contacts = tuple(Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, at) for n in people)
    orders = tuple(
        Activity(f"o{n}", ActivityKind.ORDER, at - timedelta(days=10 + n), str(n), amount=1000) for n in people
    )
    return {"contacts": [Page("contacts", "c", contacts)], "orders": [Page("orders", "o", (), orders)]}


def make(folder, helpers, on: dict[str, set[int]], **more) -> Site:
    """A site of accounts with these people on them, by number; who has the same number is the same person."""
    platforms = {name: helpers.Platform(pages=pages(sorted(people), helpers.now)) for name, people in on.items()}
    first = next(iter(platforms.values()))
    given = {"write": {"hours": "", "min_change_points": 0}, **more, "hubspot": [{"name": name} for name in on]}
    site = helpers.site(folder, first, **given)
    site.__dict__["connectors"] = platforms
    return site


def first_run(site: Site) -> None:
    """Everything is read and written; after that there is nothing new on the platforms."""
    run(site, Silent())
    for platform in site.connectors.values():
        platform.pages = {"contacts": [], "orders": []}


def buys(site: Site, account: str, *people: int) -> None:
    """Each of them has ordered twice a day ago."""
    at = site.clock.now() - timedelta(days=1)
    orders = [Activity(f"n{n}-{k}", ActivityKind.ORDER, at, str(n), amount=9000) for n in people for k in (1, 2)]
    site.connectors[account].pages["orders"] = [Page("orders", "o2", (), tuple(orders))]


def later(site: Site, **ago) -> None:
    site.clock = FixedClock(site.clock.now() + timedelta(**ago))


def person(number: int, site: Site) -> int:
    row = site.db.execute("SELECT person_id FROM person_email WHERE email = ?", (f"p{number}@shop.example",))
    return row.fetchone()["person_id"]


def fails(site: Site, *accounts: str, stream: str = "orders") -> None:
    for name, platform in site.connectors.items():
        platform.fail_stream = {stream: DOWN} if name in accounts else {}


@pytest.fixture
def both(tmp_path, helpers):
    """0 to 5 on the one, 4 to 9 on the other."""
    site = make(tmp_path, helpers, {"one": set(range(6)), "two": set(range(4, 10))})
    first_run(site)
    yield site
    site.db.close()


groups = st.dictionaries(st.integers(0, 8), st.sets(st.sampled_from(ACCOUNTS), min_size=1), min_size=1)


@given(on=groups, down=st.sets(st.sampled_from(ACCOUNTS)), stream=st.sampled_from(["contacts", "orders"]))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_is_on_an_unread_account_keeps_everything_and_all_others_are_scored(helpers, on, down, stream) -> None:
    with TemporaryDirectory() as folder:
        site = make(Path(folder), helpers, {each: {n for n, names in on.items() if each in names} for each in ACCOUNTS})
        first_run(site)
        at, before = newest_standings(site.db)
        held = {name: {n: dict(each) for n, each in site.connectors[name].stored.items()} for name in ACCOUNTS}
        later(site, days=100)
        for name in ACCOUNTS:
            buys(site, name, *(n for n, names in on.items() if name in names))
        fails(site, *down, stream=stream)
        outcome = run(site, Silent())
        waiting = {n for n, names in on.items() if names & down}
        newest, after = newest_standings(site.db)
        if waiting == on.keys():
            assert (newest, after, outcome.scored) == (at, before, None)
            assert outcome.withheld
        elif not down:
            assert (newest, outcome.waiting) == (site.clock.now(), {})
        else:
            assert newest == site.clock.now()
            assert outcome.scored.people == len(on) - len(waiting)
            assert outcome.waiting == {name: sum(name in each for each in on.values()) for name in sorted(down)}
        for n in on:
            stays = before[person(n, site)]
            if n in waiting and waiting != on.keys():
                assert after[person(n, site)] == replace(stays, scored_at=at)
                assert all(site.connectors[name].stored[str(n)] == held[name][str(n)] for name in on[n])
            elif n not in waiting:
                assert after[person(n, site)].scored_at is None
                assert after[person(n, site)].membership["assigned_at"] > stays.membership["assigned_at"]
        site.db.close()


def test_the_account_is_named_and_how_many_wait(both) -> None:
    later(both, days=100)
    buys(both, "one", 0, 1, 5)
    fails(both, "two")
    outcome = run(both, Silent())
    assert (outcome.verdict, outcome.withheld) == ("partial", "")
    assert outcome.shut == {"two": "it was not read: orders: the platform is down"}
    assert outcome.plan.skipped["one"][WAITS] == 2
    assert {each.account: each.written for each in outcome.applied} == {"one": 2}
    told = "\n".join(run_lines(one(both, outcome.number)))
    assert "6 people for two: their scores stay as they were" in told
    assert "two: it was not read" in told
    lines = list(as_lines(as_data(both)))
    assert lines[1].startswith("scores   expired, of 2017-09-30")
    assert "waiting for two, which could not be read: 6 people" in lines[2]


def test_writing_later_leaves_them_alone_too_and_ends_no_alert(both) -> None:
    later(both, days=40)
    fails(both, "two")
    alerts.after_run(both, run(both, Silent()))
    assert "two Unavailable" in alerts.going_on(both.db)
    both.connectors["one"].stored["0"]["segment"] = both.connectors["one"].stored["5"]["segment"] = "Edited"
    outcome = write(both, Silent())
    assert outcome.waiting == {"two": 6}
    assert outcome.plan.skipped["one"][WAITS] == 2
    alerts.after_run(both, outcome)
    assert "two Unavailable" in alerts.going_on(both.db)
    fails(both)
    alerts.after_run(both, run(both, Silent()))
    assert "two Unavailable" not in alerts.going_on(both.db)


def test_who_opts_out_meanwhile_is_emptied_on_what_was_read(both) -> None:
    later(both, days=1)
    gone = Contact("contacts", "4", "p4@shop.example", Consent.OPTED_OUT, both.clock.now(), owned={"segment": "New"})
    both.connectors["one"].pages["contacts"] = [Page("contacts", "d", (gone,))]
    fails(both, "two")
    outcome = run(both, Silent())
    assert outcome.waiting == {"two": 5}
    assert both.connectors["one"].stored["4"]["segment"] is None
    assert both.connectors["two"].stored["4"]["segment"] is not None
    assert person(4, both) not in newest_standings(both.db)[1]


def test_too_old_scores_of_those_who_wait_are_emptied_and_no_others(both, helpers, tmp_path) -> None:
    both.config = helpers.config(tmp_path, write={"hours": "", "blank_after": "14d"}, hubspot=TWO)
    fails(both, "two")
    for _ in range(2):
        later(both, days=10)
        outcome = run(both, Silent())
    empty = (None, "", (), False)

    def held(name: str) -> set[str]:
        stored = both.connectors[name].stored
        return {n for n, each in stored.items() if any(value not in empty for value in each.values())}

    assert (outcome.plan.blank, outcome.objections) == (True, [])
    assert held("one") == {"0", "1", "2", "3"}
    assert held("two") == set(), "its contacts could be read and written to"
    fails(both)
    later(both, days=1)
    run(both, Silent())
    assert (held("one"), held("two")) == ({*"012345"}, {*"456789"})


def test_a_second_run_at_the_same_instant_keeps_scores_that_were_made_then(both) -> None:
    fails(both, "two")
    before = newest_standings(both.db)
    run(both, Silent())
    assert newest_standings(both.db) == before


def test_days_on_end_the_first_instant_stays_and_the_way_back_is_whole(both) -> None:
    at = both.clock.now()
    fails(both, "two")
    for _ in range(3):
        later(both, days=1)
        run(both, Silent())
    assert newest_standings(both.db)[1][person(9, both)].scored_at == at
    fails(both)
    later(both, days=1)
    outcome = run(both, Silent())
    assert (outcome.verdict, outcome.waiting) == ("ok", {})
    assert all(each.scored_at is None for each in newest_standings(both.db)[1].values())
    assert runs.waiting(both.db) == {}


def test_sums_of_movements_are_over_people_scored_at_both_ends(both) -> None:
    fails(both, "two")
    for _ in range(2):
        later(both, days=7)
        run(both, Silent())
    counts = [sum(flow.people for flow in found) for found in flows(both.db, 7).values()]
    assert counts == [4, 4]


def test_the_guard_measures_nothing_on_what_was_not_read(both) -> None:
    """Half of a deletion came before the stream broke off: neither now nor later is it taken for what is usual."""
    later(both, days=1)
    gone = tuple(
        Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, both.clock.now(), deleted=True)
        for n in range(4, 9)
    )
    both.connectors["two"].pages["contacts"] = [Page("contacts", "d", gone)]
    fails(both, "two", stream="contacts")
    outcome = run(both, Silent())
    assert (outcome.objections, outcome.contacts) == ([], {"one": 6, "two": 6})
    assert write(both, Silent()).objections == []
    fails(both)
    later(both, days=1)
    (objection,) = run(both, Silent()).objections
    assert objection.startswith("two shows 1 contact, 6 at the last run")


def test_an_account_nobody_can_be_found_on_stops_learning_but_nobody(tmp_path, helpers) -> None:
    site = make(tmp_path, helpers, {"one": set(range(4)), "two": set()})
    run(site, Silent())
    later(site, days=1)
    fails(site, "two")
    outcome = run(site, Silent())
    assert (outcome.scored.people, outcome.waiting) == (4, {"two": 0})
    site.db.close()


def test_the_first_scoring_waits_for_everything(tmp_path, helpers) -> None:
    site = make(tmp_path, helpers, {"one": set(range(4)), "two": {9}})
    fails(site, "two")
    with pytest.raises(NotAllRead):
        run(site, Silent())
    assert newest_standings(site.db) is None
    site.db.close()


def test_an_account_left_out_counts_as_not_read_but_not_as_failed(both) -> None:
    later(both, days=100)
    buys(both, "one", 0)
    asked = {name: len(each.asked) for name, each in both.connectors.items()}
    outcome = run(both, Silent(), accounts=["one"], read=["one"])
    assert (outcome.verdict, outcome.waiting) == ("ok", {"two": 6})
    assert "--account" in outcome.shut["two"]
    assert len(both.connectors["two"].asked) == asked["two"]
    assert {each.account for each in outcome.applied} == {"one"}
