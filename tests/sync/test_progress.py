"""What a watcher of a run sees, and how long each stage took."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from connectors.contract import Page
from sync import progress
from sync.progress import STAGES, Silent, Timed, watching
from sync.pull import Pulled


class Recorder(Silent):
    def __init__(self) -> None:
        self.seen: list[object] = []

    def begin(self, stage: str) -> None:
        self.seen.append(stage)

    def page(self, pulled: Pulled, page: Page) -> None:
        self.seen.append((pulled.stream, page.cursor))


def test_timed_passes_everything_on_and_measures_each_stage(monkeypatch) -> None:
    instants = iter([10.0, 13.0, 13.5])
    monkeypatch.setattr(progress, "perf_counter", lambda: next(instants))
    recorder = Recorder()
    timed = Timed(recorder)
    timed.begin("pull")
    timed.page(Pulled("hubspot", "contacts"), Page("contacts", "c1"))
    timed.begin("score")
    assert recorder.seen == ["pull", ("contacts", "c1"), "score"]
    assert timed.seconds() == {"pull": 3.0, "score": 0.5}


@pytest.mark.parametrize("quiet", [True, False])
def test_without_a_terminal_nothing_is_drawn(capsys, quiet) -> None:
    with watching(quiet=quiet) as watcher:
        assert isinstance(watcher, Silent)
        watcher.begin("pull")
        watcher.page(Pulled("hubspot", "contacts"), Page("contacts", "c1"))
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_for_the_stage_and_each_stream() -> None:
    bars = Progress(console=Console(file=io.StringIO(), force_terminal=True))
    shown = progress._Bars(bars)
    shown.begin("pull")
    people, deals = Pulled("hubspot", "contacts", contacts=50), Pulled("hubspot", "deals", activities=7)
    shown.page(people, Page("contacts", "c1", total=200))
    people.contacts = 100
    shown.page(people, Page("contacts", "c2", total=200))
    shown.page(deals, Page("deals", "d1"))
    assert [(task.description, task.completed, task.total) for task in bars.tasks] == [
        ("reading", 0, None),
        ("hubspot contacts", 100, 200),
        ("hubspot deals", 7, None),
    ]
    for stage, words in STAGES.items():
        shown.begin(stage)
        assert [task.description for task in bars.tasks] == [words]
