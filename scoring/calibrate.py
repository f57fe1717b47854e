"""Bring raw scores to the level that was observed, on rows the scorer was not fitted on."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from scoring.snapshots import Floats, Ints

ENOUGH_FOR_SLOPE = 50
"""Outcomes on the rarer side below which only the level is corrected, not the slope."""


@dataclass(frozen=True)
class Calibration:
    """A straight line from raw to calibrated log-odds (or log-money): order is kept, contributions stay additive."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, raw: Floats) -> Floats:
        """The calibrated log-odds (log-money) of each raw score."""
        return self.slope * raw + self.intercept


def calibrate(raw: Floats, y: Floats, *, in_money: bool) -> Calibration:
    """Platt scaling of log-odds `raw` towards `y`; for money a factor that makes predicted and actual totals equal."""
    if in_money:
        return Calibration(intercept=float(np.clip(_factor(raw, y), -np.log(2), np.log(2))))
    rarer = min(y.sum(), y.size - y.sum())
    if rarer < 1:
        return Calibration()
    if rarer < ENOUGH_FOR_SLOPE or np.ptp(raw) < 1e-9:
        return Calibration(intercept=_level(raw, y))
    from sklearn.linear_model import LogisticRegression

    # Nearly no penalty; a negative slope would turn the order round, so it is refused.
    fit = LogisticRegression(C=1e6, max_iter=1000).fit(raw[:, None], y)
    slope, intercept = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    return Calibration(slope, intercept) if slope > 0.05 else Calibration(intercept=_level(raw, y))


def levelled(raw: Floats, y: Floats, groups: Ints, *, in_money: bool) -> Floats:
    """`raw` shifted, for each of `groups`, to the observed level there: what is left to differ is who, not how many."""
    shifted = raw.copy()
    for group in np.unique(groups):
        rows = groups == group
        if in_money:
            shifted[rows] += _factor(raw[rows], y[rows])
        elif 0 < y[rows].sum() < rows.sum():
            shifted[rows] += _level(raw[rows], y[rows])
    return shifted


def _factor(raw: Floats, y: Floats) -> float:
    total = float(y.sum())
    return float(np.log(total / np.exp(raw).sum())) if total > 0 else 0.0


def _level(raw: Floats, y: Floats) -> float:
    """The shift of the log-odds after which the mean prediction is the observed rate."""
    return float(brentq(lambda shift: float(expit(raw + shift).mean() - y.mean()), -30.0, 30.0))
