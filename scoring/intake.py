"""Any table of who did what, when and for how much, brought into the columns that are scored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scoring.columns import amounts, arrow, at_micros, flags, texts
from scoring.extras import Extras, History, Static
from scoring.gate import day
from scoring.objectives import Objective
from scoring.tables import DAY, KINDS, Ints, Tables

SAME: Mapping[str, str] = {
    "purchase": "order",
    "transaction": "order",
    "sale": "order",
    "return": "refund",
    "email": "send",
    "redemption": "response",
}
"""Usual words for kinds that have another name here."""
_SHOWN = 20
"""Kinds that a note lists at most."""

FEW = 200
"""One row in so many is few."""


@dataclass(frozen=True)
class Intake:
    """The tables to be scored, who is who in them, and what was done to the rows on the way."""

    tables: Tables
    persons: NDArray[Any]
    """The caller's own ids: the person with `person_id` n is the n-th."""
    static: Static
    history: History
    newest: int
    """Instant of the newest activity, µs UTC; 0 without any."""
    called: Mapping[str, str]
    """What each kind of the caller's activities is called here."""
    notes: tuple[str, ...]

    def asked(self, objective: Objective) -> Objective:
        """The objective, with its event as that is called here."""
        return replace(objective, event=self.called.get(objective.event, objective.event))

    def never_done(self, objectives: Iterable[Objective]) -> Iterator[str]:
        """A note for each objective whose event nobody ever did: perhaps it is spelled otherwise."""
        done = {*self.called, *self.called.values(), *self.history.events()}
        for objective in objectives:
            if objective.event and objective.event not in done:
                shown = ", ".join(sorted(done)[:_SHOWN]) + (", …" if len(done) > _SHOWN else "")
                yield f'{objective.name}: nobody did "{objective.event}" so far; there is: {shown or "nothing"}'

    def extras(self, as_of: int, *, immutable: Iterable[str] = (), deny: Iterable[str] = ()) -> Extras:
        """The columns beside the built-in features, chosen by what was known at `as_of` (µs UTC)."""
        return Extras.of(self.tables, self.static, self.history, as_of, immutable=immutable, deny=deny)


def intake(
    activities: Any,
    people: Any = None,
    history: Any = None,
    *,
    columns: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    in_cents: bool = False,
) -> Intake:
    """Read tables of any library narwhals knows (pandas, polars, Arrow, DuckDB …), or mappings of lists.

    `activities` has `person`, `time` and, where known, `kind`, `amount`, `campaign`, `machine`; `people` has `person`,
    perhaps `since`, and columns of its own; `history` has `person`, `time`, `name`, `value`: what became of a person's
    property, when. `columns` renames ({"customer_id": "person"}), `kinds` translates ({"bought": "order"}).

    Rows without a person or a time are dropped, rows that are the same in every column count once, orders of one
    person at one instant are one order, and an order of less than nothing is a refund: `notes` tells how many.
    Raises ValueError when a column is missing, or holds what cannot be read.
    """
    notes: list[str] = []
    named = columns or {}
    done = arrow("activities", activities, named, ("person", "time"))
    known = arrow("people", people, named, ("person",)) if people is not None else None
    changes = arrow("history", history, named, ("person", "time", "name", "value")) if history is not None else None
    there = {column for table in (done, known, changes) if table is not None for column in table.column_names}
    if unknown := [theirs for theirs, ours in named.items() if ours not in there]:
        raise ValueError(f"columns names what no table has: {', '.join(unknown)}")
    rows = _Rows.read(done, in_cents, notes)
    called = _called(sorted(set(rows.kind.tolist())), kinds or {}, notes)
    rows = rows.tidy(called, notes)
    _strays(rows.at, notes)
    persons, (own, listed, changed) = _numbered(rows.person, _ids(known), _ids(changes))
    then = History.read(changes, changed)
    since = _since(persons.size, own, rows.at, known, listed, notes)
    return Intake(
        _tables(rows, own, since, then),
        persons,
        Static.read(known, listed, persons.size),
        then,
        int(rows.at.max()) if rows.at.size else 0,
        called,
        tuple(notes),
    )


def midnight_after(instant: int) -> int:
    """The first midnight (UTC) after `instant`, both µs."""
    return (instant // DAY + 1) * DAY


@dataclass
class _Rows:
    """Activities as columns of equal length; `cents` is NaN where there is no amount."""

    person: NDArray[Any]
    at: Ints
    kind: NDArray[Any]
    cents: NDArray[np.float64]
    campaign: NDArray[Any]
    machine: NDArray[np.bool_]

    @classmethod
    def read(cls, table: pa.Table, in_cents: bool, notes: list[str]) -> "_Rows":
        at, known = at_micros("activities.time", table["time"], notes)
        names = set(table.column_names)
        person = texts(table["person"])
        rows = cls(
            person,
            at,
            texts(table["kind"]) if "kind" in names else np.full(at.size, "order", dtype=object),
            amounts("activities.amount", table["amount"], in_cents) if "amount" in names else np.full(at.size, np.nan),
            texts(table["campaign"]) if "campaign" in names else np.full(at.size, None, dtype=object),
            flags(table["machine"]) if "machine" in names else np.zeros(at.size, dtype=bool),
        )
        kept = known & np.array([each is not None for each in person], dtype=bool)
        kept &= np.array([each is not None for each in rows.kind], dtype=bool)
        _note(notes, int((~kept).sum()), "row(s) without a person, a time or a kind were left out")
        return rows.where(kept)

    def where(self, keep: NDArray[Any]) -> "_Rows":
        return _Rows(*(column[keep] for column in vars(self).values()))

    def tidy(self, called: Mapping[str, str], notes: list[str]) -> "_Rows":
        """Each row once, by the kind it is `called` here; one order per person and instant; no money below 0."""
        self.kind = np.array([called[name] for name in self.kind.tolist()], dtype=object)
        return self._once(notes)._refunds(notes)._merged(notes)

    def _once(self, notes: list[str]) -> "_Rows":
        """Each row once."""
        table = pa.table(
            {name: pa.array(values, from_pandas=True) for name, values in vars(self).items() if name != "machine"}
        ).append_column("row", pa.array(np.arange(self.at.size)))
        keys = [name for name in table.column_names if name != "row"]
        first = np.sort(table.group_by(keys).aggregate([("row", "min")])["row_min"].to_numpy())
        _note(notes, self.at.size - first.size, "row(s) were there twice and count once")
        return self.where(first)

    def _refunds(self, notes: list[str]) -> "_Rows":
        back = (self.kind == "order") & (self.cents < 0)
        _note(notes, int(back.sum()), "order(s) of less than nothing are taken as refunds")
        self.kind = np.where(back, "refund", self.kind)
        self.cents = np.abs(self.cents)
        return self

    def _merged(self, notes: list[str]) -> "_Rows":
        """One order per person and instant, of the sum of its lines."""
        orders = self.kind == "order"
        _, place, inverse = np.unique(
            np.column_stack([np.unique(self.person[orders].astype(str), return_inverse=True)[1], self.at[orders]]),
            axis=0,
            return_index=True,
            return_inverse=True,
        )
        _note(notes, int(orders.sum()) - place.size, "line(s) are parts of an order of the same person and instant")
        sums = np.bincount(inverse.ravel(), weights=np.nan_to_num(self.cents[orders]), minlength=place.size)
        priced = np.bincount(inverse.ravel(), weights=np.isfinite(self.cents[orders]), minlength=place.size) > 0
        first = np.flatnonzero(orders)[place]
        self.cents[first] = np.where(priced, sums, np.nan)
        return self.where(np.sort(np.r_[np.flatnonzero(~orders), first]))


def _called(found: Sequence[str], kinds: Mapping[str, str], notes: list[str]) -> dict[str, str]:
    """What each kind that was `found` is called here."""
    theirs = {str(name): ours for name, ours in kinds.items()}
    usual = {name: name.strip().lower() for name in found}
    called = {name: theirs.get(name, low if low in KINDS else SAME.get(low, name)) for name, low in usual.items()}
    if len(found) == 1 and called[found[0]] not in KINDS and found[0] not in theirs:
        notes.append(f'the only kind of activity, "{found[0]}", is taken as an order')
        called[found[0]] = "order"
    return called


def _numbered(*ids: NDArray[Any]) -> tuple[NDArray[Any], list[Ints]]:
    """Everybody named, and for each list the place of each of its names in that."""
    persons, places = np.unique(np.concatenate(ids).astype(str), return_inverse=True)
    ends = np.cumsum([each.size for each in ids])[:-1]
    return persons, [place.astype(np.int64) for place in np.split(places, ends)]


def _ids(table: pa.Table | None) -> NDArray[Any]:
    if table is None:
        return np.empty(0, dtype=object)
    ids = texts(table["person"])
    if any(each is None for each in ids):
        raise ValueError("people and history must name the person in each row")
    return ids


def _since(count: int, own: Ints, at: Ints, people: pa.Table | None, listed: Ints, notes: list[str]) -> Ints:
    """When each person became known: as said or by the first activity, whichever is earlier; else from the start."""
    never = np.iinfo(np.int64).max
    since = np.full(count, never)
    np.minimum.at(since, own, at)
    if people is not None and "since" in people.column_names:
        said, known = at_micros("people.since", people["since"], notes)
        np.minimum.at(since, listed[known], said[known])
    missing = since == never
    if missing.any():
        notes.append(
            f"{int(missing.sum())} people without activities and without `since` count as known from the start"
        )
        since[missing] = int(at.min()) - 1 if at.size else 0
    return since


def _strays(at: Ints, notes: list[str]) -> None:
    """Name the few rows that make up half of the time, or more: most often a mistyped year."""
    if at.size < FEW:
        return
    middle = (int(at.min()) + int(at.max())) // 2
    for count, side in ((int((at < middle).sum()), "before"), (int((at >= middle).sum()), "after")):
        if count * FEW < at.size:
            notes.append(
                f"only {count:,} of {at.size:,} rows are {side} {day(middle)}: if these are mistakes, leave them out"
            )


def _tables(rows: _Rows, person: Ints, since: Ints, history: History) -> Tables:
    """The activities, and as such too each value a property reached: its kind is NAME=VALUE."""
    reached = np.array(history.events(), dtype=object)
    none = np.full(reached.size, np.nan)
    values = _Rows(reached, history.at, reached, none, np.full(reached.size, None), none > 0)
    rows = _Rows(*(np.concatenate(pair) for pair in zip(vars(rows).values(), vars(values).values(), strict=True)))
    person = np.concatenate([person, history.person])
    order = np.lexsort((rows.kind.astype(str), rows.at, person))
    activities = pa.table(
        {
            "person_id": pa.array(person[order], pa.int64()),
            "kind": pa.array(rows.kind[order], pa.string()),
            "at": pa.array(rows.at[order], pa.int64()),
            "amount": pa.array(np.rint(rows.cents[order]), pa.float64(), from_pandas=True).cast(pa.int64()),
            "campaign": pa.array(rows.campaign[order], pa.string()),
            "machine": pa.array(rows.machine[order], pa.bool_()),
        }
    )
    people = pa.table({"person_id": pa.array(np.arange(since.size), pa.int64()), "since": pa.array(since, pa.int64())})
    # One thread: sums are added in one order, and the same rows give the same bits.
    engine = duckdb.connect(config={"threads": 1})
    return Tables(nw.from_native(engine.from_arrow(activities)), nw.from_native(engine.from_arrow(people)))


def _note(notes: list[str], count: int, text: str) -> None:
    if count:
        notes.append(f"{count:,} {text}")
