"""What the platforms told us: contacts, activities, and the cursor up to which we have them."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from connectors.contract import Page
from connectors.records import Activity, Contact, Value
from sync.emails import email_key
from sync.instants import micros
from sync.store import departed, forgotten, old_activities, passes, properties
from sync.store.database import transaction

_JSON = json.JSONEncoder(sort_keys=True).encode
EMPTY = (None, "", ())
"""Values that stand for an empty field."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What one page brought that was not known before."""

    contacts: int
    activities: int
    contacts_changed: int
    activities_new: int


def cursor(db: sqlite3.Connection, account: str, stream: str) -> str | None:
    """Where the last stored page of this stream ended; None before the first."""
    row = db.execute("SELECT cursor FROM cursor WHERE account = ? AND stream = ?", (account, stream)).fetchone()
    return None if row is None else str(row["cursor"])


def cursors(db: sqlite3.Connection, account: str) -> tuple[str, ...]:
    """The streams of which a page has been stored."""
    rows = db.execute("SELECT stream FROM cursor WHERE account = ? ORDER BY stream", (account,))
    return tuple(row["stream"] for row in rows)


def contact_counts(db: sqlite3.Connection) -> dict[str, int]:
    """Contacts that are there, per account."""
    rows = db.execute("SELECT account, count(*) AS n FROM contact WHERE NOT deleted GROUP BY account")
    return {row["account"]: row["n"] for row in rows}


def save_page(db: sqlite3.Connection, account: str, page: Page, seen: datetime) -> Saved:
    """Store a page and the cursor after it in one transaction. Storing a page twice changes nothing.

    What it tells of people who are to be forgotten is left out, and what [retention] has done with.
    """
    with transaction(db):
        page = forgotten.without_forgotten(db, account, page)
        page = old_activities.without_old(db, departed.without_departed(db, account, page))
        changed = 0
        if page.contacts:
            passes.note(db, account, [contact.id for contact in page.contacts])
            changed = _save_contacts(db, account, page.contacts, micros(seen))
        new = _drop_others(db, account, page) + _save_activities(db, account, page.activities)
        db.execute(
            "INSERT INTO cursor VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET cursor = excluded.cursor",
            (account, page.stream, page.cursor),
        )
    return Saved(len(page.contacts), len(page.activities), changed, new)


def _save_contacts(db: sqlite3.Connection, account: str, contacts: Sequence[Contact], seen: int) -> int:
    """How many hold something new that is not ours: our own writes coming back are no change."""
    ids = json.dumps([contact.id for contact in contacts])
    known = {row["id"]: tuple(row)[1:] for row in db.execute(_KNOWN, (account, ids))}
    held = {id_: str(columns[_PROPERTIES]) for id_, columns in known.items()}
    rows: list[tuple[object, ...]] = []
    changed = 0
    for contact in contacts:
        foreign, owned = _foreign(contact), dump_owned(contact.owned)
        before = known.get(contact.id)
        moved = before is None or before[:-1] != foreign
        changed += moved
        if before != (*foreign, owned):
            rows.append((account, contact.id, *foreign, owned, seen, moved))
            known[contact.id] = (*foreign, owned)
    db.executemany(_SAVE, rows)
    properties.note_changes(db, account, contacts, held, seen)
    gone = [(account, old, contact.id) for contact in contacts for old in contact.aliases]
    gone += [(account, contact.id, contact.merged_into) for contact in contacts if contact.merged_into]
    db.executemany(
        "INSERT INTO alias VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET contact_id = excluded.contact_id", gone
    )
    return changed


def _foreign(contact: Contact) -> tuple[str | int | None, ...]:
    """What is stored of a contact but for our own fields."""
    return (
        contact.object,
        contact.email,
        email_key(contact.email),
        _JSON(sorted({key for email in contact.other_emails if (key := email_key(email))})),
        contact.consent.value,
        micros(contact.created_at) if contact.created_at else None,
        _JSON(contact.properties),
        int(contact.deleted),
        int(contact.writable),
        contact.merged_into,
    )


def _drop_others(db: sqlite3.Connection, account: str, page: Page) -> int:
    """Forget what the platform no longer tells under the beginnings of ids that the page has in whole; how many."""
    told = {activity.id for activity in page.activities}
    known = "SELECT id FROM activity WHERE account = ? AND id >= ? AND id < ?"
    stale = [
        (account, row["id"])
        for beginning in page.whole
        for row in db.execute(known, (account, beginning, beginning + chr(0x10FFFF)))
        if row["id"] not in told
    ]
    db.executemany("DELETE FROM activity WHERE account = ? AND id = ?", stale)
    return len(stale)


def _save_activities(db: sqlite3.Connection, account: str, activities: Iterable[Activity]) -> int:
    """How many were not known like this before."""
    new = 0
    for removed, some in groupby(activities, key=lambda activity: activity.removed):
        if removed:
            new += db.executemany(_FORGET_ACTIVITY, [(account, each.id) for each in some]).rowcount
        else:
            new += db.executemany(_SAVE_ACTIVITY, [(account, each.id, *_row(each)) for each in some]).rowcount
    return new


def _row(activity: Activity) -> tuple[str | int | None, ...]:
    return (
        activity.kind.value,
        micros(activity.at),
        activity.contact_id,
        email_key(activity.email),
        activity.amount,
        activity.currency,
        activity.campaign,
        int(activity.machine),
    )


def dump_owned(owned: Mapping[str, Value]) -> str:
    """Our field values as JSON; empty ones are left out."""
    return _JSON({key: value for key, value in owned.items() if value not in EMPTY})


def load_owned(text: str) -> dict[str, Any]:
    """The inverse of `dump_owned`: lists come back as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(text).items()}


def foreign_amounts(db: sqlite3.Connection, currency: str) -> dict[str, int]:
    """How many amounts are in which other currency than `currency`: they count as orders without a price."""
    rows = db.execute(
        "SELECT currency, count(*) FROM activity WHERE currency <> ? AND amount IS NOT NULL GROUP BY currency",
        (currency,),
    )
    return dict(rows.fetchall())


def holds(db: sqlite3.Connection, account: str, contact_id: str, values: Mapping[str, Value]) -> bool:
    """Whether the contact is known to hold these values of ours already."""
    row = db.execute("SELECT owned FROM contact WHERE account = ? AND id = ?", (account, contact_id)).fetchone()
    owned = load_owned(row["owned"]) if row else {}
    return row is not None and all(
        owned.get(key) == (None if value in EMPTY else value) for key, value in values.items()
    )


def forget_owned(db: sqlite3.Connection, account: str) -> None:
    """Note that no contact of the account holds anything of ours any more."""
    db.execute("UPDATE contact SET owned = '{}', confirmed = '{}' WHERE account = ?", (account,))


def confirm_owned(db: sqlite3.Connection, account: str, contact_id: str, after: Mapping[str, Value]) -> None:
    """Note that the platform now holds `after` in these fields of ours (its acknowledgement has come)."""
    row = db.execute(
        "SELECT owned, confirmed FROM contact WHERE account = ? AND id = ?", (account, contact_id)
    ).fetchone()
    if row is not None:
        owned, confirmed = (dump_owned({**load_owned(row[name]), **after}) for name in ("owned", "confirmed"))
        db.execute(
            "UPDATE contact SET owned = ?, confirmed = ? WHERE account = ? AND id = ?",
            (owned, confirmed, account, contact_id),
        )
        db.executemany(
            "DELETE FROM field_pin WHERE account = ? AND contact_id = ? AND field = ?",
            [(account, contact_id, key) for key in after],
        )


def note_owned(db: sqlite3.Connection, account: str, contact_id: str, owned: Mapping[str, Value]) -> bool:
    """Note what our fields hold on the platform right now; whether that is news."""
    row = (dump_owned(owned), account, contact_id)
    return db.execute("UPDATE contact SET owned = ?1 WHERE account = ?2 AND id = ?3 AND owned != ?1", row).rowcount > 0


_KNOWN = """
SELECT id, object, email, email_key, emails, consent, created_at, properties, deleted, writable, merged_into, owned
FROM contact WHERE account = ? AND id IN (SELECT value FROM json_each(?))
"""
_PROPERTIES = 6
"""Their place among the columns of _KNOWN after the id."""
_SAVE = """
INSERT INTO contact (account, id, object, email, email_key, emails, consent, created_at, properties, deleted, writable,
    merged_into, owned, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET object = excluded.object, email = excluded.email, email_key = excluded.email_key,
    emails = excluded.emails, consent = excluded.consent, created_at = excluded.created_at,
    properties = excluded.properties, deleted = excluded.deleted, writable = excluded.writable,
    merged_into = excluded.merged_into, owned = excluded.owned,
    changed_at = CASE WHEN ? THEN excluded.changed_at ELSE changed_at END
"""
_FORGET_ACTIVITY = "DELETE FROM activity WHERE account = ? AND id = ?"
_SAVE_ACTIVITY = """
INSERT INTO activity VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET kind = excluded.kind, at = excluded.at, contact_id = excluded.contact_id,
    email = excluded.email, amount = excluded.amount, currency = excluded.currency, campaign = excluded.campaign,
    machine = excluded.machine
WHERE (kind, at, contact_id, email, amount, currency, campaign, machine) IS NOT (excluded.kind, excluded.at,
    excluded.contact_id, excluded.email, excluded.amount, excluded.currency, excluded.campaign, excluded.machine)
"""
