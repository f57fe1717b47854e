"""Pulling and writing beside other people's tools, on the sandbox: calls, seconds, seconds of processor.

10,000 invented contacts on each platform. The sandbox counts the calls; it runs in a process of its own, with the
platforms' rate limits on, and answers at once or 100 ms later. Everyone starts as a new process and reads the same
contacts; foretag stores them in its database, the taps print them. Seconds are of this machine, calls are exact.
Run: make bench-peers bench-sync
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import sleep

from benchmarks.bound import BURST_SECONDS, chain, most_seconds
from benchmarks.changes import change_one
from benchmarks.measure import Timing
from benchmarks.ours import Foretag
from benchmarks.peers.drt import MODELS, Writes
from benchmarks.peers.taps import Pulls, tap_for
from benchmarks.served import Served, served
from sandbox.people import PLATFORMS, Platform

BEGIN = datetime(2018, 7, 1, tzinfo=UTC)
"""By then everything of the invented year has happened, so that only what the benchmark changes is new."""
FULL_WITH_ACTIVITIES = "all three at once: full pull with activities"
AGAIN_WITH_ACTIVITIES = "all three at once: again, none changed"
WRITTEN = {"hubspot": "contacts", "mailchimp": None, "salesforce": "Contact"}
"""The object whose contacts are written to; None for whatever there is."""
Run = Callable[[], tuple[Timing, int]]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    who: str
    calls: int
    took: Timing
    rows: int
    serving: float
    """What the sandbox used of the processor meanwhile, seconds."""
    most: float | None = None
    """The bound, where there is one, seconds."""


class Bench:
    """All lines at one latency. A day of the sandbox passes between two steps."""

    def __init__(self, sandbox: Served, latency: float, folder: Path, asked: argparse.Namespace) -> None:
        self._sandbox, self._latency, self._folder, self._asked = sandbox, latency, folder, asked
        self._now, self._folders = BEGIN, 0

    def rows(self) -> Iterator[Row]:
        """Each is measured when it is asked for."""
        ours = Foretag(self._sandbox, self._new_folder())
        yield self._measured(FULL_WITH_ACTIVITIES, "foretag", partial(ours.pull, self._now), "hubspot")
        yield self._measured(AGAIN_WITH_ACTIVITIES, "foretag", partial(ours.pull, self._tomorrow()))
        for platform in PLATFORMS:
            yield from self._platform(platform)

    def _platform(self, platform: Platform) -> Iterator[Row]:
        token = self._sandbox.tokens[platform]
        tap = tap_for(platform, token)
        pulls = None if self._asked.alone else Pulls(tap, self._sandbox.url, self._new_folder())
        ours = Foretag(self._sandbox, self._new_folder(), (platform,))

        def both(what: str, run_ours: Run, *, full: bool = False) -> list[Row]:
            rows = [self._measured(f"{platform}: {what}", "foretag", run_ours, platform if full else None)]
            if pulls:
                rows.append(self._measured(f"{platform}: {what}", tap.name, partial(pulls.run, full=full)))
            return rows

        rounds = []
        for _ in range(self._asked.repeat):
            ours = Foretag(self._sandbox, self._new_folder(), (platform,))
            first = both("full pull", partial(ours.pull_contacts, self._now), full=True)
            change_one(platform, self._sandbox.url, token, f"Changed {self._now:%j}")
            second = both("pull, 1 changed", partial(ours.pull_contacts, self._tomorrow()))
            third = both("pull, none changed", partial(ours.pull_contacts, self._tomorrow()))
            rounds.append((*first, *second, *third))
        yield from map(_quickest, zip(*rounds, strict=True))
        yield from self._writes(platform, ours)

    def _writes(self, platform: Platform, ours: Foretag) -> Iterator[Row]:
        contacts = ours.contacts(WRITTEN[platform], self._asked.updates)
        ours.provision(self._now)  # makes the fields, for drt too; that is not measured
        plan = ours.plan(self._now, platform, contacts)
        theirs = None
        if platform in MODELS and not self._asked.alone:
            token = self._sandbox.tokens[platform]
            theirs = Writes(platform, contacts, self._sandbox.url, token, self._new_folder())
        for what in (f"{platform}: {len(contacts):,} updates", f"{platform}: the same again"):
            yield self._measured(what, "foretag", partial(ours.apply, self._now, plan))
            if theirs:
                yield self._measured(what, "drt", theirs.run)

    def _measured(self, what: str, who: str, run: Run, chained: Platform | None = None) -> Row:
        """`chained` is the platform whose paging holds a full pull up longest; it gives the bound."""
        if what.startswith("hubspot"):
            sleep(BURST_SECONDS)  # what was measured before must not count against HubSpot's rate
        self._sandbox.take_calls()
        served_before = self._sandbox.cpu_seconds()
        took, rows = run()
        serving, calls = self._sandbox.cpu_seconds() - served_before, self._sandbox.take_calls()
        most = None
        if chained:
            most = most_seconds(chain(chained, self._asked.people), self._latency, serving, calls)
        return Row(what, who, calls.total(), took, rows, serving, most)

    def _tomorrow(self) -> datetime:
        self._now += timedelta(days=1)
        self._sandbox.move(self._now)
        return self._now

    def _new_folder(self) -> Path:
        self._folders += 1
        made = self._folder / str(self._folders)
        made.mkdir()
        return made


def _quickest(rows: Sequence[Row]) -> Row:
    return min(rows, key=lambda row: row.took.wall)


def show(row: Row) -> None:
    """One line of the table, in Markdown."""
    most = f"{row.most:.1f}" if row.most else ""
    numbers = f"{row.calls:,} | {row.took.wall:.1f} | {most} | {row.took.cpu:.1f} | {row.serving:.1f} | {row.rows:,}"
    print(f"| {row.what} | {row.who} | {numbers} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000, help="contacts on each platform")
    parser.add_argument("--updates", type=int, default=1_000, help="contacts written to")
    parser.add_argument("--repeat", type=int, default=3, help="rounds of pulls; the quickest is shown")
    parser.add_argument("--latency", type=float, nargs="*", default=[0.0, 0.1], help="seconds before each answer")
    parser.add_argument("--alone", action="store_true", help="foretag without the others")
    asked = parser.parse_args()
    for latency in asked.latency:
        print(f"\n### {latency * 1000:.0f} ms before each answer, {asked.people:,} contacts on each platform\n")
        print("| what | who | calls | s | at most | s of processor | of the sandbox | rows |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        with served(BEGIN, asked.people, latency) as sandbox, tempfile.TemporaryDirectory() as folder:
            for row in Bench(sandbox, latency, Path(folder), asked).rows():
                show(row)


if __name__ == "__main__":
    main()
