"""Who is who: one person per normalised e-mail address, over all platforms."""

import json
import sqlite3
from collections.abc import Iterator

from sync.store.database import transaction

BATCH = 5_000
"""Contacts looked at together: a million of them must not stand in memory."""


def resolve(db: sqlite3.Connection) -> None:
    """Give every contact its person.

    A contact belongs to the person who has its address. A contact whose address is new keeps the person it had
    (people move), and the person gains the address. A contact without an address is a person of its own. Merged-away
    and deleted records keep their person, so that what they did is not lost. The order in which pages came does not
    matter: contacts are taken in the order of account and id.
    """
    with transaction(db):
        for rows in _unsettled(db):
            _settle(db, rows)


def _unsettled(db: sqlite3.Connection) -> Iterator[list[sqlite3.Row]]:
    """The contacts that may not be with their person yet, batch by batch."""
    account, id_ = "", ""
    while rows := db.execute(_UNSETTLED, (account, id_, BATCH)).fetchall():
        account, id_ = rows[-1]["account"], rows[-1]["id"]
        yield rows


def _settle(db: sqlite3.Connection, rows: list[sqlite3.Row]) -> None:
    emails = {row: _emails(row) for row in rows}
    asked = json.dumps([each for several in emails.values() for each in several])
    owners = {row["email"]: row["person_id"] for row in db.execute(_OWNERS, (asked,))}
    newest = db.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'person'").fetchone()[0]
    people, gained, moved = [], [], []
    for row in rows:
        person = next((owners[each] for each in emails[row] if each in owners), None) or row["person_id"]
        if person is None:
            newest += 1
            person = newest
            people.append((person,))
        for each in emails[row]:
            if each not in owners:
                owners[each] = person
                gained.append((each, person))
        if person != row["person_id"]:
            moved.append((person, row["account"], row["id"]))
    db.executemany("INSERT INTO person VALUES (?)", people)
    db.executemany("INSERT INTO person_email VALUES (?, ?)", gained)
    db.executemany("UPDATE contact SET person_id = ? WHERE account = ? AND id = ?", moved)


def _emails(row: sqlite3.Row) -> list[str]:
    others = json.loads(row["emails"]) if row["emails"] != "[]" else []
    return [row["email_key"], *others] if row["email_key"] else others


def person_of(db: sqlite3.Connection, email_key: str) -> int | None:
    """The person who has this (normalised) address."""
    row = db.execute("SELECT person_id FROM person_email WHERE email = ?", (email_key,)).fetchone()
    return None if row is None else int(row["person_id"])


# All others are with the person who has their only address, or without one are a person of their own.
_UNSETTLED = """
SELECT account, id, email_key, emails, person_id FROM contact
WHERE (account, id) > (?, ?) AND (
    person_id IS NULL OR emails != '[]'
    OR email_key IS NOT NULL AND person_id IS NOT (SELECT e.person_id FROM person_email e WHERE e.email = email_key)
)
ORDER BY account, id LIMIT ?
"""
_OWNERS = "SELECT email, person_id FROM person_email WHERE email IN (SELECT value FROM json_each(?))"


def on_account(db: sqlite3.Connection, account: str) -> set[int]:
    """The people with a record on an account, also a deleted one, or with something they did there."""
    rows = db.execute(
        """SELECT person_id FROM contact WHERE account = :account AND person_id IS NOT NULL
        UNION SELECT person_id FROM person_activity WHERE account = :account""",
        {"account": account},
    )
    return {row["person_id"] for row in rows}


def in_question(db: sqlite3.Connection) -> set[int]:
    """Who is to be scored: everybody on a platform but those who are excluded."""
    rows = db.execute(
        """SELECT DISTINCT person_id FROM contact
        WHERE NOT deleted AND person_id NOT IN (SELECT person_id FROM excluded)"""
    )
    return {row["person_id"] for row in rows}


def known_since(db: sqlite3.Connection) -> dict[int, int]:
    """Since when (µs UTC) each person has been on a platform; without those no platform has a date for."""
    rows = db.execute(
        """SELECT person_id, min(created_at) AS since FROM contact
        WHERE person_id IS NOT NULL AND created_at IS NOT NULL GROUP BY person_id"""
    )
    return {row["person_id"]: row["since"] for row in rows}
