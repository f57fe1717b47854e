from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from shutil import copyfile

import pytest

from connectors.contract import Capabilities, Change, FieldSpec, Finding, Held, Outcome, Page, Result
from connectors.errors import ConnectorError, Stop
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync import cycle
from sync.clock import FixedClock
from sync.config import Config
from sync.progress import Silent
from sync.site import Site
from sync.store import facts, people
from sync.store.database import open_store
from sync.store.exclusion import exclude
from sync.store.scores import Standing

NOW = datetime(2017, 9, 30, 12, tzinfo=UTC)
QUICK = {"model": {"candidates": ["rules", "logistic"], "train_on_growth": 0}, "schedule": {"train": "0 3 1 1 *"}}
"""Trains in half the time, and not again before the new year."""


@dataclass
class FakePlatform:
    """A platform in memory: pages to pull, values written by contact, and errors to raise on the way."""

    kind: str = "hubspot"
    pages: dict[str, list[Page]] = field(default_factory=lambda: {"contacts": []})
    stored: dict[str, dict[str, object]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """What to answer for a contact instead of writing it."""
    fail_stream: dict[str, Exception] = field(default_factory=dict)
    """Raised after the stream's pages."""
    fail_write_after: int | None = None
    provisioned: bool = True
    provision_works: bool = True
    calls: Counter[str] = field(default_factory=Counter)
    live: dict[str, dict[str, object]] = field(default_factory=dict)
    """What contacts hold that somebody else has changed."""
    gone: set[str] = field(default_factory=set)
    lists: dict[str, set[str]] = field(default_factory=dict)
    """Who is on a list, by its name."""
    capabilities = Capabilities(write_batch=2, read_batch=2)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def streams(self) -> tuple[str, ...]:
        return tuple(self.pages)

    def check(self) -> list[Finding]:
        return [Finding("ok", "here")]

    def pull(self, stream: str, cursor: str | None, until: datetime) -> Iterator[Page]:
        self.asked.append((stream, cursor))
        for page in self.pages[stream]:
            self.calls["read"] += 1
            yield page
        if stream in self.fail_stream:
            raise self.fail_stream[stream]

    def drift(self, fields: Sequence[FieldSpec]) -> list[str]:
        return [] if self.provisioned else ["the field ft_segment is missing: foretag provision makes it"]

    def provision(self, fields: Sequence[FieldSpec]) -> list[str]:
        self.provisioned = self.provision_works
        return ["ft_segment"]

    def package(self, fields: Sequence[FieldSpec]) -> dict[str, str]:
        return {"README.txt": ", ".join(spec.key for spec in fields)}

    def held(self, changes: Sequence[Change]) -> Iterator[list[Held]]:
        for start in range(0, len(changes), self.capabilities.read_batch):
            self.calls["held"] += 1
            batch = changes[start : start + self.capabilities.read_batch]
            yield [Held(each.object, each.id, self._live(each)) for each in batch if each.id not in self.gone]

    def _live(self, change: Change) -> dict[str, object]:
        live = self.live.get(change.id, self.stored.get(change.id, change.before))
        return {key: value for key, value in live.items() if value not in (None, "", ())}

    def members(self, name: str) -> Iterator[str]:
        self.calls["members"] += 1
        if name not in self.lists:
            raise Stop(f'there is no list "{name}"')
        yield from self.lists[name]

    def predict_calls(self, changes: Sequence[Change]) -> int:
        return -(-len(changes) // 2)

    def write(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        for start in range(0, len(changes), 2):
            if self.fail_write_after is not None and start >= self.fail_write_after:
                raise ConnectorError("the platform is on fire")
            self.calls["write"] += 1
            yield [self._write(change) for change in changes[start : start + 2]]

    def _write(self, change: Change) -> Outcome:
        if change.id in self.outcomes:
            return self.outcomes[change.id]
        self.stored.setdefault(change.id, {}).update(change.after)
        return Outcome(change.object, change.id, Result.WRITTEN)


@dataclass
class _Provisioner:
    """What makes the fields of a platform."""

    platform: FakePlatform
    calls: Counter[str] = field(default_factory=Counter)

    def provision(self, fields: Sequence[FieldSpec]) -> list[str]:
        return self.platform.provision(fields)


def standing(person: int, segment: str = "Loyal", score: float = 50.0, **fields: object) -> Standing:
    values = {
        "buy_score": score,
        "segment": segment,
        "tags": [segment],
        "reasons": f"score {score:g}",
        "control_group": False,
        **fields,
    }
    return Standing(person, segment, {}, values, {})


def make_config(tmp_path, **more) -> Config:
    base = {"timezone": "Europe/Berlin", "mode": "full", "data_dir": str(tmp_path / "data"), "hubspot": [{}]}
    return Config.model_validate({**base, **more})


@pytest.fixture
def config(tmp_path) -> Config:
    return make_config(tmp_path)


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform()


def make_site(folder, platform: FakePlatform, **more) -> Site:
    config = make_config(folder, **more)
    site = Site(config, FixedClock(NOW), open_store(config.data_dir / "foretag.sqlite"))
    site.__dict__["connectors"] = {"hubspot": platform}
    site.provisioners["hubspot"] = _Provisioner(platform)
    return site


@pytest.fixture
def site(tmp_path, platform: FakePlatform) -> Iterator[Site]:
    site = make_site(tmp_path, platform)
    yield site
    site.db.close()


def shoppers(count: int = 300, days: int = 390, seed: int = 1, start: datetime | None = None) -> dict[str, list[Page]]:
    """Two streams of people who order at a pace of their own, some of whom stop, and who are mailed every month.

    They begin 330 days before NOW, so that by default 60 days of what comes after NOW are told too.
    """
    dice = Random(seed)
    start = start or NOW - timedelta(days=330)
    contacts, activities = [], []
    for number in range(1, count + 1):
        pace, stops = 40 * dice.lognormvariate(0, 0.9), dice.expovariate(1 / 900)
        email = f"p{number}@shop.example"
        contacts.append(Contact("contacts", str(number), email, Consent.GRANTED, start, properties={"n": number}))
        done = [("order", day) for day in _days(dice, pace, min(days, stops))]
        for mailed in range(10, days, 30):
            done.append(("send", mailed))
            if dice.random() < 0.15 + 0.2 * (pace < 30):
                done.append(("response", mailed + 1.5))
        for place, (kind, day) in enumerate(done):
            amount = int(dice.lognormvariate(8, 0.5)) if kind == "order" else None
            at = start + timedelta(days=day)
            activities.append(
                Activity(f"a{number}-{place}", ActivityKind(kind), at, str(number), amount=amount, currency=None)
            )
    return {
        "contacts": [Page("contacts", "c1", tuple(contacts))],
        "orders": [Page("orders", "o1", (), tuple(activities))],
    }


def _days(dice: Random, pace: float, end: float) -> Iterator[float]:
    day = dice.uniform(0, pace)
    while day < end:
        yield day
        day += dice.expovariate(1 / pace)


def fill(site: Site, pages: dict[str, list[Page]], at: datetime = NOW) -> None:
    """What a pull does with these pages, without a platform."""
    for stream in pages.values():
        for page in stream:
            facts.save_page(site.db, "hubspot", page, at)
    people.resolve(site.db)
    exclude(site.db, site.config)


@pytest.fixture(scope="session")
def _first_run(tmp_path_factory) -> Path:
    """The store after the first run over 300 shoppers; training takes seconds, so it is done once."""
    platform = FakePlatform(pages=shoppers())
    site = make_site(tmp_path_factory.mktemp("first"), platform, **QUICK)
    assert cycle.run(site, Silent()).verdict == "ok"
    site.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    site.db.close()
    return site.store


@pytest.fixture
def shop(tmp_path, platform: FakePlatform, _first_run: Path) -> Iterator[Site]:
    """300 shoppers after their first run at NOW; the store already holds what they do in the 60 days after it."""
    target = tmp_path / "data" / _first_run.name
    target.parent.mkdir()
    copyfile(_first_run, target)
    site = make_site(tmp_path, platform, **QUICK)
    yield site
    site.db.close()


@pytest.fixture(scope="session")
def helpers() -> object:
    """What tests of this folder share; importlib mode has no package to import it from."""

    class Helpers:
        now = NOW
        Platform = FakePlatform
        standing = staticmethod(standing)
        config = staticmethod(make_config)
        site = staticmethod(make_site)
        shoppers = staticmethod(shoppers)
        fill = staticmethod(fill)

    return Helpers
