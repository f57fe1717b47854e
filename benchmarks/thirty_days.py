"""Thirty days of the daemon's schedule on the sandbox, with a settable clock: a day takes seconds.

One call in twenty goes wrong: errors, refusals for too many calls, connections cut before and after the call took
effect, answers that break off. Every job of the schedule is done at its instant, by the daemon's own code; only waiting
is left out. Printed per five days: the runs that were due and those in the book, rows, sizes and memory; at the end,
whether the platforms hold the last computed scores. Run: python -m benchmarks.thirty_days [DAYS]
"""

import logging
import os
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path

from sandbox.faults import Fault, Kind
from sandbox.people import World
from sandbox.server import Sandbox
from sandbox.world import small
from sync import jobs
from sync import plan as planning
from sync.clock import FixedClock
from sync.config import Config
from sync.configfile import parse
from sync.provision import provision
from sync.secrets import variable
from sync.site import open_site, store_path
from sync.store import runs

START = datetime(2017, 9, 1, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("status", "reset_before", "reset_after", "truncate")
SHARE = 0.05
SEED = 30
CONFIG = """\
timezone = "Europe/Berlin"
mode = "full"
data_dir = "{folder}"
[write]
hours = ""
[schedule]
pull = "0 */6 * * *"
write = "30 */6 * * *"
[model]
candidates = ["rules"]
[guard]
max_segment_change_share = 1.0
max_one_segment_change_share = 1.0
[[objectives]]
predict = "repeat_purchase"
[[hubspot]]
base_url = "{url}/hubspot"
[[mailchimp]]
base_url = "{url}/mailchimp/3.0"
[[salesforce]]
instance_url = "{url}/salesforce"
"""


class Days(FixedClock):
    """Stands still until it is set on; waiting is over at once, and only the monotonic clock knows of it."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self._slept = 0.0

    def set(self, at: datetime) -> None:
        """It is `at` (UTC) from now on."""
        self._at = at

    def sleep(self, seconds: float) -> None:
        """Nobody waits."""
        self._slept += max(0.0, seconds)

    def monotonic(self) -> float:
        """Seconds passed, those nobody waited for among them."""
        return super().monotonic() + self._slept


@dataclass
class Lived:
    """What the days brought."""

    due: list[tuple[datetime, str]] = field(default_factory=list)
    """When which job was due; each was done once, then."""
    booked: list[datetime] = field(default_factory=list)
    """As of when the book of runs has a run that came to its end, one entry per run."""
    megabytes: list[float] = field(default_factory=list)
    """Size of the store at the end of each day."""
    resident: list[float] = field(default_factory=list)
    """Most memory of this process until the end of each day, in MB."""
    struck: int = 0
    """Calls that went wrong."""
    calls: int = 0
    written: int = 0
    """Contacts that were written, each time anew."""
    unwritten: int = -1
    """Contacts whose platform does not hold what was computed last, after one more run without faults."""


def live(world: World, folder: Path, days: int, told: Callable[[int, Lived], None], share: float = SHARE) -> Lived:
    """Let `days` days pass on a sandbox of its own; `share` of the calls go wrong."""
    lived = Lived()
    with Sandbox(world, START, limits=False) as sandbox:
        config = parse(CONFIG.format(folder=folder, url=sandbox.url), folder / "config.toml")
        for name, platform in sandbox.platforms.items():
            os.environ[variable(f"{name}.token")] = platform.token
        clock = Days(START)
        with open_site(config, clock) as site:
            assert not any(made.problem for made in provision(site, ["salesforce"]))
        sandbox.inject(*_faults(share))
        ordered = sum(fault.times for fault in sandbox.faults())
        day = 0
        for at, name in takewhile(lambda due: due[0] < START + timedelta(days=days), jobs.timetable(config, START)):
            while at - START >= timedelta(days=day + 1):
                day += 1
                _measure(lived, config)
                told(day, lived)
            clock.set(at)
            sandbox.advance(at)
            lived.due.append((at, name))
            jobs.attempt(config, clock, name, jobs.entries(config)[name].job)
        _measure(lived, config)
        told(day + 1, lived)
        lived.struck = ordered - sum(fault.times for fault in sandbox.faults())
        lived.calls = sum(sandbox.calls().values())
        sandbox.clear_faults()
        lived.unwritten = _unwritten(config, clock)
        with open_site(config, clock, alone=False) as site:
            ended = [run for run in runs.last(site.db, 10**6) if run.verdict]
        lived.booked = [run.as_of for run in ended]
        lived.written = sum(each["contacts"] for run in ended for each in run.summary["written"].values())
    return lived


def _faults(share: float) -> list[Fault]:
    """On every platform each kind of fault, so that together they hit `share` of the calls."""
    return [
        Fault(platform, ".", kind, times=10**6, rate=share / len(KINDS), seed=SEED + number, status=503)
        for platform in ("hubspot", "mailchimp", "salesforce")
        for number, kind in enumerate(KINDS)
        if share
    ]


def _measure(lived: Lived, config: Config) -> None:
    lived.megabytes.append(store_path(config).stat().st_size / 1e6)
    lived.resident.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)


def _unwritten(config: Config, clock: Days) -> int:
    """After one undisturbed pull and write: contacts a plan would still change."""
    for name in ("pull", "write", "pull"):
        jobs.attempt(config, clock, name, jobs.entries(config)[name].job)
    with open_site(config, clock) as site:
        return planning.make_plan(site.db, site.config, site.connectors, clock.now()).size


def main() -> None:
    logging.disable(logging.WARNING)
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    print(f"{days} days from {START:%Y-%m-%d}, faults on {SHARE:.0%} of the calls, seed {SEED}")
    print(f"{'day':>4} {'jobs done':>10} {'store MB':>9} {'memory MB':>10}")

    def told(day: int, lived: Lived) -> None:
        if day % 5 == 0:
            print(f"{day:>4} {len(lived.due):>10} {lived.megabytes[-1]:>9.1f} {lived.resident[-1]:>10.0f}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        lived = live(small(200), Path(folder), days, told)
    promised = [at for at, name in lived.due if name in ("score", "train")]
    once = Counter(lived.booked)
    print(f"{lived.struck:,} of {lived.calls:,} calls went wrong")
    print(f"runs that were due: {len(promised)}; in the book exactly once: {sum(once[at] == 1 for at in promised)}")
    print(f"contacts written, each time anew: {lived.written:,}")
    print(f"contacts whose platform does not hold the last computed scores: {lived.unwritten}")


if __name__ == "__main__":
    main()
