"""Looking one person up: their records, and how to name them."""

import json
import sqlite3

from sync.report.names import display_name

FIRST_NAMES = ("firstname", "FNAME", "FirstName")
LAST_NAMES = ("lastname", "LNAME", "LastName")


def records_of(db: sqlite3.Connection, person: int) -> list[sqlite3.Row]:
    """The person's contacts that are there, on all platforms."""
    return db.execute(
        """SELECT account, object, id, email, properties, consent FROM contact
        WHERE person_id = ? AND NOT deleted ORDER BY account, id""",
        (person,),
    ).fetchall()


def name_of(db: sqlite3.Connection, person: int) -> tuple[str, str]:
    """The person's name, masked for a page that may be forwarded, and where a record of theirs is."""
    for row in records_of(db, person):
        properties = json.loads(row["properties"])
        first, last = (next((str(properties[key]) for key in keys if properties.get(key)), "") for keys in _NAMES)
        return display_name(first, last, row["email"] or ""), f"{row['account']} {row['object']} {row['id']}"
    return "Someone without a record", ""


_NAMES = (FIRST_NAMES, LAST_NAMES)
