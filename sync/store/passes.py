"""Reading an account's contacts all over again now and then: what changes without a date of change shows only there.

A pass begins by forgetting the cursors of the streams with contacts. From then on it is a pull like any other, also
after a crash in the middle. When it has come to its end, contacts it has not brought are gone from the platform.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sync.instants import micros
from sync.store.database import transaction


def begin_if_due(db: sqlite3.Connection, account: str, streams: Sequence[str], now: datetime, every: timedelta) -> bool:
    """Begin a pass over `streams` when the last one began that long ago and has ended; whether one was begun."""
    row = db.execute("SELECT began, ended FROM full_pass WHERE account = ?", (account,)).fetchone()
    if row is not None and (row["ended"] is None or row["began"] + every // timedelta(microseconds=1) > micros(now)):
        return False
    with transaction(db):
        db.execute(
            """INSERT OR REPLACE INTO full_pass
            SELECT ?1, ?2, NULL, NOT EXISTS (SELECT 1 FROM contact WHERE account = ?1)""",
            (account, micros(now)),
        )
        db.execute("DELETE FROM seen WHERE account = ?", (account,))
        db.executemany("DELETE FROM cursor WHERE account = ? AND stream = ?", [(account, each) for each in streams])
    return True


def repeats(db: sqlite3.Connection, account: str) -> bool:
    """Whether a pass is going on that is not the account's first: its contacts have all been read before."""
    row = db.execute("SELECT 1 FROM full_pass WHERE account = ? AND ended IS NULL AND NOT first", (account,))
    return row.fetchone() is not None


def note(db: sqlite3.Connection, account: str, ids: Iterable[str]) -> None:
    """Contacts that a page has brought, in the transaction that stores it."""
    if repeats(db, account):
        db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", [(account, each) for each in ids])


def end(db: sqlite3.Connection, account: str, now: datetime) -> int:
    """All streams with contacts have come to their end: note those that are gone; how many that are."""
    with transaction(db):
        gone = 0
        if repeats(db, account):
            gone = db.execute(
                """UPDATE contact SET deleted = 1, changed_at = ?2
                WHERE account = ?1 AND NOT deleted AND id NOT IN (SELECT id FROM seen WHERE account = ?1)""",
                (account, micros(now)),
            ).rowcount
            db.execute("DELETE FROM seen WHERE account = ?", (account,))
        db.execute("UPDATE full_pass SET ended = ? WHERE account = ? AND ended IS NULL", (micros(now), account))
    return gone
