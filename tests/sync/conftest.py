from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from connectors.contract import Capabilities, Change, FieldSpec, Finding, Outcome, Page, Result
from connectors.errors import ConnectorError
from sync.clock import FixedClock
from sync.config import Config
from sync.site import Site
from sync.store.database import open_store
from sync.store.scores import Standing

NOW = datetime(2017, 9, 30, 12, tzinfo=UTC)


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
    capabilities = Capabilities(write_batch=2, read_batch=2, tags_cost_calls=False)
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
        return [] if self.provisioned else ["the field ft_segment is missing"]

    def provision(self, fields: Sequence[FieldSpec]) -> list[str]:
        self.provisioned = self.provision_works
        return ["ft_segment"]

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
    return site


@pytest.fixture
def site(tmp_path, platform: FakePlatform) -> Iterator[Site]:
    site = make_site(tmp_path, platform)
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

    return Helpers
