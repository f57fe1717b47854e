"""Expected money in two steps: whether anything is spent, and how much then."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoring.ladder.base import AmountRung
from scoring.ladder.sharing import shared, usual
from scoring.ladder.trees import Boosting, PoissonBoosting
from scoring.snapshots import Floats


class Hurdle(AmountRung):
    """Chance of spending anything times the spend of those who do, both by small boosting; arguments as for Trees."""

    def __init__(
        self,
        seed: int = 0,
        directions: Sequence[int] | None = None,
        families: Sequence[Sequence[int]] | None = None,
        unused: Sequence[int] = (),
    ) -> None:
        self.seed = seed
        self.directions = directions
        self.families = families
        self.unused = unused

    def raw(self, x: Any) -> Floats:
        """Logarithm of the expected amount, without taking it apart first."""
        return self._scores(self._checked(x))

    def _learn(self, x: Floats, y: Floats) -> None:
        spent = y > 0
        self.usual_ = usual(x)
        own = (self.seed, self.directions, None, None, self.unused)
        self.chance_ = None if spent.all() else Boosting(*own).fit(x, spent)
        self.amount_ = PoissonBoosting(*own).fit(x[spent], y[spent])

    def _scores(self, x: Floats) -> Floats:
        amount = self.amount_.raw(x)
        # log(chance) of log-odds o is -log(1 + exp(-o)).
        return amount if self.chance_ is None else amount - np.logaddexp(0.0, -self.chance_.raw(x))

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        families = self.families if self.families is not None else [(column,) for column in range(x.shape[1])]
        return shared(self._scores, x, self.usual_, families)
