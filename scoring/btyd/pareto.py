"""Pareto/NBD: people buy at a pace of their own, and stop for good at a moment of their own."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.special import gammaln

from scoring.btyd.counts import Purchases
from scoring.btyd.fit import SHAPE, Range, maximise
from scoring.btyd.hypergeometric import gauss
from scoring.snapshots import Floats

RATIO = 100.0
"""alpha and beta may differ by this factor: within it, the hypergeometric function is exact for any purchases."""
SHORTEST = 1e-6


@dataclass(frozen=True)
class ParetoNbd:
    """The Pareto/NBD model (Schmittlein, Morrison, Colombo 1987; formulas of Fader and Hardie's note of 2005).

    Purchases per week are gamma(r, alpha) over people, stops per week gamma(s, beta).
    Raises ValueError for a parameter that is not positive, or when alpha and beta differ by more than RATIO.
    """

    r: float
    alpha: float
    s: float
    beta: float
    converged: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        if not min(self.r, self.alpha, self.s, self.beta) > 0:
            raise ValueError("r, alpha, s and beta must be positive")
        if abs(np.log(self.beta / self.alpha)) > np.log(RATIO) + SHORTEST:
            raise ValueError(f"alpha and beta must not differ by more than a factor of {RATIO:g}")

    @classmethod
    def fit(cls, purchases: Purchases, weights: Floats | None = None, pull: float = 0.0) -> Self:
        """The most likely parameters; `converged` is false when the data do not settle them.

        Raises ValueError when there is nobody, or when `weights` are not one positive number per person. For `pull`
        see `fit.maximise`.
        """
        rows, weights = purchases.distinct(weights)
        span = max(float(np.average(rows.age, weights=weights)), SHORTEST)
        found = maximise(
            lambda r, alpha, s, ratio: cls(r, alpha, s, alpha * ratio).log_likelihood(rows),
            weights,
            (SHAPE, Range(span, span / 1000, span * 1000), SHAPE, Range(1.0, 1 / RATIO, RATIO)),
            pull,
        )
        r, alpha, s, ratio = found.values
        return cls(r, alpha, s, alpha * ratio, converged=found.converged)

    def log_likelihood(self, of: Purchases) -> Floats:
        """Logarithm of the likelihood of each person's purchases: stopped since the last one, or alive until now.

        Both are written as positive terms (the note's second form), so that nothing is lost to a difference.
        """
        pace = gammaln(self.r + of.x) - gammaln(self.r) + self.r * np.log(self.alpha) + self.s * np.log(self.beta)
        likelihood: Floats = pace + self._log_weight(of)
        return likelihood

    def alive(self, of: Purchases) -> Floats:
        """Probability that each person has not stopped."""
        still = -(self.r + of.x) * np.log(self.alpha + of.age) - self.s * np.log(self.beta + of.age)
        return np.exp(np.minimum(still - self._log_weight(of), 0.0))

    def buys(self, of: Purchases, weeks: Floats | float) -> Floats:
        """Probability of at least one purchase of each person in the next `weeks`, the same or each their own.

        Not buying is having the same purchases `weeks` later: the ratio of the two likelihoods.
        """
        silent = Purchases(of.x, of.t_x, of.age + weeks)
        buys: Floats = -np.expm1(np.minimum(self._log_weight(silent) - self._log_weight(of), 0.0))
        return buys

    def expected(self, of: Purchases, weeks: float) -> Floats:
        """Expected purchases of each person in the next `weeks`."""
        pace = (self.r + of.x) / (self.alpha + of.age)
        waning = np.log1p(weeks / (self.beta + of.age))
        shape = self.s - 1
        # -expm1(-shape * waning) / shape, which tends to waning at shape 0
        while_alive = waning if shape == 0 else -np.expm1(-shape * waning) / shape
        expected: Floats = pace * (self.beta + of.age) * while_alive * self.alive(of)
        return expected

    def _log_weight(self, of: Purchases) -> Floats:
        """The likelihood's part in braces: weight of having stopped between t_x and T, or after T."""
        return np.logaddexp(self._log_term(of, of.t_x, 1.0, self.s), self._log_term(of, of.age, 0.0, self.r + of.x))

    def _log_term(self, of: Purchases, at: Floats, stopped: float, share: Floats | float) -> Floats:
        """One of the two terms at an instant, in the form that suits the larger of alpha and beta.

        The hypergeometric function is written by Euler's transformation, which bounds it for frequent buyers.
        """
        bought, total = self.r + of.x, self.r + self.s + of.x
        large, small = max(self.alpha, self.beta), min(self.alpha, self.beta)
        second: Floats | float
        power: Floats | float
        if self.alpha >= self.beta:
            second, power = bought + 1 - stopped, self.s - 1 + stopped
        else:
            second, power = self.s + stopped, bought - stopped
        z = (large - small) / (large + at)
        term: Floats = (
            np.log(share / total)
            - total * np.log(large + at)
            - power * np.log((small + at) / (large + at))
            + np.log(gauss(1.0, second, total + 1, z))
        )
        return term
