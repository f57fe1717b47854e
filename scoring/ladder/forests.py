"""One small decision tree, and many of them."""

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from scoring.ladder.base import ProbabilityRung
from scoring.ladder.filled import Filled
from scoring.snapshots import Floats

SMALLEST = 1e-3
"""Chances are kept this far from 0 and 1: a leaf where all did it is no proof that everyone will."""
ROWS_PER_TREE = 10_000


class _Leaves(ProbabilityRung, Filled):
    """Chances from leaves, as log-odds."""

    def _scores(self, x: Floats) -> Floats:
        if not self.used_.size:
            return np.full(len(x), self.rate_)
        chance = np.clip(self.model_.predict_proba(x[:, self.used_])[:, 1], SMALLEST, 1 - SMALLEST)
        odds: Floats = np.log(chance) - np.log1p(-chance)
        return odds

    def _fit(self, x: Floats, y: Floats, signs: Any) -> None:
        rate = float(np.clip(y.mean(), SMALLEST, 1 - SMALLEST))
        self.rate_ = float(np.log(rate / (1 - rate)))
        if self.used_.size:
            self.model_ = self._model(len(y), signs).fit(x[:, self.used_], y)

    def _model(self, rows: int, signs: Any) -> Any:
        raise NotImplementedError


class Tree(_Leaves):
    """A decision tree of at most a dozen leaves."""

    def _model(self, rows: int, signs: Any) -> Any:
        return DecisionTreeClassifier(
            max_leaf_nodes=12,
            min_samples_leaf=min(max(rows // 50, 40), max(rows // 4, 1)),
            monotonic_cst=signs,
            random_state=self.seed,
        )


class Forest(_Leaves):
    """A random forest, small and regularised."""

    def _model(self, rows: int, signs: Any) -> Any:
        return RandomForestClassifier(
            n_estimators=40,
            max_depth=8,
            max_features=0.3,
            max_samples=min(rows, ROWS_PER_TREE),
            min_samples_leaf=min(20, max(rows // 10, 1)),
            monotonic_cst=signs,
            random_state=self.seed,
        )
