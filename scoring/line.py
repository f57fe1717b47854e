"""How log-odds that happened lie over those predicted: Cox's level and slope (Biometrika 1958, 45: 562-565)."""

import numpy as np
from scipy.special import expit, logit

from scoring.snapshots import Floats, Ints

Span = tuple[float, float, float]
"""A number and the bounds of its 95 % interval over people; NaN where it cannot be told."""
UNKNOWN: Span = (float("nan"),) * 3


def level(p: Floats, y: Floats, person_ids: Ints) -> Span:
    """What has to be added to the log-odds of `p` so that as many did it (`y`) as predicted."""
    return _newton(np.ones((y.size, 1)), y, person_ids, offset=_log_odds(p))


def slope(p: Floats, y: Floats, person_ids: Ints) -> Span:
    """By what the log-odds of `p` have to be stretched; UNKNOWN where all predictions, or outcomes, are the same."""
    x = _log_odds(p)
    if np.ptp(x) < 1e-9 or y.min() == y.max():
        return UNKNOWN
    return _newton(np.column_stack([np.ones(y.size), x]), y, person_ids, offset=np.zeros(y.size))


def _log_odds(p: Floats) -> Floats:
    found: Floats = logit(np.clip(p, 1e-6, 1 - 1e-6))
    return found


def _newton(design: Floats, y: Floats, person_ids: Ints, offset: Floats) -> Span:
    """The last coefficient of a logistic regression. Its interval is for people and not for rows: those of one person
    go together (Liang, Zeger 1986, Biometrika 73: 13-22).
    """
    beta, away, step = np.zeros(design.shape[1]), y, np.zeros(design.shape[1])
    information = np.eye(beta.size)
    for _ in range(25):
        fitted = expit(offset + design @ beta)
        away = y - fitted
        information = design.T @ (design * (fitted * (1 - fitted))[:, None]) + 1e-9 * np.eye(beta.size)
        step = np.linalg.solve(information, design.T @ away)
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            break
    _, person = np.unique(person_ids, return_inverse=True)
    sums = np.column_stack([np.bincount(person, column * away) for column in design.T])
    bread = np.linalg.inv(information)
    found, variance = float(beta[-1]), float((bread @ (sums.T @ sums) @ bread)[-1, -1])
    # Where the predictions tell the outcomes apart without a fault, no coefficient is too large.
    error = 1.96 * variance**0.5 if variance > 0 and np.abs(step).max() < 1e-6 else float("nan")
    return found, found - error, found + error
