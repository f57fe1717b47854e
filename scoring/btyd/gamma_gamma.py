"""Gamma-Gamma: what people spend per purchase, drawn towards everyone's mean the fewer purchases are known."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.special import gammaln

from scoring.btyd.counts import checked_weights
from scoring.btyd.fit import Range, maximise
from scoring.snapshots import Floats


@dataclass(frozen=True)
class GammaGamma:
    """The Gamma-Gamma model of spend (Fader, Hardie 2013, The Gamma-Gamma Model of Monetary Value).

    A purchase is gamma(p, ν), and ν is gamma(q, v) over people, independent of how often they buy; v is in the unit of
    the spend. Raises ValueError for a parameter that is not positive, or q ≤ 1, where no mean exists.
    """

    p: float
    q: float
    v: float
    converged: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        if not (min(self.p, self.v) > 0 and self.q > 1):
            raise ValueError("p and v must be positive, and q above 1")

    @classmethod
    def fit(cls, x: Floats, spend: Floats, weights: Floats | None = None, pull: float = 0.0) -> Self:
        """The most likely parameters, from people with repeat purchases (`x` > 0) and a mean `spend` above 0.

        `converged` is false when the data do not settle them; see `fit.maximise` for `pull`. Raises ValueError when
        there is nobody of that kind, or when `weights` are not one positive number per person.
        """
        weights = checked_weights(weights, x.size)
        known = (x > 0) & (spend > 0)
        x, spend, weights = x[known], spend[known], checked_weights(weights[known], int(known.sum()))
        mean = float(np.average(spend, weights=weights))
        found = maximise(
            lambda p, q, v: cls(p, q, v).log_likelihood(x, spend),
            weights,
            (Range(2.0, 0.01, 1000.0), Range(2.0, 1.01, 1000.0), Range(mean, mean / 1000, mean * 1000)),
            pull,
        )
        return cls(*found.values, converged=found.converged)

    def log_likelihood(self, x: Floats, spend: Floats) -> Floats:
        """Logarithm of the likelihood of a mean `spend` over `x` repeat purchases, both above 0 (equation 1a)."""
        shape = self.p * x
        likelihood: Floats = (
            gammaln(shape + self.q)
            - gammaln(shape)
            - gammaln(self.q)
            + self.q * np.log(self.v)
            + (shape - 1) * np.log(spend)
            + shape * np.log(x)
            - (shape + self.q) * np.log(self.v + x * spend)
        )
        return likelihood

    def expected(self, x: Floats, spend: Floats) -> Floats:
        """Expected spend of each person's future purchases (equation 5): everyone's mean where `x` is 0."""
        total = np.where(x > 0, x * spend, 0.0)
        expected: Floats = (self.v + total) * self.p / (self.p * x + self.q - 1)
        return expected
