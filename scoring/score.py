"""Score any table of who did what, when and for how much: one call from rows to scores, reasons, segments and cards."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from scoring.card import card
from scoring.columns import instant
from scoring.gate import day
from scoring.intake import Intake, intake, midnight_after
from scoring.mirror import mirrored
from scoring.model import Model
from scoring.objectives import Kind, Objective, silence
from scoring.predict import Predictions, predict
from scoring.rhythm import default_horizon
from scoring.segments import Thresholds, assign
from scoring.snapshots import Snapshots
from scoring.standing import standings
from scoring.train import USUAL, train
from scoring.value import Spread, spread


@dataclass(frozen=True)
class Result:
    """One objective: its model, and what it says of everyone (None when the model was refused)."""

    model: Model
    predictions: Predictions | None
    spread: Spread | None = None
    """For money: how far what is spent lies from what was expected."""

    @property
    def card(self) -> dict[str, Any]:
        """The model card, as plain values."""
        return card(self.model)


@dataclass(frozen=True)
class Scored:
    """What `score` found, everything by person in the order of `persons`."""

    persons: NDArray[Any]
    """The caller's ids, as text."""
    as_of: int
    """µs UTC."""
    results: dict[str, Result]
    """By the name of the objective."""
    segments: tuple[str, ...]
    notes: tuple[str, ...]
    """What was done to the rows, and the horizons that were taken from them."""

    def table(self) -> pa.Table:
        """One row per person: `person`, `segment`, and for each objective its score and reasons.

        Scores are probabilities in [0, 1], or cents with `NAME_low` and `NAME_high`, the range nine in ten end up in.
        """
        columns: dict[str, Any] = {"person": self.persons.tolist(), "segment": list(self.segments)}
        for name, result in self.results.items():
            if result.predictions is None:
                continue
            columns[name] = result.predictions.values
            if result.spread is not None:
                low, high = result.spread.around(result.predictions.values)
                columns |= {f"{name}_low": low, f"{name}_high": high}
            columns[f"{name}_reasons"] = ["; ".join(map(_told, each)) for each in result.predictions.reasons]
        return pa.table(columns)


def score(
    activities: Any,
    objectives: Sequence[Objective] | None = None,
    *,
    people: Any = None,
    history: Any = None,
    as_of: int | datetime | str | None = None,
    immutable: Iterable[str] = (),
    deny: Iterable[str] = (),
    columns: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    in_cents: bool = False,
    candidates: Sequence[str] = USUAL,
    seed: int = 7,
) -> Scored:
    """Learn every objective from `activities`, and score everyone known at `as_of` (µs UTC, a datetime or ISO text).

    `activities`, `people`, `history`, `columns`, `kinds` and `in_cents` are described at `intake`, `immutable` and
    `deny` at `Extras.of`. Without `objectives` those are taken that the kinds of activity allow, see `usual`; without
    `as_of` the first midnight (UTC) after the newest activity. What cannot be learned is refused in words, in its
    Result. Raises ValueError for tables that cannot be read, and when there is nobody, or nothing to predict.
    """
    read = intake(activities, people, history, columns=columns, kinds=kinds, in_cents=in_cents)
    now = midnight_after(read.newest) if as_of is None else instant("as_of", as_of)
    past = Snapshots(read.tables, now, read.extras(now, immutable=immutable, deny=deny))
    if not past.matrix(now).person_ids.size:
        raise ValueError("; ".join([f"nobody was known before {day(now)}: there is nobody to score", *read.notes]))
    if objectives is None:
        horizon = default_horizon(read.tables, now)
        objectives, notes = usual(read, now, horizon), [f"the horizon is {horizon} days where none was given"]
    else:
        notes = list(read.never_done(objectives))
    _told_apart([objective.name for objective in objectives])
    results: dict[str, Result] = {}
    for objective in map(read.asked, objectives):
        model = _mirror(objective, results) or train(
            past.tables, objective, now, seed=seed, candidates=candidates, snapshots=past
        )
        results[objective.name] = _result(model, past)
        if objective.rhythm_days is not None:
            notes.append(f"{objective.name} looks ahead for each person {model.ahead}")
    known = past.matrix(now).person_ids
    return Scored(read.persons[known], now, results, _segments(past, results), (*read.notes, *notes))


def usual(read: Intake, as_of: int, horizon_days: int) -> list[Objective]:
    """The objectives that make sense for the kinds of activity known at `as_of` (µs UTC).

    Orders: buying again, and churn by each person's own rhythm; with amounts also becoming a top spender and expected
    value. Mailings and answers: response. Raises ValueError when there is neither: then what counts has to be said.
    """
    known = read.tables.until(as_of).activities.select("kind", "amount").collect("pyarrow")
    kinds = set(known["kind"].to_list())
    wanted: list[Kind] = []
    if "order" in kinds:
        wanted += ["repeat_purchase", "churn"]
        priced = known.filter(known["kind"] == "order")["amount"].drop_nulls().to_numpy()
        wanted += ["high_value", "value"] if priced.sum() > 0 else []
    if {"send", "response"} <= kinds:
        wanted.append("response")
    if not wanted:
        found = ", ".join(sorted(kinds)) or "none at all"
        raise ValueError(
            f"there is no order to predict among the kinds of activity ({found}). Say what counts: "
            'objectives=[Objective("name", "conversion", 30, event="one of these kinds")], or kinds={"theirs": "order"}'
            + "".join(f"; {note}" for note in read.notes)
        )
    return [
        silence(kind, read.tables, as_of) if kind == "churn" else Objective(kind, kind, horizon_days) for kind in wanted
    ]


def _told_apart(names: list[str]) -> None:
    """ValueError where two columns of the result would have one name."""
    columns = ["person", "segment", *(f"{name}{end}" for name in names for end in ("", "_low", "_high", "_reasons"))]
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise ValueError(f"two columns of the result would be called {', '.join(twice)}: give objectives other names")


def _mirror(objective: Objective, results: Mapping[str, Result]) -> Model | None:
    """The model of churn from one of its opposite, where that was learned already."""
    if opposite := objective.opposite:
        for result in results.values():
            if replace(result.model.objective, name=objective.name) == opposite:
                return mirrored(result.model, objective)
    return None


def _result(model: Model, past: Snapshots) -> Result:
    if model.refused is not None:
        return Result(model, None)
    predictions = predict(model, past.tables, past.as_of, known=past.matrix(past.as_of))
    return Result(model, predictions, spread(model) if model.objective.in_money else None)


def _segments(past: Snapshots, results: Mapping[str, Result]) -> tuple[str, ...]:
    """The first segment of everyone, from buying again and expected value where these were asked; the first of each."""
    first_last = reversed(list(results.values()))
    by_kind = {each.model.objective.kind: each.predictions for each in first_last if each.predictions is not None}
    people = standings(
        past.matrix(past.as_of), past.as_of, buying=by_kind.get("repeat_purchase"), spending=by_kind.get("value")
    )
    placed = assign(people, {}, past.as_of, Thresholds.fit(people, past.as_of))
    return tuple(each.segment for each in placed)


def _told(reason: Any) -> str:
    return f"{'+' if reason.contribution > 0 else '-'} {reason.text}"


__all__ = ["Objective", "Result", "Scored", "score", "usual"]
