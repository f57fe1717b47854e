"""The rules of thumb a model has to beat: one plain score each, turned into a probability or an amount."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from scoring.features import FEATURES
from scoring.ladder.base import AmountRung, ProbabilityRung, Rung
from scoring.objectives import Kind
from scoring.snapshots import Floats


class ProbabilityRule(ProbabilityRung):
    """A rule of thumb for yes-or-no outcomes."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class OneColumn(ProbabilityRule):
    """Probability from one column alone (by its logarithm). Missing counts as the largest value seen."""

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def _learn(self, x: Floats, y: Floats) -> None:
        known = x[:, self.column]
        self.missing_ = float(np.nanmax(known)) if np.isfinite(known).any() else 0.0
        scores = self._scores(x)
        self.center_, self.scale_ = float(scores.mean()), float(scores.std()) or 1.0
        line = LogisticRegression().fit((scores[:, None] - self.center_) / self.scale_, y)
        self.slope_, self.base_ = float(line.coef_[0, 0]), float(line.intercept_[0])

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        parts = np.zeros_like(x)
        parts[:, self.column] = self.slope_ * (self._scores(x) - self.center_) / self.scale_
        return self.base_, parts

    def _scores(self, x: Floats) -> Floats:
        known = np.where(np.isnan(x[:, self.column]), self.missing_, x[:, self.column])
        scores: Floats = np.sign(known) * np.log1p(np.abs(known))
        return scores


class Fifths(ProbabilityRule):
    """The classic RFM sum: each column cut into fifths (1 to 5), the fifths added up.

    `columns` and, beside it, `directions`: 1 when more is better, -1 when less is. Missing gets the worst fifth.
    """

    def __init__(self, columns: Sequence[int] = (0,), directions: Sequence[int] = (1,)) -> None:
        self.columns = columns
        self.directions = directions

    def _learn(self, x: Floats, y: Floats) -> None:
        self.edges_ = [
            np.quantile(known, [0.2, 0.4, 0.6, 0.8]) if known.size else np.zeros(4)
            for known in (values[np.isfinite(values)] for values in self._oriented(x))
        ]
        scores = self._scores(x)
        self.center_ = scores.mean(axis=0)
        line = LogisticRegression().fit((scores - self.center_).sum(axis=1)[:, None], y)
        self.slope_, self.base_ = float(line.coef_[0, 0]), float(line.intercept_[0])

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        parts = np.zeros_like(x)
        parts[:, list(self.columns)] = self.slope_ * (self._scores(x) - self.center_)
        return self.base_, parts

    def _oriented(self, x: Floats) -> list[Floats]:
        return [direction * x[:, column] for column, direction in zip(self.columns, self.directions, strict=True)]

    def _scores(self, x: Floats) -> Floats:
        scores = [
            np.where(np.isnan(values), 1, 1 + np.searchsorted(edges, values, side="left"))
            for values, edges in zip(self._oriented(x), self.edges_, strict=True)
        ]
        return np.column_stack(scores).astype(np.float64)


class ScaledColumn(AmountRung):
    """The expected amount is one column times a factor, and never less than a hundredth of that column's mean."""

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def _learn(self, x: Floats, y: Floats) -> None:
        known = np.nan_to_num(x[:, self.column])
        self.floor_ = max(0.01 * float(np.abs(known).mean()), 1e-6)
        amounts = np.maximum(known, self.floor_)
        self.center_ = float(np.log(amounts).mean())
        self.base_ = float(np.log(y.sum() / amounts.sum())) + self.center_

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        parts = np.zeros_like(x)
        parts[:, self.column] = np.log(np.maximum(np.nan_to_num(x[:, self.column]), self.floor_)) - self.center_
        return self.base_, parts

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


def rules(kind: Kind) -> dict[str, Rung]:
    """The rules of thumb for one kind of objective, by the name they are reported under."""
    place = FEATURES.index
    if kind == "value":
        return {
            "recent spend carried on": ScaledColumn(place("spend_decayed_120d")),
            "spend of the last 90 days carried on": ScaledColumn(place("spend_90d")),
        }
    rfm = Fifths((place("recency_days"), place("orders"), place("spend_sum")), (-1, 1, 1))
    if kind == "response":
        return {
            "answers so far": OneColumn(place("responses")),
            "recent answers": OneColumn(place("answers_decayed")),
            "recency + frequency + spend in fifths": rfm,
        }
    found: dict[str, Rung] = {
        "days since the last order": OneColumn(place("recency_days")),
        "number of orders": OneColumn(place("orders")),
        "recent orders": OneColumn(place("orders_decayed_45d")),
        "recency + frequency + spend in fifths": rfm,
    }
    if kind == "high_value":
        found["recent spend"] = OneColumn(place("spend_decayed_120d"))
    return found
