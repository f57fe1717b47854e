"""The ledger: every prediction with its model and arm, what came true of it, and how good that was."""

import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sync.instants import instant, micros
from sync.store.database import StoreError
from sync.store.models import artefact

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wave:
    """The circumstances of one scoring: the mode, and the share of the control group."""

    as_of: datetime
    mode: str
    holdout: float


def save_wave(db: sqlite3.Connection, wave: Wave) -> None:
    """Keep how it was at an instant; the same instant is replaced."""
    db.execute(
        "INSERT INTO wave VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET mode = excluded.mode, holdout = excluded.holdout",
        (micros(wave.as_of), wave.mode, wave.holdout),
    )


def waves(db: sqlite3.Connection) -> list[Wave]:
    """Every scoring whose circumstances are known, oldest first."""
    rows = db.execute("SELECT * FROM wave ORDER BY as_of")
    return [Wave(instant(row["as_of"]), row["mode"], row["holdout"]) for row in rows]


def save_predictions(
    db: sqlite3.Connection,
    as_of: datetime,
    objective: str,
    horizon_days: int,
    model_id: int,
    rows: Iterable[tuple[int, float, float | None, str]],
) -> None:
    """Enter (person, predicted value, the rule of thumb's value, arm) into the ledger; the same instant is replaced.

    The arm is `act` or `control` where scores are written, else `none`.
    """
    db.execute("DELETE FROM prediction WHERE objective = ? AND as_of = ?", (objective, micros(as_of)))
    db.executemany(
        """INSERT INTO prediction (objective, as_of, person_id, model_id, horizon_days, value, rule, arm)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            (objective, micros(as_of), person, model_id, horizon_days, value, rule, arm)
            for person, value, rule, arm in rows
        ),
    )


@dataclass(frozen=True, slots=True)
class Due:
    """Predictions whose horizon has passed but whose outcome is not in yet."""

    objective: str
    as_of: datetime
    horizon_days: int
    artefact: bytes
    """The model that made them (its hash was checked)."""


def due(db: sqlite3.Connection, now: datetime) -> list[Due]:
    """What can be compared with reality at `now`, oldest first. Predictions of an altered model cannot: see the log."""
    found = []
    for objective in objectives(db):
        for as_of in predicted_at(db, objective):
            row = _one(db, objective, as_of)
            if row["outcome"] is not None or as_of + timedelta(days=row["horizon_days"]) > now:
                continue
            try:
                found.append(Due(objective, as_of, row["horizon_days"], artefact(db, row["model_id"])))
            except StoreError as error:
                log.error("predictions of %s: %s", as_of.date(), error)
    return sorted(found, key=lambda each: (each.as_of, each.objective))


def _one(db: sqlite3.Connection, objective: str, as_of: datetime) -> sqlite3.Row:
    """Any prediction of an instant: all of them have the same model and horizon, and all or none their outcome."""
    row: sqlite3.Row = db.execute(
        "SELECT * FROM prediction WHERE objective = ? AND as_of = ? LIMIT 1", (objective, micros(as_of))
    ).fetchone()
    return row


def save_outcomes(db: sqlite3.Connection, objective: str, as_of: datetime, outcomes: Mapping[int, float]) -> None:
    """Enter what really happened to the people predicted at `as_of`.

    Who is not in `outcomes` is no longer known, or objected since: their predictions are forgotten.
    """
    db.executemany(
        "UPDATE prediction SET outcome = ? WHERE objective = ? AND as_of = ? AND person_id = ?",
        ((outcome, objective, micros(as_of), person) for person, outcome in outcomes.items()),
    )
    db.execute(
        "DELETE FROM prediction WHERE objective = ? AND as_of = ? AND outcome IS NULL", (objective, micros(as_of))
    )


def objectives(db: sqlite3.Connection) -> list[str]:
    """The objectives there are predictions of."""
    return [row["it"] for row in db.execute(_EACH.format(column="objective", where="1"))]


def predicted_at(db: sqlite3.Connection, objective: str, model_id: int | None = None) -> list[datetime]:
    """The instants predictions are kept of (by this model), oldest first."""
    rows = db.execute(_EACH.format(column="as_of", where="objective = :objective"), {"objective": objective})
    found = [instant(row["it"]) for row in rows]
    return [at for at in found if model_id is None or _one(db, objective, at)["model_id"] == model_id]


def matured_at(db: sqlite3.Connection, objective: str) -> list[datetime]:
    """The instants whose predictions can be compared with what happened, oldest first."""
    return [at for at in predicted_at(db, objective) if _one(db, objective, at)["outcome"] is not None]


# The distinct values of the next column of the key, by looking up one after the other: reading all rows would take
# minutes in a large ledger.
_EACH = """
WITH RECURSIVE each(it) AS (
    SELECT min({column}) FROM prediction WHERE {where}
    UNION ALL SELECT (SELECT min({column}) FROM prediction WHERE {where} AND {column} > it) FROM each
    WHERE it IS NOT NULL
) SELECT it FROM each WHERE it IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Matured:
    """One prediction whose outcome is in."""

    person_id: int
    value: float
    rule: float | None
    outcome: float
    arm: str


def matured(db: sqlite3.Connection, objective: str, as_of: datetime) -> list[Matured]:
    """Everyone predicted at `as_of` whose outcome is in, by person."""
    rows = db.execute(
        """SELECT person_id, value, rule, outcome, arm FROM prediction
        WHERE objective = ? AND as_of = ? AND outcome IS NOT NULL ORDER BY person_id""",
        (objective, micros(as_of)),
    )
    return [Matured(*row) for row in rows]


def values_at(db: sqlite3.Connection, objective: str, as_of: datetime) -> dict[int, float]:
    """What was predicted at `as_of`, by person."""
    rows = db.execute(
        "SELECT person_id, value FROM prediction WHERE objective = ? AND as_of = ? ORDER BY person_id",
        (objective, micros(as_of)),
    )
    return {row["person_id"]: row["value"] for row in rows}


@dataclass(frozen=True, slots=True)
class RealisedRow:
    """How the predictions of one instant turned out: kept for good, also when the single rows are thinned out."""

    objective: str
    as_of: datetime
    horizon_days: int
    model_id: int
    found: dict[str, Any]


def save_realised(db: sqlite3.Connection, row: RealisedRow) -> None:
    """Keep it; the same objective and instant is replaced."""
    db.execute(
        """INSERT INTO realised VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
        SET horizon_days = excluded.horizon_days, model_id = excluded.model_id, found = excluded.found""",
        (row.objective, micros(row.as_of), row.horizon_days, row.model_id, json.dumps(row.found)),
    )


def realised_rows(db: sqlite3.Connection, objective: str) -> list[RealisedRow]:
    """Everything that was compared, oldest first."""
    rows = db.execute("SELECT * FROM realised WHERE objective = ? ORDER BY as_of", (objective,))
    return [
        RealisedRow(
            row["objective"], instant(row["as_of"]), row["horizon_days"], row["model_id"], json.loads(row["found"])
        )
        for row in rows
    ]


def made_by(db: sqlite3.Connection, objective: str, as_of: datetime) -> tuple[int, int]:
    """Model number and horizon in days of the predictions made at `as_of` (there must be some)."""
    row = _one(db, objective, as_of)
    return int(row["model_id"]), int(row["horizon_days"])
