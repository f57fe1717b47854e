"""Who is who: one person per normalised e-mail address, over all platforms."""

import json
import sqlite3

from sync.store.database import transaction


def resolve(db: sqlite3.Connection) -> int:
    """Give every contact its person and return how many people there are.

    A contact belongs to the person who has its address. A contact whose address is new keeps the person it had
    (people move), and the person gains the address. A contact without an address is a person of its own. Merged-away
    and deleted records keep their person, so that what they did is not lost. The order in which pages came does not
    matter: contacts are taken in the order of account and id.
    """
    with transaction(db):
        owners = {row["email"]: row["person_id"] for row in db.execute("SELECT email, person_id FROM person_email")}
        rows = db.execute(
            "SELECT account, id, email_key, emails, person_id FROM contact ORDER BY account, id"
        ).fetchall()
        for row in rows:
            emails = [email for email in (row["email_key"], *json.loads(row["emails"])) if email]
            known = next((owners[email] for email in emails if email in owners), None)
            person = known or row["person_id"] or db.execute("INSERT INTO person DEFAULT VALUES").lastrowid
            for email in emails:
                if email not in owners:
                    owners[email] = person
                    db.execute("INSERT INTO person_email VALUES (?, ?)", (email, person))
            if person != row["person_id"]:
                db.execute(
                    "UPDATE contact SET person_id = ? WHERE account = ? AND id = ?", (person, row["account"], row["id"])
                )
    return int(db.execute("SELECT count(DISTINCT person_id) FROM contact WHERE NOT deleted").fetchone()[0])


def person_of(db: sqlite3.Connection, email_key: str) -> int | None:
    """The person who has this (normalised) address."""
    row = db.execute("SELECT person_id FROM person_email WHERE email = ?", (email_key,)).fetchone()
    return None if row is None else int(row["person_id"])
