"""What people edited by hand in fields of ours: it stays for a while, contact by contact and field by field.

A value is theirs when it differs from the one we last confirmed and we never tried to write it.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime

from connectors.records import Value
from sync.instants import micros
from sync.store.database import transaction
from sync.store.facts import EMPTY, load_owned

Pins = Mapping[tuple[str, str], frozenset[str]]
"""By (account, contact): the fields whose values stay."""


def edited(
    db: sqlite3.Connection, account: str, contact_id: str, owned: Mapping[str, Value], keys: Collection[str]
) -> dict[str, Value]:
    """Those of `keys` that hold something in `owned` that is not ours, with what they hold (None: emptied)."""
    row = db.execute("SELECT confirmed FROM contact WHERE account = ? AND id = ?", (account, contact_id)).fetchone()
    ours = load_owned(row["confirmed"]) if row else {}
    differ = {key: owned.get(key) for key in ours.keys() & set(keys) if owned.get(key) != ours[key]}
    if not differ:
        return {}
    tried = [load_owned(each["after"]) for each in db.execute(_UNCONFIRMED, (account, contact_id))]
    return {
        key: value
        for key, value in differ.items()
        if not any(key in after and value == (None if after[key] in EMPTY else after[key]) for after in tried)
    }


def pin(db: sqlite3.Connection, account: str, contact_id: str, values: Mapping[str, Value], at: datetime) -> None:
    """Let these values stay from `at` on; one that was pinned like this before keeps its date."""
    db.executemany(
        """INSERT INTO field_pin VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET value = excluded.value, at = excluded.at WHERE value != excluded.value""",
        [(account, contact_id, key, json.dumps(value), micros(at)) for key, value in values.items()],
    )


def in_force(db: sqlite3.Connection, since: datetime) -> Pins:
    """What was edited by hand after `since`."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in db.execute("SELECT * FROM field_pin WHERE at > ?", (micros(since),)):
        found.setdefault((row["account"], row["contact_id"]), set()).add(row["field"])
    return {contact: frozenset(fields) for contact, fields in found.items()}


def forget(db: sqlite3.Connection, account: str) -> None:
    """Our fields were made anew or removed: no value that is there says anything about a human's hand."""
    with transaction(db):
        db.execute("DELETE FROM field_pin WHERE account = ?", (account,))
        db.execute("UPDATE contact SET confirmed = '{}' WHERE account = ?", (account,))


_UNCONFIRMED = """
SELECT after FROM outbox WHERE account = ? AND contact_id = ? AND attempts > 0 AND state != 'confirmed'
"""
