"""What became of the properties the admin names: platforms tell the present value, changes are noted as they come."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from connectors.records import Contact
from sync.instants import micros


def watch(db: sqlite3.Connection, account: str, names: Collection[str], now: datetime) -> None:
    """Watch these properties of an account from its next full pass on, and no others: theirs is forgotten."""
    asked = json.dumps(sorted(names))
    for table in ("watched", "property_change"):
        gone = f"DELETE FROM {table} WHERE account = ? AND name NOT IN (SELECT value FROM json_each(?))"  # noqa: S608
        db.execute(gone, (account, asked))
    rows = ((account, name, micros(now)) for name in names)
    db.executemany("INSERT OR IGNORE INTO watched (account, name, named) VALUES (?, ?, ?)", rows)


def begin(db: sqlite3.Connection, account: str, now: datetime) -> None:
    """Note changes from `now` on of what was named before the full pass of `account` began that has ended.

    Before that, a property that is not there may only not have been asked for.
    """
    db.execute(
        """UPDATE watched SET since = ? WHERE account = ? AND since IS NULL
        AND named <= (SELECT began FROM full_pass WHERE account = ? AND ended IS NOT NULL)""",
        (micros(now), account, account),
    )


def note_changes(
    db: sqlite3.Connection, account: str, contacts: Iterable[Contact], before: Mapping[str, str], seen: int
) -> None:
    """Note which watched properties of `contacts` differ from `before` (JSON by contact), as seen at `seen` (µs)."""
    watching = "SELECT name FROM watched WHERE account = ? AND since IS NOT NULL"
    names = [row["name"] for row in db.execute(watching, (account,))]
    if not names:
        return
    rows = []
    for contact in contacts:
        if contact.id in before:
            old: dict[str, object] = json.loads(before[contact.id])
            values = ((name, _text(old.get(name)), _text(contact.properties.get(name))) for name in names)
            rows += [(account, contact.id, name, seen, was, now) for name, was, now in values if was != now]
    db.executemany("INSERT OR REPLACE INTO property_change VALUES (?, ?, ?, ?, ?, ?)", rows)


def watched_since(db: sqlite3.Connection, name: str) -> int | None:
    """From when on (µs UTC) every account that has this property notes its changes; None: not yet."""
    row = db.execute(
        "SELECT max(since) AS since, sum(since IS NULL) AS waiting FROM watched WHERE name = ?", (name,)
    ).fetchone()
    return None if row["since"] is None or row["waiting"] else int(row["since"])


def thin_changes(db: sqlite3.Connection, oldest: datetime) -> int:
    """Delete the changes before `oldest`; what came before that then counts as not watched. Returns how many went."""
    limit = micros(oldest)
    db.execute("UPDATE watched SET since = ? WHERE since < ?", (limit, limit))
    return db.execute("DELETE FROM property_change WHERE seen_at < ?", (limit,)).rowcount


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


REACHED = """
SELECT c.person_id, :name || '=' || :value AS kind, found.at, NULL, NULL, 0 FROM (
    SELECT account, contact_id, seen_at AS at FROM property_change
    WHERE name = :name AND lower(after) = lower(:value)
    UNION ALL
    SELECT f.account, f.id, max(coalesce(f.created_at, w.since), (SELECT coalesce(min(at), 0) FROM activity))
    FROM watched w JOIN contact f ON f.account = w.account
    WHERE w.name = :name AND w.since IS NOT NULL AND lower(coalesce(
        (SELECT p.before FROM property_change p WHERE p.account = f.account AND p.contact_id = f.id
            AND p.name = :name ORDER BY p.seen_at LIMIT 1),
        (SELECT CASE WHEN j.type IN ('true', 'false') THEN j.type ELSE j.atom END
            FROM json_each(f.properties) j WHERE j.key = :name)
    )) = lower(:value)
) found
LEFT JOIN alias m ON m.account = found.account AND m.id = found.contact_id
JOIN contact c ON c.account = found.account AND c.id = coalesce(m.contact_id, found.contact_id)
WHERE c.person_id IS NOT NULL AND c.person_id NOT IN (SELECT person_id FROM excluded)
ORDER BY c.person_id, found.at
"""
"""When people reached a value of a property. Whoever had it when it was first looked at has had it from the start."""
