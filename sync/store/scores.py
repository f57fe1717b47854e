"""Where everyone stands, at every instant that was kept, and the moves from one segment to another."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.instants import instant, micros


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one person stood at one instant: segment, what the segment rules remember, our field values, and why."""

    person_id: int
    segment: str
    membership: dict[str, Any]
    fields: dict[str, Any]
    reasons: dict[str, list[tuple[str, float]]]
    """Per objective the reasons in words, each with what it adds to the score (negative: speaks against)."""
    scored_at: datetime | None = None
    """When that was, where it was before: people wait while an account they are on cannot be read."""


def save_standings(db: sqlite3.Connection, as_of: datetime, standings: Iterable[Standing]) -> None:
    """Keep where everyone stands at `as_of`; the same instant is replaced."""
    db.execute("DELETE FROM standing WHERE as_of = ?", (micros(as_of),))
    db.executemany(
        "INSERT INTO standing VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                *(micros(as_of), row.person_id, row.segment),
                *map(json.dumps, (row.membership, row.fields, row.reasons)),
                micros(row.scored_at) if row.scored_at else None,
            )
            for row in standings
        ),
    )


def last_scored(db: sqlite3.Connection) -> datetime | None:
    """When people were scored last: everyone, or all but those who wait."""
    row = db.execute("SELECT max(as_of) AS as_of FROM standing").fetchone()
    return None if row["as_of"] is None else instant(row["as_of"])


def all_scored(db: sqlite3.Connection) -> datetime | None:
    """The instant since which everyone was scored: that of who waits longest, else that of the last scoring."""
    row = db.execute(
        """SELECT min(coalesce(scored_at, as_of)) AS at FROM standing
        WHERE as_of = (SELECT max(as_of) FROM standing)"""
    ).fetchone()
    return None if row["at"] is None else instant(row["at"])


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
            None if each["scored_at"] is None else instant(each["scored_at"]),
        )
        for each in rows
    }
    return instant(row["as_of"]), found


def kept_at(db: sqlite3.Connection) -> list[datetime]:
    """The instants standings are kept of, oldest first: looked up one after the other, not by reading all rows."""
    rows = db.execute(
        """WITH RECURSIVE each(it) AS (
            SELECT min(as_of) FROM standing
            UNION ALL SELECT (SELECT min(as_of) FROM standing WHERE as_of > it) FROM each WHERE it IS NOT NULL
        ) SELECT it FROM each WHERE it IS NOT NULL"""
    )
    return [instant(row["it"]) for row in rows]


def segments_at(db: sqlite3.Connection, as_of: datetime) -> dict[int, str]:
    """The segment of everyone at an instant, by person; empty when it was not kept."""
    rows = db.execute("SELECT person_id, segment FROM standing WHERE as_of = ?", (micros(as_of),))
    return {row["person_id"]: row["segment"] for row in rows}


def paths(db: sqlite3.Connection, instants: tuple[datetime, datetime, datetime]) -> dict[tuple[str, str, str], int]:
    """How many people were in which three segments at three kept instants; who was not scored at one does not count."""
    rows = db.execute(
        """SELECT a.segment AS first, b.segment AS second, c.segment AS third, count(*) AS people FROM standing a
        JOIN standing b ON b.person_id = a.person_id AND b.as_of = ?
        JOIN standing c ON c.person_id = a.person_id AND c.as_of = ?
        WHERE a.as_of = ? AND coalesce(a.scored_at, b.scored_at, c.scored_at) IS NULL GROUP BY 1, 2, 3""",
        (micros(instants[1]), micros(instants[2]), micros(instants[0])),
    )
    return {(row["first"], row["second"], row["third"]): row["people"] for row in rows}


@dataclass(frozen=True, slots=True)
class Move:
    """One person who went from one segment to another, why, and the cents expected from them before (0 if unknown)."""

    person_id: int
    at: datetime
    origin: str
    target: str
    cause: str
    value: int


def save_moves(db: sqlite3.Connection, at: datetime, moves: Iterable[Move]) -> None:
    """Keep who moved at `at`; the same instant is replaced."""
    db.execute("DELETE FROM move WHERE at = ?", (micros(at),))
    db.executemany(
        "INSERT INTO move VALUES (?, ?, ?, ?, ?, ?)",
        ((each.person_id, micros(at), each.origin, each.target, each.cause, each.value) for each in moves),
    )


def moves_since(db: sqlite3.Connection, since: datetime, until: datetime) -> list[Move]:
    """The moves in (since, until], oldest first."""
    rows = db.execute(
        "SELECT * FROM move WHERE at > ? AND at <= ? ORDER BY at, person_id", (micros(since), micros(until))
    )
    return [
        Move(row["person_id"], instant(row["at"]), row["origin"], row["target"], row["cause"], row["value"])
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Flow:
    """People who went from one segment to another (or stayed) between two instants, and the cents expected of them."""

    origin: str
    target: str
    people: int
    money: int


def save_flows(db: sqlite3.Connection, days: int, start: datetime, end: datetime) -> None:
    """Keep how many people went where between two kept instants about `days` apart, for good. Inside a transaction.

    Who waited at one of the two does not count.
    """
    db.execute(
        """INSERT OR REPLACE INTO flow SELECT ?, ?, ?, a.segment, b.segment, count(*),
            CAST(round(100 * coalesce(sum(a.fields ->> '$.expected_value'), 0)) AS INTEGER)
        FROM standing a JOIN standing b ON b.person_id = a.person_id AND b.as_of = ?
        WHERE a.as_of = ? AND coalesce(a.scored_at, b.scored_at) IS NULL GROUP BY a.segment, b.segment""",
        (days, micros(start), micros(end), micros(end), micros(start)),
    )


def last_flow(db: sqlite3.Connection, days: int) -> datetime | None:
    """When the newest period of this length ended."""
    row = db.execute("SELECT max(until) AS until FROM flow WHERE days = ?", (days,)).fetchone()
    return None if row["until"] is None else instant(row["until"])


def flows(db: sqlite3.Connection, days: int) -> dict[tuple[datetime, datetime], list[Flow]]:
    """Every period of this length with its flows, oldest first."""
    found: dict[tuple[datetime, datetime], list[Flow]] = {}
    for row in db.execute("SELECT * FROM flow WHERE days = ? ORDER BY until", (days,)):
        period = found.setdefault((instant(row["since"]), instant(row["until"])), [])
        period.append(Flow(row["origin"], row["target"], row["people"], row["money"]))
    return found
