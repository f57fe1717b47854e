"""Points to kill foretag at, stage by stage, and what each of them does to facts, scores and platforms."""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import records
from benchmarks.crash_site import CrashSite, Ran
from sandbox.server import Saved
from sync.store.migrations import MIGRATIONS

PLAN, COPY = "<the plan>", "<the copy>"
"""Stand in a command for a file that was made before."""
COMMANDS: Mapping[str, Sequence[str]] = {
    "provision": ("provision",),
    "pull": ("pull", "--json"),
    "score": ("score",),
    "plan": ("plan",),
    "apply": ("apply", PLAN, "--yes"),
    "undo": ("undo", "--run", "1", "--yes"),
    "backup": ("backup", "create"),
    "restore": ("backup", "restore", COPY, "--yes"),
    "migration": ("status",),
}
"""What each stage does, in their order. `status` opens the store, which brings an old one to the newest schema."""
CHANGES_PENDING = 2
STARTS = 4
"""How often a command is started again at most."""
_UNDONE = "was undone already"


@dataclass(frozen=True)
class Stage:
    """One command, from where it starts to where it ends when nothing goes wrong."""

    name: str
    saved: Saved = field(repr=False)
    data: Path
    """What is in the data folder before."""
    before: Mapping[records.Place, Any] = field(repr=False)
    end: Mapping[records.Place, Any] = field(repr=False)
    """Platforms and data folder afterwards."""
    calls: int
    commits: int
    read: int
    """Rows that are stored and held nothing new."""


@dataclass(frozen=True, order=True)
class Point:
    """An instant to die at: before or after the n-th call took effect, or the n-th commit."""

    stage: str
    kind: str
    number: int
    after: bool

    @property
    def row(self) -> str:
        """Its row in the table."""
        return f"{self.kind}, {'after' if self.after else 'before'} it {'lasts' if self.kind == 'commit' else 'acts'}"


@dataclass
class Found:
    """What became of one point."""

    point: Point
    died: bool
    starts: int = 0
    """How often the command was started again until it was done."""
    counts: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    """Rows that were asked for again, by stream."""
    examples: list[str] = field(default_factory=list)
    """Something of what is not as it should be."""


def stages(site: CrashSite, folder: Path, wanted: Sequence[str] = tuple(COMMANDS)) -> Iterator[Stage]:
    """Go through all commands once, undisturbed, and keep where each of the `wanted` started and ended."""
    site.set_up()
    for name in COMMANDS:
        if name == "migration":
            age(site.store)
        data = folder / name
        if site.data.exists():
            shutil.copytree(site.data, data)
        saved, before = site.sandbox.save(), site.values()
        site.witness.watch()
        ran = _once(site, name)
        if not _is_done(name, ran):
            raise RuntimeError(f"foretag {name} ended with {ran.code}: {ran.err}")
        if name in wanted:
            yield Stage(
                name, saved, data, before, site.state(), site.witness.calls, ran.commits, _nothing_new(name, ran)
            )


def age(store: Path) -> None:
    """Make a store one of the first schema, with all its rows as far as that has a place for them."""
    new = store.with_name("new.sqlite")
    store.rename(new)
    with closing(sqlite3.connect(store, isolation_level=None)) as db:
        db.execute("ATTACH ? AS new", (str(new),))
        db.execute("BEGIN")
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        for (table,) in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall():
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - our names
            db.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")  # noqa: S608 - our names
        db.execute("PRAGMA main.user_version = 1")
        db.execute("COMMIT")
    for path in store.parent.glob("new.sqlite*"):
        path.unlink()


def points(known: Sequence[Stage], count: int, seed: int) -> list[Point]:
    """`count` points drawn from all there are: every stage and kind gives as many, as far as it has them."""
    dice = Random(seed)
    pools: list[list[Point]] = []
    for stage in known:
        for kind, most in (("call", stage.calls), ("commit", stage.commits)):
            for after in (False, True):
                pool = [Point(stage.name, kind, number, after) for number in range(1, most + 1)]
                dice.shuffle(pool)
                pools.append(pool)
    drawn: list[Point] = []
    while len(drawn) < count and any(pools):
        drawn.extend(pool.pop() for pool in pools if pool)
    return sorted(drawn[:count])


def killed(site: CrashSite, stage: Stage, point: Point) -> Found:
    """Die at the point, start again until the command is done, and compare."""
    site.set_up(stage.saved, stage.data)
    site.witness.watch(point.number if point.kind == "call" else 0, acts=point.after)
    at_commit = (-point.number if point.after else point.number) if point.kind == "commit" else 0
    first = _once(site, stage.name, at_commit)
    found = Found(point, first.code < 0)
    rows, written = set(site.witness.rows), set(site.witness.written)
    site.witness.watch()
    last = first
    while found.starts < STARTS and (last is first or not _is_done(stage.name, last)):
        found.starts += 1
        last = _again(site, stage.name, found.starts)
    if not _is_done(stage.name, last):
        found.counts["wrong"] += 1
        found.examples.append(f"ends with {last.code}: {last.err.strip()[-300:]}")
    _compare(stage, site, found)
    if stage.name in ("pull", "undo"):
        found.again = site.witness.again(rows)
    if stage.name == "pull":
        found.counts["rows stored twice"] = _nothing_new(stage.name, last) - stage.read
    found.counts["values written twice"] = sum(site.witness.written[each] for each in written)
    return found


def _once(site: CrashSite, name: str, kill_at: int = 0, minutes: int = 0) -> Ran:
    words = [_file(site, word) for word in COMMANDS[name]]
    return site.run(*words, kill_at=kill_at, minutes=minutes)


def _file(site: CrashSite, word: str) -> str:
    if word == PLAN:
        return str(site.newest_plan())
    if word == COPY:
        return str(next((site.data / "backups").glob("*.sqlite")))
    return word


def _again(site: CrashSite, name: str, start: int) -> Ran:
    """The same command, as a human would give it again; a copy gets its name from the minute."""
    return _once(site, name, minutes=start if name in ("backup", "restore") else 0)


def _is_done(name: str, ran: Ran) -> bool:
    if name == "undo" and _UNDONE in ran.err:
        return True
    return ran.code == (CHANGES_PENDING if name == "plan" else 0)


def _nothing_new(name: str, ran: Ran) -> int:
    if name != "pull":
        return 0
    told = json.loads(ran.out)
    return sum(
        each["contacts"] + each["activities"] - each["contacts_changed"] - each["activities_new"] for each in told
    )


def _compare(stage: Stage, site: CrashSite, found: Found) -> None:
    """Count what is lost, wrong, there twice, and what is different that must never be."""
    state, now = site.state(), site.values()
    there, due = ({place[:3] for place in each} for each in (state, stage.end))
    both = there & due
    wrong = {place for place in stage.end if place[:3] in both and state.get(place) != stage.end[place]}
    consent = {
        place for place in stage.before.keys() | now.keys()
        if records.CONSENT.search(place[-1]) and stage.before.get(place) != now.get(place)
    }  # fmt: skip
    for what, places in (
        ("lost", due - there),
        ("wrong", wrong),
        ("duplicated", there - due),
        ("consent", consent),
        ("foreign", records.foreign(stage.before, now)),
    ):
        found.counts[what] += len(places)
        found.examples += [f"{what}: {' / '.join(place)}" for place in sorted(places)[:3]]
