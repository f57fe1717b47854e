"""Keeps running by the schedule until it is told to stop."""

import logging
import signal
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from types import FrameType
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from cronsim import CronSim

from connectors.errors import ConnectorError
from sync import cycle
from sync.alerts import after_run, watch
from sync.clock import Clock, FixedClock
from sync.config import Config
from sync.errors import ForetagError
from sync.progress import Silent
from sync.pull import pull
from sync.reporting import write_report
from sync.site import Site, open_site

log = logging.getLogger(__name__)

_ONE_JOB = Lock()
"""Jobs that are due at the same time wait for one another; another process's run makes them give up."""
LATE_SECONDS = 3600
"""A job that could not start on time (sleep, a long run) is made up for within this time, once."""


class CronLine(BaseTrigger):  # type: ignore[misc]
    """A cron line with cron's own weekday numbers and daylight-saving rules, which APScheduler's parser lacks."""

    def __init__(self, line: str, zone: Any) -> None:
        self.line = line
        self.zone = zone

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first instant of the line after `previous` (or `now`)."""
        return next(CronSim(self.line, (previous or now).astimezone(self.zone)))


def serve(config: Config, clock: Clock) -> None:
    """Run pull, score, train and write at their times until SIGTERM or SIGINT; the second signal ends it at once.

    A run that cannot start because another one is active is left out; a failed one is logged, and the next one tries
    again. ForetagError with a pretended clock: the schedule follows the machine's.
    """
    if isinstance(clock, FixedClock):
        raise ForetagError("the daemon needs the real time: leave --now out")
    jobs: dict[str, Callable[[Site], object]] = {
        "pull": lambda site: pull(site, clock.now()),
        "score": lambda site: _tell(site, cycle.run(site, Silent())),
        "train": lambda site: _tell(site, cycle.run(site, Silent(), train=True)),
        "write": lambda site: _tell(site, cycle.write(site, Silent())),
    }
    scheduler = BackgroundScheduler(timezone=config.zone)
    for name, job in jobs.items():
        scheduler.add_job(
            _attempt,
            CronLine(getattr(config.schedule, name), config.zone),
            args=(config, clock, name, job),
            id=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=LATE_SECONDS,
        )
    _stop_on_signals(clock)
    scheduler.start()
    for job in scheduler.get_jobs():
        log.warning("%s next at %s", job.id, job.next_run_time.isoformat(timespec="minutes"))
    clock.stop.wait()
    log.warning("stopping: the run in hand ends first")
    scheduler.shutdown(wait=True)


def _tell(site: Site, outcome: cycle.Outcome) -> None:
    """Log a run, write the report and send the alerts; nothing for one that had nothing to do."""
    if not outcome.number:
        return
    log.warning("run %s: %s", outcome.number, outcome.verdict)
    for objection in outcome.objections:
        log.error("refused: %s", objection)
    write_report(site, outcome.as_of)
    after_run(site, outcome)


def _attempt(config: Config, clock: Clock, name: str, job: Callable[[Site], object]) -> None:
    try:
        with _ONE_JOB, open_site(config, clock) as site:
            try:
                job(site)
            finally:
                watch(site)
    except (ForetagError, ConnectorError) as error:
        log.error("%s: %s", name, error)


def _stop_on_signals(clock: Clock) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, signal.SIG_DFL)
        clock.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
