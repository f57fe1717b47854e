"""Which of many instants are worth keeping for good: the newest all, then one a week, then one a month."""

import logging
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sync.instants import micros
from sync.store.ledger import objectives, predicted_at
from sync.store.scores import kept_at

log = logging.getLogger(__name__)

MOST_FREE = 0.3
"""Share of the file that may be free space before it is rewritten …"""
LEAST_BYTES = 64 * 2**20
"""… if there is at least this much of it."""


def thinned(
    instants: Sequence[datetime], now: datetime, *, daily: timedelta, weekly: timedelta, total: timedelta
) -> set[datetime]:
    """Those of `instants` that are not worth keeping at `now`.

    Kept is everything younger than `daily`, the first of each ISO week younger than `weekly`, the first of each
    calendar month younger than `total`, all in UTC; and always the newest one.
    """
    ordered = sorted(instants)
    first_of_week = _firsts(ordered, [at.isocalendar()[:2] for at in ordered])
    first_of_month = _firsts(ordered, [(at.year, at.month) for at in ordered])
    kept = set(ordered[-1:])
    for at in ordered:
        age = now - at
        if age < daily or (at in first_of_week and age < weekly) or (at in first_of_month and age < total):
            kept.add(at)
    return set(ordered) - kept


def _firsts(ordered: Sequence[datetime], periods: Sequence[Collection[int]]) -> set[datetime]:
    found: dict[tuple[int, ...], datetime] = {}
    for at, period in zip(ordered, periods, strict=True):
        found.setdefault(tuple(period), at)
    return set(found.values())


def thin(
    db: sqlite3.Connection,
    now: datetime,
    protected: Collection[datetime],
    *,
    daily: timedelta,
    weekly: timedelta,
    total: timedelta,
) -> int:
    """Delete the standings and predictions of the instants that are not worth keeping, but for `protected` ones.

    Everything that was judged of them is kept elsewhere. Inside a transaction; returns how many instants went.
    """
    gone = 0
    for objective in objectives(db):
        leaving = thinned(predicted_at(db, objective), now, daily=daily, weekly=weekly, total=total) - set(protected)
        rows = [(objective, micros(at)) for at in sorted(leaving)]
        db.executemany("DELETE FROM prediction WHERE objective = ? AND as_of = ?", rows)
        gone += len(leaving)
    leaving = thinned(kept_at(db), now, daily=daily, weekly=weekly, total=total) - set(protected)
    db.executemany("DELETE FROM standing WHERE as_of = ?", [(micros(at),) for at in sorted(leaving)])
    return gone + len(leaving)


def reclaim(db: sqlite3.Connection) -> bool:
    """Give free space back to the disk where it is worth rewriting the file: over MOST_FREE of it, and LEAST_BYTES.

    Outside a transaction. Returns whether it did; readers that are in the way only put it off to the next time.
    """
    size, free, page = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    if free < MOST_FREE * size or free * page < LEAST_BYTES:
        return False
    try:
        db.execute("VACUUM")
    except sqlite3.OperationalError as error:
        log.info("the store is not made smaller now: %s", error)
        return False
    return True
