"""What people did longer ago than the config has it kept: it is deleted, and does not come in again."""

import sqlite3
from dataclasses import replace
from datetime import datetime

from connectors.contract import Page
from sync.instants import micros
from sync.store.database import transaction

BATCH = 50_000
"""Activities deleted in one transaction."""
OLDEST = "oldest_activity"


def drop_before(db: sqlite3.Connection, oldest: datetime | None) -> int:
    """Delete the activities before `oldest` and take no such ones in from now on; None: there is no such limit.

    Several transactions: what is left when it is cut off goes the next time. Returns how many went.
    """
    if oldest is None:
        db.execute("DELETE FROM setting WHERE name = ?", (OLDEST,))
        return 0
    limit, gone = micros(oldest), 0
    db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (OLDEST, str(limit)))
    account, id_ = "", ""
    while rows := db.execute(_OLD, (account, id_, limit, BATCH)).fetchall():
        account, id_ = rows[-1]
        with transaction(db):
            db.executemany("DELETE FROM activity WHERE account = ? AND id = ?", [tuple(row) for row in rows])
        gone += len(rows)
    return gone


def without_old(db: sqlite3.Connection, page: Page) -> Page:
    """The page without the activities that would be deleted again."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (OLDEST,)).fetchone()
    if row is None:
        return page
    limit = int(row["value"])
    return replace(page, activities=tuple(each for each in page.activities if micros(each.at) >= limit))


_OLD = """
SELECT account, id FROM activity WHERE (account, id) > (?, ?) AND at < ? ORDER BY account, id LIMIT ?
"""
