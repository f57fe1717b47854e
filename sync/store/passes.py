"""Reading an account's contacts all over again now and then: what changes without a date of change shows only there.

A pass begins by forgetting the cursors of the streams with contacts. From then on it is a pull like any other, also
after a crash in the middle. Contacts that neither it nor the next pull has brought are gone from the platform: the next
one counts, because what changes while a pass is under way may be left to it.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sync.instants import micros
from sync.store.database import transaction


def begin_if_due(db: sqlite3.Connection, account: str, streams: Sequence[str], now: datetime, every: timedelta) -> bool:
    """Begin a pass over `streams` when the last one began that long ago and has ended; whether one was begun.

    What is known of an account of which no pass is known counts as one that has just ended.
    """
    row = db.execute("SELECT began, ended FROM full_pass WHERE account = ?", (account,)).fetchone()
    if row is None and any(_has_cursor(db, account, stream) for stream in streams):
        # It began before whatever is named now: a property that is read from now on was not part of it.
        db.execute("INSERT INTO full_pass VALUES (?1, ?2 - 1, ?2, 1)", (account, micros(now)))
        return False
    if row is not None and (row["ended"] is None or row["began"] + every // timedelta(microseconds=1) > micros(now)):
        return False
    with transaction(db):
        db.execute("INSERT OR REPLACE INTO full_pass VALUES (?, ?, NULL, ?)", (account, micros(now), row is None))
        db.execute("DELETE FROM seen WHERE account = ?", (account,))
        db.executemany("DELETE FROM cursor WHERE account = ? AND stream = ?", [(account, each) for each in streams])
    return True


def _has_cursor(db: sqlite3.Connection, account: str, stream: str) -> bool:
    row = db.execute("SELECT 1 FROM cursor WHERE account = ? AND stream = ?", (account, stream))
    return row.fetchone() is not None


def is_repeating(db: sqlite3.Connection, account: str) -> bool:
    """Whether a pass is going on that is not the account's first: its contacts have all been read before."""
    row = db.execute("SELECT 1 FROM full_pass WHERE account = ? AND ended IS NULL AND NOT settled", (account,))
    return row.fetchone() is not None


def note(db: sqlite3.Connection, account: str, ids: Iterable[str]) -> None:
    """Contacts that a page has brought, in the transaction that stores it."""
    if db.execute("SELECT 1 FROM full_pass WHERE account = ? AND NOT settled", (account,)).fetchone():
        db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", [(account, each) for each in ids])


def end(db: sqlite3.Connection, account: str, now: datetime, most: float) -> tuple[int, bool]:
    """All streams with contacts have come to their end: end a pass, or settle who is gone since the last one.

    How many that are, and whether it is believed: more than the share `most` in [0, 1] of the contacts are not. Rather
    a list was short then, and they stay.
    """
    row = db.execute("SELECT ended, settled FROM full_pass WHERE account = ?", (account,)).fetchone()
    if row["ended"] is None:
        db.execute("UPDATE full_pass SET ended = ? WHERE account = ?", (micros(now), account))
    if row["ended"] is None or row["settled"]:
        return 0, True
    with transaction(db):
        present, gone = db.execute(_MISSING, (account,)).fetchone()
        believed: bool = gone <= most * present
        if believed:
            db.execute(_GONE, (account, micros(now)))
        db.execute("DELETE FROM seen WHERE account = ?", (account,))
        db.execute("UPDATE full_pass SET settled = 1 WHERE account = ?", (account,))
    return gone, believed


_MISSING = """
SELECT count(*), count(*) FILTER (WHERE id NOT IN (SELECT id FROM seen WHERE account = ?1))
FROM contact WHERE account = ?1 AND NOT deleted
"""
_GONE = """
UPDATE contact SET deleted = 1, changed_at = ?2
WHERE account = ?1 AND NOT deleted AND id NOT IN (SELECT id FROM seen WHERE account = ?1)
"""
