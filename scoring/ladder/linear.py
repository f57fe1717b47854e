"""Broken lines, one per column: logistic regression, and its counterpart for amounts."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from scoring.ladder.base import AmountRung, ProbabilityRung
from scoring.snapshots import Floats

BENDS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
"""Quantiles of a column at which its line may bend."""
PENALTY = 10.0
"""Ridge on the weights, beside the summed loss of all rows."""
_AT_ONCE = 2_000
"""Rows whose loss and slopes are computed together: few enough that they are still in the cache for the slopes."""

_Loss = Callable[[Floats, Floats], tuple[float, Floats]]
"""From raw scores and outcomes to the summed loss and its slope in each raw score."""


class Lines:
    """Each column's logarithm, cut at BENDS into segments that rise from 0 to 1 each: their weights are the rises.

    `directions` says per column which sign all its rises have (0: either), so that a line never turns back. A missing
    value counts as the best known one, and has a weight of its own that may only speak against it. What lies outside
    the training rows counts as the nearest value within. A column that is `unused` or never varies is left out.
    """

    def __init__(self, x: Floats, directions: Sequence[int] | None, unused: Sequence[int] = ()) -> None:
        self.directions = np.zeros(x.shape[1], dtype=int) if directions is None else np.asarray(directions, dtype=int)
        self.knots: dict[int, Floats] = {}
        self.bounds: list[tuple[float | None, float | None]] = []
        for column, values in enumerate(_log(x).T):
            known = values[np.isfinite(values)]
            if column in unused or not known.size or (np.ptp(known) < 1e-9 and known.size == values.size):
                continue
            self.knots[column] = knots = np.unique(np.r_[known.min(), np.quantile(known, BENDS), known.max()])
            sign = int(self.directions[column])
            self.bounds += [_bounds(sign)] * (knots.size - 1) + [_bounds(-abs(sign))]
        self.starts = np.cumsum([0, *(knots.size for knots in self.knots.values())])[:-1]
        self.mean = np.zeros(len(self.bounds))

    def centered(self, x: Floats) -> Floats:
        """The segments of the rows to learn from, less their mean, which counts from now on."""
        segments = self._all(x)
        self.mean = segments.mean(axis=1)
        segments -= self.mean[:, None]
        return segments

    def parts(self, x: Floats, weights: Floats) -> Floats:
        """The weighted segments, less the mean, added up per column of `x`."""
        parts = np.zeros_like(x)
        if self.knots:
            segments = self._all(x)
            segments -= self.mean[:, None]
            segments *= weights[:, None]
            parts[:, list(self.knots)] = np.add.reduceat(segments, self.starts).T
        return parts

    def _all(self, x: Floats) -> Floats:
        """One line per segment, one column per row of `x`."""
        logs = _log(x)
        found = np.empty((len(self.bounds), x.shape[0]))
        for start, (column, knots) in zip(self.starts, self.knots.items(), strict=True):
            missing = np.isnan(logs[:, column])
            best = knots[-1] if self.directions[column] > 0 else knots[0]
            end = start + knots.size - 1
            rises = found[start:end]
            np.subtract(np.where(missing, best, logs[:, column]), knots[:-1, None], out=rises)
            rises /= np.diff(knots)[:, None]
            np.clip(rises, 0.0, 1.0, out=rises)
            found[end] = missing
        return found


class Logistic(ProbabilityRung):
    """Ridge logistic regression on Lines; `directions` per column as there."""

    def __init__(
        self, directions: Sequence[int] | None = None, unused: Sequence[int] = (), penalty: float = PENALTY
    ) -> None:
        self.directions = directions
        self.unused = unused
        self.penalty = penalty

    def _learn(self, x: Floats, y: Floats) -> None:
        self.lines_ = Lines(x, self.directions, self.unused)
        rate = float(y.mean())
        base = np.log(rate / (1 - rate))
        self.weights_, self.base_ = _fitted(self.lines_, x, y, _log_loss, float(base), self.penalty)

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        return self.base_, self.lines_.parts(x, self.weights_)


class LogLinear(AmountRung):
    """Ridge Poisson regression (logarithmic link) on Lines, for amounts; `directions` per column as there."""

    def __init__(
        self, directions: Sequence[int] | None = None, unused: Sequence[int] = (), penalty: float = PENALTY
    ) -> None:
        self.directions = directions
        self.unused = unused
        self.penalty = penalty

    def _learn(self, x: Floats, y: Floats) -> None:
        self.lines_ = Lines(x, self.directions, self.unused)
        mean = float(y.mean())
        self.weights_, base = _fitted(self.lines_, x, y / mean, _poisson_loss, 0.0, self.penalty)
        self.base_ = base + float(np.log(mean))

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        return self.base_, self.lines_.parts(x, self.weights_)


def _fitted(lines: Lines, x: Floats, y: Floats, loss: _Loss, base: float, penalty: float) -> tuple[Floats, float]:
    """Weights within the bounds of `lines`, and the base, that make loss and ridge least; starts from `base`."""
    segments = lines.centered(x)

    def cost(point: Floats) -> tuple[float, Floats]:
        weights = point[:-1]
        total = 0.5 * penalty * float(weights @ weights)
        gradient = np.append(penalty * weights, 0.0)
        for start in range(0, y.size, _AT_ONCE):
            some = segments[:, start : start + _AT_ONCE]
            missed, slopes = loss(weights @ some + point[-1], y[start : start + _AT_ONCE])
            total += missed
            gradient += np.append(some @ slopes, slopes.sum())
        return total / y.size, gradient / y.size

    found = minimize(
        cost,
        np.append(np.zeros(len(segments)), base),
        jac=True,
        method="L-BFGS-B",
        bounds=[*lines.bounds, (None, None)],
        options={"maxiter": 300, "maxcor": 20, "ftol": 1e-9, "gtol": 1e-5},
    )
    return found.x[:-1], float(found.x[-1])


def _log_loss(raw: Floats, y: Floats) -> tuple[float, Floats]:
    return float((np.logaddexp(0.0, raw) - y * raw).sum()), expit(raw) - y


def _poisson_loss(raw: Floats, y: Floats) -> tuple[float, Floats]:
    # A step too long of the search must not overflow.
    expected = np.exp(np.minimum(raw, 50.0))
    return float((expected - y * raw).sum()), expected - y


def _bounds(sign: int) -> tuple[float | None, float | None]:
    return 0.0 if sign > 0 else None, 0.0 if sign < 0 else None


def _log(x: Floats) -> Floats:
    logs: Floats = np.sign(x) * np.log1p(np.abs(x))
    return logs
