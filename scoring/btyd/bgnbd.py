"""BG/NBD and MBG/NBD: people buy at a pace of their own, and may stop for good after any purchase."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from scipy.special import betaln, expit, gammaln

from scoring.btyd.counts import Purchases
from scoring.btyd.fit import SHAPE, Range, maximise
from scoring.btyd.hypergeometric import gauss
from scoring.snapshots import Floats

APART = 1e-6
"""How far a parameter is kept from a value where the formula, but not what it means, breaks down."""


@dataclass(frozen=True)
class BgNbd:
    """The beta-geometric/NBD model (Fader, Hardie, Lee 2005, "Counting Your Customers" the Easy Way).

    Purchases per week are gamma(r, alpha) over people; after each *repeat* purchase a person stops for good with a
    probability that is beta(a, b) over people. Raises ValueError for a parameter that is not positive.
    """

    r: float
    alpha: float
    a: float
    b: float
    converged: bool = field(default=True, kw_only=True)

    sooner: ClassVar[int] = 0
    """1 when people may stop after the first purchase already."""

    def __post_init__(self) -> None:
        if not min(self.r, self.alpha, self.a, self.b) > 0:
            raise ValueError("r, alpha, a and b must be positive")

    @classmethod
    def fit(cls, purchases: Purchases, weights: Floats | None = None) -> Self:
        """The most likely parameters; `converged` is false when the data do not settle them.

        Raises ValueError when there is nobody, or when `weights` are not one positive number per person.
        """
        rows, weights = purchases.distinct(weights)
        span = max(float(np.average(rows.age, weights=weights)), APART)
        found = maximise(
            lambda r, alpha, a, b: cls(r, alpha, a, b).log_likelihood(rows),
            weights,
            (SHAPE, Range(span, span / 1000, span * 1000), SHAPE, SHAPE),
        )
        return cls(*found.values, converged=found.converged)

    def log_likelihood(self, of: Purchases) -> Floats:
        """Logarithm of the likelihood of each person's purchases (equation 6 of the paper)."""
        pace = gammaln(self.r + of.x) - gammaln(self.r) + self.r * np.log(self.alpha)
        stayed = betaln(self.a, self.b + of.x + self.sooner) - betaln(self.a, self.b)
        likelihood: Floats = (
            pace + stayed - (self.r + of.x) * np.log(self.alpha + of.age) + np.logaddexp(0.0, self._log_odds_gone(of))
        )
        return likelihood

    def alive(self, of: Purchases) -> Floats:
        """Probability that each person has not stopped."""
        alive: Floats = expit(-self._log_odds_gone(of))
        return alive

    def buys(self, of: Purchases, weeks: float) -> Floats:
        """Probability of at least one purchase of each person in the next `weeks`: alive, and not silent so long.

        Whoever is alive stays so until the next purchase, whose waiting time is of the gamma-mixed pace alone.
        """
        silent = (self.r + of.x) * np.log1p(weeks / (self.alpha + of.age))
        buys: Floats = self.alive(of) * -np.expm1(-silent)
        return buys

    def expected(self, of: Purchases, weeks: float) -> Floats:
        """Expected purchases of each person in the next `weeks` (equation 10 of the paper).

        Of the two ways to write the hypergeometric function (Euler's transformation), each person gets the bounded one.
        """
        a = self.a if abs(self.a - 1) > APART else 1 + APART
        b, shape = self.b + self.sooner + of.x, self.r + of.x
        c = np.where(np.abs(a + b - 1) > APART, a + b - 1, APART)
        z = weeks / (self.alpha + of.age + weeks)
        plain = shape < a - 1
        series = gauss(np.where(plain, shape, c - shape), np.where(plain, b, a - 1), c, z)
        while_alive = c / (a - 1) * (1 - (1 - z) ** np.minimum(shape, a - 1) * series)
        # never above a pace without stopping, to which rounding may lift very small values
        expected: Floats = np.clip(while_alive, 0.0, shape / (self.alpha + of.age) * weeks) * self.alive(of)
        return expected

    def _log_odds_gone(self, of: Purchases) -> Floats:
        """Log-odds of having stopped at the last purchase; minus infinity without a chance to."""
        chances = of.x + self.sooner
        stayed = np.where(chances > 0, self.b + chances - 1, 1.0)
        silence = (self.r + of.x) * np.log((self.alpha + of.age) / (self.alpha + of.t_x))
        return np.where(chances > 0, np.log(self.a / stayed) + silence, -np.inf)


class MbgNbd(BgNbd):
    """The modified model (Batislam, Denizel, Filiztekin 2007): people may stop after the first purchase already.

    Its formulas are those of BG/NBD with one chance to stop, and to stay, more.
    """

    sooner = 1
