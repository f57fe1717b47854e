"""How good a model was in its test, as plain values: shares and probabilities 0…1."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Self


@dataclass(frozen=True)
class Interval:
    """A measured value with the range it likely lies in (95 %)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Metrics:
    """What a test on later dates measured; None where a metric has no meaning for the objective.

    Precision, recall and f1 are those of flagging the top 20 %; capture is the share of outcomes found in them.
    The last three are for money, `mae` in cents.
    """

    auc: Interval | None = None
    lift_10: Interval | None = None
    lift_20: Interval | None = None
    capture_20: Interval | None = None
    precision: Interval | None = None
    recall: Interval | None = None
    f1: Interval | None = None
    brier: Interval | None = None
    log_loss: Interval | None = None
    ece: Interval | None = None
    slope: Interval | None = None
    gini: Interval | None = None
    total_ratio: Interval | None = None
    mae: Interval | None = None

    @classmethod
    def of(cls, measured: Mapping[str, tuple[float, float, float]]) -> Self:
        """From (value, low, high) by name; unknown names and values that are not numbers are left out."""
        names = [name for name in cls.__dataclass_fields__ if name in measured and all(map(isfinite, measured[name]))]
        return cls(**{name: Interval(*measured[name]) for name in names})


@dataclass(frozen=True)
class GainsPoint:
    """Share of people taken, best score first, and share of all outcomes found by model and rule of thumb."""

    people: float
    outcomes: float
    rule: float


@dataclass(frozen=True)
class ReliabilityBin:
    """People with about the same score: mean predicted, share it happened to with its range, how many."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Candidate:
    """One model that was tried, under the name to show."""

    name: str
    metrics: Metrics
    chosen: bool = False


@dataclass(frozen=True)
class Evaluation:
    """The test on dates after those learned from: the chosen model beside the rule of thumb."""

    tested_on: tuple[date, ...]
    rows: int
    outcomes: int
    base_rate: float
    metrics: Metrics
    rule: Metrics
    gains: tuple[GainsPoint, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    candidates: tuple[Candidate, ...] = ()
