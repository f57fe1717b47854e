"""Synthetic shops: people with their own pace, mailings they may answer, and nothing that needs a data set."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from scoring.snapshots import Snapshots
from scoring.tables import DAY, Tables

START = 1_600_000_000_000_000
"""Some instant in 2020, µs UTC."""


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small fits get slower, not faster, when several test processes fight for the cores."""
    with threadpool_limits(1):
        yield


@dataclass
class Facts:
    """Rows to make Tables of; days count from START."""

    people: list[tuple[int, int]] = field(default_factory=list)
    activities: list[tuple[int, str, int, int | None, bool]] = field(default_factory=list)

    def person(self, person_id: int, since_day: float = 0.0) -> None:
        self.people.append((person_id, START + round(since_day * DAY)))

    def add(self, person_id: int, kind: str, day: float, amount: int | None = None, *, machine: bool = False) -> None:
        self.activities.append((person_id, kind, START + round(day * DAY), amount, machine))

    def tables(self) -> Tables:
        person, kind, at, amount, machine = zip(*self.activities, strict=True) if self.activities else ((),) * 5
        activities = pa.table(
            {
                "person_id": pa.array(person, pa.int64()),
                "kind": pa.array(kind, pa.string()),
                "at": pa.array(at, pa.int64()),
                "amount": pa.array(amount, pa.int64()),
                "campaign": pa.array([None] * len(person), pa.string()),
                "machine": pa.array(machine, pa.bool_()),
            }
        )
        ids, since = zip(*self.people, strict=True) if self.people else ((), ())
        people = pa.table({"person_id": pa.array(ids, pa.int64()), "since": pa.array(since, pa.int64())})
        engine = duckdb.connect()
        return Tables(nw.from_native(engine.from_arrow(activities)), nw.from_native(engine.from_arrow(people)))


def _shop(people: int, days: int, seed: int, pace_spread: float) -> Facts:
    """People order at their own constant pace (mean every 40 days), a tenth stop for good each quarter when paces
    differ at all; every 30 days most are mailed, and some have a habit of answering.
    """
    rng = np.random.default_rng(seed)
    facts = Facts()
    for person_id in range(people):
        pace = 40.0 * float(np.exp(pace_spread * rng.normal()))
        stops = float(rng.exponential(900)) if pace_spread else float("inf")
        answers = float(rng.beta(0.4, 3)) if pace_spread else 0.1
        facts.person(person_id)
        day = float(rng.uniform(0, pace))
        while day < min(days, stops):
            facts.add(person_id, "order", day, int(1000 * np.exp(0.5 * rng.normal()) * (60 / (pace + 20))))
            day += float(rng.exponential(pace))
        for mailed in range(10, days, 30):
            if rng.random() < 0.8:
                facts.add(person_id, "send", mailed)
                if rng.random() < answers:
                    facts.add(person_id, "response", mailed + 1.5)
    return facts


@pytest.fixture
def facts() -> Facts:
    return Facts()


@pytest.fixture(scope="session")
def shop() -> Callable[..., Facts]:
    """Make a shop: shop(people, days, seed, pace_spread); a spread of 0 makes everybody alike."""

    def make(people: int = 600, days: int = 330, seed: int = 1, pace_spread: float = 0.9) -> Facts:
        return _shop(people, days, seed, pace_spread)

    return make


@pytest.fixture(scope="session")
def tables(shop: Callable[..., Facts]) -> Tables:
    """600 people over 330 days."""
    return shop().tables()


@pytest.fixture(scope="session")
def past(tables: Tables) -> Snapshots:
    """What was known of these 600 people on day 300."""
    return Snapshots(tables, START + 300 * DAY)


@pytest.fixture(scope="session")
def at() -> Callable[[float], int]:
    """The instant (µs UTC) of a day after the start."""
    return lambda day: START + round(day * DAY)


@pytest.fixture(scope="session")
def columns() -> Callable[[nw.LazyFrame, Sequence[str]], dict[int, dict[str, float]]]:
    """Rows of a frame by person."""

    def read(frame: nw.LazyFrame, names: Sequence[str]) -> dict[int, dict[str, float]]:
        rows = frame.select("person_id", *names).collect("pyarrow").to_native().to_pylist()
        return {row["person_id"]: row for row in rows}

    return read
