"""Columns beside the built-in features: other kinds of activity, and what is known of a person, point in time."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scoring.columns import at_micros, texts
from scoring.features import FEATURES
from scoring.tables import DAY, KINDS, Floats, Ints, Tables

MOST_KINDS = 8
"""Other kinds of activity that get columns, most frequent first."""
MOST_LEVELS = 8
"""Values of a property that get a column, most frequent first."""
FEWEST = 20
"""People a value must be true of to get a column: fewer teach nothing but who they are."""
HALF_LIFE_DAYS = 45
COUNTED = ("recent:", "since:")
"""How names of columns about other kinds of activity begin."""

DENIED = (
    "lifecycle",
    "lead_status",
    "leadstatus",
    "owner",
    "num_",
    "last_",
    "hs_",
    "tags",
    "score",
    "converted",
    "closed",
)
"""Starts, or whole words inside, of names that platforms keep up to date: roll-ups, statuses and scores of others."""


@dataclass(frozen=True)
class Static:
    """Columns of the table of people: name, and the value of each person (None where unknown)."""

    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def read(cls, people: pa.Table | None, person: Ints, count: int) -> "Static":
        """Every column of `people` but person and since; row n is about `person` n of `count`."""
        found: dict[str, NDArray[Any]] = {}
        if people is None:
            return cls(found)
        for name in people.column_names:
            if name not in ("person", "since"):
                values = np.full(count, None, dtype=object)
                values[person] = people[name].to_pylist()
                found[name] = values
        return cls(found)


@dataclass(frozen=True)
class History:
    """Changes of properties, oldest first: whose, when (µs UTC), which, and the new value."""

    person: Ints
    at: Ints
    name: NDArray[Any]
    value: NDArray[Any]

    @classmethod
    def read(cls, table: pa.Table | None, person: Ints) -> "History":
        """The changes in `table`; row n is about `person` n."""
        if table is None:
            none = np.empty(0, dtype=object)
            return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), none, none)
        at, known = at_micros("history.time", table["time"], [])
        name, value = texts(table["name"]), texts(table["value"])
        order = np.argsort(at, kind="stable")
        order = order[(known & np.array([each is not None for each in name], dtype=bool))[order]]
        return cls(person[order], at[order], name[order], value[order])

    def events(self) -> list[str]:
        """Each change as the event NAME=VALUE."""
        return [f"{name}={value}" for name, value in zip(self.name, self.value, strict=True)]

    def as_of(self, name: str, cut: int, count: int) -> NDArray[Any]:
        """The value of `name` each of `count` people had just before `cut`."""
        rows = (self.name == name) & (self.at < cut)
        values = np.full(count, None, dtype=object)
        # The newest of a person comes last, and stays.
        values[self.person[rows]] = self.value[rows]
        return values


@dataclass(frozen=True)
class Extras:
    """Which columns there are, and their values at any cut-off."""

    tables: Tables
    static: Mapping[str, NDArray[Any]]
    history: History
    names: tuple[str, ...]
    """`recent:KIND`, `since:KIND`, `PROPERTY=VALUE`, or a property that is a number."""
    refused: tuple[str, ...]
    """Why columns were not taken in, one sentence each."""

    @classmethod
    def of(
        cls,
        tables: Tables,
        static: Static,
        history: History,
        as_of: int,
        *,
        immutable: Iterable[str] = (),
        deny: Iterable[str] = (),
    ) -> "Extras":
        """Choose the columns by what was known at `as_of` (µs UTC).

        A column of people is taken in when it is named `immutable`, or, from `history`, as it was at each cut-off.
        Anything else shows today's value, which may know the outcome. Names in `deny`, DENIED ones that are not named
        immutable, and names that columns of ours could have, never are. Raises ValueError when `immutable` names a
        column that is not there.
        """
        fixed, forbidden = _names(immutable), _names(deny)
        if unknown := fixed - set(static.columns):
            raise ValueError(f"immutable names columns that people do not have: {', '.join(sorted(unknown))}")
        refused, taken, names = [], {}, list(_kind_names(tables, as_of))
        dated = sorted(set(history.name[history.at < as_of].tolist()))
        for name in [*static.columns, *(each for each in dated if each not in static.columns)]:
            if name in forbidden:
                refused.append(f"{name} is left out: it is on your deny-list.")
            elif not name or "=" in name or name.startswith(COUNTED) or name in FEATURES:
                refused.append(f'"{name}" is left out: columns of ours are called so. Give it another name.')
            elif name in fixed:
                taken[name] = static.columns[name]
                names += _value_names(name, taken[name])
            elif _denied(name):
                refused.append(f"{name} is left out: by its name it is a roll-up or status that is kept up to date.")
            elif name in dated:
                count = max((values.size for values in static.columns.values()), default=int(history.person.max()) + 1)
                names += _value_names(name, history.as_of(name, as_of, count))
            else:
                refused.append(
                    f"{name} is left out: only today's value is known, which may already know the outcome. "
                    "Name it immutable, or give its history."
                )
        return cls(tables, taken, history, tuple(names), tuple(refused))

    def at(self, cut: int, person_ids: Ints) -> Floats:
        """One row per person, one column for each of `names`, from what was known at `cut` (µs UTC)."""
        if not self.names:
            return np.empty((person_ids.size, 0))
        kinds = tuple(name.partition(":")[2] for name in self.names if name.startswith("recent:"))
        parts = [_counts(self.tables, kinds, cut, person_ids)] if kinds else []
        parts += [self._values(name, cut, person_ids)[:, None] for name in self.names[2 * len(kinds) :]]
        return np.column_stack(parts)

    def _values(self, name: str, cut: int, person_ids: Ints) -> Floats:
        property_, _, level = name.partition("=")
        if property_ in self.static:
            values = self.static[property_][person_ids]
        else:
            values = self.history.as_of(property_, cut, int(person_ids.max()) + 1 if person_ids.size else 0)[person_ids]
        if level:
            return np.array([_word(value) == level for value in values], dtype=np.float64)
        return np.array([_number(value) for value in values], dtype=np.float64)


def _names(given: Iterable[str]) -> set[str]:
    return {given} if isinstance(given, str) else set(given)


def property_of(name: str) -> str:
    """The property or kind of activity an extra column is about."""
    return name.partition(":")[2] if name.startswith(COUNTED) else name.partition("=")[0]


def families(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The families of extra columns reasons are grouped by."""
    activity = tuple(name for name in names if name.startswith(COUNTED))
    profile = tuple(name for name in names if name not in activity)
    return {family: found for family, found in (("activity", activity), ("profile", profile)) if found}


def _kind_names(tables: Tables, as_of: int) -> Iterable[str]:
    known = tables.until(as_of).activities.group_by("kind").agg(nw.len().alias("rows")).collect("pyarrow")
    counts = {kind: rows for kind, rows in known.rows() if kind not in KINDS and "=" not in kind}
    kinds = sorted(counts, key=lambda kind: (-counts[kind], kind))[:MOST_KINDS]
    return [name for kind in sorted(kinds) for name in (f"recent:{kind}", f"since:{kind}")]


def _counts(tables: Tables, kinds: tuple[str, ...], cut: int, person_ids: Ints) -> Floats:
    """Per kind a decayed count, and the days since the last one (NaN: never)."""
    age = (nw.lit(cut) - nw.col("at")) / DAY
    rows = (
        tables.until(cut)
        .activities.filter(nw.col("kind").is_in(list(kinds)))
        .with_columns(age=age, weight=(age * (-math.log(2) / HALF_LIFE_DAYS)).exp())
        .group_by("person_id", "kind")
        .agg(recent=nw.col("weight").sum(), since=nw.col("age").min())
        .collect("pyarrow")
    )
    found = np.tile(np.array([0.0, np.nan]), (person_ids.size, len(kinds)))
    person, kind = rows["person_id"].to_numpy(), rows["kind"].to_list()
    place = np.searchsorted(person_ids, person)
    known = (place < person_ids.size) & (person_ids[np.minimum(place, person_ids.size - 1)] == person)
    column = 2 * np.array([kinds.index(each) for each in kind], dtype=np.int64)
    for offset, name in enumerate(("recent", "since")):
        found[place[known], column[known] + offset] = rows[name].to_numpy()[known]
    return np.round(found, 9)


def _value_names(name: str, values: NDArray[Any]) -> list[str]:
    """One column for a property that is a number, else one for each frequent value."""
    known = [value for value in values.tolist() if _word(value)]
    if len(known) < FEWEST:
        return []
    numbers = [_number(value) for value in known]
    if all(map(math.isfinite, numbers)) and len(set(numbers)) > 2 and not any(isinstance(each, bool) for each in known):
        return [name]
    words = [_word(value) for value in known]
    counts = {word: words.count(word) for word in set(words)} if len(set(words)) <= 1000 else {}
    frequent = sorted((word for word, n in counts.items() if n >= FEWEST), key=lambda word: (-counts[word], word))
    return [f"{name}={word}" for word in frequent[:MOST_LEVELS]]


def _denied(name: str) -> bool:
    low = name.lower()
    words = low.replace("-", "_").split("_")
    return any(low.startswith(each) or each in words for each in DENIED)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _word(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value)
