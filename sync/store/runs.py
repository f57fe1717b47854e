"""The book of runs: when each began and ended, and what came of it."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.instants import instant, micros


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `ended` and `verdict` are None while it is going on, or when it was cut off."""

    id: int
    as_of: datetime
    started: datetime
    ended: datetime | None
    verdict: str | None
    summary: dict[str, Any]


def begin(db: sqlite3.Connection, as_of: datetime, started: datetime) -> int:
    """Open a run and return its number."""
    number = db.execute("INSERT INTO run (as_of, started) VALUES (?, ?)", (micros(as_of), micros(started))).lastrowid
    assert number is not None
    return number


def note(db: sqlite3.Connection, number: int, summary: Mapping[str, Any]) -> None:
    """Keep what there is to tell of a run that still goes on, should it be cut off."""
    db.execute("UPDATE run SET summary = ? WHERE id = ?", (json.dumps(summary), number))


def end(db: sqlite3.Connection, number: int, ended: datetime, verdict: str, summary: Mapping[str, Any]) -> None:
    """Close a run with its verdict (`ok`, `partial`, `failed`, `refused`) and what there is to tell about it."""
    db.execute(
        "UPDATE run SET ended = ?, verdict = ?, summary = ? WHERE id = ?",
        (micros(ended), verdict, json.dumps(summary), number),
    )


def last(db: sqlite3.Connection, count: int = 1) -> list[Run]:
    """The newest runs, newest first."""
    return [_run(row) for row in db.execute("SELECT * FROM run ORDER BY id DESC LIMIT ?", (count,))]


def last_calls(db: sqlite3.Connection) -> dict[str, int]:
    """Calls per account of the newest run that scored and got through: what the next one will cost, about."""
    through = last_through(db)
    return {} if through is None else dict(through.summary.get("calls", {}))


def find(db: sqlite3.Connection, number: int) -> Run | None:
    """The run of this number."""
    row = db.execute("SELECT * FROM run WHERE id = ?", (number,)).fetchone()
    return None if row is None else _run(row)


def not_written(db: sqlite3.Connection, plan: str) -> list[sqlite3.Row]:
    """The contacts of `plan` that it did not write: account, object, id, state, reason, attempts, written_since.

    `failed` were refused, of `sent` the answer is missing, `pending` were never sent, `superseded` were left to a later
    plan; `written_since`: whether a later plan wrote to the contact.
    """
    return db.execute(
        """SELECT account, object, contact_id AS id, state, reason, attempts, EXISTS (
            SELECT 1 FROM outbox later WHERE later.account = outbox.account AND later.contact_id = outbox.contact_id
                AND later.id > outbox.id AND later.state = 'confirmed') AS written_since
        FROM outbox WHERE plan = ? AND state != 'confirmed' ORDER BY account, contact_id""",
        (plan,),
    ).fetchall()


def undone_by(db: sqlite3.Connection, number: int) -> int | None:
    """The run that undid this one wholly, unless that one was undone itself."""
    rows = db.execute(
        "SELECT id FROM run WHERE verdict = 'ok' AND json_extract(summary, '$.undoes') = ? ORDER BY id DESC", (number,)
    )
    return next((row["id"] for row in rows.fetchall() if undone_by(db, row["id"]) is None), None)


def last_through(db: sqlite3.Connection) -> Run | None:
    """The newest run that scored and got through: neither refused nor failed nor cut off."""
    row = db.execute(
        """SELECT * FROM run WHERE verdict IN ('ok', 'partial') AND json_extract(summary, '$.people') IS NOT NULL
        ORDER BY id DESC LIMIT 1"""
    ).fetchone()
    return None if row is None else _run(row)


def waiting(db: sqlite3.Connection) -> dict[str, int]:
    """The people who wait since the newest run that scored, by the account that was not read for it."""
    row = db.execute(
        """SELECT json_extract(summary, '$.waiting') AS waiting FROM run
        WHERE json_extract(summary, '$.people') IS NOT NULL ORDER BY id DESC LIMIT 1"""
    ).fetchone()
    return json.loads(row["waiting"]) if row and row["waiting"] else {}


def _run(row: sqlite3.Row) -> Run:
    return Run(
        row["id"],
        instant(row["as_of"]),
        instant(row["started"]),
        None if row["ended"] is None else instant(row["ended"]),
        row["verdict"],
        json.loads(row["summary"]),
    )
