"""Small gradient boosting, and the exact share of each column in its score."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from scoring.ladder.base import AmountRung, ProbabilityRung, Rung
from scoring.ladder.sharing import shared, usual
from scoring.snapshots import Floats

SMALL = {
    "learning_rate": 0.08,
    "max_iter": 75,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "early_stopping": False,
}
"""Small on purpose: with a few thousand people, larger trees lose to plain rules."""


class Trees(Rung):
    """Trees that keep to the `directions` of the columns (1, -1, or 0 for either), each within one of `circles`.

    So the score is a sum of one part per circle. A circle of several `families` is shared out among them, the others
    along the trees' paths; moving a family against its directions never raises its part.
    """

    def __init__(
        self,
        seed: int = 0,
        directions: Sequence[int] | None = None,
        families: Sequence[Sequence[int]] | None = None,
        circles: Sequence[Sequence[int]] | None = None,
        unused: Sequence[int] = (),
    ) -> None:
        self.seed = seed
        self.directions = directions
        self.families = families
        self.circles = circles
        self.unused = unused

    def _settings(self) -> dict[str, Any]:
        return {
            **SMALL,
            "random_state": self.seed,
            "monotonic_cst": self.directions,
            "interaction_cst": self.circles if self.circles is not None else self.families,
        }

    def _prepare(self, x: Floats) -> Floats:
        """Remember which columns to use, and the usual row; the rows to fit the trees on."""
        self.used_ = varying(x, self.unused)
        self.usual_ = usual(np.where(self.used_, x, 0.0))
        return _known(x, self.used_)

    def _scores(self, x: Floats) -> Floats:
        raise NotImplementedError

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        x = _known(x, self.used_)
        _, parts = path_parts(self.model_, x)
        for own in self._together():
            columns = [column for family in own for column in family]
            parts[:, columns] = shared(self._scores, self._only(x, columns), self.usual_, own)[1][:, columns]
        return float(np.median(self._scores(x) - parts.sum(axis=1))), parts

    def _together(self) -> list[list[Sequence[int]]]:
        """The families of each circle that has several."""
        families = self.families or ()
        found = [[family for family in families if family[0] in circle] for circle in self.circles or ()]
        return [own for own in found if len(own) > 1]

    def _only(self, x: Floats, columns: Sequence[int]) -> Floats:
        """The rows with the usual values in all other columns: these add the same to every score of a circle."""
        only = np.broadcast_to(self.usual_, x.shape).copy()
        only[:, columns] = x[:, columns]
        return only


class Boosting(ProbabilityRung, Trees):
    """Gradient boosting of small trees for yes-or-no outcomes."""

    def raw(self, x: Any) -> Floats:
        """Log-odds, straight from the trees (faster than adding up the parts)."""
        return self._scores(_known(self._checked(x), self.used_))

    def _learn(self, x: Floats, y: Floats) -> None:
        known = self._prepare(x)
        self.model_ = HistGradientBoostingClassifier(**self._settings()).fit(known, y)

    def _scores(self, x: Floats) -> Floats:
        odds: Floats = self.model_.decision_function(x)
        return odds


class PoissonBoosting(AmountRung, Trees):
    """Gradient boosting of small trees for amounts, logarithmic link."""

    def raw(self, x: Any) -> Floats:
        """Log-money, straight from the trees."""
        return self._scores(_known(self._checked(x), self.used_))

    def _learn(self, x: Floats, y: Floats) -> None:
        known = self._prepare(x)
        self.log_mean_ = float(np.log(y.mean()))
        model = HistGradientBoostingRegressor(loss="poisson", **self._settings())
        self.model_ = model.fit(known, y / y.mean())

    def _scores(self, x: Floats) -> Floats:
        money: Floats = np.log(self.model_.predict(x)) + self.log_mean_
        return money


def path_parts(model: Any, x: Floats) -> tuple[float, Floats]:
    """The raw prediction taken apart along the path each row takes through each tree.

    A step from a node to its child is credited to the column that was asked there, with the difference between
    the mean training prediction of the two nodes; so base and parts add up to the raw prediction exactly.
    """
    base = float(model._baseline_prediction.ravel()[0])
    parts = np.zeros_like(x)
    rows = np.arange(x.shape[0])
    for (tree,) in model._predictors:
        nodes = tree.nodes
        means = _node_means(nodes)
        base += float(means[0])
        at = np.zeros(x.shape[0], dtype=np.intp)
        moving = rows if not nodes["is_leaf"][0] else rows[:0]
        while moving.size:
            node = nodes[at[moving]]
            column = node["feature_idx"]
            value = x[moving, column]
            left = np.where(np.isnan(value), node["missing_go_to_left"] > 0, value <= node["num_threshold"])
            child = np.where(left, node["left"], node["right"]).astype(np.intp)
            parts[moving, column] += means[child] - means[at[moving]]
            at[moving] = child
            moving = moving[nodes["is_leaf"][child] == 0]
    return base, parts


def _node_means(nodes: NDArray[np.void]) -> Floats:
    """The mean leaf value below each node, weighted by training rows; children always stand after their parent."""
    means: Floats = nodes["value"].astype(np.float64)
    for index in range(nodes.size - 1, -1, -1):
        if not nodes["is_leaf"][index]:
            left, right = int(nodes["left"][index]), int(nodes["right"][index])
            share = nodes["count"][left] / (nodes["count"][left] + nodes["count"][right])
            means[index] = share * means[left] + (1 - share) * means[right]
    return means


def varying(x: Floats, unused: Sequence[int]) -> NDArray[np.bool_]:
    """Columns to use, with two or more different known values; the binning of scikit-learn 1.9 fails on all-missing."""
    varying = np.array([np.unique(values[np.isfinite(values)]).size > 1 for values in x.T])
    varying[list(unused)] = False
    return varying


def _known(x: Floats, used: NDArray[np.bool_]) -> Floats:
    return np.where(used, x, 0.0)
