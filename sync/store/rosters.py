"""Who was on the lists and in the campaigns that the config limits a pilot to, when they were last read."""

import sqlite3
from collections.abc import Collection, Iterable

from sync.config import Config
from sync.store.database import transaction

Asked = tuple[str, str]
"""An account, and the list or campaign there, by name or id."""
UNREAD = "has not been read yet: foretag pull"


def asked(config: Config) -> list[Asked]:
    """What is to be read; nothing once every account is in full mode."""
    if all(config.mode_of(account) == "full" for account in config.accounts):
        return []
    return [
        (account.name, mark.name)
        for mark in config.pilot.marks
        for account in config.accounts
        if mark.is_roster and mark.account in (account.name, account.kind)
    ]


def keep(db: sqlite3.Connection, those: Collection[Asked]) -> None:
    """Forget all others."""
    known = [(row["account"], row["name"]) for row in db.execute("SELECT account, name FROM roster")]
    for each in set(known) - set(those):
        with transaction(db):
            _drop(db, *each)


def save(db: sqlite3.Connection, account: str, name: str, ids: Iterable[str]) -> None:
    """Note who is on it now. Contacts that are not in the store, forgotten ones among them, are not noted."""
    with transaction(db):
        _drop(db, account, name)
        db.execute("INSERT INTO roster VALUES (?, ?, '')", (account, name))
        db.executemany(_ENTER, [(account, name, account, each) for each in ids])


def fail(db: sqlite3.Connection, account: str, name: str, problem: str) -> None:
    """Note why it could not be read. Nobody counts as being on it then."""
    with transaction(db):
        _drop(db, account, name)
        db.execute("INSERT INTO roster VALUES (?, ?, ?)", (account, name, problem))


def problems(db: sqlite3.Connection, config: Config) -> list[str]:
    """For each list that could not be read: why, and what follows."""
    known = {(row["account"], row["name"]): row["problem"] for row in db.execute("SELECT * FROM roster")}
    found = ((each, known.get(each, f'"{each[1]}" {UNREAD}')) for each in asked(config))
    return [
        f"{account}: {why} - until then nobody new comes into the pilot by it; who is in stays in"
        for (account, _), why in found
        if why
    ]


def _drop(db: sqlite3.Connection, account: str, name: str) -> None:
    for table in ("roster", "on_roster"):
        db.execute(f"DELETE FROM {table} WHERE account = ? AND name = ?", (account, name))  # noqa: S608 - names from above


# Somebody merged may be on it by the old id, and counts by the new one.
_ENTER = """
INSERT OR IGNORE INTO on_roster
SELECT ?, ?, coalesce(m.contact_id, given.id) FROM (SELECT ? AS account, ? AS id) AS given
LEFT JOIN alias m ON m.account = given.account AND m.id = given.id
WHERE EXISTS (
    SELECT 1 FROM contact c WHERE c.account = given.account AND c.id = coalesce(m.contact_id, given.id)
)
"""
