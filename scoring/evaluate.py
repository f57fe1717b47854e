"""How good predictions were: every number with the interval a resample of the people gives."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.line import slope
from scoring.snapshots import Floats, Ints

DRAWS = 200
_AT_ONCE = 100_000
"""Weights (draws x rows) handled at once: few enough to stay in the cache and in memory."""
FLAGGED = 0.2
"""The share of people a marketer is taken to act on: precision, recall and F1 are about these."""
BINS = 10


@dataclass(frozen=True)
class Interval:
    """A number and its 95 % interval; all NaN when it cannot be told (for example AUC with one outcome only)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bin:
    """People predicted about alike: mean prediction, mean outcome with its 95 % interval, how many."""

    predicted: float
    observed: float
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """Predictions against outcomes. For yes-or-no outcomes `metrics` has auc, brier, log_loss, ece, slope (see
    ledger.Line), precision, recall, f1, lift_10, lift_20, capture_20; for money (cents) gini, total_ratio, mae,
    lift_10, lift_20, capture_20.
    """

    n: int
    outcomes: int
    """Rows with the outcome (with any spend)."""
    base_rate: float
    """Mean outcome: a share, or cents for money."""
    metrics: dict[str, Interval]
    reliability: tuple[Bin, ...]
    gains: tuple[tuple[float, float], ...]
    """(share of people, share of outcomes or money they hold), best predicted first."""
    cuts: tuple[int, ...] = ()
    """The cut-offs (µs UTC) the predictions were made at."""


class _Ranked:
    """Predictions and outcomes, best first. Ties are in seeded random order, so that a tied list is not cut by luck of
    the row order.
    """

    def __init__(self, y: Floats, p: Floats, seed: int) -> None:
        self.order = np.lexsort((np.random.default_rng(seed).random(p.size), -p))
        self.y, self.p = y[self.order], p[self.order]
        self.ties = np.flatnonzero(np.r_[True, np.diff(self.p) != 0])
        self.bins = np.unique(np.linspace(0, p.size, BINS + 1)[:-1].astype(int))
        self.by_outcome = np.argsort(-self.y, kind="stable")
        likely = np.clip(self.p, 1e-12, 1 - 1e-12)
        self.losses = -(self.y * np.log(likely) + (1 - self.y) * np.log(1 - likely))


class _Held:
    """How many people, and how much of the outcome, the best of a ranking hold: one row per row of weights `w`."""

    def __init__(self, y: Floats, w: Floats) -> None:
        self.people = np.cumsum(w, axis=1)
        self.outcome = np.cumsum(w * y, axis=1)
        self.total, self.outcomes = self.people[:, -1], self.outcome[:, -1]

    def captured(self, share: float) -> Floats:
        """Outcomes among the best `share` of the people; who stands across the line counts in part."""
        wanted = share * self.total
        last = np.array([np.searchsorted(row, goal) for row, goal in zip(self.people, wanted, strict=True)])
        draws, before = np.arange(last.size), np.maximum(last - 1, 0)
        started = last > 0
        people = np.where(started, self.people[draws, before], 0.0)
        held = np.where(started, self.outcome[draws, before], 0.0)
        step = self.people[draws, last] - people
        part = np.divide(wanted - people, step, out=np.zeros_like(wanted), where=step > 0)
        captured: Floats = held + part * (self.outcome[draws, last] - held)
        return captured


def evaluate(
    y: Floats, p: Floats, person_ids: Ints, *, seed: int, in_money: bool = False, cuts: tuple[int, ...] = ()
) -> Evaluation:
    """Compare predictions `p` (probabilities, or cents) with outcomes `y`. Raises ValueError when there are no rows."""
    if not y.size:
        raise ValueError("there is nothing to evaluate")
    ranked = _Ranked(y, p, seed)
    measure = _money if in_money else _chances
    everyone = np.ones((1, y.size))
    value = measure(ranked, everyone)
    draws = [measure(ranked, weights.take(ranked.order, axis=1)) for weights in resamples(person_ids, seed)]
    metrics = {
        name: _interval(float(found[0]), np.concatenate([draw[name] for draw in draws]))
        for name, found in value.items()
    }
    held, total = _Held(ranked.y, everyone), float(y.sum()) or 1.0
    return Evaluation(
        n=y.size,
        outcomes=int((y > 0).sum()),
        base_rate=float(y.mean()),
        metrics=metrics if in_money else metrics | {"slope": Interval(*slope(p, y, person_ids))},
        reliability=tuple(_bins(ranked, in_money=in_money)),
        gains=tuple((share, float(held.captured(share)[0]) / total) for share in np.linspace(0, 1, 21).tolist()),
        cuts=cuts,
    )


def resamples(person_ids: Ints, seed: int) -> Iterator[Floats]:
    """DRAWS bootstrap weights per row, some draws (rows of the matrix) at a time.

    People are drawn with replacement, each with all of their rows.
    """
    unique, place = np.unique(person_ids, return_inverse=True)
    rng = np.random.default_rng(seed)
    step = max(_AT_ONCE // place.size, 1)
    for start in range(0, DRAWS, step):
        drawn = [rng.integers(unique.size, size=unique.size) for _ in range(start, min(start + step, DRAWS))]
        counts = np.array([np.bincount(people, minlength=unique.size) for people in drawn], dtype=np.float64)
        yield counts.take(place, axis=1)


def losses(y: Floats, p: Floats, *, in_money: bool) -> Floats:
    """The loss of each row: log-loss, or the Poisson deviance of an amount."""
    if not in_money:
        likely = np.clip(p, 1e-12, 1 - 1e-12)
        loss: Floats = -(y * np.log(likely) + (1 - y) * np.log(1 - likely))
        return loss
    expected = np.maximum(p, 1e-9)
    deviance: Floats = 2 * (np.where(y > 0, y * np.log(np.maximum(y, 1e-9) / expected), 0.0) - y + expected)
    return deviance


def miscalibration(y: Floats, p: Floats) -> float:
    """The calibration error (ECE): mean distance of prediction and outcome over BINS bins of equally many people."""
    ranked = _Ranked(y, p, seed=0)
    return float(np.abs(np.add.reduceat(ranked.y - ranked.p, ranked.bins)).sum() / y.size)


def difference(worse: Floats, better: Floats, person_ids: Ints, seed: int) -> Interval:
    """Mean of `worse - better` (losses row by row), with the paired interval over people."""
    gap = worse - better
    draws = [(weights @ gap) / np.maximum(weights.sum(axis=1), 1.0) for weights in resamples(person_ids, seed)]
    return _interval(float(gap.mean()), np.concatenate(draws))


def gini_difference(y: Floats, better: Floats, worse: Floats, person_ids: Ints, seed: int) -> Interval:
    """Normalised Gini of the amounts `better` minus that of `worse`, with the paired interval over people."""
    everyone = np.ones((1, y.size))
    ranked = [_Ranked(y, p, seed) for p in (better, worse)]

    def gap(weights: Floats) -> Floats:
        one, other = (_normalised(it, weights.take(it.order, axis=1)) for it in ranked)
        return one - other

    draws = [gap(weights) for weights in resamples(person_ids, seed)]
    return _interval(float(gap(everyone)[0]), np.concatenate(draws))


def _normalised(ranked: _Ranked, w: Floats) -> Floats:
    best = ranked.by_outcome
    return _over(_gini(ranked.y, w), _gini(ranked.y[best], w.take(best, axis=1)))


def _chances(ranked: _Ranked, w: Floats) -> dict[str, Floats]:
    y, p = ranked.y, ranked.p
    held = _Held(y, w)
    total, positives = held.total, held.outcomes
    gap = np.add.reduceat(w * (y - p), ranked.bins, axis=1)
    top = held.captured(FLAGGED)
    precision, recall = top / (FLAGGED * total), _over(top, positives)
    return {
        "auc": _auc(ranked, held),
        "brier": w @ (p - y) ** 2 / total,
        "log_loss": w @ ranked.losses / total,
        "ece": np.abs(gap).sum(axis=1) / total,
        "precision": precision,
        "recall": recall,
        "f1": _over(2 * precision * recall, precision + recall),
        "lift_10": _over(held.captured(0.1), 0.1 * positives),
        "lift_20": _over(top, 0.2 * positives),
        "capture_20": recall,
    }


def _auc(ranked: _Ranked, held: _Held) -> Floats:
    """The share of pairs ranked the right way round; a tie is half a pair."""
    ends = np.append(ranked.ties[1:], ranked.p.size) - 1
    won, people = held.outcome[:, ends], held.people[:, ends]
    lost = people - won
    wins = np.diff(won, axis=1, prepend=0.0)
    negatives = held.total - held.outcomes
    below = negatives[:, None] - lost + 0.5 * np.diff(lost, axis=1, prepend=0.0)
    return _over((wins * below).sum(axis=1), held.outcomes * negatives)


def _money(ranked: _Ranked, w: Floats) -> dict[str, Floats]:
    y, p = ranked.y, ranked.p
    held = _Held(y, w)
    money, top = held.outcomes, held.captured(FLAGGED)
    return {
        "gini": _normalised(ranked, w),
        "total_ratio": _over(w @ p, money),
        "mae": w @ np.abs(p - y) / held.total,
        "lift_10": _over(held.captured(0.1), 0.1 * money),
        "lift_20": _over(top, 0.2 * money),
        "capture_20": _over(top, money),
    }


def _gini(y: Floats, w: Floats) -> Floats:
    """Twice the area between the gains curve of this order and the diagonal."""
    held = _Held(y, w)
    middle = held.outcome - 0.5 * w * y
    return 2 * _over((w * middle).sum(axis=1), held.total * held.outcomes) - 1


def _bins(ranked: _Ranked, *, in_money: bool) -> list[Bin]:
    found = []
    for rows in np.split(np.arange(ranked.p.size), ranked.bins[1:])[::-1]:
        predicted, observed = float(ranked.p[rows].mean()), float(ranked.y[rows].mean())
        if in_money:
            half = 1.96 * float(ranked.y[rows].std()) / rows.size**0.5
            low, high = max(observed - half, 0.0), observed + half
        else:
            low, high = wilson(float(ranked.y[rows].sum()), rows.size)
        found.append(Bin(predicted, observed, int(rows.size), low, high))
    return found


def wilson(outcomes: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of `n`, honest for small counts too."""
    z = 1.96
    share = outcomes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _interval(value: float, draws: NDArray[np.float64]) -> Interval:
    known = draws[np.isfinite(draws)]
    if not np.isfinite(value) or not known.size:
        return Interval(value, float("nan"), float("nan"))
    low, high = (float(bound) for bound in np.quantile(known, [0.025, 0.975]))
    return Interval(value, min(low, value), max(high, value))


def _over(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)
