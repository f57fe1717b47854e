"""Trained models, which of them is in use, and since when."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sync.instants import instant, micros
from sync.store.database import StoreError


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A trained model as it lies in the store."""

    id: int
    objective: str
    trained_at: datetime
    card: dict[str, Any]
    verdict: str
    """What the comparison with the model then in use said; "" for a model that had nobody to beat."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A model came into use."""

    objective: str
    at: datetime
    model_id: int
    cause: str
    """`first`, `replaced` (the model before did not fit any more), `evidence`, or `rollback`."""
    why: str


def save_model(
    db: sqlite3.Connection,
    objective: str,
    trained_at: datetime,
    artefact: bytes,
    card: Mapping[str, Any],
    verdict: str = "",
) -> int:
    """Keep a model with its hash and card; training again at the same instant replaces it. Returns its number."""
    row = db.execute(
        """INSERT INTO model (objective, trained_at, sha256, artefact, card, verdict) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (objective, trained_at) DO UPDATE SET sha256 = excluded.sha256, artefact = excluded.artefact,
        card = excluded.card, verdict = excluded.verdict RETURNING id""",
        (objective, micros(trained_at), sha256(artefact).hexdigest(), artefact, json.dumps(card), verdict),
    ).fetchone()
    return int(row["id"])


def models(db: sqlite3.Connection, objective: str | None = None) -> list[StoredModel]:
    """Every model that is kept, oldest first."""
    rows = db.execute(
        """SELECT id, objective, trained_at, card, verdict FROM model WHERE objective = coalesce(?, objective)
        ORDER BY objective, trained_at""",
        (objective,),
    )
    return [
        StoredModel(row["id"], row["objective"], instant(row["trained_at"]), json.loads(row["card"]), row["verdict"])
        for row in rows
    ]


def artefact(db: sqlite3.Connection, model_id: int) -> bytes:
    """The bytes of a model. StoreError when its hash does not fit."""
    row = db.execute("SELECT * FROM model WHERE id = ?", (model_id,)).fetchone()
    if sha256(row["artefact"]).hexdigest() != row["sha256"]:
        raise StoreError(
            f"model {row['id']} ({row['objective']}) was altered and is not loaded: train again, foretag score --train"
        )
    return bytes(row["artefact"])


def promote(db: sqlite3.Connection, promotion: Promotion) -> None:
    """Take a model into use from an instant on; another one promoted at the same instant is not."""
    db.execute(
        """INSERT INTO promotion VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
        SET model_id = excluded.model_id, cause = excluded.cause, why = excluded.why""",
        (promotion.objective, micros(promotion.at), promotion.model_id, promotion.cause, promotion.why),
    )


def promotions(db: sqlite3.Connection, objective: str | None = None) -> list[Promotion]:
    """Every time a model came into use, oldest first."""
    rows = db.execute("SELECT * FROM promotion WHERE objective = coalesce(?, objective) ORDER BY at", (objective,))
    return [Promotion(row["objective"], instant(row["at"]), row["model_id"], row["cause"], row["why"]) for row in rows]


def model_in_use(db: sqlite3.Connection, objective: str, as_of: datetime) -> StoredModel | None:
    """The model in use at `as_of`: the one promoted last by then."""
    by_then = [each for each in promotions(db, objective) if each.at <= as_of]
    if not by_then:
        return None
    return next(each for each in models(db, objective) if each.id == by_then[-1].model_id)


def gone_back_at(db: sqlite3.Connection, objective: str, as_of: datetime) -> datetime | None:
    """When a human went back to the model in use at `as_of`; None where it came into use in another way."""
    by_then = [each for each in promotions(db, objective) if each.at <= as_of]
    return by_then[-1].at if by_then and by_then[-1].cause == "rollback" else None


def newest_model(db: sqlite3.Connection, objective: str, as_of: datetime) -> StoredModel | None:
    """The model of this objective that was trained last by `as_of`, used or not."""
    by_then = [each for each in models(db, objective) if each.trained_at <= as_of]
    return max(by_then, key=lambda each: each.trained_at, default=None)


def forget_challengers(db: sqlite3.Connection, objective: str, keep: int) -> None:
    """Delete the models that never came into use, but for number `keep`: the newest challenger is enough."""
    db.execute(
        """DELETE FROM model WHERE objective = ? AND id != ? AND id NOT IN (SELECT model_id FROM promotion)
        AND id NOT IN (SELECT model_id FROM prediction) AND id NOT IN (SELECT model_id FROM realised)""",
        (objective, keep),
    )


@dataclass(frozen=True, slots=True)
class Level:
    """A line over the log-odds of a model, and one over those of the rule of thumb: (slope, intercept) each."""

    model: tuple[float, float]
    rule: tuple[float, float]


def save_level(db: sqlite3.Connection, model_id: int, at: datetime, level: Level) -> None:
    """Keep the level a model was set to at `at`; the same instant is replaced."""
    db.execute(
        "INSERT OR REPLACE INTO level VALUES (?, ?, ?, ?, ?, ?)", (model_id, micros(at), *level.model, *level.rule)
    )


def level_at(db: sqlite3.Connection, model_id: int, at: datetime) -> Level | None:
    """The level that was set at exactly `at`."""
    row = db.execute("SELECT * FROM level WHERE model_id = ? AND at = ?", (model_id, micros(at))).fetchone()
    return _level(row)


def newest_level(db: sqlite3.Connection, model_id: int) -> Level | None:
    """The level that was set last; None while it is the model's own."""
    row = db.execute("SELECT * FROM level WHERE model_id = ? ORDER BY at DESC LIMIT 1", (model_id,)).fetchone()
    return _level(row)


def _level(row: sqlite3.Row | None) -> Level | None:
    if row is None:
        return None
    return Level((row["slope"], row["intercept"]), (row["rule_slope"], row["rule_intercept"]))
