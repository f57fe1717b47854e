"""One run at a time over all processes that share a data folder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TextIO

from sync.errors import RunActive

SILENCE = timedelta(minutes=30)
"""Longer than the slowest call with all its retries: who is silent for that long hangs."""
BEAT = timedelta(seconds=1)
"""Pages come faster than anybody looks."""
BOOK = "foretag.lock"
FREE = "{}"
"""What the book says after its last owner has left; empty, somebody is writing in it."""
CUT_OFF = "cut off"
UNCERTAIN = "cut off or still going on"


@dataclass
class Hold:
    """The folder is ours. Who looks at the lock file sees since when, by which process and run, and the last beat."""

    since: datetime
    file: TextIO = field(repr=False)
    run: int | None = None
    shown: datetime | None = field(default=None, repr=False)

    def beat(self, at: datetime, run: int | None = None) -> None:
        """Show a sign of life, once a second at most, and the number of the `run` once it has one."""
        if self.shown and at - self.shown < BEAT and run in (None, self.run):
            return
        self.run, self.shown = run or self.run, at
        told = {"pid": os.getpid(), "host": os.uname().nodename, "run": self.run}
        self._write(json.dumps({**told, "since": self.since.isoformat(), "beat": at.isoformat()}))

    def leave(self) -> None:
        """Show that nobody is at work any more, unless the disk does not let us: no run fails for that."""
        with suppress(OSError):
            self._write(FREE)

    def _write(self, text: str) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.file.write(text)
        self.file.flush()


class Owner(NamedTuple):
    """Who holds the folder, by the book."""

    pid: int
    host: str | None
    run: int | None
    since: datetime
    beat: datetime


@contextmanager
def only_run(folder: Path, now: datetime) -> Iterator[Hold]:
    """Hold the folder for this process; RunActive, naming the owner, when another one has it.

    The lock is the operating system's: it is gone with the process, however that ended, so a stale one cannot be.
    It is never taken from a process that lives; of one that has been silent for SILENCE the error says so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / BOOK).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise RunActive(_owner(file.read(), now)) from None
        hold = Hold(now, file)
        hold.beat(now)
        try:
            yield hold
        finally:
            hold.leave()


def open_run(folder: Path, run: int, started: datetime, now: datetime) -> str:
    """What to say instead of a verdict of a `run` that has none, by the lock's book. The lock itself is not touched.

    It is cut off unless the book names it, or somebody who came before it `started`, and that process lives. Of a
    process on another machine, or in another container, that cannot be seen. `now` gives the time zone to show.
    """
    try:
        text = (folder / BOOK).read_text(encoding="utf-8")
    except FileNotFoundError:
        return CUT_OFF
    owner = _read(text)
    if owner is None:
        return CUT_OFF if text == FREE else UNCERTAIN
    if owner.run != run and (owner.run or owner.since > started):
        return CUT_OFF
    if owner.host != os.uname().nodename:
        return UNCERTAIN
    if not _lives(owner.pid):
        return CUT_OFF
    since, beat = owner.since.astimezone(now.tzinfo), owner.beat.astimezone(now.tzinfo)
    silent = "" if now - beat < SILENCE else f"; if it hangs: kill {owner.pid}"
    return f"going on since {since:%H:%M} (pid {owner.pid}, last sign of life {beat:%Y-%m-%d %H:%M}{silent})"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True


def _read(text: str) -> Owner | None:
    try:
        told = json.loads(text)
        since, beat = (datetime.fromisoformat(told[key]) for key in ("since", "beat"))
        return Owner(int(told["pid"]), told.get("host"), told["run"], since, beat)
    except (ValueError, KeyError, TypeError):
        return None


def _owner(text: str, now: datetime) -> str:
    """Who holds the lock; `now` gives the time zone that instants are shown in."""
    owner = _read(text)
    if owner is None:
        return "another run is active. Try again when it has ended: foretag status"
    who = f"run {owner.run}" if owner.run else "another run"
    since, beat = owner.since.astimezone(now.tzinfo), owner.beat.astimezone(now.tzinfo)
    active = f"{who} is active since {since:%Y-%m-%d %H:%M} (pid {owner.pid})"
    if now - beat < SILENCE:
        return f"{active}. Try again when it has ended: foretag status"
    return f"{active}, silent since {beat:%H:%M}. If it hangs: kill {owner.pid}; the next run goes on from there"
