"""Whether acting on the scores did anything: people acted on against the control group, or "cannot tell yet"."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from scoring.evaluate import Interval, resamples, wilson
from scoring.snapshots import Floats, Ints

Verdict = Literal["helps", "harms", "cannot tell yet", "the split is off", "no control group", "nothing has matured"]

BROKEN_SPLIT = 0.001
"""Probability of a split at least this uneven by chance, below which the two arms are not comparable."""
POWER, ALPHA = 0.8, 0.05


@dataclass(frozen=True)
class Arms:
    """One row per person and wave: acted on or control, what happened (0/1, or cents), what had been predicted.

    A wave is one set of predictions; the same person is in the same arm in all of them.
    """

    person_ids: Ints
    acted: NDArray[np.bool_]
    y: Floats
    p: Floats


@dataclass(frozen=True)
class Uplift:
    """Acted on minus control. Differences are per person and wave: a share, or cents."""

    verdict: Verdict
    people: tuple[int, int] = (0, 0)
    """People acted on, and in the control group."""
    means: tuple[float, float] = (float("nan"), float("nan"))
    """Mean outcome of the two."""
    plain: Interval | None = None
    """Difference of the means: Newcombe's interval for shares of one wave, else from drawing people anew."""
    adjusted: Interval | None = None
    """The same after taking out what was predicted beforehand (CUPED): narrower where predictions are good."""
    explained: float = 0.0
    """Share of the variance that the predictions took out, [0, 1]."""
    split_chance: float = 1.0
    """How likely a split this uneven is by chance, given the share of the control group."""
    detectable: float = float("nan")
    """The smallest true difference these numbers would find with 80 % probability (5 % error, both sides)."""


def uplift(arms: Arms, control_share: float, *, seed: int, in_money: bool = False) -> Uplift:
    """Compare the two arms; `control_share` is the share drawn as control.

    Deng, Xu, Kohavi, Walker (WSDM 2013) for CUPED, Newcombe (Statistics in Medicine 1998) for shares.
    """
    if not arms.y.size:
        return Uplift("nothing has matured")
    acted = np.unique(arms.person_ids[arms.acted]).size
    control = np.unique(arms.person_ids[~arms.acted]).size
    if not acted or not control:
        return Uplift("no control group", (acted, control))
    chance = float(binomtest(control, acted + control, control_share).pvalue) if 0 < control_share < 1 else 1.0
    theta, explained = _slope(arms)
    rest = arms.y - theta * (arms.p - arms.p.mean())
    means = (float(arms.y[arms.acted].mean()), float(arms.y[~arms.acted].mean()))
    plain = _plain(arms, acted + control, seed, in_money=in_money)
    adjusted = _difference(rest, arms, seed)
    verdict: Verdict = "cannot tell yet"
    if chance < BROKEN_SPLIT:
        verdict = "the split is off"
    elif adjusted.low > 0 or adjusted.high < 0:
        verdict = "helps" if adjusted.low > 0 else "harms"
    rows = (int(arms.acted.sum()), int((~arms.acted).sum()))
    smallest = detectable(*rows, float(arms.y.std()) * (1 - explained) ** 0.5)
    return Uplift(verdict, (acted, control), means, plain, adjusted, explained, chance, smallest)


def detectable(acted: float, control: float, spread: float) -> float:
    """The smallest true difference in means found with POWER at ALPHA; `spread` is the standard deviation of a row."""
    normal = NormalDist()
    z = normal.inv_cdf(1 - ALPHA / 2) + normal.inv_cdf(POWER)
    return float(z * spread * (1 / acted + 1 / control) ** 0.5)


def waves_needed(people: int, control_share: float, rate: float, relative: float) -> float:
    """How many waves of `people` it takes to find a `relative` change of `rate`, as if waves were independent."""
    if not 0 < control_share < 1 or not 0 < rate < 1 or people < 1:
        return float("inf")
    one = detectable(1, 1, (rate * (1 - rate)) ** 0.5) / 2**0.5
    needed = (one / (relative * rate)) ** 2 * (1 / control_share + 1 / (1 - control_share))
    return needed / people


def newcombe(successes: tuple[float, float], of: tuple[int, int]) -> Interval:
    """Difference of two shares with its 95 % interval (Newcombe 1998, method 10)."""
    (k1, k2), (n1, n2) = successes, of
    first, second = k1 / n1, k2 / n2
    (low1, high1), (low2, high2) = wilson(k1, n1), wilson(k2, n2)
    gap = first - second
    return Interval(
        gap,
        gap - ((first - low1) ** 2 + (high2 - second) ** 2) ** 0.5,
        gap + ((high1 - first) ** 2 + (second - low2) ** 2) ** 0.5,
    )


def pooled(waves: Sequence[Arms]) -> Arms:
    """Several waves as one. Their horizons must not overlap, or outcomes would count twice."""
    return Arms(
        np.concatenate([wave.person_ids for wave in waves]) if waves else np.empty(0, dtype=np.int64),
        np.concatenate([wave.acted for wave in waves]) if waves else np.empty(0, dtype=np.bool_),
        np.concatenate([wave.y for wave in waves]) if waves else np.empty(0),
        np.concatenate([wave.p for wave in waves]) if waves else np.empty(0),
    )


def _slope(arms: Arms) -> tuple[float, float]:
    """The slope of the outcome over the prediction, and the share of variance it explains."""
    spread, varied = float(arms.p.var()), float(arms.y.var())
    if spread < 1e-15 or varied < 1e-15:
        return 0.0, 0.0
    shared = float(((arms.p - arms.p.mean()) * (arms.y - arms.y.mean())).mean())
    return shared / spread, min(shared**2 / (spread * varied), 1.0)


def _plain(arms: Arms, people: int, seed: int, *, in_money: bool) -> Interval:
    if in_money or people < arms.y.size:
        return _difference(arms.y, arms, seed)
    sides = [arms.y[side] for side in (arms.acted, ~arms.acted)]
    return newcombe((float(sides[0].sum()), float(sides[1].sum())), (sides[0].size, sides[1].size))


def _difference(y: Floats, arms: Arms, seed: int) -> Interval:
    """Difference of the means of the arms; people, not rows, are drawn anew."""
    sides = arms.acted.astype(np.float64), (~arms.acted).astype(np.float64)

    def gap(weights: Floats) -> Floats:
        means = [(weights @ (side * y)) / np.maximum(weights @ side, 1.0) for side in sides]
        found: Floats = means[0] - means[1]
        return found

    value = float(gap(np.ones((1, y.size)))[0])
    draws = np.concatenate([gap(weights) for weights in resamples(arms.person_ids, seed)])
    low, high = (float(bound) for bound in np.quantile(draws, [0.025, 0.975]))
    return Interval(value, min(low, value), max(high, value))
