"""One run at a time over all processes that share a data folder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from sync.errors import RunActive

SILENCE = timedelta(minutes=30)
"""Longer than the slowest call with all its retries: who is silent for that long hangs."""
BEAT = timedelta(seconds=1)
"""Pages come faster than anybody looks."""


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
        told = {"pid": os.getpid(), "run": self.run, "since": self.since.isoformat(), "beat": at.isoformat()}
        self.file.seek(0)
        self.file.truncate()
        self.file.write(json.dumps(told))
        self.file.flush()


@contextmanager
def only_run(folder: Path, now: datetime) -> Iterator[Hold]:
    """Hold the folder for this process; RunActive, naming the owner, when another one has it.

    The lock is the operating system's: it is gone with the process, however that ended, so a stale one cannot be.
    It is never taken from a process that lives; of one that has been silent for SILENCE the error says so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "foretag.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise RunActive(_owner(file.read(), now)) from None
        hold = Hold(now, file)
        hold.beat(now)
        yield hold


def _owner(text: str, now: datetime) -> str:
    """Who holds the lock; `now` gives the time zone that instants are shown in."""
    try:
        told = json.loads(text)
        since, beat = (datetime.fromisoformat(told[key]).astimezone(now.tzinfo) for key in ("since", "beat"))
        who = f"run {told['run']}" if told["run"] else "another run"
        pid = int(told["pid"])
    except (ValueError, KeyError, TypeError):
        return "another run is active. Try again when it has ended: foretag status"
    active = f"{who} is active since {since:%Y-%m-%d %H:%M} (pid {pid})"
    if now - beat < SILENCE:
        return f"{active}. Try again when it has ended: foretag status"
    return f"{active}, silent since {beat:%H:%M}. If it hangs: kill {pid}; the next run goes on from there"
