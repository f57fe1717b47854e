"""People who are to be forgotten: everything about them is deleted, and what comes of them again is not taken in.

What stays is a salted hash of each of their addresses and contacts, by which they are recognised.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from connectors.contract import Page
from connectors.records import Contact
from sync.emails import email_key
from sync.store.marks import SALT, of_contact, of_email, of_record, salt_of


def same_person(db: sqlite3.Connection, person: int) -> list[int]:
    """The person with all others of the store that are the same human by a shared address or a merge."""
    return [row[0] for row in db.execute(_SAME, (person,))]


def erase(db: sqlite3.Connection, person: int) -> None:
    """Delete everything about this human, and note who is not to be taken in again. Inside a transaction."""
    for each in same_person(db, person):
        _erase(db, each)


def _erase(db: sqlite3.Connection, person: int) -> None:
    contacts = [(row["account"], row["id"]) for row in _contacts(db, person)]
    emails = set(_emails(db, person))
    merged = [
        (row["account"], row["id"])
        for contact in contacts
        for row in db.execute("SELECT account, id FROM alias WHERE account = ? AND contact_id = ?", contact)
    ]
    salt = salt_of(db)
    marks = [of_email(salt, email) for email in emails]
    _note(db, [*marks, *(of_contact(salt, *each) for each in (*contacts, *merged))])
    _delete_contacts(db, [*contacts, *merged])
    db.executemany("DELETE FROM activity WHERE email = ?", [(email,) for email in emails])
    for table in ("person_email", "excluded", "prediction", "standing", "move", "pin", "pilot"):
        db.execute(f"DELETE FROM {table} WHERE person_id = ?", (person,))  # noqa: S608 - names from above
    db.execute("DELETE FROM person WHERE id = ?", (person,))


def is_forgotten(db: sqlite3.Connection, email: str) -> bool:
    """Whether this (normalised) address is one that is not taken in."""
    hashes = _hashes(db)
    return bool(hashes) and of_email(salt_of(db), email) in hashes


def without_forgotten(db: sqlite3.Connection, account: str, page: Page) -> Page:
    """The page without the contacts and activities of forgotten people. Inside a transaction.

    A forgotten person's new contact is forgotten too; a person here who turns out to be a forgotten one is erased.
    """
    hashes = _hashes(db)
    if not hashes:
        return page
    salt = salt_of(db)
    kept = []
    for contact in page.contacts:
        if not hashes.isdisjoint(of_record(salt, account, contact)):
            hashes |= _forget_contact(db, account, contact)
        else:
            kept.append(contact)
    activities = tuple(
        each
        for each in page.activities
        if of_contact(salt, account, each.contact_id or "") not in hashes
        and of_email(salt, email_key(each.email) or "") not in hashes
    )
    return replace(page, contacts=tuple(kept), activities=activities)


def carry_over(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Make `new`, an earlier state of the store `old`, forget everyone whom `old` has forgotten since."""
    known = old.execute("SELECT 1 FROM sqlite_master WHERE name = 'forgotten'").fetchone()
    hashes = _hashes(old) if known else set()
    if not hashes:
        return
    salt = salt_of(old)
    new.execute("BEGIN IMMEDIATE")
    new.execute("INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (SALT, salt))
    new.executemany("INSERT OR IGNORE INTO forgotten VALUES (?)", [(each,) for each in hashes])
    people = {
        row["person_id"]
        for row in new.execute("SELECT person_id, account, id, email_key FROM contact WHERE person_id IS NOT NULL")
        if hashes & {of_contact(salt, row["account"], row["id"]), of_email(salt, row["email_key"] or "")}
    }
    for person in people:
        erase(new, person)
    new.execute("COMMIT")
    new.execute("VACUUM")


def _forget_contact(db: sqlite3.Connection, account: str, contact: Contact) -> set[str]:
    """The hashes that are new with it. Its activities may have come before it."""
    known = db.execute("SELECT person_id FROM contact WHERE account = ? AND id = ?", (account, contact.id)).fetchone()
    if known and known["person_id"]:
        erase(db, known["person_id"])
    ids = [(account, each) for each in (contact.id, *contact.aliases)]
    _delete_contacts(db, ids)
    salt = salt_of(db)
    return _note(db, {*of_record(salt, account, contact), *(of_contact(salt, *each) for each in ids)})


def _delete_contacts(db: sqlite3.Connection, contacts: Sequence[tuple[str, str]]) -> None:
    for where in (
        "contact WHERE account = ? AND id = ?",
        "activity WHERE account = ? AND contact_id = ?",
        "outbox WHERE account = ? AND contact_id = ?",
        "property_change WHERE account = ? AND contact_id = ?",
        "alias WHERE account = ? AND contact_id = ?",
        "field_pin WHERE account = ? AND contact_id = ?",
        "on_roster WHERE account = ? AND contact_id = ?",
    ):
        db.executemany(f"DELETE FROM {where}", contacts)  # noqa: S608 - texts from above


def _contacts(db: sqlite3.Connection, person: int) -> list[sqlite3.Row]:
    return db.execute("SELECT account, id, emails FROM contact WHERE person_id = ?", (person,)).fetchall()


def _emails(db: sqlite3.Connection, person: int) -> Iterator[str]:
    for row in db.execute("SELECT email FROM person_email WHERE person_id = ?", (person,)):
        yield row["email"]
    for row in _contacts(db, person):
        yield from json.loads(row["emails"])


def _hashes(db: sqlite3.Connection) -> set[str]:
    return {row[0] for row in db.execute("SELECT hash FROM forgotten")}


def _note(db: sqlite3.Connection, marks: Iterable[str]) -> set[str]:
    noted = set(marks)
    db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?)", [(each,) for each in noted])
    return noted


_SAME = """
WITH RECURSIVE address (person, email) AS (
    SELECT person_id, email FROM person_email
    UNION SELECT c.person_id, a.value FROM contact c, json_each(c.emails) a WHERE c.person_id IS NOT NULL
), merge (gone, stays) AS (
    SELECT g.person_id, s.person_id FROM alias m
    JOIN contact g ON g.account = m.account AND g.id = m.id
    JOIN contact s ON s.account = m.account AND s.id = m.contact_id
    WHERE g.person_id IS NOT NULL AND s.person_id IS NOT NULL
), link (one, other) AS (
    SELECT x.person, y.person FROM address x JOIN address y ON x.email = y.email
    UNION SELECT gone, stays FROM merge
    UNION SELECT stays, gone FROM merge
), same (id) AS (VALUES (?) UNION SELECT other FROM same JOIN link ON one = id)
SELECT id FROM same ORDER BY id
"""
