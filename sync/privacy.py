"""What one person can ask for: everything that is known about them, or that it be forgotten."""

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from connectors.contract import Change
from sync.emails import email_key
from sync.errors import ForetagError
from sync.instants import instant
from sync.plan import UNWRITABLE, Plan
from sync.plan_files import delete_naming
from sync.rollout import in_control
from sync.site import Site
from sync.store.database import transaction
from sync.store.facts import load_owned
from sync.store.forgotten import erase, is_forgotten, same_person
from sync.store.people import person_of

CONTACTS = "SELECT * FROM contact WHERE person_id = ? ORDER BY account, id"
ACTIVITIES = """
SELECT a.account, a.kind, a.at, a.amount, a.currency, a.campaign, a.machine FROM person_activity a
WHERE a.person_id = ? ORDER BY a.at, a.account, a.kind
"""
LISTS = """
SELECT r.account, r.name FROM on_roster r JOIN contact c ON c.account = r.account AND c.id = r.contact_id
WHERE c.person_id = ? ORDER BY r.account, r.name
"""
PREDICTIONS = """
SELECT p.*, json_extract(m.card, '$.ahead') AS ahead FROM prediction p LEFT JOIN model m ON m.id = p.model_id
WHERE p.person_id = ? ORDER BY p.as_of, p.objective
"""
STANDINGS = "SELECT * FROM standing WHERE person_id = ? ORDER BY as_of"
MOVES = "SELECT at, origin, target, cause FROM move WHERE person_id = ? ORDER BY at"
PINS = "SELECT segment, score, at, until FROM pin WHERE person_id = ?"
CHANGES = """
SELECT p.account, p.name, p.before, p.after, p.seen_at FROM property_change p
JOIN contact c ON c.account = p.account AND c.id = p.contact_id WHERE c.person_id = ? ORDER BY p.seen_at, p.name
"""
WRITES = """
SELECT o.account, o.contact_id, o.state, o.before, o.after FROM outbox o
JOIN contact c ON c.account = o.account AND c.id = o.contact_id WHERE c.person_id = ? ORDER BY o.id
"""


def known_person(db: sqlite3.Connection, email: str) -> int:
    """The person with this address. ForetagError when there is none, and when they have been forgotten."""
    key = email_key(email) or ""
    person = person_of(db, key)
    if person is not None:
        return person
    if is_forgotten(db, key):
        raise ForetagError(
            "the person with this address was forgotten: nothing is stored, and nothing is taken in again"
        )
    raise ForetagError("nobody in the store has this address. Is it written as on the platform? foretag pull")


def export(site: Site, email: str) -> dict[str, Any]:
    """Everything the store holds about the person with this address, as JSON-able data. Amounts are in cents.

    ForetagError when nobody has the address.
    """
    people = same_person(site.db, known_person(site.db, email))

    def rows(query: str) -> list[sqlite3.Row]:
        return [row for person in people for row in site.db.execute(query, (person,))]

    excluded = rows("SELECT person_id FROM excluded WHERE person_id = ?")
    return {
        "made": site.clock.now().isoformat(),
        "scored": not excluded,
        "control_group": any(in_control(person, site.config.holdout.share) for person in people),
        "contacts": [_contact(row) for row in rows(CONTACTS)],
        "activities": [
            {**_plain(row), "at": _when(row["at"]), "machine": bool(row["machine"])} for row in rows(ACTIVITIES)
        ],
        "property_changes": [{**_plain(row), "seen_at": _when(row["seen_at"])} for row in rows(CHANGES)],
        "lists": [_plain(row) for row in rows(LISTS)],
        "scores": [_standing(row) for row in rows(STANDINGS)],
        "predictions": [_prediction(row) for row in rows(PREDICTIONS)],
        "set_by_hand": [{**_plain(row), "at": _when(row["at"]), "until": _when(row["until"])} for row in rows(PINS)],
        "moves": [{**_plain(row), "at": _when(row["at"])} for row in rows(MOVES)],
        "written": [
            {**_plain(row), "before": json.loads(row["before"]), "after": json.loads(row["after"])}
            for row in rows(WRITES)
        ],
    }


def _contact(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "account": row["account"],
        "object": row["object"],
        "id": row["id"],
        "email": row["email"],
        "other_emails": json.loads(row["emails"]),
        "consent": row["consent"],
        "created": _when(row["created_at"]),
        "changed": _when(row["changed_at"]),
        "deleted_there": bool(row["deleted"]),
        "merged_into": row["merged_into"],
        "properties": json.loads(row["properties"]),
        "our_fields": json.loads(row["owned"]),
    }


def _standing(row: sqlite3.Row) -> dict[str, Any]:
    reasons = json.loads(row["reasons"])
    return {
        "as_of": _when(row["as_of"]),
        "scored_at": _when(row["scored_at"] or row["as_of"]),
        "segment": row["segment"],
        "fields": json.loads(row["fields"]),
        "reasons": {
            objective: [{"text": text, "weight": weight} for text, weight in found]
            for objective, found in reasons.items()
        },
    }


def _prediction(row: sqlite3.Row) -> dict[str, Any]:
    """The value is a probability, for the expected spend cents; the outcome is what really happened.

    It is entered after `horizon_days`; where people have horizons of their own, that is the longest of these.
    """
    return {
        "objective": row["objective"],
        "as_of": _when(row["as_of"]),
        "horizon_days": row["horizon_days"],
        "ahead": (row["ahead"] or f"{row['horizon_days']} days ahead").partition(", ")[0],
        "predicted": row["value"],
        "rule_of_thumb": row["rule"],
        "outcome": row["outcome"],
        "arm": row["arm"],
        "model": row["model_id"],
    }


def _plain(row: sqlite3.Row) -> dict[str, Any]:
    return dict(zip(row.keys(), row, strict=True))


def _when(at: int | None) -> str | None:
    return None if at is None else instant(at).isoformat()


def emptying_plan(site: Site, person: int) -> Plan:
    """Empties our fields on every contact of this human that can be written to, by what the store holds: pull first."""
    plan = Plan(site.clock.now(), site.config.boldest_mode)
    for each in same_person(site.db, person):
        for row in site.db.execute(CONTACTS, (each,)):
            skipped = plan.skipped.setdefault(row["account"], Counter())
            owned = load_owned(row["owned"])
            if row["deleted"] or not owned:
                continue
            if row["account"] not in site.connectors:
                skipped["the account is not in the config any more"] += 1
            elif not row["writable"]:
                skipped[UNWRITABLE] += 1
            else:
                change = Change(row["object"], row["id"], row["email"], dict.fromkeys(owned), owned)
                plan.changes.setdefault(row["account"], []).append(change)
    for account, changes in plan.changes.items():
        plan.calls[account] = site.connectors[account].predict_calls(changes)
    return plan


def forget(site: Site, person: int) -> list[Path]:
    """Delete everything about this human from the store and its free space, and never take them in again.

    Saved plans that name a contact of theirs are deleted too; returns these.
    """
    contacts = {
        (row["account"], row["id"])
        for each in same_person(site.db, person)
        for row in site.db.execute(CONTACTS, (each,))
    }
    gone = delete_naming(site.config.data_dir / "plans", contacts)
    with transaction(site.db):
        erase(site.db, person)
    site.db.execute("VACUUM")
    site.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return gone
