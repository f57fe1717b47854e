"""Models, the ledger of predictions with what came true, and where everyone stands."""

import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sync.instants import instant, micros
from sync.store.database import StoreError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A trained model as it lies in the store."""

    id: int
    objective: str
    trained_at: datetime
    artefact: bytes
    card: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one person stood at one instant: segment, what the segment rules remember, our field values, and why."""

    person_id: int
    segment: str
    membership: dict[str, Any]
    fields: dict[str, Any]
    reasons: dict[str, list[tuple[str, float]]]
    """Per objective the reasons in words, each with what it adds to the score (negative: speaks against)."""


def save_model(
    db: sqlite3.Connection, objective: str, trained_at: datetime, artefact: bytes, card: Mapping[str, Any]
) -> int:
    """Keep a model with its hash and card; training again at the same instant replaces it. Returns its number."""
    row = db.execute(
        """INSERT INTO model (objective, trained_at, sha256, artefact, card) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (objective, trained_at) DO UPDATE
        SET sha256 = excluded.sha256, artefact = excluded.artefact, card = excluded.card RETURNING id""",
        (objective, micros(trained_at), sha256(artefact).hexdigest(), artefact, json.dumps(card)),
    ).fetchone()
    return int(row["id"])


def newest_model(db: sqlite3.Connection, objective: str, as_of: datetime) -> StoredModel | None:
    """The last model trained for this objective up to `as_of`. StoreError when its hash does not fit."""
    row = db.execute(
        "SELECT * FROM model WHERE objective = ? AND trained_at <= ? ORDER BY trained_at DESC LIMIT 1",
        (objective, micros(as_of)),
    ).fetchone()
    if row is None:
        return None
    artefact = _artefact(db, row["id"])
    return StoredModel(row["id"], objective, instant(row["trained_at"]), artefact, json.loads(row["card"]))


def save_predictions(
    db: sqlite3.Connection,
    as_of: datetime,
    objective: str,
    horizon_days: int,
    model_id: int,
    rows: Iterable[tuple[int, float, float | None]],
) -> None:
    """Enter (person, predicted value, the rule of thumb's value) into the ledger; the same instant is replaced."""
    db.execute("DELETE FROM prediction WHERE objective = ? AND as_of = ?", (objective, micros(as_of)))
    db.executemany(
        """INSERT INTO prediction (objective, as_of, person_id, model_id, horizon_days, value, rule)
        VALUES (?, ?, ?, ?, ?, ?, ?)""",
        ((objective, micros(as_of), person, model_id, horizon_days, value, rule) for person, value, rule in rows),
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
    rows = db.execute(
        """SELECT DISTINCT objective, as_of, horizon_days, model_id FROM prediction
        WHERE outcome IS NULL AND as_of + horizon_days * 86400000000 <= ? ORDER BY as_of, objective""",
        (micros(now),),
    ).fetchall()
    found = []
    for row in rows:
        try:
            artefact = _artefact(db, row["model_id"])
        except StoreError as error:
            log.error("predictions of %s: %s", instant(row["as_of"]).date(), error)
            continue
        found.append(Due(row["objective"], instant(row["as_of"]), row["horizon_days"], artefact))
    return found


def _artefact(db: sqlite3.Connection, model_id: int) -> bytes:
    row = db.execute("SELECT * FROM model WHERE id = ?", (model_id,)).fetchone()
    if sha256(row["artefact"]).hexdigest() != row["sha256"]:
        raise StoreError(
            f"model {row['id']} ({row['objective']}) was altered and is not loaded: train again, foretag score --train"
        )
    return bytes(row["artefact"])


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


def matured_at(db: sqlite3.Connection, objective: str) -> list[datetime]:
    """The instants whose predictions can be compared with what happened, oldest first."""
    rows = db.execute(
        "SELECT DISTINCT as_of FROM prediction WHERE objective = ? AND outcome IS NOT NULL ORDER BY as_of", (objective,)
    )
    return [instant(row["as_of"]) for row in rows]


def matured(db: sqlite3.Connection, objective: str, as_of: datetime) -> list[tuple[float, float | None, float]]:
    """(predicted, the rule's value, what happened) for everyone predicted at `as_of` whose outcome is in."""
    rows = db.execute(
        """SELECT value, rule, outcome FROM prediction
        WHERE objective = ? AND as_of = ? AND outcome IS NOT NULL ORDER BY person_id""",
        (objective, micros(as_of)),
    )
    return [(row["value"], row["rule"], row["outcome"]) for row in rows]


def save_standings(db: sqlite3.Connection, as_of: datetime, standings: Iterable[Standing]) -> None:
    """Keep where everyone stands at `as_of`; the same instant is replaced."""
    db.execute("DELETE FROM standing WHERE as_of = ?", (micros(as_of),))
    db.executemany(
        "INSERT INTO standing VALUES (?, ?, ?, ?, ?, ?)",
        (
            (micros(as_of), row.person_id, row.segment, *map(json.dumps, (row.membership, row.fields, row.reasons)))
            for row in standings
        ),
    )


def last_scored(db: sqlite3.Connection) -> datetime | None:
    """When everyone's standing was kept last."""
    row = db.execute("SELECT max(as_of) AS as_of FROM standing").fetchone()
    return None if row["as_of"] is None else instant(row["as_of"])


def newest_standings(
    db: sqlite3.Connection, before: datetime | None = None
) -> tuple[datetime, dict[int, Standing]] | None:
    """The last time everyone's standing was kept (strictly before `before`), and the standings by person."""
    limit = micros(before) if before else 2**62
    row = db.execute("SELECT max(as_of) AS as_of FROM standing WHERE as_of < ?", (limit,)).fetchone()
    if row["as_of"] is None:
        return None
    rows = db.execute("SELECT * FROM standing WHERE as_of = ?", (row["as_of"],))
    found = {
        each["person_id"]: Standing(
            each["person_id"],
            each["segment"],
            json.loads(each["membership"]),
            json.loads(each["fields"]),
            json.loads(each["reasons"]),
        )
        for each in rows
    }
    return instant(row["as_of"]), found
