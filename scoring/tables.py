"""The two input tables, their columns, and cutting them at an instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

DAY = 86_400_000_000
"""Microseconds in a day: every instant in the tables is an integer count of microseconds since 1970, UTC."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Frame = nw.LazyFrame[Any]
"""A lazy table on any engine narwhals reads."""

KINDS = frozenset(
    {"order", "refund", "deal_lost", "send", "open", "click", "form", "response", "visit", "touch"}
    | {"unsubscribe", "bounce"}
)
"""What an activity can be. `order` covers shop orders, won deals and won opportunities; `response` a redeemed or
answered campaign; `touch` a call, meeting or note."""

ACTIVITY_COLUMNS: Mapping[str, type[nw.dtypes.DType]] = {
    "person_id": nw.Int64,
    "kind": nw.String,
    "at": nw.Int64,
    "amount": nw.Int64,
    "campaign": nw.String,
    "machine": nw.Boolean,
}
"""`at` in µs UTC; `amount` in cents, null unless money; `campaign` null unless known; `machine`: not by a person."""

PEOPLE_COLUMNS: Mapping[str, type[nw.dtypes.DType]] = {"person_id": nw.Int64, "since": nw.Int64}
"""One row per person; `since` is the instant (µs UTC) the person became known."""


@dataclass(frozen=True)
class Tables:
    """Activities and people, on any engine narwhals reads.

    Raises TypeError when a table is not a lazy frame or a column has another type than the contract says,
    ValueError when a column is missing.
    """

    activities: Frame
    people: Frame

    def __post_init__(self) -> None:
        _check("activities", self.activities, ACTIVITY_COLUMNS)
        _check("people", self.people, PEOPLE_COLUMNS)

    def until(self, cut: int) -> "Tables":
        """What was known at `cut` (µs UTC): activities and people strictly before it."""
        return Tables(self.activities.filter(nw.col("at") < cut), self.people.filter(nw.col("since") < cut))

    def between(self, start: int, end: int) -> Frame:
        """Activities in [start, end), both µs UTC."""
        return self.activities.filter(nw.col("at") >= start, nw.col("at") < end)


def _check(name: str, frame: Frame, columns: Mapping[str, type[nw.dtypes.DType]]) -> None:
    if not isinstance(frame, nw.LazyFrame):
        raise TypeError(f"{name} must be a narwhals LazyFrame, not {type(frame).__name__}")
    schema = frame.collect_schema()
    missing = [column for column in columns if column not in schema]
    if missing:
        raise ValueError(f"{name} lacks the column(s) {', '.join(missing)}")
    for column, wanted in columns.items():
        if schema[column] != wanted:
            raise TypeError(f"{name}.{column} must be {wanted.__name__}, not {schema[column]}")
