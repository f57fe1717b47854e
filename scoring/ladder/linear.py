"""Straight lines with a few bends: logistic regression, and its counterpart for amounts."""

import numpy as np
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from scoring.ladder.base import AmountRung, ProbabilityRung
from scoring.snapshots import Floats

BENDS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles of a column at which its line may bend."""

_SOLVER = {"solver": "newton-cholesky", "max_iter": 100, "tol": 1e-4}
"""Many rows, few columns: five times as fast as the default solver."""


class Lines:
    """Each column as a line with bends: its logarithm, standardised, and a hinge at each of BENDS.

    A column that never varies is left out; a missing value has a weight of its own; what lies outside the training
    rows counts as the nearest value within.
    """

    def __init__(self, x: Floats) -> None:
        self.columns: list[int] = []
        self.center, self.scale = np.zeros(x.shape[1]), np.ones(x.shape[1])
        self.low, self.high = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        self.bends: dict[int, Floats] = {}
        logs = _log(x)
        for column, values in enumerate(logs.T):
            known = values[np.isfinite(values)]
            missing = 0 < known.size < values.size
            if not known.size or (np.ptp(known) < 1e-9 and not missing):
                continue
            self.columns.append(column)
            self.low[column], self.high[column] = known.min(), known.max()
            self.center[column], self.scale[column] = known.mean(), known.std() or 1.0
            bends = np.unique(np.quantile((known - known.mean()) / self.scale[column], BENDS))
            self.bends[column] = bends
        self.owner = np.repeat(self.columns, [self.bends[column].size + 2 for column in self.columns]).astype(int)
        self.mean = self._all(x).mean(axis=0)

    def __call__(self, x: Floats) -> Floats:
        """The lines of each row, less their mean."""
        centered: Floats = self._all(x) - self.mean
        return centered

    def parts(self, x: Floats, weights: Floats) -> Floats:
        """The weighted lines, added up per column of `x`."""
        weighted = self(x) * weights
        owned = (self.owner[:, None] == np.arange(x.shape[1])[None, :]).astype(np.float64)
        parts: Floats = weighted @ owned
        return parts

    def _all(self, x: Floats) -> Floats:
        spread = (np.clip(_log(x), self.low, self.high) - self.center) / self.scale
        missing = np.isnan(spread)
        spread = np.where(missing, 0.0, spread)
        blocks: list[Floats] = []
        for column in self.columns:
            line = spread[:, column, None]
            hinges = np.where(missing[:, column, None], 0.0, np.maximum(line - self.bends[column], 0.0))
            blocks += [line, hinges, missing[:, column, None].astype(np.float64)]
        return np.hstack(blocks) if blocks else np.empty((x.shape[0], 0))


class Logistic(ProbabilityRung):
    """Ridge logistic regression on Lines; a smaller `strength` pulls the weights closer to nothing."""

    def __init__(self, strength: float = 0.01) -> None:
        self.strength = strength

    def _learn(self, x: Floats, y: Floats) -> None:
        self.lines_ = Lines(x)
        fit = LogisticRegression(C=self.strength, **_SOLVER).fit(_never_empty(self.lines_(x)), y)
        self.weights_, self.base_ = fit.coef_[0, : self.lines_.owner.size], float(fit.intercept_[0])

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        return self.base_, self.lines_.parts(x, self.weights_)


class LogLinear(AmountRung):
    """Ridge Poisson regression (logarithmic link) on Lines, for amounts."""

    def __init__(self, penalty: float = 0.01) -> None:
        self.penalty = penalty

    def _learn(self, x: Floats, y: Floats) -> None:
        self.lines_ = Lines(x)
        mean = float(y.mean())
        fit = PoissonRegressor(alpha=self.penalty, **_SOLVER).fit(_never_empty(self.lines_(x)), y / mean)
        self.weights_ = fit.coef_[: self.lines_.owner.size]
        self.base_ = float(fit.intercept_) + float(np.log(mean))

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        return self.base_, self.lines_.parts(x, self.weights_)


def _log(x: Floats) -> Floats:
    logs: Floats = np.sign(x) * np.log1p(np.abs(x))
    return logs


def _never_empty(lines: Floats) -> Floats:
    return lines if lines.shape[1] else np.zeros((lines.shape[0], 1))
