"""Buy-till-you-die models as rungs: the chance of another order, and the money expected, from orders alone."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from scoring.btyd.counts import Purchases
from scoring.btyd.gamma_gamma import GammaGamma
from scoring.btyd.pareto import ParetoNbd
from scoring.ladder.base import AmountRung, ProbabilityRung, Rung
from scoring.ladder.shapley import shapley
from scoring.rhythm import own_horizons
from scoring.snapshots import Floats, Ints

ENOUGH_REPEATERS = 25
"""Rows with a repeat purchase below which there is nothing to learn a rhythm from."""
MOST_ROWS = 4_000
"""A handful of parameters is settled by this many rows; of more, every second, third … is learned from."""
PULL = 1.0
"""Few people leave the parameters open: a weak prior settles them (see `btyd.fit.maximise`), which many drown."""
SMALLEST = 1e-9
WEEK_DAYS = 7.0


class StandsAsideError(ValueError):
    """The data do not settle this model: it should not take part."""


class Buyers(Rung):
    """Pareto/NBD on three `columns`: days since the last order, number of orders, days since the first order.

    The model itself holds silence so much against frequent buyers that fewer orders would be better. Here, of two
    people with the same first and last order, the one with more orders never comes out lower: each gets the best score
    over their own number of orders and fewer. A missing last order counts as the longest ago, a missing first one as
    the usual. `fit` raises StandsAsideError when there is too little to learn from.
    """

    def __init__(self, columns: Sequence[int] = (0, 1, 2), days: int = 30) -> None:
        self.columns = columns
        self.days = days

    def raw(self, x: Any) -> Floats:
        """The raw score, without taking it apart first."""
        return self._raw(self._filled(self._checked(x)))

    def _learn(self, x: Floats, y: Floats) -> None:
        del y  # learned is from the orders so far; what came next is left to the calibration
        own = list(self.columns)
        recency, orders = own[:2]
        known = x[np.isfinite(x[:, own]).all(axis=1) & (x[:, orders] >= 1)]
        if np.count_nonzero(known[:, orders] > 1) < ENOUGH_REPEATERS:
            raise StandsAsideError(f"fewer than {ENOUGH_REPEATERS} people have ordered again")
        self.usual_ = np.zeros(x.shape[1])
        self.usual_[own] = np.median(known[:, own], axis=0)
        self.longest_ = float(known[:, recency].max())
        repeats = known[:, orders].max() - 1
        self.levels_ = np.unique(np.rint(np.r_[np.arange(6), np.geomspace(6, max(repeats, 6), 16)]))
        self._fit_models(known[:: -(-len(known) // MOST_ROWS)])

    def _fit_models(self, known: Floats) -> None:
        # Whole days: the fewer different people there are, the faster the fit.
        of = self._purchases(np.rint(known), known[:, self.columns[1]] - 1)
        self.model_ = ParetoNbd.fit(of, pull=PULL)
        if not self.model_.converged:
            raise StandsAsideError("the orders do not settle how people buy and stop")

    def _purchases(self, x: Floats, repeats: Floats) -> Purchases:
        """The people of `x` as if each had bought so often again; orders at one moment count as a day apart."""
        recency, first = x[:, self.columns[0]], x[:, self.columns[2]]
        age = np.maximum(first, recency + 1)
        last = np.where(repeats > 0, age - recency, 0.0)
        return Purchases(repeats, last / WEEK_DAYS, age / WEEK_DAYS)

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        return shapley(self._raw, self._filled(x), self.usual_, self.columns)

    def _filled(self, x: Floats) -> Floats:
        filled = np.where(np.isnan(x), self.usual_, x)
        recency = self.columns[0]
        filled[np.isnan(x[:, recency]), recency] = self.longest_
        return filled

    def _raw(self, x: Floats) -> Floats:
        return best_so_far(lambda rows, level: self._at(x[rows], level), x[:, self.columns[1]] - 1, self.levels_)

    def _at(self, x: Floats, level: float) -> Floats:
        """The model's score of people who had bought `level` times again."""
        raise NotImplementedError


class BuyersChance(Buyers, ProbabilityRung):
    """Log-odds of another order within `days`."""

    def _at(self, x: Floats, level: float) -> Floats:
        return self._odds(x, np.full(len(x), level), self.days)

    def _odds(self, x: Floats, repeats: Floats, days: Floats | float) -> Floats:
        """The model's log-odds of another order within `days` of people who had bought so often again."""
        of = self._purchases(x, repeats)
        chance = np.clip(self.model_.buys(of, days / WEEK_DAYS), SMALLEST, 1 - SMALLEST)
        odds: Floats = np.log(chance) - np.log1p(-chance)
        return odds


class BuyersReturn(BuyersChance):
    """Log-odds of another order within each person's own horizon, `days` at most (see `rhythm.own_horizons`).

    The second column counts days with an order. Silence is held against frequent buyers here, as the model has it:
    their horizon is as short as their gaps, and to miss it is what is asked about.
    """

    def __init__(self, columns: Sequence[int] = (0, 1, 2), days: int = 90, rhythm_days: float = 30.0) -> None:
        super().__init__(columns, days)
        self.rhythm_days = rhythm_days

    def _raw(self, x: Floats) -> Floats:
        return self._odds(x, np.maximum(x[:, self.columns[1]] - 1, 0.0), self._own(x))

    def _own(self, x: Floats) -> Floats:
        recency, order_days, first = x[:, list(self.columns)].T
        return own_horizons(recency, order_days, first, self.rhythm_days, self.days)


class BuyersMoney(Buyers, AmountRung):
    """Expected orders within `days` times expected spend per order (Gamma-Gamma), from a fourth column: the mean spend
    of the orders so far; evened out with recent spend, a fifth column, by the geometric mean of both.

    Orders tell who is still there, recent spend who spends more by now: either ranks as well, and each errs elsewhere.
    Recent spend counts as a hundredth of the mean at least.
    """

    def __init__(self, columns: Sequence[int] = (0, 1, 2, 3, 4), days: int = 30) -> None:
        super().__init__(columns, days)

    def _learn(self, x: Floats, y: Floats) -> None:
        super()._learn(x, y)
        recent = np.nan_to_num(x[:, self.columns[4]])
        self.floor_ = max(0.01 * float(np.abs(recent).mean()), 1e-6)
        self.level_ = 0.0
        self.level_ = float(np.log(y.sum() / np.exp(self._raw(self._filled(x))).sum()))

    def _fit_models(self, known: Floats) -> None:
        super()._fit_models(known)
        orders, spend = known[:, self.columns[1]], known[:, self.columns[3]]
        if not (spend > 0).any():
            raise StandsAsideError("no order has an amount")
        self.spender_ = GammaGamma.fit(orders, spend, pull=PULL)
        if not self.spender_.converged:
            raise StandsAsideError("the orders do not settle what people spend")

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        recent, filled = self.columns[4], self._filled(x)
        base, parts = shapley(super()._raw, filled, self.usual_, self.columns[:4])
        usual = float(self._recent(self.usual_[None, :])[0])
        parts[:, recent] = self._recent(filled) - usual
        return self.level_ + (base + usual) / 2, parts / 2

    def _raw(self, x: Floats) -> Floats:
        return self.level_ + (super()._raw(x) + self._recent(x)) / 2

    def _recent(self, x: Floats) -> Floats:
        return np.log(np.maximum(x[:, self.columns[4]], self.floor_))

    def _at(self, x: Floats, level: float) -> Floats:
        again = np.full(len(x), level)
        orders = self.model_.expected(self._purchases(x, again), self.days / WEEK_DAYS)
        each = self.spender_.expected(again + 1, np.maximum(x[:, self.columns[3]], 0.0))
        money: Floats = np.log(np.maximum(orders, SMALLEST)) + np.log(each)
        return money


def best_so_far(at: Callable[[Ints, float], Floats], upto: Floats, levels: Floats) -> Floats:
    """For each row the greatest of `at(rows, level)` over the `levels` up to `upto`; in between, along a line."""
    best = at(np.arange(upto.size), float(levels[0]))
    answer = best.copy()
    for low, high in pairwise(levels.tolist()):
        rows = np.flatnonzero(upto > low)
        better = np.maximum(best[rows], at(rows, high))
        answer[rows] += np.minimum((upto[rows] - low) / (high - low), 1.0) * (better - best[rows])
        best[rows] = better
    return answer
