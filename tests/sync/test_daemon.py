"""The schedule, and a daemon that stops when told and outlives its jobs."""

import logging
import os
import signal
import socket
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from threading import Event
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest
import requests
from apscheduler.schedulers.background import BackgroundScheduler

from connectors.contract import Change
from connectors.errors import NotAuthorised, Retry
from sync import alerts, cycle, daemon, jobs
from sync.accounts import connect
from sync.apply import apply
from sync.clock import STOPPED, FixedClock, SystemClock
from sync.config import Config
from sync.config_sections import Health
from sync.daemon import serve
from sync.errors import ForetagError
from sync.fields import field_specs
from sync.jobs import CronLine
from sync.lock import only_run
from sync.log import present
from sync.outcome import Outcome
from sync.plan import Plan
from sync.progress import Silent
from sync.pull import pull
from sync.site import Site
from sync.store import outbox
from sync.store.facts import cursor
from sync.store.scores import last_scored

BERLIN = ZoneInfo("Europe/Berlin")


def fires(line: str, start: str, count: int) -> list[str]:
    """The first instants after `start`, in Berlin's time with its offset from UTC."""
    cron = CronLine(line, BERLIN)

    def times():
        at = cron.get_next_fire_time(None, datetime.fromisoformat(start).replace(tzinfo=BERLIN))
        while True:
            yield at
            at = cron.get_next_fire_time(at, at)

    return [at.isoformat(timespec="minutes") for at in islice(times(), count)]


@pytest.mark.parametrize("number", ["0", "7", "SUN"])
def test_sunday_is_0_and_7(number) -> None:
    assert fires(f"0 3 * * {number}", "2017-09-30T12:00", 2) == ["2017-10-01T03:00+02:00", "2017-10-08T03:00+02:00"]


def test_monday_is_1() -> None:
    assert fires("15 6 * * 1-5", "2017-09-29T12:00", 2) == ["2017-10-02T06:15+02:00", "2017-10-03T06:15+02:00"]


def test_an_hour_that_comes_twice_runs_a_daily_job_once_and_an_hourly_one_twice() -> None:
    # On 2017-10-29 at 03:00 the clocks in Berlin went back to 02:00.
    assert fires("30 2 * * *", "2017-10-28T12:00", 2) == ["2017-10-29T02:30+02:00", "2017-10-30T02:30+01:00"]
    assert fires("0 * * * *", "2017-10-29T00:30", 4) == [
        "2017-10-29T01:00+02:00",
        "2017-10-29T02:00+02:00",
        "2017-10-29T02:00+01:00",
        "2017-10-29T03:00+01:00",
    ]


def test_an_hour_that_does_not_come_is_made_up_for() -> None:
    # On 2018-03-25 at 02:00 they went forward to 03:00.
    assert fires("30 2 * * *", "2018-03-24T12:00", 2) == ["2018-03-25T03:00+02:00", "2018-03-26T02:30+02:00"]
    assert fires("0 * * * *", "2018-03-25T00:30", 3) == [
        "2018-03-25T01:00+01:00",
        "2018-03-25T03:00+02:00",
        "2018-03-25T04:00+02:00",
    ]


class Scheduler(BackgroundScheduler):
    """Runs nothing; remembers itself."""

    seen: ClassVar["list[Scheduler]"] = []

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.seen.append(self)

    def start(self, paused: bool = False) -> None:
        super().start(paused=True)


def same(config):
    """What reads the config again, when nobody changed it."""
    return lambda: config


@pytest.fixture
def handlers():
    """Puts the process's signal handlers back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield before
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def scheduler(monkeypatch, handlers):
    Scheduler.seen = []
    monkeypatch.setattr(daemon, "BackgroundScheduler", Scheduler)
    return Scheduler


def test_a_pretended_clock_is_refused(config, helpers) -> None:
    with pytest.raises(ForetagError, match="leave --now out"):
        serve(config, FixedClock(helpers.now), same(config))


def test_every_job_of_the_schedule_is_registered_and_it_stops_when_told(config, scheduler, caplog) -> None:
    stop = Event()
    stop.set()
    clock = SystemClock(stop)
    asked = [clock.now()]
    serve(config, clock, same(config))
    asked.append(clock.now())
    (made,) = scheduler.seen
    assert not made.running
    for name, line in config.schedule.model_dump().items():
        times = {CronLine(line, config.zone).get_next_fire_time(None, at) for at in asked}
        assert any(f"{name} next at {at.isoformat(timespec='minutes')}" in caplog.text for at in times)
    assert "stopping" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_the_second_one_ends_it_at_once(config, scheduler, monkeypatch, number) -> None:
    clock = SystemClock()
    start = scheduler.start
    monkeypatch.setattr(scheduler, "start", lambda self: start(self) or os.kill(os.getpid(), number))
    serve(config, clock, same(config))
    assert clock.stop.is_set()
    assert signal.getsignal(number) is signal.SIG_DFL


def attempt(config, clock, job, caplog) -> str:
    jobs.attempt(config, clock, "score", job)
    return caplog.text


@pytest.mark.parametrize("error", [ForetagError("no such thing"), NotAuthorised("the token is wrong")])
def test_a_failing_job_is_logged_and_goes_no_further(config, helpers, caplog, error) -> None:
    def job(site):
        raise error

    assert f"score: {error}" in attempt(config, FixedClock(helpers.now), job, caplog)


def test_scores_that_grow_old_because_every_job_fails_are_alerted(shop, helpers, caplog) -> None:
    def job(site):
        raise ForetagError("no such thing")

    shop.db.close()
    text = attempt(shop.config, FixedClock(helpers.now + timedelta(days=3)), job, caplog)
    assert "score: no such thing" in text
    assert "alert: WARNING: scores are older" in text


def test_a_job_beside_an_active_run_is_left_out(config, helpers, caplog) -> None:
    ran = []
    with only_run(config.data_dir, helpers.now):
        text = attempt(config, FixedClock(helpers.now), ran.append, caplog)
    assert "another run is active" in text
    assert ran == []


def test_even_a_bug_does_not_end_the_daemon(config, monkeypatch, handlers, caplog) -> None:
    """The real scheduler, with a job that is due at once; it tells the daemon to stop only when it has failed twice."""
    clock, failures = SystemClock(), []

    def broken(site, *rest, **options):
        failures.append(site)
        if len(failures) == 2:
            clock.stop.set()
        raise ZeroDivisionError("a bug")

    class Soon(CronLine):
        def get_next_fire_time(self, previous, now):
            return (previous or now).astimezone(self.zone) + timedelta(milliseconds=20)

    monkeypatch.setattr(jobs, "CronLine", Soon)
    monkeypatch.setattr(jobs, "pull", broken)
    monkeypatch.setattr(jobs.cycle, "run", lambda *rest, **options: Outcome(0, clock.now()))
    monkeypatch.setattr(jobs.cycle, "write", lambda *rest, **options: Outcome(0, clock.now()))
    serve(config, clock, same(config))
    assert len(failures) >= 2
    assert "ZeroDivisionError" in caplog.text


def test_a_run_is_reported_with_its_objections(site, helpers, caplog) -> None:
    outcome = Outcome(3, helpers.now, objections=["too many would move"])
    jobs.tell(site, outcome)
    assert "run 3: refused" in caplog.text
    assert "refused: too many would move" in caplog.text
    assert (site.config.data_dir / "report.html").exists()


def test_every_line_of_a_run_names_it_and_none_after_it(config, platform, helpers, caplog, monkeypatch) -> None:
    seen = []

    class Listening(logging.Handler):
        def emit(self, record) -> None:
            seen.append((present.run, record.getMessage()))

    platform.pages = helpers.shoppers(count=4)
    platform.fail_stream = {"orders": NotAuthorised("the token may not read orders")}
    monkeypatch.setattr(Site, "connectors", {"hubspot": platform})
    listening = Listening()
    logging.getLogger("sync").addHandler(listening)
    try:
        jobs.attempt(config, FixedClock(helpers.now), "score", jobs.entries(config)["score"].job)
        logging.getLogger("sync").warning("after")
    finally:
        logging.getLogger("sync").removeHandler(listening)
    of_run = [run for run, text in seen if text != "after"]
    assert len(of_run) >= 2
    assert set(of_run) == {1}
    assert seen[-1] == (None, "after")


def test_a_token_that_is_refused_is_alerted_by_the_pull_that_meets_it(config, platform, helpers, caplog, monkeypatch):
    platform.pages = helpers.shoppers(count=4)
    platform.fail_stream = {"contacts": NotAuthorised("HTTP 401")}
    monkeypatch.setattr(Site, "connectors", {"hubspot": platform})
    jobs.attempt(config, FixedClock(helpers.now), "pull", jobs.entries(config)["pull"].job)
    assert "alert: hubspot: the token is refused." in caplog.text
    platform.fail_stream = {}
    jobs.attempt(config, FixedClock(helpers.now), "pull", jobs.entries(config)["pull"].job)
    assert "alert: Over (since 2017-09-30T14:00+02:00): hubspot: the token is refused." in caplog.text


def test_a_writing_with_nothing_to_do_is_not_reported(site, helpers) -> None:
    jobs.tell(site, Outcome(0, helpers.now))
    assert not (site.config.data_dir / "report.html").exists()


class Told:
    """What the daemon says to systemd, and what then happens to it."""

    def __init__(self) -> None:
        self.lines, self.then = [], {}

    def __call__(self, *lines: str) -> None:
        self.lines += lines
        self.then.get(lines[0].partition("=")[0], lambda: None)()


@pytest.fixture
def told(monkeypatch):
    told = Told()
    monkeypatch.setattr(daemon, "notify", told)
    monkeypatch.setattr(daemon, "LOOK_UP_SECONDS", 0.01)
    return told


def raise_signal(number):
    return lambda: os.kill(os.getpid(), number)


def test_systemd_hears_when_it_is_ready_and_when_it_stops(config, scheduler, told) -> None:
    told.then = {"READY": raise_signal(signal.SIGTERM)}
    serve(config, SystemClock(), same(config))
    assert [line for line in told.lines if not line.startswith("STATUS")] == ["READY=1", "STOPPING=1"]


def hang_up_once(told, clock) -> None:
    """Ready: SIGHUP. Ready again, after the reload: SIGTERM."""
    steps = iter([raise_signal(signal.SIGHUP), raise_signal(signal.SIGTERM)])
    told.then = {"READY": lambda: next(steps)()}


def test_a_hang_up_reads_the_config_again(config, scheduler, told, monkeypatch) -> None:
    seen = {}
    stop = scheduler.shutdown
    monkeypatch.setattr(
        scheduler,
        "shutdown",
        lambda self, wait: (seen.update({job.id: job.args for job in self.get_jobs()}), stop(self, wait=wait)),
    )
    fresh = config.model_copy(update={"schedule": config.schedule.model_copy(update={"pull": "7 * * * *"})})
    clock = SystemClock()
    hang_up_once(told, clock)
    serve(config, clock, lambda: fresh)
    said = [line.partition("=")[0] for line in told.lines]
    assert said == ["READY", "RELOADING", "MONOTONIC_USEC", "READY", "STOPPING", "STATUS"]
    assert seen["pull"][0] is fresh


def test_a_config_that_became_invalid_leaves_the_old_one_and_is_alerted_until_it_is_good(
    config, scheduler, told, monkeypatch, caplog
) -> None:
    given = []
    monkeypatch.setattr(jobs, "at_once", lambda scheduler, config, clock, name, job: given.append((config, name, job)))

    def broken() -> Config:
        raise ForetagError("config.toml:3: unknown key")

    for reread in (broken, same(config)):
        clock = SystemClock()
        hang_up_once(told, clock)
        serve(config, clock, reread)
    assert "config.toml:3: unknown key" in caplog.text
    (_, bad), (_, good) = ((used, job) for used, name, job in given if name == "reload")
    assert all(used is config for used, _, _ in given)
    attempt(config, SystemClock(), bad, caplog)
    assert "alert: The new config cannot be used" in caplog.text
    assert "Over" not in caplog.text
    attempt(config, SystemClock(), good, caplog)
    assert "alert: Over (since " in caplog.text


def test_a_run_leaves_the_alert_about_the_config_alone(shop, helpers, caplog) -> None:
    alerts.note(shop, "config", "The new config cannot be used.")
    alerts.after_run(shop, Outcome(3, helpers.now))
    alerts.watch(shop)
    assert "Over" not in caplog.text


@pytest.mark.parametrize(("hours", "caught_up"), [(1, False), (18, True), (24 * 9, True)])
def test_a_run_that_was_missed_is_made_up_for_once(shop, helpers, monkeypatch, hours, caught_up) -> None:
    """Scored at 14:00 in Berlin, due at 06:15."""
    given = []
    monkeypatch.setattr(jobs, "at_once", lambda *given_to: given.append(given_to[3]))
    jobs.catch_up(BackgroundScheduler(), shop.config, FixedClock(helpers.now + timedelta(hours=hours)))
    assert given == (["score"] if caught_up else [])


def test_a_new_installation_runs_at_once(config, helpers, monkeypatch, caplog) -> None:
    given = []
    monkeypatch.setattr(jobs, "at_once", lambda *given_to: given.append(given_to[3]))
    jobs.catch_up(BackgroundScheduler(), config, FixedClock(helpers.now))
    assert given == ["score"]
    assert "scored last: never" in caplog.text


def test_a_job_that_does_not_end_is_left_behind(config, scheduler, monkeypatch, caplog) -> None:
    monkeypatch.setattr(daemon, "GRACE_SECONDS", 0.01)
    left, clock = [], SystemClock()
    clock.stop.set()
    with jobs.ONE_AT_A_TIME:
        serve(config, clock, same(config), left.append)
    assert left == [0]
    assert "left as it is" in caplog.text
    (made,) = scheduler.seen
    made.shutdown(wait=False)


def test_no_job_begins_once_a_stop_was_told(config, caplog) -> None:
    ran, clock = [], SystemClock()
    clock.stop.set()
    attempt(config, clock, ran.append, caplog)
    assert ran == []


def test_a_run_that_was_told_to_stop_neither_scores_nor_alerts(shop, helpers, caplog) -> None:
    shop.clock.stop.set()
    before = last_scored(shop.db)
    outcome = cycle.run(shop, Silent())
    jobs.tell(shop, outcome)
    assert (outcome.withheld, outcome.scored) == (STOPPED, None)
    assert last_scored(shop.db) == before
    assert "alert:" not in caplog.text


def test_a_pull_ends_between_two_pages_and_goes_on_from_there(site, platform, helpers) -> None:
    (page,) = helpers.shoppers(count=4)["contacts"]
    pages = [replace(page, cursor=f"c{n}", contacts=(one,)) for n, one in enumerate(page.contacts)]
    platform.pages = {"contacts": pages}
    (pulled,) = pull(site, helpers.now, lambda pulled, page: site.clock.stop.set())
    assert (pulled.contacts, pulled.problem, pulled.passing) == (1, STOPPED, True)
    assert cursor(site.db, "hubspot", "contacts") == "c0"


def test_writing_ends_after_the_batch_in_hand_and_the_outbox_keeps_the_rest(shop, platform, helpers) -> None:
    """The platform takes two contacts a call; the stop comes with the first answer."""
    changes = [Change("contacts", str(n), None, {"reasons": "new"}, {"reasons": ""}) for n in range(1, 8)]
    made = Plan(helpers.now, "full", {"hubspot": changes})
    written = []

    def progress(account, outcomes):
        written.extend(outcome.id for outcome in outcomes)
        shop.clock.stop.set()

    (applied,) = apply(shop, made, field_specs(shop.config), progress)
    assert (applied.written, applied.problem, written) == (2, STOPPED, ["1", "2"])
    assert [change.id for change in outbox.open_changes(shop.db, made.id, "hubspot")] == ["3", "4", "5", "6", "7"]
    shop.clock.stop.clear()
    (applied,) = apply(shop, made, field_specs(shop.config))
    assert (applied.written, applied.problem) == (5, None)


def test_a_wait_that_a_stop_cuts_short_is_not_followed_by_a_call(config, monkeypatch) -> None:
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", "pat-na1-0")
    sleeps = []
    monkeypatch.setattr("connectors.open_connector", lambda account, sleep, monotonic: sleeps.append(sleep))
    clock = SystemClock()
    connect(config.accounts[0], config, clock)
    (sleep,) = sleeps
    sleep(0)
    clock.stop.set()
    with pytest.raises(Retry, match="told to stop"):
        sleep(60)


def health_on(config, port: int) -> Config:
    return config.model_copy(update={"health": Health(port=port)})


@pytest.fixture
def ports():
    """Two that are free, and one that is taken."""
    with socket.socket() as one, socket.socket() as other, socket.socket() as taken:
        for each in (one, other, taken):
            each.bind(("127.0.0.1", 0))
        taken.listen()
        found = [each.getsockname()[1] for each in (one, other, taken)]
        one.close()
        other.close()
        yield found


def healthy(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10).status_code == 200
    except requests.ConnectionError:
        return False


def test_health_is_served_as_long_as_the_daemon_lives_and_moves_with_the_config(config, scheduler, told, ports) -> None:
    seen, (one, other, _) = [], ports
    clock = SystemClock()
    hang_up_once(told, clock)
    then = told.then["READY"]
    told.then["READY"] = lambda: (seen.append((healthy(one), healthy(other))), then())
    serve(health_on(config, one), clock, lambda: health_on(config, other))
    assert [*seen, (healthy(one), healthy(other))] == [(True, False), (False, True), (False, False)]


def test_a_port_that_is_taken_ends_a_start_but_not_a_daemon_at_work(config, scheduler, told, ports, caplog) -> None:
    one, _, taken = ports
    with pytest.raises(ForetagError, match=f"health.port {taken} cannot be used"):
        serve(health_on(config, taken), SystemClock(), same(config))
    clock = SystemClock()
    hang_up_once(told, clock)
    serve(health_on(config, one), clock, lambda: health_on(config, taken))
    assert f"health.port {taken} cannot be used" in caplog.text
