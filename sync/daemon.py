"""Keeps running by the schedule until it is told to stop."""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from threading import Event
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from sync import jobs
from sync.alerts import note
from sync.clock import Clock, FixedClock
from sync.config import Config
from sync.errors import ForetagError
from sync.health import Health, HealthServer
from sync.notify import Pulse, notify

log = logging.getLogger(__name__)

GRACE_SECONDS = 8.0
"""How long the job in hand may take to end once the daemon is told to stop."""
SLEPT = timedelta(minutes=1)
"""A jump of the clock between two looks that means the machine slept or the clock was set: timers do not notice."""
LOOK_UP_SECONDS = 1.0
"""How often it is looked whether the config should be read again."""


def serve(
    config: Config, clock: Clock, reread: Callable[[], Config], leave: Callable[[int], object] = os._exit
) -> None:
    """Run pull, score, train and write at their times until SIGTERM or SIGINT; the second signal ends it at once.

    A run that cannot start because another one is active is left out; a failed one is logged, and the next one tries
    again. Scores that should have been made while nobody was there are made at once. On SIGHUP the schedule goes on
    with what `reread` returns, or as before when it raises. A job that does not end within GRACE_SECONDS is left
    behind by `leave`: what it had begun is gone on with next time. ForetagError with a pretended clock (the schedule
    follows the machine's), for a store that cannot be used and for a port that is taken.
    """
    if isinstance(clock, FixedClock):
        raise ForetagError("the daemon needs the real time: leave --now out")
    apart = {"pulse": ThreadPoolExecutor(1)}  # a thread of its own: jobs that wait for one another must not stop it
    scheduler = BackgroundScheduler(timezone=config.zone, executors=apart)
    pulse, hang_up = Pulse(clock.monotonic), Event()
    with ExitStack() as health:
        _serve_health(health, config, clock, pulse)
        jobs.schedule(scheduler, config, clock)
        jobs.catch_up(scheduler, config, clock)
        _obey_signals(clock, hang_up)
        scheduler.start()
        for job in scheduler.get_jobs():
            log.warning("%s next at %s", job.id, job.next_run_time.isoformat(timespec="minutes"))
        scheduler.add_job(pulse.beat, "interval", seconds=pulse.every, executor="pulse", misfire_grace_time=None)
        notify("READY=1")
        looked = clock.now()
        while not clock.stop.wait(LOOK_UP_SECONDS):
            if abs(clock.now() - looked) > SLEPT:
                log.warning("the clock jumped from %s: looking what is due", looked.isoformat(timespec="seconds"))
                scheduler.wakeup()
            looked = clock.now()
            if hang_up.is_set():
                hang_up.clear()
                config = _reload(scheduler, health, config, clock, reread, pulse)
    notify("STOPPING=1", "STATUS=the job in hand ends first")
    log.warning("stopping: the job in hand ends first, within %g s", GRACE_SECONDS)
    if jobs.ONE_AT_A_TIME.acquire(timeout=GRACE_SECONDS):
        jobs.ONE_AT_A_TIME.release()
        scheduler.shutdown(wait=True)
    else:
        log.warning("the job in hand is left as it is: the next run goes on from there")
        leave(0)


def _reload(
    scheduler: BackgroundScheduler,
    health: ExitStack,
    old: Config,
    clock: Clock,
    reread: Callable[[], Config],
    pulse: Pulse,
) -> Config:
    """The config to go on with: a new one that is valid, else the old one, and an alert."""
    notify("RELOADING=1", f"MONOTONIC_USEC={int(clock.monotonic() * 1e6)}")
    try:
        config, problem = reread(), ""
        log.warning("the config was read again")
    except ForetagError as error:
        config, problem = old, "The new config cannot be used, the old one stays in force: foretag check"
        log.error("%s\n%s", problem, error)
    if config != old:
        jobs.schedule(scheduler, config, clock)
        health.close()
        try:
            _serve_health(health, config, clock, pulse)
        except ForetagError as error:
            problem = str(error)
            log.error("%s", problem)
    jobs.at_once(scheduler, config, clock, "reload", lambda site: note(site, "config", problem))
    notify("READY=1")
    return config


def _serve_health(health: ExitStack, config: Config, clock: Clock, pulse: Pulse) -> None:
    if config.health.port:
        server = HealthServer(Health(config, clock, pulse.alive), config.health.port)
        health.callback(server.close)


def _obey_signals(clock: Clock, hang_up: Event) -> None:
    """SIGTERM and SIGINT stop the daemon, the second one hard; SIGHUP has the config read again."""
    ends = (signal.SIGTERM, signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in ends:
            signal.signal(each, signal.SIG_DFL)
        clock.stop.set()

    def reload(number: int, frame: FrameType | None) -> None:
        del number, frame
        hang_up.set()

    for number in ends:
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, reload)
