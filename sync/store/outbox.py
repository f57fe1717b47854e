"""The writes still to be made: pending → sent → confirmed or failed. The next plan supersedes what is open."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.contract import Change, Outcome, Result
from connectors.records import Value
from sync.instants import instant, micros
from sync.store.database import transaction
from sync.store.facts import EMPTY, confirm_owned, holds, load_owned

ATTEMPTS = 5
"""A contact the platform keeps refusing is given up after this many tries, until it changes there or in our values."""
FIRST_WAIT = timedelta(hours=1)
"""How long a contact that was refused is left alone at first; each time four times as long."""
GIVEN_UP = "refused by the platform again and again"
WAITS = "refused by the platform, not yet tried again"
"""Why a contact is left alone."""
COMPANIONS = frozenset({"reasons", "scored_on", "segment_since", "segment_before"})
"""Fields that only follow: they are written when something else changes."""


def enqueue(db: sqlite3.Connection, plan: str, changes: Mapping[str, Sequence[Change]]) -> int:
    """Put the changes of a plan, by account, into the outbox and return how many are open.

    Whatever an earlier plan left open on these accounts is superseded, also where there is nothing to change now:
    values are absolute, so only the newest ones count. Other accounts are left as they are. A contact that is known to
    hold the values already is left out, so that a plan carried out again writes only what is missing.
    """
    with transaction(db):
        db.execute(
            """UPDATE outbox SET state = 'superseded'
            WHERE plan != ? AND account IN (SELECT value FROM json_each(?)) AND state IN ('pending', 'sent')""",
            (plan, _dump([*changes])),
        )
        db.executemany(
            """INSERT INTO outbox (plan, account, contact_id, object, email, before, after, state)
            VALUES (?, ?, ?, ?, ?, ?, ?, 'pending')
            ON CONFLICT DO UPDATE SET state = 'pending' WHERE state != 'sent'""",
            (
                (plan, account, change.id, change.object, change.email, _dump(change.before), _dump(change.after))
                for account, some in changes.items()
                for change in some
                if not holds(db, account, change.id, change.after)
            ),
        )
    count = db.execute("SELECT count(*) FROM outbox WHERE plan = ? AND state IN ('pending', 'sent')", (plan,))
    return int(count.fetchone()[0])


def resolve(db: sqlite3.Connection, now: datetime) -> None:
    """Confirm what was sent and never answered, field by field, where reading has shown since that it is there."""
    with transaction(db):
        for row in db.execute(_SENT).fetchall():
            change, rest = _change(row), _rest(row)
            there = {key: value for key, value in change.after.items() if key not in rest.after}
            if there:
                confirm_owned(db, row["account"], change.id, there)
            if not rest.after:
                db.execute(
                    "UPDATE outbox SET state = 'confirmed', settled_at = ? WHERE id = ?", (micros(now), row["id"])
                )


def open_changes(db: sqlite3.Connection, plan: str, account: str, by: str | None = None) -> list[Change]:
    """What is still to be written of `plan` on `account`, sorted by this property of the contacts.

    A row that was sent but not acknowledged is among them, but for the fields that are known by now to have got there.
    """
    rows = db.execute(
        """SELECT outbox.*, contact.owned FROM outbox
        LEFT JOIN contact ON contact.account = outbox.account AND contact.id = contact_id
        WHERE plan = ? AND outbox.account = ? AND state IN ('pending', 'sent')
        ORDER BY json_extract(properties, '$.' || ?), outbox.id""",
        (plan, account, by),
    )
    return [_rest(row) if row["state"] == "sent" and row["owned"] else _change(row) for row in rows]


def _rest(row: sqlite3.Row) -> Change:
    """What is missing of a change that got there in part, if any."""
    change, owned = _change(row), load_owned(row["owned"])
    after = {key: value for key, value in change.after.items() if owned.get(key) != (None if value in EMPTY else value)}
    return replace(change, after=after, before={**change.before, **{key: owned.get(key) for key in after}})


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


def settle(db: sqlite3.Connection, plan: str, account: str, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Note what the platform said, and when, contact by contact.

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
                db.execute(
                    "UPDATE contact SET deleted = 1, changed_at = ? WHERE account = ? AND id = ? AND NOT deleted",
                    (micros(now), account, outcome.id),
                )
            state = {Result.WRITTEN: "confirmed", Result.UNKNOWN: "sent"}.get(outcome.result, "failed")
            db.execute(
                """UPDATE outbox SET state = ?, reason = ?, settled_at = ?
                WHERE plan = ? AND account = ? AND contact_id = ?""",
                (state, outcome.reason, micros(now), *where),
            )


@dataclass(frozen=True, slots=True)
class Refusal:
    """A contact that the platform has refused and that did not change there since."""

    attempts: int
    at: datetime
    """When it was refused last."""
    lasting: str
    """What was to be written, by `lasting`."""

    @property
    def next_try(self) -> datetime | None:
        """From when on it is tried again: after 1, 4, 16 and 64 hours. None: not before it changes."""
        return None if self.attempts >= ATTEMPTS else self.at + FIRST_WAIT * 4 ** (self.attempts - 1)

    @property
    def sentence(self) -> str:
        """Why it is left alone."""
        return GIVEN_UP if self.next_try is None else WAITS


def refusals(db: sqlite3.Connection) -> dict[tuple[str, str], Refusal]:
    """Who is refused at present, by (account, contact): tries count since the last success or change over there.

    Only tries with the same lasting values count together.
    """
    found: dict[tuple[str, str], Refusal] = {}
    for row in db.execute(_REFUSED):
        key, values = (row["account"], row["contact_id"]), lasting(json_values(row["after"]))
        before = found.get(key)
        earlier = before.attempts if before and before.lasting == values else 0
        found[key] = Refusal(earlier + row["attempts"], instant(row["settled_at"]), values)
    return found


def lasting(after: Mapping[str, Value]) -> str:
    """Those of the new values that do not move by themselves from day to day, as JSON: a new one is worth a try."""
    return _dump(
        {
            key: value
            for key, value in after.items()
            if key not in COMPANIONS and (isinstance(value, bool) or not isinstance(value, float | int))
        }
    )


def json_values(text: str) -> dict[str, str | float | bool | tuple[str, ...] | None]:
    """Field values from their JSON, with emptied fields (null) kept and tags as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(text).items()}


def _change(row: sqlite3.Row) -> Change:
    return Change(row["object"], row["contact_id"], row["email"], json_values(row["after"]), json_values(row["before"]))


def _dump(values: object) -> str:
    return json.dumps(values, sort_keys=True)


_SENT = """
SELECT outbox.*, contact.owned FROM outbox JOIN contact ON contact.account = outbox.account AND contact.id = contact_id
WHERE state = 'sent'
"""
# The contact is as it was when it was refused, and nothing was confirmed since.
_REFUSED = """
SELECT o.account, o.contact_id, o.after, o.attempts, o.settled_at FROM outbox o
JOIN contact c ON c.account = o.account AND c.id = o.contact_id
WHERE o.state = 'failed' AND o.settled_at >= c.changed_at AND NOT EXISTS (
    SELECT 1 FROM outbox p
    WHERE p.account = o.account AND p.contact_id = o.contact_id AND p.state = 'confirmed' AND p.id > o.id
)
ORDER BY o.id
"""
