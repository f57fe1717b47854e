"""How good predictions were: every number with the interval a resample of the people gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.snapshots import Floats, Ints

DRAWS = 200
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
    """Predictions against outcomes. For yes-or-no outcomes `metrics` has auc, brier, log_loss, ece, precision, recall,
    f1, lift_10, lift_20, capture_20; for money (cents) gini, total_ratio, mae, lift_10, lift_20, capture_20.
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

    def captured(self, w: Floats, share: float) -> float:
        """Outcomes (weighted) among the best `share` of the people."""
        people, held = np.r_[0.0, np.cumsum(w)], np.r_[0.0, np.cumsum(w * self.y)]
        return float(np.interp(share * people[-1], people, held))


def evaluate(
    y: Floats, p: Floats, person_ids: Ints, *, seed: int, in_money: bool = False, cuts: tuple[int, ...] = ()
) -> Evaluation:
    """Compare predictions `p` (probabilities, or cents) with outcomes `y`. Raises ValueError when there are no rows."""
    if not y.size:
        raise ValueError("there is nothing to evaluate")
    ranked = _Ranked(y, p, seed)
    measure = _money if in_money else _chances
    value = measure(ranked, np.ones(y.size))
    draws = [measure(ranked, weights[ranked.order]) for weights in resamples(person_ids, seed)]
    metrics = {name: _interval(value[name], np.array([draw[name] for draw in draws])) for name in value}
    shares = np.linspace(0, 1, 21)
    ones, total = np.ones(y.size), float(y.sum()) or 1.0
    return Evaluation(
        n=y.size,
        outcomes=int((y > 0).sum()),
        base_rate=float(y.mean()),
        metrics=metrics,
        reliability=tuple(_bins(ranked, in_money=in_money)),
        gains=tuple((float(share), ranked.captured(ones, float(share)) / total) for share in shares),
        cuts=cuts,
    )


def resamples(person_ids: Ints, seed: int) -> list[Floats]:
    """DRAWS bootstrap weights per row: people are drawn with replacement, each with all of their rows."""
    unique, place = np.unique(person_ids, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = (np.bincount(rng.integers(unique.size, size=unique.size), minlength=unique.size) for _ in range(DRAWS))
    return [counts[place].astype(np.float64) for counts in drawn]


def losses(y: Floats, p: Floats, *, in_money: bool) -> Floats:
    """The loss of each row: log-loss, or the Poisson deviance of an amount."""
    if not in_money:
        likely = np.clip(p, 1e-12, 1 - 1e-12)
        loss: Floats = -(y * np.log(likely) + (1 - y) * np.log(1 - likely))
        return loss
    expected = np.maximum(p, 1e-9)
    deviance: Floats = 2 * (np.where(y > 0, y * np.log(np.maximum(y, 1e-9) / expected), 0.0) - y + expected)
    return deviance


def difference(worse: Floats, better: Floats, person_ids: Ints, seed: int) -> Interval:
    """Mean of `worse - better` (losses row by row), with the paired interval over people."""
    gap = worse - better
    draws = np.array([float(weights @ gap) / max(float(weights.sum()), 1.0) for weights in resamples(person_ids, seed)])
    return _interval(float(gap.mean()), draws)


def _chances(ranked: _Ranked, w: Floats) -> dict[str, float]:
    y, p, total = ranked.y, ranked.p, float(w.sum())
    wins = w * y
    positives = float(wins.sum())
    negatives = total - positives
    gap = np.add.reduceat(w * (y - p), ranked.bins)
    top = ranked.captured(w, FLAGGED)
    precision, recall = top / (FLAGGED * total), _over(top, positives)
    return {
        "auc": _auc(ranked, w, wins, positives, negatives),
        "brier": float((w * (p - y) ** 2).sum()) / total,
        "log_loss": float((w * ranked.losses).sum()) / total,
        "ece": float(np.abs(gap).sum()) / total,
        "precision": precision,
        "recall": recall,
        "f1": _over(2 * precision * recall, precision + recall),
        "lift_10": _over(ranked.captured(w, 0.1), 0.1 * positives),
        "lift_20": _over(ranked.captured(w, 0.2), 0.2 * positives),
        "capture_20": recall,
    }


def _auc(ranked: _Ranked, w: Floats, wins: Floats, positives: float, negatives: float) -> float:
    won = np.add.reduceat(wins, ranked.ties)
    lost = np.add.reduceat(w, ranked.ties) - won
    below = negatives - np.cumsum(lost)
    return _over(float((won * (below + 0.5 * lost)).sum()), positives * negatives)


def _money(ranked: _Ranked, w: Floats) -> dict[str, float]:
    y, p = ranked.y, ranked.p
    money = float((w * y).sum())
    return {
        "gini": _over(_gini(y, w), _gini(y[ranked.by_outcome], w[ranked.by_outcome])),
        "total_ratio": _over(float((w * p).sum()), money),
        "mae": float((w * np.abs(p - y)).sum()) / float(w.sum()),
        "lift_10": _over(ranked.captured(w, 0.1), 0.1 * money),
        "lift_20": _over(ranked.captured(w, 0.2), 0.2 * money),
        "capture_20": _over(ranked.captured(w, FLAGGED), money),
    }


def _gini(y: Floats, w: Floats) -> float:
    """Twice the area between the gains curve of this order and the diagonal."""
    held = np.cumsum(w * y)
    if held[-1] <= 0:
        return float("nan")
    middle = held - 0.5 * w * y
    return float(2 * (w * middle).sum() / (w.sum() * held[-1]) - 1)


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


def _over(above: float, below: float) -> float:
    return above / below if below else float("nan")
