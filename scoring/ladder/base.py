"""What every rung of the ladder offers: fit, a raw score, and the parts the raw score is the sum of."""

from typing import Any, Self

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from scoring.snapshots import Floats


class Rung(BaseEstimator):  # type: ignore[misc]
    """A scorer whose raw score (log-odds or log-money) is a base plus one part per column. NaN is allowed."""

    def fit(self, x: Any, y: Any) -> Self:
        """Learn from rows `x` and outcomes `y`; raises ValueError when they are not usable."""
        x, y = validate_data(self, x, y, ensure_all_finite="allow-nan", dtype=np.float64)
        self._learn(x, self._targets(y))
        self.fitted_ = True
        return self

    def raw(self, x: Any) -> Floats:
        """The raw score of each row."""
        base, parts = self.contributions(x)
        total: Floats = base + parts.sum(axis=1)
        return total

    def contributions(self, x: Any) -> tuple[float, Floats]:
        """The raw score taken apart: the average person's score, and each column's share in each row's difference."""
        return self._parts(self._checked(x))

    def _checked(self, x: Any) -> Floats:
        check_is_fitted(self)
        checked: Floats = validate_data(self, x, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)
        return checked

    def _targets(self, y: Any) -> Floats:
        raise NotImplementedError

    def _learn(self, x: Floats, y: Floats) -> None:
        raise NotImplementedError

    def _parts(self, x: Floats) -> tuple[float, Floats]:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class ProbabilityRung(ClassifierMixin, Rung):  # type: ignore[misc]
    """A rung for yes-or-no outcomes; the raw score is in log-odds."""

    def predict_proba(self, x: Any) -> Floats:
        """Probability of each of `classes_`, before calibration."""
        likely = expit(self.raw(x))
        return np.column_stack([1 - likely, likely])

    def predict(self, x: Any) -> Any:
        """The likelier class of each row."""
        likely = self.predict_proba(x)[:, 1]
        return self.classes_[(likely > 0.5).astype(int)]

    def _targets(self, y: Any) -> Floats:
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if self.classes_.size != 2:
            raise ValueError(f"Only binary classification is supported; found {self.classes_.size} class(es)")
        positive: Floats = (y == self.classes_[1]).astype(np.float64)
        return positive

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class AmountRung(RegressorMixin, Rung):  # type: ignore[misc]
    """A rung for amounts of money, none negative; the raw score is the logarithm of the expected amount."""

    def predict(self, x: Any) -> Floats:
        """The expected amount of each row, in the unit of the training amounts."""
        return np.exp(self.raw(x))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags

    def _targets(self, y: Any) -> Floats:
        amounts: Floats = np.asarray(y, dtype=np.float64)
        if amounts.min() < 0 or amounts.sum() <= 0:
            raise ValueError("amounts must not be negative, and not all nothing")
        return amounts
