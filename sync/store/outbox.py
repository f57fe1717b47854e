"""The writes still to be made: pending → sent → confirmed or failed. The next plan supersedes what is open."""

import json
import sqlite3
from collections.abc import Iterable, Sequence

from connectors.contract import Change, Outcome, Result
from sync.store.database import transaction
from sync.store.facts import confirm_owned, holds

ATTEMPTS = 5
"""A contact the platform keeps refusing is given up after this many tries, until its values change."""


def enqueue(db: sqlite3.Connection, plan: str, changes: Iterable[tuple[str, Change]]) -> int:
    """Put the (account, change) pairs of a plan into the outbox and return how many are open.

    Whatever an earlier plan left open is superseded: values are absolute, so only the newest ones count. A contact
    that is known to hold the values already is left out, so that a plan carried out again writes only what is missing.
    """
    with transaction(db):
        db.execute("UPDATE outbox SET state = 'superseded' WHERE plan != ? AND state IN ('pending', 'sent')", (plan,))
        db.executemany(
            """INSERT INTO outbox (plan, account, contact_id, object, email, before, after, state)
            VALUES (?, ?, ?, ?, ?, ?, ?, 'pending')
            ON CONFLICT DO UPDATE SET state = 'pending' WHERE state != 'sent'""",
            (
                (plan, account, change.id, change.object, change.email, _dump(change.before), _dump(change.after))
                for account, change in changes
                if not holds(db, account, change.id, change.after)
            ),
        )
    count = db.execute("SELECT count(*) FROM outbox WHERE plan = ? AND state IN ('pending', 'sent')", (plan,))
    return int(count.fetchone()[0])


def open_changes(db: sqlite3.Connection, plan: str, account: str) -> list[Change]:
    """What is still to be written of `plan` on `account`; a row that was sent but not acknowledged is among them."""
    rows = db.execute(
        "SELECT * FROM outbox WHERE plan = ? AND account = ? AND state IN ('pending', 'sent') ORDER BY id",
        (plan, account),
    )
    return [_change(row) for row in rows]


def attempted(db: sqlite3.Connection, plan: str) -> list[tuple[str, Change]]:
    """What was sent of `plan`, by account, whatever came of it: an answer that was lost may have been a yes."""
    rows = db.execute("SELECT * FROM outbox WHERE plan = ? AND attempts > 0 ORDER BY id", (plan,))
    return [(row["account"], _change(row)) for row in rows]


def mark_sent(db: sqlite3.Connection, plan: str, account: str, changes: Sequence[Change]) -> None:
    """Note, before they leave, that these changes may have taken effect from now on."""
    with transaction(db):
        db.executemany(
            """UPDATE outbox SET state = 'sent', attempts = attempts + 1
            WHERE plan = ? AND account = ? AND contact_id = ?""",
            [(plan, account, change.id) for change in changes],
        )


def settle(db: sqlite3.Connection, plan: str, account: str, outcomes: Sequence[Outcome]) -> None:
    """Note what the platform said, contact by contact.

    What was written is known to be there from now on; who is gone is not planned for again.
    """
    with transaction(db):
        for outcome in outcomes:
            where = (plan, account, outcome.id)
            if outcome.result is Result.WRITTEN:
                row = db.execute(
                    "SELECT after FROM outbox WHERE plan = ? AND account = ? AND contact_id = ?", where
                ).fetchone()
                confirm_owned(db, account, outcome.id, json_values(row["after"]))
            if outcome.result is Result.GONE:  # until a pull brings it back
                db.execute("UPDATE contact SET deleted = 1 WHERE account = ? AND id = ?", (account, outcome.id))
            state = {Result.WRITTEN: "confirmed", Result.UNKNOWN: "sent"}.get(outcome.result, "failed")
            db.execute(
                "UPDATE outbox SET state = ?, reason = ? WHERE plan = ? AND account = ? AND contact_id = ?",
                (state, outcome.reason, *where),
            )


def given_up(db: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """(account, contact, values as JSON) that were refused `ATTEMPTS` times: not planned again with the same values."""
    rows = db.execute(
        """SELECT account, contact_id, after FROM outbox WHERE state = 'failed'
        GROUP BY account, contact_id, after HAVING sum(attempts) >= ?""",
        (ATTEMPTS,),
    )
    return {(row["account"], row["contact_id"], row["after"]) for row in rows}


def json_values(text: str) -> dict[str, str | float | bool | tuple[str, ...] | None]:
    """Field values from their JSON, with emptied fields (null) kept and tags as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(text).items()}


def _change(row: sqlite3.Row) -> Change:
    return Change(row["object"], row["contact_id"], row["email"], json_values(row["after"]), json_values(row["before"]))


def _dump(values: object) -> str:
    return json.dumps(values, sort_keys=True)
