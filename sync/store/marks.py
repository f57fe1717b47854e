"""Salted hashes by which people are recognised of whom nothing else is stored any more."""

import sqlite3
from collections.abc import Iterator
from hashlib import sha256

from connectors.records import Contact
from sync.emails import email_key

SALT = "forgotten_salt"


def of_email(salt: str, key: str) -> str:
    """The mark of a normalised address."""
    return _hashed(salt, f"email {key}")


def of_contact(salt: str, account: str, id_: str) -> str:
    """The mark of a contact."""
    return _hashed(salt, f"contact {account} {id_}")


def of_record(salt: str, account: str, contact: Contact) -> Iterator[str]:
    """Every mark a record that comes in can be recognised by: its id, and its addresses."""
    yield of_contact(salt, account, contact.id)
    for written in (contact.email, *contact.other_emails):
        key = email_key(written)
        if key:
            yield of_email(salt, key)


def salt_of(db: sqlite3.Connection) -> str:
    """Drawn once per store, so that the marks of two stores have nothing in common."""
    db.execute("INSERT OR IGNORE INTO setting VALUES (?, hex(randomblob(16)))", (SALT,))
    return str(db.execute("SELECT value FROM setting WHERE name = ?", (SALT,)).fetchone()[0])


def _hashed(salt: str, name: str) -> str:
    return sha256(f"{salt} {name}".encode()).hexdigest()
