"""The main path: verdicts, when it writes, what the book of runs keeps, and that a refusal writes nothing."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Outcome as Answer
from connectors.contract import Page, Result
from connectors.errors import NotAuthorised, NotPermitted
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync.apply import Applied
from sync.clock import FixedClock
from sync.cycle import run, write
from sync.errors import ForetagError
from sync.outcome import Outcome, summary
from sync.progress import Silent
from sync.pull import Pulled
from sync.store import runs
from sync.store.database import transaction
from sync.store.scores import newest_standings, save_standings
from sync.window import why_not_now


class Told(Silent):
    """Remembers the stages."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def begin(self, stage: str) -> None:
        self.stages.append(stage)


def later(site, **delta):
    site.clock = FixedClock(site.clock.now() + timedelta(**delta))
    return site


def upset(site) -> None:
    """Pretend everyone stood elsewhere at the last run, so that the next one moves them all."""
    at, newest = newest_standings(site.db)
    with transaction(site.db):
        save_standings(site.db, at, [replace(each, segment="New") for each in newest.values()])


@pytest.fixture
def empty_shop(site, platform):
    """A handful of contacts with an order each: enough for segments, not for a model."""
    at = site.clock.now() - timedelta(days=3)
    contacts = [Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, at) for n in range(4)]
    orders = [Activity(f"o{n}", ActivityKind.ORDER, at, str(n), amount=100) for n in range(4)]
    platform.pages = {
        "contacts": [Page("contacts", "c", tuple(contacts))],
        "orders": [Page("orders", "o", (), tuple(orders))],
    }
    return site


@pytest.mark.parametrize(
    ("pulled", "applied", "objections", "verdict"),
    [
        ([None, None], [], [], "ok"),
        ([None, None], [(None, {})], [], "ok"),
        ([None, "broken"], [], [], "partial"),
        (["broken", "broken"], [], [], "failed"),
        (["broken"], [(None, {})], [], "partial"),
        (["broken"], [("broken", {})], [], "failed"),
        ([None], [("broken", {})], [], "partial"),
        ([None], [(None, {"bad value": 2})], [], "partial"),
        (["broken"], [], ["too many"], "refused"),
        ([], [], [], "ok"),
    ],
)
def test_verdicts(helpers, pulled, applied, objections, verdict) -> None:
    outcome = Outcome(
        1,
        helpers.now,
        pulled=[Pulled("hubspot", str(n), problem=problem) for n, problem in enumerate(pulled)],
        applied=[Applied("hubspot", problem=problem, failed=Counter(failed)) for problem, failed in applied],
        objections=objections,
    )
    assert outcome.verdict == verdict


def test_a_run_goes_through_every_stage_and_writes_everyone(empty_shop, platform) -> None:
    told = Told()
    outcome = run(empty_shop, told)
    assert told.stages == ["pull", "score", "plan", "apply"]
    assert outcome.verdict == "ok"
    assert platform.stored.keys() == {"0", "1", "2", "3"}
    assert outcome.plan_file.read_text() == outcome.plan.to_json()
    (booked,) = runs.last(empty_shop.db)
    assert (booked.id, booked.verdict) == (outcome.number, "ok")
    assert booked.summary == summary(outcome)
    assert booked.summary["contacts"] == {"hubspot": 4}
    assert booked.summary["people"] == 4
    assert booked.summary["planned"] == {"hubspot": {"contacts": 4, "fields": 12, "tags": 4}}
    assert booked.summary["written"]["hubspot"]["contacts"] == 4
    assert booked.summary["calls"] == {"hubspot": platform.calls.total()}


def test_the_book_of_runs_holds_no_personal_data(shop, helpers) -> None:
    for each in runs.last(shop.db, 9):
        assert "shop.example" not in str(each.summary)


def test_a_second_run_at_the_same_instant_writes_nothing(empty_shop, platform) -> None:
    run(empty_shop, Silent())
    platform.pages, platform.stored = {"contacts": []}, {}
    again = run(empty_shop, Silent())
    assert (again.verdict, again.plan.size, platform.stored) == ("ok", 0, {})


def test_a_stream_that_may_not_be_read_makes_the_run_partial(empty_shop, platform) -> None:
    platform.pages["orders"] = []
    platform.fail_stream["orders"] = NotPermitted("the token may not read orders")
    outcome = run(empty_shop, Silent())
    assert outcome.verdict == "partial"
    assert outcome.applied
    assert runs.last(empty_shop.db)[0].summary["pulled"]["hubspot"]["orders"] == {
        "rows": 0,
        "new": 0,
        "problem": "the token may not read orders",
    }


def test_what_could_be_read_before_and_cannot_now_leaves_the_scores_as_they_are(empty_shop, platform) -> None:
    run(empty_shop, Silent())
    standing = newest_standings(empty_shop.db)
    platform.fail_stream["orders"] = NotPermitted("the token may not read orders")
    empty_shop.clock = FixedClock(empty_shop.clock.now() + timedelta(days=40))
    outcome = run(empty_shop, Silent())
    assert (outcome.verdict, outcome.scored, outcome.applied) == ("partial", None, [])
    assert "the token may not read orders" in outcome.withheld
    assert newest_standings(empty_shop.db) == standing


def test_a_contact_the_platform_refuses_makes_the_run_partial(empty_shop, platform) -> None:
    platform.outcomes["2"] = Answer("contacts", "2", Result.REJECTED, "no such option")
    assert run(empty_shop, Silent()).verdict == "partial"
    assert runs.last(empty_shop.db)[0].summary["written"]["hubspot"]["failed"] == {"no such option": 1}


def test_when_nothing_gets_through_the_run_failed(site, platform) -> None:
    platform.fail_stream["contacts"] = NotAuthorised("the token is wrong")
    outcome = run(site, Silent())
    assert outcome.verdict == "failed"
    assert outcome.withheld == "nobody is in the store yet"
    assert runs.last_through(site.db) is None


def test_a_run_over_an_empty_platform_has_nothing_to_write(site) -> None:
    outcome = run(site, Silent())
    assert (outcome.verdict, outcome.plan.size) == ("ok", 0)
    assert outcome.withheld == "nobody is in the store yet"


def test_an_exception_is_booked_with_what_was_done_until_then(empty_shop, platform) -> None:
    platform.predict_calls = lambda changes: 1 // 0
    with pytest.raises(ZeroDivisionError):
        run(empty_shop, Silent())
    (booked,) = runs.last(empty_shop.db)
    assert booked.verdict == "failed"
    assert booked.ended is not None
    assert booked.summary["error"] == "ZeroDivisionError"
    assert booked.summary["people"] == 4
    assert booked.summary["written"] == {}
    assert platform.stored == {}


def test_an_interrupted_run_is_booked_too(empty_shop) -> None:
    class Impatient(Silent):
        def begin(self, stage: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(empty_shop, Impatient())
    assert runs.last(empty_shop.db)[0].summary["error"] == "KeyboardInterrupt"


def test_too_large_a_change_is_refused_and_nothing_is_written(shop, platform) -> None:
    upset(shop)
    told = Told()
    outcome = run(later(shop, days=1), told)
    assert outcome.verdict == "refused"
    assert "people would change segment" in outcome.objections[0]
    assert told.stages == ["pull", "score", "plan"]
    assert platform.stored == {}
    assert shop.db.execute("SELECT count(*) FROM outbox WHERE state IN ('pending', 'sent')").fetchone()[0] == 0
    booked = runs.last(shop.db)[0]
    assert booked.verdict == "refused"
    assert booked.summary["objections"] == outcome.objections


def test_a_refused_change_stays_refused_until_a_human_accepts_it(shop, platform) -> None:
    upset(shop)
    assert run(later(shop, days=1), Silent()).verdict == "refused"
    assert run(later(shop, days=1), Silent()).verdict == "refused"
    assert write(shop, Silent()).objections
    assert platform.stored == {}
    accepted = run(later(shop, hours=1), Silent(), accept_large_change=True)
    assert (accepted.verdict, accepted.objections) == ("ok", [])
    assert platform.stored
    assert run(later(shop, hours=1), Silent()).verdict == "ok"


def test_what_a_human_accepted_outside_the_hours_is_written_inside_them(shop, platform, helpers, tmp_path) -> None:
    upset(shop)
    shop.config = helpers.config(tmp_path, schedule={"train": "0 3 1 1 *"}, write={"hours": "08:00-18:00"})
    shop.clock = FixedClock(datetime(2017, 10, 1, 17, tzinfo=UTC))
    outcome = run(shop, Silent(), accept_large_change=True)
    assert outcome.withheld
    assert platform.stored == {}
    shop.clock = FixedClock(datetime(2017, 10, 2, 7, tzinfo=UTC))
    assert write(shop, Silent()).objections == []
    assert platform.stored


def test_contacts_that_vanish_are_refused_time_and_again(shop, platform) -> None:
    gone = [Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, deleted=True) for n in range(1, 200)]
    platform.pages = {"contacts": [Page("contacts", "c2", tuple(gone))]}
    for _ in range(2):
        outcome = run(later(shop, days=1), Silent())
        assert outcome.verdict == "refused"
        assert outcome.objections[0].startswith("hubspot shows 101 contacts, 300 at the last run")
    assert platform.stored == {}


def test_write_alone_plans_and_applies_on_the_scores_there_are(empty_shop, platform, helpers, tmp_path) -> None:
    empty_shop.config = helpers.config(tmp_path, write={"hours": "16:00-18:00"})
    assert "16:00-18:00" in run(empty_shop, Silent()).withheld
    assert platform.stored == {}
    told, asked = Told(), list(platform.asked)
    outcome = write(later(empty_shop, hours=3), told)
    assert told.stages == ["plan", "apply"]
    assert platform.stored.keys() == {"0", "1", "2", "3"}
    assert platform.asked == asked
    assert (outcome.verdict, outcome.scored, outcome.withheld) == ("ok", None, "")


def test_write_alone_without_scores_says_what_to_do(site) -> None:
    with pytest.raises(ForetagError, match="foretag score"):
        write(site, Silent())


def test_a_run_that_lasted_until_after_the_hours_does_not_write(empty_shop, platform, helpers, tmp_path) -> None:
    empty_shop.config = helpers.config(tmp_path, write={"hours": "08:00-15:00"})

    class Slow(Silent):
        def begin(self, stage: str) -> None:
            later(empty_shop, minutes=25)

    outcome = run(empty_shop, Slow())
    assert outcome.withheld.startswith("it is 15:15")
    assert platform.stored == {}


def test_in_shadow_mode_nothing_is_written_but_the_plan_is_made(empty_shop, platform, helpers, tmp_path) -> None:
    empty_shop.config = helpers.config(tmp_path, mode="shadow")
    outcome = run(empty_shop, Silent())
    assert outcome.verdict == "ok"
    assert outcome.plan.size == 4
    assert "shadow" in outcome.withheld
    assert platform.stored == {}
    assert runs.last(empty_shop.db)[0].summary["withheld"] == outcome.withheld


@pytest.mark.parametrize(
    ("settings", "at", "expected"),
    [
        ({"mode": "shadow"}, "2017-09-28T12:00", "the mode is shadow"),
        ({}, "2017-09-28T05:59", "it is 07:59, writing is allowed 08:00-18:00"),
        ({}, "2017-09-28T06:00", ""),
        ({}, "2017-09-28T15:59", ""),
        ({}, "2017-09-28T16:00", "it is 18:00"),
        # In winter Berlin is one hour ahead of UTC, not two.
        ({}, "2017-12-28T06:30", "it is 07:30"),
        ({"timezone": "America/New_York"}, "2017-09-28T06:30", "it is 02:30"),
        ({"write": {"hours": ""}}, "2017-09-28T23:00", ""),
        ({"write": {"hours": "22:00-02:00"}}, "2017-09-28T21:30", ""),
        ({"write": {"hours": "22:00-02:00"}}, "2017-09-28T00:30", "it is 02:30"),
        ({"write": {"hours": "", "days": ["mon", "tue"]}}, "2017-09-28T12:00", "it is Thursday, writing is allowed on"),
        # Sunday evening in UTC is Monday already in Berlin.
        ({"write": {"hours": "", "days": ["mon", "tue"]}}, "2017-10-01T22:30", ""),
    ],
)
def test_when_writing_is_withheld(site, helpers, tmp_path, settings, at, expected) -> None:
    site.config = helpers.config(tmp_path, **settings)
    why = why_not_now(site, site.config.accounts[0], datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert why.startswith(expected)
    assert bool(why) == bool(expected)
