"""What buy-till-you-die models are told of a person: repeat purchases, the last of them, time known, spend."""

from dataclasses import dataclass

import numpy as np

from scoring.snapshots import Floats, Ints
from scoring.tables import DAY

WEEK = 7 * DAY
"""Microseconds in a week. All durations of these models are in weeks."""


@dataclass(frozen=True)
class Purchases:
    """One row per person: `x` repeat purchases, the last `t_x` weeks after the first, which was `age` weeks ago (T).

    Raises ValueError when the columns differ in length, are not finite, or cannot be: 0 ≤ t_x ≤ age, and t_x is 0
    exactly where x is.
    """

    x: Floats
    t_x: Floats
    age: Floats

    def __post_init__(self) -> None:
        columns = (self.x, self.t_x, self.age)
        if self.x.ndim != 1 or {column.shape for column in columns} != {self.x.shape}:
            raise ValueError("x, t_x and age must be three columns of one length")
        if not all(np.isfinite(column).all() for column in columns):
            raise ValueError("x, t_x and age must be known for everyone")
        if (self.x < 0).any() or (self.t_x < 0).any() or (self.t_x > self.age).any():
            raise ValueError("x and t_x must not be negative, and t_x not beyond age")
        if ((self.x > 0) != (self.t_x > 0)).any():
            raise ValueError("t_x must be 0 exactly where x is 0")

    def distinct(self, weights: Floats | None = None) -> tuple["Purchases", Floats]:
        """The different rows, and the weight of each: how many people are like that, or the sum of their `weights`.

        Raises ValueError when there is nobody, or when `weights` are not one positive number per person.
        """
        rows, place = np.unique(np.column_stack([self.x, self.t_x, self.age]), axis=0, return_inverse=True)
        total: Floats = np.bincount(place.ravel(), weights=checked_weights(weights, self.x.size)).astype(np.float64)
        return Purchases(*rows.T), total


def checked_weights(weights: Floats | None, people: int) -> Floats:
    """`weights`, or ones; raises ValueError unless they are one positive number for each of at least one person."""
    if people == 0:
        raise ValueError("there is nobody to learn from")
    weights = np.ones(people) if weights is None else weights
    if weights.shape != (people,) or not np.isfinite(weights).all() or (weights <= 0).any():
        raise ValueError("weights must be one positive number per person")
    return weights


@dataclass(frozen=True)
class Summary:
    """Everyone who had bought (ascending `person_ids`), with the mean `spend` (cents) of a repeat purchase.

    `spend` leaves the first purchase out, and is NaN for people without a repeat purchase.
    """

    person_ids: Ints
    purchases: Purchases
    spend: Floats


def summary(person_ids: Ints, at: Ints, cents: Ints, cut: int, period: int = DAY) -> Summary:
    """Sum up orders (who, instant in µs UTC, cents), one each row, as they stood at `cut` (µs UTC).

    Orders at `cut` or after are not known yet. Orders of one person within one `period` (µs, counted backwards from
    `cut`: a cut-off at local midnight makes local days) are one purchase. Raises ValueError for a period below 1.
    """
    if period < 1:
        raise ValueError("a period must be at least one microsecond")
    known = at < cut
    ago = (cut - 1 - at[known]) // period
    bought, place = np.unique(np.column_stack([person_ids[known], -ago]), axis=0, return_inverse=True)
    spent = np.bincount(place.ravel(), weights=cents[known], minlength=len(bought))
    who, first, times = np.unique(bought[:, 0], return_index=True, return_counts=True)
    when, x = bought[:, 1], times - 1
    last = first + x
    repeat_spend = np.bincount(np.repeat(np.arange(who.size), times), weights=spent, minlength=who.size) - spent[first]
    purchases = Purchases(
        x.astype(np.float64), (when[last] - when[first]) * (period / WEEK), -when[first] * (period / WEEK)
    )
    return Summary(who, purchases, np.where(x > 0, repeat_spend / np.maximum(x, 1), np.nan))
