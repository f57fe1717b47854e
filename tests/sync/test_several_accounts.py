"""Several accounts: each with its own mode and times, and none that stops the others."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from connectors.contract import Change, Result
from connectors.errors import ConnectorError, NotAuthorised, Unavailable
from sync import accounts, jobs
from sync.accounts import Unopened
from sync.clock import FixedClock
from sync.configfile import ConfigError, parse
from sync.cycle import run, write
from sync.errors import ForetagError
from sync.progress import Silent
from sync.pull import pull
from sync.score import score
from sync.site import Site
from sync.status import as_data, as_lines
from sync.store import facts, outbox, runs
from sync.store.database import transaction
from sync.window import NOT_ITS_TIME

TWO = [{"name": "shop-de"}, {"name": "shop-us"}]


@pytest.fixture
def platforms(helpers):
    """Two shops with four shoppers each, under addresses of their own."""
    return {
        "shop-de": helpers.Platform(pages=helpers.shoppers(count=4)),
        "shop-us": helpers.Platform(pages=_others(helpers.shoppers(count=4, seed=2))),
    }


def _others(pages):
    return {
        stream: [
            replace(page, contacts=tuple(replace(each, email=f"us-{each.email}") for each in page.contacts))
            for page in each
        ]
        for stream, each in pages.items()
    }


@pytest.fixture
def shops(tmp_path, helpers, platforms):
    """Makes a site of the two; more is said by the test."""
    made = []

    def make(*accounts, **more) -> Site:
        given = [{**each, **own} for each, own in zip(TWO, accounts or ({}, {}), strict=True)]
        site = helpers.site(tmp_path, platforms["shop-de"], **{"write": {"hours": ""}, **more, "hubspot": given})
        site.__dict__["connectors"] = dict(platforms)
        made.append(site)
        return site

    yield make
    for site in made:
        site.db.close()


def written(platforms) -> dict[str, int]:
    return {name: len(platform.stored) for name, platform in platforms.items()}


def test_an_account_in_shadow_is_read_and_planned_but_not_written_to(shops, platforms) -> None:
    site = shops({}, {"mode": "shadow"})
    outcome = run(site, Silent())
    assert written(platforms) == {"shop-de": 4, "shop-us": 0}
    assert {name: len(changes) for name, changes in outcome.plan.changes.items()} == {"shop-de": 4, "shop-us": 4}
    assert outcome.shut.keys() == {"shop-us"}
    assert (outcome.withheld, outcome.verdict) == ("", "ok")
    assert "shadow" in runs.last(site.db)[0].summary["shut"]["shop-us"]


def test_a_mode_of_its_own_writes_where_all_others_are_in_shadow(shops, platforms) -> None:
    site = shops({}, {"mode": "full"}, mode="shadow")
    run(site, Silent())
    assert written(platforms) == {"shop-de": 0, "shop-us": 4}
    assert next(as_lines(as_data(site))) == "mode     FULL (shop-de shadow, shop-us full)"


def test_hours_and_days_of_its_own_hold_for_one_account_only(shops, platforms, helpers) -> None:
    """It is Saturday, 14:00 in the shop's time."""
    window = {"hours": "08:00-12:00", "days": ["sat"]}
    site = shops({"write": {"hours": "", "days": ["sat"]}}, {}, write=window)
    outcome = run(site, Silent())
    assert written(platforms) == {"shop-de": 4, "shop-us": 0}
    assert outcome.shut == {
        "shop-us": "it is 14:00, writing is allowed 08:00-12:00 (write.hours); the plan can be applied then"
    }
    site.config = shops({}, {"write": {"days": ["mon", "tue"]}}, write={"hours": "", "days": ["sat"]}).config
    assert "writing is allowed on mon, tue" in write(site, Silent()).shut["shop-us"]
    site.config = shops({}, {"write": {"hours": "13:30-14:30"}}, write={"hours": "08:00-12:00"}).config
    write(site, Silent())
    assert written(platforms) == {"shop-de": 4, "shop-us": 4}


def test_a_pilot_on_one_account_leaves_the_other_full(shops, platforms) -> None:
    site = shops({"mode": "pilot"}, {}, pilot={"share": 0.0001})
    outcome = run(site, Silent())
    assert written(platforms) == {"shop-de": 0, "shop-us": 4}
    assert outcome.plan.skipped["shop-de"] == Counter({"outside the pilot": 4})


@pytest.mark.slow
def test_people_count_as_acted_on_by_the_mode_of_their_own_accounts(shops, helpers) -> None:
    site = shops({"mode": "shadow"}, {}, holdout={"share": 0}, model={"candidates": ["rules"]})
    for name in ("shop-de", "shop-us"):
        more = helpers.shoppers(count=300, seed=len(name))
        site.connectors[name].pages = more if name == "shop-de" else _others(more)
    pull(site, helpers.now)
    score(site, helpers.now)
    arms = site.db.execute(
        """SELECT account, group_concat(DISTINCT arm) AS arms FROM prediction JOIN contact USING (person_id)
        GROUP BY account ORDER BY account"""
    )
    assert [tuple(row) for row in arms] == [("shop-de", "none"), ("shop-us", "act")]


def test_the_timetable_has_the_times_of_each_account(shops) -> None:
    site = shops({"schedule": {"pull": "*/15 * * * *"}}, {"schedule": {"write": "0 20 * * *"}})
    lines = {name: entry.line for name, entry in jobs.entries(site.config).items()}
    assert lines == {
        "pull": "0 * * * *", "pull shop-de": "*/15 * * * *", "score": "15 6 * * *", "train": "0 3 * * 0",
        "write": "30 * * * *", "write shop-us": "0 20 * * *", "backup": "0 2 * * *",
    }  # fmt: skip
    both = shops(*[{"schedule": {"pull": "1 * * * *", "write": "2 * * * *"}}] * 2)
    assert not {"pull", "write"} & jobs.entries(both.config).keys()


def test_each_job_minds_its_own_accounts(shops, platforms, helpers) -> None:
    site = shops({"schedule": {"pull": "*/15 * * * *"}}, {"schedule": {"write": "0 20 * * *"}})
    todo = jobs.entries(site.config)
    todo["pull shop-de"].job(site)
    assert (bool(platforms["shop-de"].asked), bool(platforms["shop-us"].asked)) == (True, False)
    todo["pull"].job(site)
    assert platforms["shop-us"].asked
    todo["score"].job(site)
    assert written(platforms) == {"shop-de": 4, "shop-us": 0}
    assert runs.last(site.db)[0].summary["shut"] == {"shop-us": NOT_ITS_TIME}
    todo["write shop-us"].job(site)
    assert written(platforms) == {"shop-de": 4, "shop-us": 4}


@pytest.mark.parametrize("error", [NotAuthorised("revoked"), Unavailable("no answer"), ZeroDivisionError("a bug")])
def test_a_job_of_one_account_that_fails_holds_up_no_other(shops, platforms, error, monkeypatch) -> None:
    """The lock is given back however it ends; what is no error of ours goes on to the scheduler, which logs it."""
    site = shops(*[{"schedule": {"pull": "1 * * * *"}}] * 2)
    platforms["shop-de"].fail_stream = {"contacts": error}
    monkeypatch.setattr(accounts, "connect", lambda account, *_args: platforms[account.name])
    todo = jobs.entries(site.config)
    ours = isinstance(error, ConnectorError)
    with nullcontext() if ours else pytest.raises(ZeroDivisionError):
        jobs.attempt(site.config, site.clock, "pull shop-de", todo["pull shop-de"].job)
    assert not jobs.ONE_AT_A_TIME.locked()
    jobs.attempt(site.config, site.clock, "pull shop-us", todo["pull shop-us"].job)
    counts = dict(site.db.execute("SELECT account, count(*) FROM contact GROUP BY account").fetchall())
    assert counts["shop-us"] == 4


def test_what_was_sent_to_one_account_stays_open_while_another_is_written_to(shops, platforms) -> None:
    """Answers that were lost are looked for, however often others are written to before that account is read again."""
    site = shops({}, {"schedule": {"write": "0 20 * * *"}})
    answers = platforms["shop-us"].write

    def lost(changes):
        yield [replace(each, result=Result.UNKNOWN) for outcomes in answers(changes) for each in outcomes]

    platforms["shop-us"].write = lost
    run(site, Silent())
    left = "SELECT count(*) FROM outbox WHERE account = 'shop-us' AND state = 'sent'"
    assert site.db.execute(left).fetchone()[0] == 4
    assert as_data(site)["waiting_to_be_written"] == 4
    with transaction(site.db):
        facts.forget_owned(site.db, "shop-de")
    platforms["shop-de"].stored.clear()
    outcome = write(site, Silent(), ["shop-de"])
    assert {each.account: each.written for each in outcome.applied} == {"shop-de": 4}
    assert site.db.execute(left).fetchone()[0] == 4


def test_nothing_waits_to_be_written_to_an_account_in_shadow_or_no_longer_in_the_config(shops) -> None:
    site = shops({}, {"mode": "shadow"})
    change = Change("contacts", "1", "anna@shop.example", {"buy_score": 50.0})
    outbox.enqueue(site.db, "plan", {"gone": [change], "shop-de": [change], "shop-us": [change]})
    assert as_data(site)["waiting_to_be_written"] == 1


def test_a_reload_takes_away_the_times_that_are_no_longer_there(shops, helpers) -> None:
    scheduler, clock = BackgroundScheduler(), FixedClock(helpers.now)
    scheduler.start(paused=True)
    try:
        scheduler.add_job(print, "interval", seconds=1000, id="pulse")
        for site in (shops({"schedule": {"pull": "*/15 * * * *"}}, {}), shops()):
            jobs.schedule(scheduler, site.config, clock)
        assert {job.id for job in scheduler.get_jobs()} == {"pulse", *jobs.entries(site.config)}
    finally:
        scheduler.shutdown()


def test_a_refused_token_stops_only_its_own_account(shops, platforms, helpers) -> None:
    """What was read of the others is stored, and the scores there are go on being written to them."""
    site = shops(mode="shadow")
    run(site, Silent())
    refused = NotAuthorised("the token is wrong")
    platforms["shop-us"].fail_stream = {"contacts": refused, "orders": refused}
    platforms["shop-us"].pages = {"contacts": [], "orders": []}
    problems = {(each.account, each.stream): each.problem for each in pull(site, helpers.now + timedelta(hours=1))}
    assert {key for key, problem in problems.items() if problem is None} == {
        ("shop-de", "contacts"), ("shop-de", "orders"),
    }  # fmt: skip

    def fails(changes):
        raise refused
        yield

    platforms["shop-us"].write = platforms["shop-us"].held = fails
    site.config = site.config.model_copy(update={"mode": "full"})
    outcome = write(site, Silent())
    assert written(platforms) == {"shop-de": 4, "shop-us": 0}
    assert {each.account: each.cause for each in outcome.applied} == {"shop-de": "", "shop-us": "NotAuthorised"}
    assert outcome.verdict == "partial"


def test_an_account_without_a_secret_fails_alone(tmp_path, helpers, platforms, monkeypatch) -> None:
    monkeypatch.setenv("FORETAG_HUBSPOT_SHOP_DE_TOKEN", "pat-na1-0")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    site = helpers.site(tmp_path, platforms["shop-de"], hubspot=TWO)
    site.__dict__.pop("connectors")
    opened = site.connectors
    assert isinstance(opened["shop-us"], Unopened)
    opened["shop-de"] = platforms["shop-de"]
    found = {(each.account, each.stream): each.problem for each in pull(site, helpers.now)}
    assert found["shop-de", "contacts"] is None
    assert "no secret hubspot-shop-us.token" in found["shop-us", "contacts"]
    assert site.calls()["shop-us"] == 0
    site.db.close()


def test_with_no_secret_at_all_it_is_said_at_once(tmp_path, helpers, platforms, monkeypatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    site = helpers.site(tmp_path, platforms["shop-de"], hubspot=TWO)
    site.__dict__.pop("connectors")
    with pytest.raises(ForetagError, match="foretag secret set"):
        pull(site, helpers.now)
    site.db.close()


def test_the_file_says_it_under_the_account_and_mistakes_have_their_line(tmp_path) -> None:
    text = 'timezone = "UTC"\n[[hubspot]]\n[[mailchimp]]\nmode = "full"\n[mailchimp.schedule]\npull = "5 * * * *"\n'
    made = parse(text, tmp_path / "config.toml")
    assert [made.mode_of(each) for each in made.accounts] == ["shadow", "full"]
    assert [each.schedule.pull for each in made.accounts] == ["", "5 * * * *"]
    with pytest.raises(ConfigError, match=r":6: mailchimp.0.schedule.pull: should be a cron line"):
        parse(text.replace("5 *", "75 *"), tmp_path / "config.toml")
