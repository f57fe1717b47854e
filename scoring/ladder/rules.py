"""The rules of thumb a model has to beat: one plain score each, turned into a probability or an amount."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from scoring.features import DIRECTIONS, FEATURES
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
    """Probability from one column alone (by its logarithm). Missing counts as the largest value seen.

    With a `direction`, 1 when more is better or -1 when less is, data that say otherwise teach nothing.
    """

    def __init__(self, column: int = 0, direction: int = 0) -> None:
        self.column = column
        self.direction = direction

    def _learn(self, x: Floats, y: Floats) -> None:
        known = x[:, self.column]
        self.missing_ = float(np.nanmax(known)) if np.isfinite(known).any() else 0.0
        scores = self._scores(x)
        self.center_, self.scale_ = float(scores.mean()), float(scores.std()) or 1.0
        self.slope_, self.base_ = _line((scores - self.center_) / self.scale_, y, self.direction)

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
        self.slope_, self.base_ = _line((scores - self.center_).sum(axis=1), y, direction=1)

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


def _line(scores: Floats, y: Floats, direction: int) -> tuple[float, float]:
    """Slope and intercept from score to log-odds; a slope against `direction` becomes 0, at the overall rate."""
    line = LogisticRegression().fit(scores[:, None], y)
    slope, rate = float(line.coef_[0, 0]), float(y.mean())
    if slope * direction < 0:
        return 0.0, float(np.log(rate / (1 - rate)))
    return slope, float(line.intercept_[0])


def rules(kind: Kind, *, own_horizons: bool = False) -> dict[str, Rung]:
    """The rules of thumb for one kind of objective, by the name they are reported under.

    With horizons of people's own, silence is measured by their own gaps as well.
    """
    place = FEATURES.index
    if kind == "value":
        return {
            "recent spend carried on": ScaledColumn(place("spend_decayed_120d")),
            "spend of the last 90 days carried on": ScaledColumn(place("spend_90d")),
        }
    rfm = Fifths((place("recency_days"), place("orders"), place("spend_sum")), (-1, 1, 1))
    if kind in ("conversion", "stay"):
        return {
            "days since the last order": _one("recency_days"),
            "recent orders": _one("orders_decayed_45d"),
            "recent answers": _one("answers_decayed"),
            "days since the last answer": _one("days_since_answer"),
            "days since first known": _one("tenure_days"),
            "recency + frequency + spend in fifths": rfm,
        }
    if kind == "response":
        return {
            "answers so far": _one("responses"),
            "recent answers": _one("answers_decayed"),
            "recency + frequency + spend in fifths": rfm,
        }
    found: dict[str, Rung] = {
        "days since the last order": _one("recency_days"),
        "number of orders": _one("orders"),
        "recent orders": _one("orders_decayed_45d"),
        "recency + frequency + spend in fifths": rfm,
    }
    if own_horizons:
        found["silence in usual gaps"] = _one("recency_in_gaps")
    if kind == "high_value":
        found["recent spend"] = _one("spend_decayed_120d")
    return found


def _one(name: str) -> OneColumn:
    column = FEATURES.index(name)
    return OneColumn(column, DIRECTIONS[column])
