"""One stage for every adapter: a running sandbox, a connector on it, and a hand that acts on the platform by itself.

An adapter takes part in every test of this folder by its line in `ADAPTERS`: on the sandbox, where `hand_<name>.py`
says what people do on the platform, and on answers written by hand, which are in `answers_<name>.py` and, for the
streams beside the first one, in `happenings_<name>.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connectors import open_connector
from connectors.contract import Account, Change, FieldSpec, FieldType, Outcome, Page
from connectors.records import Contact
from sandbox.people import World
from sandbox.server import Sandbox
from sandbox.world import small

DATE = datetime(2017, 8, 1, tzinfo=UTC)
FIELDS = (
    FieldSpec("buy_score", "BUY", "Buy score", FieldType.NUMBER, "How likely the next order is."),
    FieldSpec("segment", "SEGMENT", "Segment", FieldType.CHOICE, "The one group.", ("Loyal", "New", "Lost")),
    FieldSpec("tags", "TAGS", "Tags", FieldType.TAGS, "What stands out.", ("Big", "Quiet", "Soon")),
    FieldSpec("why", "WHY", "Reasons", FieldType.TEXT, "Why the score is what it is."),
    FieldSpec("scored_on", "ON", "Scored on", FieldType.DATE, "The day of the score."),
    FieldSpec("control", "CTRL", "Control group", FieldType.YES_NO, "Left alone for comparison."),
)
VALUES = {
    "buy_score": 41.37,
    "segment": "Loyal",
    "tags": ("Big", "Soon"),
    "why": "Ordered 3 times, last in June",
    "scored_on": "2017-08-01",
    "control": True,
}
ADAPTERS = ("hubspot", "hubspot 2026-09", "mailchimp", "salesforce")
"""The adapters under test: the first word names the files, the others are what their classes are made with."""


class Stage:
    """One account on a sandbox of its own. Waiting is over at once."""

    def __init__(self, sandbox: Sandbox, hand: Any) -> None:
        self.sandbox, self.hand = sandbox, hand
        self._ticks = count()
        self.slept = 0.0

    def connect(self, token: str | None = None, *, provision: bool = True, cleanup: bool = False) -> Any:
        """A new connector, as after a restart."""
        account = Account(
            self.hand.kind,
            "shop",
            token or self.sandbox.platform(self.hand.kind).token,
            self.sandbox.url + self.hand.base,
            self.hand.options,
            fields=FIELDS,
            provision=provision,
            cleanup=cleanup,
        )
        return open_connector(account, sleep=self._sleep, monotonic=lambda: next(self._ticks) / 1000 + self.slept)

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds

    @property
    def now(self) -> datetime:
        """A little after the sandbox's date: each of its stamps is a millisecond later than the one before."""
        return self.sandbox.clock.date + timedelta(minutes=1)

    def wait(self, hours: float = 1) -> None:
        """Let time pass in which nothing happens by itself."""
        self.sandbox.clock.set(self.sandbox.clock.date + timedelta(hours=hours))

    def pages(self, stream: str, cursor: str | None = None, connector: Any = None) -> list[Page]:
        return list((connector or self.connect()).pull(stream, cursor, self.now))

    def read(self, cursors: Mapping[str, str] | None = None) -> tuple[list[Contact], dict[str, str]]:
        """The contacts of all streams that have any, behind the cursors given, and the cursors behind them."""
        connector, contacts, after = self.connect(), [], {}
        for stream in connector.capabilities.contact_streams:
            pages = self.pages(stream, (cursors or {}).get(stream), connector)
            contacts += [contact for page in pages for contact in page.contacts]
            after[stream] = pages[-1].cursor
        return contacts, after

    def told(self, cursors: Mapping[str, str] | None = None) -> dict[str, Contact]:
        """The contacts by id."""
        return {contact.id: contact for contact in self.read(cursors)[0]}

    def people(self) -> list[Contact]:
        """Those who may be written to, in the order of their ids."""
        return sorted((contact for contact in self.read()[0] if contact.writable), key=lambda contact: contact.id)

    def write(self, changes: list[Change], connector: Any = None) -> list[Outcome]:
        return [outcome for batch in (connector or self.connect()).write(changes) for outcome in batch]

    def records(self) -> dict[str, Any]:
        """All that is on the platform but for the moments it was last written at."""
        snapshot = self.sandbox.snapshot()[self.hand.kind]
        return {
            kind: {id_: {n: v for n, v in row.items() if n not in self.hand.stamps} for id_, row in rows.items()}
            for kind, rows in snapshot.items()
        }


def change(contact: Contact, after: Mapping[str, Any] = VALUES) -> Change:
    """New values for a contact as it was read."""
    before = {key: contact.owned.get(key) for key in after}
    return Change(contact.object, contact.id, contact.email, after, before)


@cache
def class_of(file: str, name: str) -> Any:
    """The class `name` in a file beside this one; importlib mode has no package to import it from."""
    spec = spec_from_file_location(f"contract_{file}", Path(__file__).parent / f"{file}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> list[str]:
    """The adapter under test, and what to make its hand or answers with."""
    return list(request.param.split())


@pytest.fixture
def hand_of(adapter: list[str]) -> Callable[[Sandbox], Any]:
    """The hand of the adapter that is under test, on a sandbox."""
    name, *more = adapter
    return lambda sandbox: class_of(f"hand_{name}", "Hand")(sandbox, *more)


@pytest.fixture
def answers(adapter: list[str]) -> Any:
    """What the platform of the adapter that is under test answers, without a sandbox."""
    name, *more = adapter
    return class_of(f"answers_{name}", "Answers")(*more)


@pytest.fixture(scope="session")
def world() -> World:
    return small(45)


@pytest.fixture
def open_stage(adapter: list[str], hand_of: Any) -> Iterator[Callable[..., Stage]]:
    """Opens a stage on a world of one's choice."""
    running: list[Sandbox] = []

    def opened(world: World, date: datetime = DATE, *, limits: bool = False) -> Stage:
        sandbox = Sandbox(world, date, platforms=[adapter[0]], limits=limits)
        running.append(sandbox)
        sandbox.start()
        return Stage(sandbox, hand_of(sandbox))

    yield opened
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def stage(open_stage: Any, world: World) -> Stage:
    """Fifteen to thirty contacts, and what they did."""
    opened: Stage = open_stage(world)
    return opened


@pytest.fixture
def ready(stage: Stage) -> Stage:
    """The same with our fields made."""
    stage.connect().provision(FIELDS)
    return stage


@pytest.fixture
def page_size(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many rows a page holds, on the adapter's side and, where that decides, on the platform's."""

    def set_to(rows: int) -> None:
        for setting in stage.hand.page_sizes:
            monkeypatch.setattr(setting, rows)

    return set_to


@pytest.fixture(scope="session")
def given() -> Any:
    """What the tests of this folder share."""

    class Given:
        date, fields, values = DATE, FIELDS, VALUES
        change = staticmethod(change)
        class_of = staticmethod(class_of)

    return Given
