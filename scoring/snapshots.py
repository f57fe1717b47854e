"""Rolling cut-offs over the past: features as they stood then, outcomes as they turned out since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from scoring.extras import Extras
from scoring.features import FEATURES, features
from scoring.objectives import Deeds, Labels, Objective, deeds, labelled
from scoring.rhythm import usual_horizon
from scoring.sample import sample
from scoring.tables import DAY, Tables
from scoring.tables import Floats as Floats
from scoring.tables import Ints as Ints

LEAD_IN_DAYS = (30, 90)
"""A cut-off needs a past of its own: a quarter of the known history, within these bounds, or one horizon if longer."""
MOST_CUTS = 36
"""Cut-offs, three years of them with a long history: what is older adds little (Ballings, Van den Poel 2012)."""


@dataclass(frozen=True)
class Matrix:
    """What is known of everyone at a cut-off: FEATURES, then extra columns; rows by ascending `person_ids`.

    NaN means never happened.
    """

    person_ids: Ints
    values: Floats


@dataclass(frozen=True)
class Rows:
    """Labelled rows of the population at one or more cut-offs, everything row by row."""

    person_ids: Ints
    cuts: Ints
    x: Floats
    y: Floats

    def where(self, keep: NDArray[np.bool_]) -> "Rows":
        """The rows `keep` is true for."""
        return Rows(self.person_ids[keep], self.cuts[keep], self.x[keep], self.y[keep])

    def at(self, cuts: Sequence[int]) -> "Rows":
        """The rows of these cut-offs."""
        return self.where(np.isin(self.cuts, cuts))

    def reaching(self, threshold: float) -> "Rows":
        """The same rows with y = 1 where it was at least `threshold`, else 0."""
        return replace(self, y=(self.y >= threshold).astype(np.float64))

    def outcomes(self) -> int:
        """Distinct people on the rarer side: with the outcome or without it."""
        did = self.y > 0
        return int(min(np.unique(self.person_ids[did]).size, np.unique(self.person_ids[~did]).size))


@dataclass
class Snapshots:
    """The past of `tables` as known at `as_of` (µs UTC). Features and what people did later are read once per
    cut-off and kept, so that several objectives can share one instance. `extras` are columns beside FEATURES.

    At `as_of` it is about everyone; at earlier cut-offs, which are learned from, about the people of `sample`.
    """

    tables: Tables
    as_of: int
    extras: Extras | None = None
    watched: Mapping[str, int] = field(default_factory=dict)
    """Kinds of activity that are only known from an instant (µs UTC) on: before it nothing is labelled by them."""
    _matrices: dict[int, Matrix] = field(default_factory=dict, init=False, repr=False)
    _deeds: dict[tuple[str, str, int, float | None, int], Deeds] = field(default_factory=dict, init=False, repr=False)
    _first: int | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.tables = self.tables.until(self.as_of)
        first = self.tables.activities.select(nw.col("at").min()).collect("pyarrow")["at"].to_list()[0]
        self._first = None if first is None else int(first)

    @cached_property
    def studied(self) -> Tables:
        """What is known of the people who are learned from."""
        return sample(self.tables)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of every matrix."""
        return (*FEATURES, *(self.extras.names if self.extras else ()))

    @property
    def first(self) -> int | None:
        """Instant of the first activity, None when there is none."""
        return self._first

    def known_since(self, objective: Objective) -> int | None:
        """From when on it is known who did what the objective asks about; None when there is no activity at all."""
        return None if self._first is None else max(self._first, self.watched.get(objective.asked, self._first))

    def cuts(self, objective: Objective) -> list[int]:
        """Matured cut-offs, newest first: each horizon ended at `as_of` or before, so no open window is labelled.

        See `step_days` for how often, LEAD_IN_DAYS and MOST_CUTS for how far back.
        """
        if self._first is None:
            return []
        history = (self.as_of - self._first) / DAY
        oldest = self._first + int(lead_in_days(history, objective) * DAY)
        if objective.asked in self.watched:
            oldest = max(oldest, self.watched[objective.asked] + 1)
        step = step_days(history)
        newest = self.as_of - _days_ago(objective, step) * DAY
        return list(range(newest, oldest - 1, -step * DAY))[:MOST_CUTS]

    def matrix(self, cut: int) -> Matrix:
        """Features at `cut`: of everyone at `as_of`, else of those learned from. ValueError for a cut after `as_of`."""
        if cut > self.as_of:
            raise ValueError("a cut-off after as_of cannot be known")
        if cut not in self._matrices:
            tables = self.tables if cut == self.as_of else self.studied
            self._matrices[cut] = matrix(tables, cut, self.extras)
        return self._matrices[cut]

    def rows(self, objective: Objective, cuts: Sequence[int], *, share: float = 1.0, seed: int = 0) -> Rows:
        """Labelled rows of the population at each of `cuts` (at least one); a `share` in (0, 1] of them, drawn.

        `high_value` keeps the spend in cents as y: see `objectives.high_threshold`.
        Raises ValueError when a horizon is not over yet.
        """
        parts = []
        for cut in cuts:
            known, outcome = self.matrix(cut), self._labels(objective, cut)
            mine = outcome.inside
            if share < 1:
                mine = mine & (np.random.default_rng([seed, cut]).random(mine.size) < share)
            x, y = known.values[mine], outcome.y[mine]
            parts.append(Rows(known.person_ids[mine], np.full(y.size, cut, dtype=np.int64), x, y))
        return _stacked(parts)

    def inside(self, objective: Objective, cuts: Sequence[int]) -> Floats:
        """The outcomes of the population at `cuts`. Raises ValueError as `rows` does."""
        found = (self._labels(objective, cut) for cut in cuts)
        return np.concatenate([each.y[each.inside] for each in found])

    def outside(self, objective: Objective, cuts: Sequence[int]) -> Floats:
        """The outcomes of everyone outside the population at `cuts`. Raises ValueError as `rows` does."""
        found = (self._labels(objective, cut) for cut in cuts)
        return np.concatenate([each.y[~each.inside] for each in found])

    def _labels(self, objective: Objective, cut: int) -> Labels:
        return labelled(self._done(objective, cut), objective)

    def _done(self, objective: Objective, cut: int) -> Deeds:
        if cut + objective.horizon > self.as_of:
            raise ValueError("the horizon of this cut-off is not over: its outcomes are not known yet")
        key = (objective.asked, objective.among, objective.horizon_days, objective.rhythm_days, cut)
        if key not in self._deeds:
            self._deeds[key] = deeds(self.studied, objective, cut)
        return self._deeds[key]


def _stacked(parts: Sequence[Rows]) -> Rows:
    return Rows(
        np.concatenate([part.person_ids for part in parts]),
        np.concatenate([part.cuts for part in parts]),
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.y for part in parts]),
    )


def step_days(history: float) -> int:
    """Days between cut-offs with `history` days known: a month, and less when ten or four months are not reached."""
    return 30 if history >= 300 else 14 if history >= 120 else 7


def _days_ago(objective: Objective, step: int) -> int:
    """How long ago the newest cut-off was: a horizon; where people have their own, the longest of them or a little
    more, so that it is among the cut-offs of the base's horizon, whose features are then computed once for both.
    """
    if objective.rhythm_days is None:
        return objective.horizon_days
    usual = usual_horizon(objective.rhythm_days)
    return usual + -(-(objective.horizon_days - usual) // step) * step


def lead_in_days(history: float, objective: Objective) -> float:
    """Days before the first cut-off with `history` days known."""
    return max(float(np.clip(history / 4, *LEAD_IN_DAYS)), objective.horizon_days)


def matrix(tables: Tables, cut: int, extras: Extras | None = None) -> Matrix:
    """Features (and extra columns) of everyone known at `cut`, as numbers."""
    frame = features(tables, cut).sort("person_id").collect("pyarrow")
    person_ids = frame["person_id"].to_numpy()
    values = numbers(frame, FEATURES)
    return Matrix(person_ids, values if extras is None else np.column_stack([values, extras.at(cut, person_ids)]))


def numbers(frame: Any, names: Sequence[str]) -> Floats:
    """The columns `names` of a data frame or Arrow batch, side by side.

    Rounded to nine decimals: engines add in varying order, and the last bits must not decide a tree's split.
    """
    found = np.empty((len(frame[names[0]]), len(names)))
    for column, name in enumerate(names):
        found[:, column] = np.round(np.asarray(frame[name], dtype=np.float64), 9)
    return found


def folds(person_ids: Ints, count: int, seed: int) -> Ints:
    """A fold 0 … count-1 for each row, the same for all rows of a person."""
    unique, place = np.unique(person_ids, return_inverse=True)
    dealt: Ints = np.random.default_rng(seed).permutation(unique.size) % count
    return dealt[place]
