"""What foretag does when the world around it is bad: docs/explain/bad-worlds.md, row by row."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.faults import Fault
from sync import backup, jobs
from sync.errors import ForetagError
from sync.outcome import Outcome
from sync.site import open_site, store_path
from sync.store.database import StoreError

FORETAG = Path(sys.executable).with_name("foretag")
EVERY_TIME = 10**6
IN_A_SPACE_OF_ITS_OWN = ["unshare", "--map-root-user", "--mount"]
CAN_MOUNT = shutil.which("unshare") is not None and (
    subprocess.run([*IN_A_SPACE_OF_ITS_OWN, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode
    == 0
)


def assert_ends_well(loop: Any, undisturbed: dict[tuple[str, ...], Any]) -> None:
    """A run to the end brings every record to where it belongs; one more has nothing to write."""
    assert loop.run().verdict == "ok"
    assert loop.records() == undisturbed
    loop.run()
    assert loop.writes() == {}


def in_a_shell(loop: Any, script: str) -> str:
    """What a script prints that runs foretag on a disk of its own, mounted at $DATA; `run` is one run and its end."""
    data = loop.config.data_dir
    command = f"{FORETAG} --now {loop.now:%Y-%m-%d} --config {loop.config_file} run"
    with_run = f'DATA={data}; run() {{ {command} 2>&1 >/dev/null; echo "ended with $?"; }}; {script}'
    done = subprocess.run(
        [*IN_A_SPACE_OF_ITS_OWN, "sh", "-c", with_run],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not CAN_MOUNT, reason="this machine does not let a process mount a disk of its own")
def test_a_full_disk_stops_a_run_and_with_room_it_goes_on(tiny, undisturbed):
    tiny.provision()
    said = in_a_shell(
        tiny, 'mount -t tmpfs -o size=300k tmpfs "$DATA"; run; mount -o remount,size=64m tmpfs "$DATA"; run'
    )
    assert "the disk is full. Nothing that was stored is lost: make room" in said
    assert [line for line in said.splitlines() if line.startswith("ended")] == ["ended with 1", "ended with 0"]
    assert tiny.records() == undisturbed


@pytest.mark.slow
@pytest.mark.skipif(not CAN_MOUNT, reason="this machine does not let a process mount a disk of its own")
def test_a_read_only_disk_stops_a_run_before_it_begins(tiny, undisturbed):
    tiny.provision()
    said = in_a_shell(
        tiny,
        'mount -t tmpfs -o size=64m tmpfs "$DATA"; mount -o remount,ro tmpfs "$DATA"; run;'
        'mount -o remount,rw tmpfs "$DATA"; run',
    )
    assert "Read-only file system" in said or "may only be read" in said
    assert [line for line in said.splitlines() if line.startswith("ended")] == ["ended with 1", "ended with 0"]
    assert tiny.records() == undisturbed


@pytest.mark.crash
def test_a_log_with_a_torn_end_loses_what_was_not_committed_and_nothing_else(tiny, undisturbed):
    """What a power cut leaves: the file beside the store ends in the middle of a transaction."""
    tiny.provision()
    command = [FORETAG, "--now", f"{tiny.now:%Y-%m-%d}", "--config", tiny.config_file, "run"]
    with subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        log = store_path(tiny.config).with_name("foretag.sqlite-wal")
        while run.poll() is None and not (log.exists() and log.stat().st_size > 100_000):
            pass
        run.send_signal(signal.SIGKILL)
    os.truncate(log, log.stat().st_size - 1000)
    assert_ends_well(tiny, undisturbed)


def test_a_store_with_a_torn_end_is_named_and_a_copy_put_back_goes_on(tiny, undisturbed):
    assert tiny.run().verdict == "ok"
    with open_site(tiny.config, tiny.clock) as site:
        kept = backup.create(site)
    store = store_path(tiny.config)
    os.truncate(store, store.stat().st_size // 2)
    with pytest.raises(StoreError, match=r"damaged .* foretag backup restore"):
        tiny.run()
    backup.restore(tiny.config, tiny.now, kept)
    assert_ends_well(tiny, undisturbed)


def test_two_daemons_do_each_job_once(tiny, undisturbed, caplog):
    """The second one finds the lock taken, says who holds it, and leaves the job out."""
    clock = tiny.clock
    tiny.provision()

    def both(site: Any) -> None:
        jobs.attempt(tiny.config, clock, "score", jobs.entries(tiny.config)["score"].job)
        jobs.entries(tiny.config)["score"].job(site)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "ONE_AT_A_TIME", _NoLock())  # that of the other process
        jobs.attempt(tiny.config, clock, "score", both)
    assert f"is active since 2017-09-30 00:00 (pid {os.getpid()})" in caplog.text
    assert tiny.ask("SELECT count(*) FROM run") == [(1,)]
    assert tiny.records() == undisturbed


class _NoLock:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_a_clock_set_back_a_day_changes_nothing(tiny, undisturbed, loops):
    tiny.run()
    yesterday = loops.Clock(tiny.now - timedelta(days=1))
    assert run_at(tiny, yesterday).verdict == "ok"
    assert tiny.records() == undisturbed
    first, second = tiny.ask("SELECT as_of FROM run ORDER BY id")
    assert first == second
    tiny.run()
    assert tiny.writes() == {}


def test_a_clock_that_was_years_ahead_is_named(tiny, loops):
    tiny.run()
    with pytest.raises(ForetagError, match=r"the clock says 2014-01-01 .* but run 1 was made at 2017-09-30 .* restore"):
        run_at(tiny, loops.Clock(datetime(2014, 1, 1, tzinfo=UTC)))


def run_at(loop: Any, clock: Any) -> Outcome:
    from sync import cycle
    from sync.progress import Silent

    with open_site(loop.config, clock) as site:
        return cycle.run(site, Silent())


@pytest.mark.parametrize("line", ["30 2 * * *", "0 3 * * *", "15 6 * * *"])
@pytest.mark.parametrize("month", [3, 10])
def test_daylight_saving_makes_no_run_twice_and_leaves_none_out(line, month):
    zone = ZoneInfo("Europe/Berlin")
    cron, at, days = jobs.CronLine(line, zone), datetime(2026, month, 20, tzinfo=UTC), []
    while at < datetime(2026, month, 31, 12, tzinfo=UTC):
        at = cron.get_next_fire_time(at, at)
        days.append(at.astimezone(zone).date())
    assert days[:11] == [date(2026, month, 20) + timedelta(days=n) for n in range(11)]


def test_a_token_revoked_in_the_middle_keeps_what_came_and_goes_on_with_a_new_one(tiny, undisturbed):
    tiny.provision()
    body = '{"status": "error", "message": "The token was revoked", "category": "INVALID_AUTHENTICATION"}'
    tiny.sandbox.inject(Fault("hubspot", ".", "status", times=EVERY_TIME, after=4, status=401, body=body))
    with pytest.raises(ForetagError, match="hubspot"):
        tiny.run()
    assert tiny.ask("SELECT count(*) > 0 FROM contact WHERE account = 'salesforce'") == [(1,)]
    tiny.sandbox.clear_faults()
    assert_ends_well(tiny, undisturbed)


def test_a_platform_that_is_down_for_a_day_costs_its_people_that_day_and_nothing_else(tiny, undisturbed):
    assert tiny.run().verdict == "ok"
    before = tiny.records()
    tiny.sandbox.inject(Fault("mailchimp", ".", "status", times=EVERY_TIME, status=503))
    for _ in range(4):
        down = tiny.run()
        assert (down.verdict, down.withheld) == ("partial", "")
        assert 0 < down.scored.people < tiny.ask("SELECT count(*) FROM person")[0][0]
        assert down.waiting.keys() == down.shut.keys() == {"mailchimp"}
    assert tiny.records() == before
    tiny.sandbox.clear_faults()
    assert_ends_well(tiny, undisturbed)


def test_a_platform_that_suddenly_shows_nobody_loses_nobody(tiny, undisturbed):
    assert tiny.run().verdict == "ok"
    nobody = '{"results": [], "total": 0}'
    people = tiny.ask("SELECT count(*) FROM contact WHERE NOT deleted")
    tiny.sandbox.inject(
        Fault("hubspot", "contacts", "status", times=EVERY_TIME, status=200, body=nobody),
        Fault("salesforce", "query", "status", times=EVERY_TIME, status=200,
              body='{"totalSize": 0, "done": true, "records": []}'),
    )  # fmt: skip
    with open_site(tiny.config, tiny.clock) as site:
        site.db.execute("DELETE FROM cursor")  # so that everything is read anew
    tiny.run()
    assert tiny.ask("SELECT count(*) FROM contact WHERE NOT deleted") == people
    tiny.sandbox.clear_faults()
    assert_ends_well(tiny, undisturbed)


def test_three_days_asleep_are_made_up_for_once():
    """What the daemon does when it wakes: APScheduler runs a job that is late once, however often it was due."""
    from apscheduler.schedulers.background import BackgroundScheduler

    from sync.clock import SystemClock
    from sync.config import Config

    config = Config.model_validate({"timezone": "Europe/Berlin", "hubspot": [{}]})
    scheduler, clock = BackgroundScheduler(timezone=config.zone), SystemClock()
    scheduler.start(paused=True)
    try:
        jobs.schedule(scheduler, config, clock)
        awake = clock.now() + timedelta(days=3)
        for job in scheduler.get_jobs():
            due = job._get_run_times(awake)
            assert len(due) >= 2 or job.id == "train"
            assert job.coalesce
            assert job.misfire_grace_time is None
    finally:
        scheduler.shutdown()


def test_the_timetable_has_every_job_at_its_time(tiny):
    start = datetime(2017, 9, 30, tzinfo=UTC)
    week = [
        name for _, name in takewhile(lambda d: d[0] < start + timedelta(days=7), jobs.timetable(tiny.config, start))
    ]
    assert {name: week.count(name) for name in jobs.entries(tiny.config)} == {
        "pull": 167, "score": 7, "train": 1, "write": 168, "backup": 7,
    }  # fmt: skip
