"""Shows on the terminal how a run goes on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from connectors.contract import Page

if TYPE_CHECKING:  # foretag pull needs no numpy, which the whole cycle brings along
    from rich.progress import Progress, TaskID

    from sync.cycle import Watcher
    from sync.pull import Pulled

STAGES = {"pull": "reading", "score": "learning and scoring", "plan": "planning", "apply": "writing"}


class Silent:
    """Tells nobody anything."""

    def begin(self, stage: str) -> None:
        """Nothing."""

    def page(self, pulled: "Pulled", page: Page) -> None:
        """Nothing."""


class Timed:
    """Passes everything on to another watcher and measures how long each stage took."""

    def __init__(self, watcher: "Watcher") -> None:
        self._watcher = watcher
        self._begun: list[tuple[str, float]] = []

    def begin(self, stage: str) -> None:
        """The stage before ends here."""
        self._begun.append((stage, perf_counter()))
        self._watcher.begin(stage)

    def page(self, pulled: "Pulled", page: Page) -> None:
        """Passed on."""
        self._watcher.page(pulled, page)

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage so far, the last one until now."""
        ends = [*(at for _, at in self._begun[1:]), perf_counter()]
        return {stage: end - at for (stage, at), end in zip(self._begun, ends, strict=True)}


@contextmanager
def watching(*, quiet: bool = False) -> "Iterator[Watcher]":
    """A watcher with a progress display on stderr; a silent one when `quiet` or when stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bars(progress)


class _Bars:
    """One bar for the stage, and while pulling one for each stream."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._streams: dict[tuple[str, str], TaskID] = {}

    def begin(self, stage: str) -> None:
        """Replace the bars by one for `stage`."""
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._streams.clear()
        self._progress.add_task(STAGES[stage], total=None)

    def page(self, pulled: "Pulled", page: Page) -> None:
        """Move the bar of the page's stream."""
        key = (pulled.account, pulled.stream)
        if key not in self._streams:
            self._streams[key] = self._progress.add_task(f"{pulled.account} {pulled.stream}", total=page.total)
        self._progress.update(self._streams[key], completed=pulled.contacts or pulled.activities, total=page.total)
