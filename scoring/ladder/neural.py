"""A small neural network that keeps to the directions of its columns."""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from scoring.ladder.base import ProbabilityRung
from scoring.ladder.filled import Filled
from scoring.snapshots import Floats

HIDDEN = 6
PENALTY = 3.0
"""Ridge on the weights, beside the summed loss of all rows."""
MOST_ROWS = 20_000
"""A few hundred weights are settled by this many rows; of more, every second, third … is learned from."""


class Neural(ProbabilityRung, Filled):
    """One hidden layer of HIDDEN units (hyperbolic tangent) on standardised logarithms, one output in log-odds.

    Weights of a column with a direction have its sign, and those of the output are not negative: so the whole is
    monotone where the columns are (Daniels, Velikova 2010), which no library's network offers.
    """

    def _fit(self, x: Floats, y: Floats, signs: Any) -> None:
        logs = _log(x[:, self.used_])
        self.low_, self.high_ = logs.min(axis=0), logs.max(axis=0)
        self.center_, self.scale_ = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-9)
        step = -(-len(x) // MOST_ROWS)
        z, seen = self._inputs(x)[::step], y[::step]
        rng = np.random.default_rng(self.seed)
        columns = self.used_.size
        start = np.concatenate(
            [
                (np.abs(first) * signs[:, None] + first * (signs == 0)[:, None]).ravel()
                for first in [rng.normal(0, 0.3 / max(columns, 1) ** 0.5, (columns, HIDDEN))]
            ]
            + [rng.normal(0, 0.1, HIDDEN), np.full(HIDDEN, 0.5), [_odds(seen.mean())]]
        )
        bounds = [
            *((0.0 if sign > 0 else None, 0.0 if sign < 0 else None) for sign in np.repeat(signs, HIDDEN).tolist()),
            *[(None, None)] * HIDDEN,
            *[(0.0, None)] * HIDDEN,
            (None, None),
        ]
        found = minimize(
            _cost, start, (z, seen), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200, "maxcor": 20}
        )
        self.weights_, self.shifts_, self.outputs_, self.base_ = _unpacked(found.x, columns)

    def _inputs(self, x: Floats) -> Floats:
        logs = np.clip(_log(x[:, self.used_]), self.low_, self.high_)
        inputs: Floats = (logs - self.center_) / self.scale_
        return inputs

    def _scores(self, x: Floats) -> Floats:
        units = np.tanh(self._inputs(x) @ self.weights_ + self.shifts_)
        scores: Floats = units @ self.outputs_ + self.base_
        return scores


def _cost(point: Floats, z: Floats, y: Floats) -> tuple[float, Floats]:
    """Mean penalised log-loss, and its slope in each weight."""
    weights, shifts, outputs, base = _unpacked(point, z.shape[1])
    units = np.tanh(z @ weights + shifts)
    raw = units @ outputs + base
    off = expit(raw) - y
    back = off[:, None] * outputs * (1 - units**2)
    ridge = 0.5 * PENALTY * (float((weights**2).sum()) + float(outputs @ outputs))
    total = float((np.logaddexp(0.0, raw) - y * raw).sum()) + ridge
    slopes = [z.T @ back + PENALTY * weights, back.sum(axis=0), units.T @ off + PENALTY * outputs, [off.sum()]]
    return total / y.size, np.concatenate([np.ravel(slope) for slope in slopes]) / y.size


def _unpacked(point: Floats, columns: int) -> tuple[Floats, Floats, Floats, float]:
    cut = columns * HIDDEN
    weights = point[:cut].reshape(columns, HIDDEN)
    return weights, point[cut : cut + HIDDEN], point[cut + HIDDEN : -1], float(point[-1])


def _odds(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def _log(x: Floats) -> Floats:
    logs: Floats = np.sign(x) * np.log1p(np.abs(x))
    return logs
