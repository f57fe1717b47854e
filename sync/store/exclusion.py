"""Who is never scored: who opted out or objects to profiling, and those the config excludes by a property or tag."""

import sqlite3
from collections.abc import Iterable

from sync.config import Config
from sync.config_people import Mark
from sync.store.database import transaction


def exclude(db: sqlite3.Connection, config: Config) -> int:
    """Note anew who is excluded and return how many people that are. One contact of a person is enough.

    Adapters give the tags that are not ours as the property `tags`, joined by `;`.
    """
    with transaction(db):
        db.execute("DELETE FROM excluded")
        db.execute(
            """INSERT INTO excluded SELECT DISTINCT person_id FROM contact
            WHERE consent = 'no_profiling' OR (consent = 'opted_out' AND NOT deleted)"""
        )
        people = people_with(db, config, config.privacy.exclusions)
        db.executemany("INSERT OR IGNORE INTO excluded VALUES (?)", [(person,) for person in sorted(people)])
    return int(db.execute("SELECT count(*) FROM excluded").fetchone()[0])


def people_with(db: sqlite3.Connection, config: Config, marks: Iterable[Mark]) -> set[int]:
    """The people of whom a contact has one of these properties or tags, or is on one of these lists."""
    found: set[int] = set()
    for mark in marks:
        for account in config.accounts:
            if mark.account in (account.name, account.kind):
                found |= {row["person_id"] for row in db.execute(*_query(mark, account.name))}
    return found


def _query(mark: Mark, account: str) -> tuple[str, tuple[str, ...]]:
    if mark.what == "tag":
        return _BY_TAG, (account, f";{mark.name.lower()};")
    if mark.is_roster:
        return _BY_ROSTER, (account, mark.name)
    return _BY_PROPERTY, (account, mark.name, mark.value.strip().lower())


_BY_TAG = """
SELECT person_id FROM contact
WHERE account = ? AND person_id IS NOT NULL AND instr(';' || lower(properties ->> '$.tags') || ';', ?)
"""
_BY_ROSTER = """
SELECT c.person_id FROM on_roster r JOIN contact c ON c.account = r.account AND c.id = r.contact_id
WHERE r.account = ? AND r.name = ? AND c.person_id IS NOT NULL
"""
# JSON's true and false are 1 and 0 to SQLite; platforms that send them as text must match the same rule.
_BY_PROPERTY = """
SELECT person_id FROM contact
WHERE account = ? AND person_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM json_each(contact.properties) AS p
    WHERE p.key = ? AND lower(CASE WHEN p.type IN ('true', 'false') THEN p.type ELSE p.atom END) = ?
)
"""
