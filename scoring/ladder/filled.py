"""Rungs whose scorer cannot do without a value: missing ones are filled in, and the score is shared out by family."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoring.ladder.base import Rung
from scoring.ladder.sharing import shared, usual
from scoring.ladder.trees import varying
from scoring.snapshots import Floats


class Filled(Rung):
    """Columns keep to their `directions`; a missing value counts as the worst known one, or, where either is possible,
    as one below all. A column that is `unused` or never varies is left out. `families` are shared out (see `shared`),
    each column by itself when there are none.
    """

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
        """The raw score, without taking it apart first."""
        return self._scores(self._filled(self._checked(x)))

    def _learn(self, x: Floats, y: Floats) -> None:
        self.used_ = np.flatnonzero(varying(x, self.unused))
        signs = np.zeros(x.shape[1]) if self.directions is None else np.asarray(self.directions)
        known = np.where(np.isfinite(x).any(axis=0), x, 0.0)
        low, high = np.nanmin(known, axis=0), np.nanmax(known, axis=0)
        self.missing_ = np.where(signs < 0, high, np.where(signs > 0, low, low - 1.0))
        filled = self._filled(x)
        self.usual_ = usual(filled)
        self._fit(filled, y, signs[self.used_].astype(int))

    def _filled(self, x: Floats) -> Floats:
        return np.where(np.isnan(x), self.missing_, x)

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        families = self.families if self.families is not None else [(column,) for column in range(x.shape[1])]
        return shared(self._scores, self._filled(x), self.usual_, families)

    def _fit(self, x: Floats, y: Floats, signs: Any) -> None:
        """Learn from all columns of `x`, of which `used_` count; `signs` are theirs."""
        raise NotImplementedError

    def _scores(self, x: Floats) -> Floats:
        raise NotImplementedError
