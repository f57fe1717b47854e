"""The schedule, and a daemon that stops when told and outlives its jobs."""

import os
import signal
from datetime import datetime, timedelta
from itertools import islice
from threading import Event
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from connectors.errors import NotAuthorised
from sync import daemon
from sync.clock import FixedClock, SystemClock
from sync.cycle import Outcome
from sync.daemon import CronLine, serve
from sync.errors import ForetagError
from sync.lock import only_run

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


@pytest.fixture
def handlers():
    """Puts the process's signal handlers back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
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
        serve(config, FixedClock(helpers.now))


def test_every_job_of_the_schedule_is_registered_and_it_stops_when_told(config, scheduler, caplog) -> None:
    stop = Event()
    stop.set()
    clock = SystemClock(stop)
    asked = [clock.now()]
    serve(config, clock)
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
    monkeypatch.setattr(scheduler, "get_jobs", lambda self: os.kill(os.getpid(), number) or [])
    serve(config, clock)
    assert clock.stop.is_set()
    assert signal.getsignal(number) is signal.SIG_DFL


def attempt(config, clock, job, caplog) -> str:
    daemon._attempt(config, clock, "score", job)
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
    assert "alert: Scores are older" in text


def test_a_job_beside_an_active_run_is_left_out(config, helpers, caplog) -> None:
    ran = []
    with only_run(config.data_dir, helpers.now):
        text = attempt(config, FixedClock(helpers.now), ran.append, caplog)
    assert "another run is active" in text
    assert ran == []


def test_even_a_bug_does_not_end_the_daemon(config, monkeypatch, handlers, caplog) -> None:
    """The real scheduler, with a job that is due at once; it tells the daemon to stop only when it has failed twice."""
    clock, failures = SystemClock(), []

    def broken(site, *rest):
        failures.append(site)
        if len(failures) == 2:
            clock.stop.set()
        raise ZeroDivisionError("a bug")

    class Soon(CronLine):
        def get_next_fire_time(self, previous, now):
            return (previous or now).astimezone(self.zone) + timedelta(milliseconds=20)

    monkeypatch.setattr(daemon, "CronLine", Soon)
    monkeypatch.setattr(daemon, "pull", broken)
    monkeypatch.setattr(daemon.cycle, "run", lambda *rest, **options: Outcome(0, clock.now()))
    monkeypatch.setattr(daemon.cycle, "write", lambda *rest, **options: Outcome(0, clock.now()))
    serve(config, clock)
    assert len(failures) >= 2
    assert "ZeroDivisionError" in caplog.text


def test_a_run_is_reported_with_its_objections(site, helpers, caplog) -> None:
    outcome = Outcome(3, helpers.now, objections=["too many would move"])
    daemon._tell(site, outcome)
    assert "run 3: refused" in caplog.text
    assert "refused: too many would move" in caplog.text
    assert (site.config.data_dir / "report.html").exists()


def test_a_writing_with_nothing_to_do_is_not_reported(site, helpers) -> None:
    daemon._tell(site, Outcome(0, helpers.now))
    assert not (site.config.data_dir / "report.html").exists()
