"""Who has left all platforms is let go of after a while: everything about them is deleted.

What stays is a mark of each of their addresses and contacts, so that nothing from before comes in again when a platform
is read anew. Whoever is back on a platform is taken in like anybody else, and the marks are lifted.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.contract import Page
from sync.emails import email_key
from sync.instants import micros
from sync.store.ledger import objectives, predicted_at
from sync.store.marks import of_contact, of_email, of_record, salt_of
from sync.store.scores import kept_at

BATCH = 2_000
"""People let go of in one transaction: each reads what everybody did once."""
NEVER = -(2**63)
"""Before every instant."""


def left_before(db: sqlite3.Connection, limit: datetime) -> list[list[int]]:
    """The people none of whose records has been on a platform since `limit`, in batches.

    People who are the same human by a shared address or a merge stay together: all of them, or none.
    """
    left = {row["person_id"] for row in db.execute(_LEFT, {"limit": micros(limit)})}
    batches: list[list[int]] = [[]]
    for humans in _together(db, left):
        if len(batches[-1]) >= BATCH:
            batches.append([])
        batches[-1] += humans
    return [batch for batch in batches if batch]


def contacts_of(db: sqlite3.Connection, people: Sequence[int]) -> set[tuple[str, str]]:
    """Their records by account and id, also under the ids that were merged into them."""
    return {(row["account"], row["id"]) for row in db.execute(_CONTACTS, {"people": json.dumps(people)})}


def let_go(db: sqlite3.Connection, people: Sequence[int], now: datetime) -> None:
    """Delete everything about these people, of whom `left_before` has told. Inside a transaction."""
    contacts = sorted(contacts_of(db, people))
    told = {"people": json.dumps(people), "contacts": json.dumps(contacts)}
    emails = [row["email"] for row in db.execute(_EMAILS, told)]
    told["emails"] = json.dumps(emails)
    salt = salt_of(db)
    marks = [of_email(salt, email) for email in emails] + [of_contact(salt, *each) for each in contacts]
    db.executemany("INSERT OR REPLACE INTO departed VALUES (?, ?)", [(mark, micros(now)) for mark in marks])
    db.execute(_ACTIVITIES, told)
    for table, id_ in (
        ("outbox", "contact_id"),
        ("property_change", "contact_id"),
        ("field_pin", "contact_id"),
        ("on_roster", "contact_id"),
        ("alias", "id"),
        ("contact", "id"),
    ):
        db.executemany(f"DELETE FROM {table} WHERE account = ? AND {id_} = ?", contacts)  # noqa: S608 - from above
    gone = [(person,) for person in people]
    for objective in objectives(db):
        for at in predicted_at(db, objective):
            db.execute(_PREDICTIONS, {**told, "objective": objective, "at": micros(at)})
    for at in kept_at(db):
        db.execute(_STANDINGS, {**told, "at": micros(at)})
    for table in ("person_email", "excluded", "move", "pin", "pilot"):
        db.executemany(f"DELETE FROM {table} WHERE person_id = ?", gone)  # noqa: S608 - from above
    db.executemany("DELETE FROM person WHERE id = ?", gone)


def without_departed(db: sqlite3.Connection, account: str, page: Page) -> Page:
    """The page without what it tells from before of people who were let go of. Inside a transaction.

    A record that is there on the platform is a return: its marks are lifted.
    """
    if db.execute("SELECT 1 FROM departed LIMIT 1").fetchone() is None:
        return page
    salt = salt_of(db)
    contacts = []
    for contact in page.contacts:
        own = of_contact(salt, account, contact.id)
        if not contact.deleted:
            back = {*of_record(salt, account, contact), *(of_contact(salt, account, each) for each in contact.aliases)}
            db.executemany("DELETE FROM departed WHERE mark = ?", [(mark,) for mark in back])
        elif not contact.merged_into and own in _marked(db, [own]):
            continue
        contacts.append(contact)
    marks = [of_contact(salt, account, each.contact_id or "") for each in page.activities]
    addresses = [of_email(salt, email_key(each.email) or "") for each in page.activities]
    since = _marked(db, marks + addresses)
    activities = tuple(
        each
        for each, mark, address in zip(page.activities, marks, addresses, strict=True)
        if micros(each.at) > since.get(mark, NEVER)
        and (micros(each.at) > since.get(address, NEVER) or _known(db, account, each.contact_id))
    )
    return replace(page, contacts=tuple(contacts), activities=activities)


def _together(db: sqlite3.Connection, left: set[int]) -> Iterator[list[int]]:
    """The groups of people who are the same human, of those who have `left` altogether."""
    if not left:
        return
    links: dict[int, list[int]] = defaultdict(list)
    for one, other in db.execute(_LINKS):
        links[one].append(other)
        links[other].append(one)
    seen: set[int] = set()
    for person in sorted(left):
        humans, new = [], [person]
        while new:
            if (each := new.pop()) not in seen:
                seen.add(each)
                humans.append(each)
                new += links[each]
        others = [each for each in humans if each not in left]
        if humans and not contacts_of(db, others):
            yield humans


def _marked(db: sqlite3.Connection, marks: Sequence[str]) -> dict[str, int]:
    """Those of the marks that stand, and since when (µs)."""
    rows = db.execute(
        "SELECT mark, at FROM departed WHERE mark IN (SELECT value FROM json_each(?))", (json.dumps(marks),)
    )
    return dict(rows.fetchall())


def _known(db: sqlite3.Connection, account: str, id_: str | None) -> bool:
    return db.execute(_IS_KNOWN, {"account": account, "id": id_}).fetchone() is not None


_LEFT = """
SELECT DISTINCT person_id FROM contact c WHERE deleted AND changed_at < :limit AND person_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM contact o WHERE o.person_id = c.person_id AND (NOT o.deleted OR o.changed_at >= :limit))
"""
_LINKS = """
SELECT c.person_id, e.person_id FROM contact c, json_each(c.emails) a JOIN person_email e ON e.email = a.value
WHERE c.emails != '[]' AND c.person_id != e.person_id
UNION SELECT g.person_id, s.person_id FROM alias m
JOIN contact g ON g.account = m.account AND g.id = m.id
JOIN contact s ON s.account = m.account AND s.id = m.contact_id
WHERE g.person_id != s.person_id
"""
_CONTACTS = """
WITH own AS (SELECT account, id FROM contact WHERE person_id IN (SELECT value FROM json_each(:people)))
SELECT account, id FROM own
UNION SELECT m.account, m.id FROM alias m JOIN own ON own.account = m.account AND own.id = m.contact_id
"""
_EMAILS = """
SELECT email FROM person_email WHERE person_id IN (SELECT value FROM json_each(:people))
UNION SELECT a.value FROM contact c, json_each(c.emails) a
WHERE c.person_id IN (SELECT value FROM json_each(:people))
"""
# Whose an activity is, is told by its contact (through merges), else by its address: as in person_activity.
_ACTIVITIES = """
DELETE FROM activity WHERE (
    (account, contact_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(:contacts))
    OR email IN (SELECT value FROM json_each(:emails))
) AND NOT EXISTS (
    SELECT 1 FROM contact c WHERE c.account = activity.account AND c.id = coalesce(
        (SELECT m.contact_id FROM alias m WHERE m.account = activity.account AND m.id = activity.contact_id),
        activity.contact_id
    ) AND c.person_id NOT IN (SELECT value FROM json_each(:people))
)
"""
_PREDICTIONS = """
DELETE FROM prediction WHERE objective = :objective AND as_of = :at
AND person_id IN (SELECT value FROM json_each(:people))
"""
_STANDINGS = "DELETE FROM standing WHERE as_of = :at AND person_id IN (SELECT value FROM json_each(:people))"
_IS_KNOWN = """
SELECT 1 FROM contact WHERE account = :account AND id = :id
UNION ALL SELECT 1 FROM alias WHERE account = :account AND id = :id
"""
