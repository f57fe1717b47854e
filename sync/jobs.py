"""The daemon's jobs: when they are due, one at a time, and what is told of them."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple

from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger
from cronsim import CronSim

from connectors.errors import ConnectorError
from sync import backup, cycle
from sync.alerts import after_exception, after_pull, after_run, note, watch
from sync.clock import Clock
from sync.config import Config
from sync.errors import ForetagError
from sync.notify import notify
from sync.outcome import Outcome
from sync.progress import Silent
from sync.pull import pull
from sync.reporting import write_report
from sync.site import Site, open_site
from sync.store.scores import last_scored

log = logging.getLogger(__name__)

ONE_AT_A_TIME = Lock()
"""Jobs that are due at the same time wait for one another; another process's run makes them give up."""

Job = Callable[[Site], object]


class Entry(NamedTuple):
    """One line of the timetable: the cron line, and what is done then."""

    line: str
    job: Job


class CronLine(BaseTrigger):  # type: ignore[misc]
    """A cron line with cron's own weekday numbers and daylight-saving rules, which APScheduler's parser lacks."""

    def __init__(self, line: str, zone: Any) -> None:
        self.line = line
        self.zone = zone

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first instant of the line after `previous` (or `now`)."""
        return next(CronSim(self.line, (previous or now).astimezone(self.zone)))


def schedule(scheduler: BaseScheduler, config: Config, clock: Clock) -> None:
    """Put in the jobs, or exchange them for those of a new config; a job in hand ends with the old one.

    A job that could not start on time, however late it is (the machine slept, a long run), is made up for once.
    """
    wanted = entries(config)
    for old in scheduler.get_jobs():
        if isinstance(old.trigger, CronLine) and old.id not in wanted:
            old.remove()
    for name, (line, job) in wanted.items():
        scheduler.add_job(
            attempt,
            CronLine(line, config.zone),
            args=(config, clock, name, job),
            id=name,
            replace_existing=True,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )


def timetable(config: Config, after: datetime) -> Iterator[tuple[datetime, str]]:
    """The instants after `after` at which a job of the schedule is due, with its name, in order, without end."""
    lines = {name: CronLine(line, config.zone) for name, (line, _) in entries(config).items()}
    due = {name: line.get_next_fire_time(after, after) for name, line in lines.items()}
    while True:
        at, name = min((at, name) for name, at in due.items())
        yield at, name
        due[name] = lines[name].get_next_fire_time(at, at)


def catch_up(scheduler: BaseScheduler, config: Config, clock: Clock) -> None:
    """One run now when the schedule had one since everyone was scored last; it trains where that is due as well."""
    with open_site(config, clock, alone=False) as site:
        note(site, "config", "")
        scored = last_scored(site.db)
    if scored is None or CronLine(config.schedule.score, config.zone).get_next_fire_time(scored, scored) <= clock.now():
        log.warning("scored last: %s. Catching up now", scored.isoformat(timespec="minutes") if scored else "never")
        at_once(scheduler, config, clock, "score", entries(config)["score"].job)


def at_once(scheduler: BaseScheduler, config: Config, clock: Clock, name: str, job: Job) -> None:
    """Put in a job that is due now, once."""
    scheduler.add_job(attempt, args=(config, clock, name, job), misfire_grace_time=None)


def tell(site: Site, outcome: Outcome) -> None:
    """Log a run, write the report and send the alerts; nothing for one that had nothing to do or was told to stop."""
    if not outcome.number:
        return
    log.warning("run %s: %s", outcome.number, outcome.verdict)
    for objection in outcome.objections:
        log.error("refused: %s", objection)
    if not site.clock.stop.is_set():
        write_report(site, outcome.as_of)
        after_run(site, outcome)


def entries(config: Config) -> dict[str, Entry]:
    """What the daemon does, by name: the lines of [schedule], and those of accounts with times of their own.

    A whole run reads every account, since people are judged by all there is of them.
    """
    reads = [each.name for each in config.accounts if not each.schedule.pull]
    writes = [each.name for each in config.accounts if not each.schedule.write]
    lines = config.schedule
    found = {
        "pull": Entry(lines.pull, _pull(reads)),
        "score": Entry(lines.score, lambda site: tell(site, cycle.run(site, Silent(), accounts=writes))),
        "train": Entry(lines.train, lambda site: tell(site, cycle.run(site, Silent(), train=True, accounts=writes))),
        "write": Entry(lines.write, _write(writes)),
        "backup": Entry(lines.backup, backup.rotate),
    }
    for each in config.accounts:
        if each.schedule.pull:
            found[f"pull {each.name}"] = Entry(each.schedule.pull, _pull([each.name]))
        if each.schedule.write:
            found[f"write {each.name}"] = Entry(each.schedule.write, _write([each.name]))
    idle = {name for name, names in (("pull", reads), ("write", writes)) if not names}
    return {name: entry for name, entry in found.items() if name not in idle}


def _pull(accounts: Sequence[str]) -> Job:
    def job(site: Site) -> None:
        pulled = pull(site, site.clock.now(), accounts=accounts)
        if not site.clock.stop.is_set():
            after_pull(site, pulled)

    return job


def _write(accounts: Sequence[str]) -> Job:
    return lambda site: tell(site, cycle.write(site, Silent(), accounts))


def attempt(config: Config, clock: Clock, name: str, job: Job) -> None:
    """Do a job when the one before it has ended; what goes wrong is logged. Nothing begins once a stop was told."""
    try:
        with ONE_AT_A_TIME:
            if clock.stop.is_set():
                return
            notify(f"STATUS={name} is at work")
            with open_site(config, clock) as site:
                _do(site, name, job)
    except ForetagError as error:
        log.error("%s: %s", name, error)
    finally:
        notify("STATUS=waiting for the next job")


def _do(site: Site, name: str, job: Job) -> None:
    """Do a job; alert on an error that ends it. What is no error of ours goes on to the scheduler, which logs it."""
    try:
        job(site)
    except Exception as error:
        log.error("%s: %s", name, error)
        after_exception(site, error)
        if not isinstance(error, ForetagError | ConnectorError):
            raise
    finally:
        if not site.clock.stop.is_set():
            watch(site)
