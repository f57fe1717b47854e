"""Maximum likelihood for a few positive parameters within bounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from scoring.snapshots import Floats

FLAT = 1e-4
"""A maximum: doubling a parameter there would, at this slope, move the mean log-likelihood by less than this."""
WORSE = 1e-6
"""By how much, at least, the mean log-likelihood falls when a parameter that is settled is doubled or halved."""
AT_BOUND = 1e-3
"""So near to the logarithm of a bound counts as stopped by it."""


@dataclass(frozen=True)
class Range:
    """Where a positive parameter starts, and between which values it is looked for."""

    start: float
    low: float
    high: float


SHAPE = Range(1.0, 0.01, 30.0)
"""For the shape of a gamma or beta distribution: beyond 30, people hardly differ, and numbers begin to overflow."""


@dataclass(frozen=True)
class Optimum:
    """The best parameters found. `converged`: they are a maximum, in every direction, and no bound stopped one."""

    values: tuple[float, ...]
    converged: bool


def maximise(
    log_likelihood: Callable[..., Floats], weights: Floats, ranges: Sequence[Range], pull: float = 0.0
) -> Optimum:
    """Find the parameters with the greatest weighted mean of `log_likelihood(*parameters)`, a value per row.

    The search runs over the logarithms of the parameters, from one fixed start: equal input gives equal output.
    With a `pull` they are drawn towards the start, as strongly as a normal prior of that precision on each logarithm
    would: it settles what few rows leave open, and many rows drown it.
    """
    total = weights.sum()
    share = weights / total
    start, low, high = (np.log([getattr(each, side) for each in ranges]) for side in ("start", "low", "high"))

    def loss(logs: Floats) -> float:
        drawn = pull * float(np.square(logs - start).sum()) / (2 * float(total))
        return drawn - float(share @ log_likelihood(*np.exp(logs)))

    found = minimize(
        loss,
        start,
        method="L-BFGS-B",
        jac="3-point",
        bounds=list(zip(low, high, strict=True)),
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-7},
    )
    inside = bool(((found.x > low + AT_BOUND) & (found.x < high - AT_BOUND)).all())
    flat = bool((np.abs(found.jac) < FLAT).all())
    steps = np.log(2) * np.vstack([np.eye(found.x.size), -np.eye(found.x.size)])
    peak = all(loss(np.clip(found.x + step, low, high)) > found.fun + WORSE for step in steps)
    return Optimum(tuple(float(value) for value in np.exp(found.x)), inside and flat and peak)
