"""Who is never scored: who opted out or objects to profiling, and those the config excludes by a property or tag."""

import sqlite3
from collections.abc import Sequence

from sync.config import Config
from sync.config_sections import Exclusion
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
        for rule in config.privacy.exclusions:
            for account in _accounts(config, rule):
                db.execute(*_query(rule, account))
    return int(db.execute("SELECT count(*) FROM excluded").fetchone()[0])


def _accounts(config: Config, rule: Exclusion) -> Sequence[str]:
    return [account.name for account in config.accounts if rule.account in (account.name, account.kind)]


def _query(rule: Exclusion, account: str) -> tuple[str, tuple[str, ...]]:
    if rule.what == "tag":
        return _BY_TAG, (account, f";{rule.name.lower()};")
    return _BY_PROPERTY, (account, rule.name, rule.value.strip().lower())


_BY_TAG = """
INSERT OR IGNORE INTO excluded SELECT person_id FROM contact
WHERE account = ? AND person_id IS NOT NULL AND instr(';' || lower(properties ->> '$.tags') || ';', ?)
"""
# JSON's true and false are 1 and 0 to SQLite; platforms that send them as text must match the same rule.
_BY_PROPERTY = """
INSERT OR IGNORE INTO excluded SELECT person_id FROM contact
WHERE account = ? AND person_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM json_each(contact.properties) AS p
    WHERE p.key = ? AND lower(CASE WHEN p.type IN ('true', 'false') THEN p.type ELSE p.atom END) = ?
)
"""
