"""Who is in a pilot that the config limits to some people: who was let in stays in, as long as there is a pilot."""

import sqlite3
from collections.abc import Mapping

from sync.config import Config
from sync.store.database import transaction
from sync.store.exclusion import people_with
from sync.store.scores import Standing


def chosen(db: sqlite3.Connection, config: Config, standings: Mapping[int, Standing]) -> frozenset[int] | None:
    """Who fits what the config says of the pilot, or was noted earlier; None where it says nothing: everybody."""
    pilot = config.pilot
    if not pilot.only and not pilot.segments:
        return None
    fitting = people_with(db, config, pilot.marks) if pilot.only else set(standings)
    if pilot.segments:
        fitting &= {person for person, each in standings.items() if each.segment in pilot.segments}
    return frozenset(fitting | {row["person_id"] for row in db.execute("SELECT person_id FROM pilot")})


def note(db: sqlite3.Connection, config: Config, people: frozenset[int] | None) -> None:
    """Keep who is in, so that they stay in. Where no account is in a pilot, the next one begins anew."""
    with transaction(db):
        if people is None or all(config.mode_of(account) != "pilot" for account in config.accounts):
            db.execute("DELETE FROM pilot")
        else:
            db.executemany("INSERT OR IGNORE INTO pilot VALUES (?)", [(person,) for person in sorted(people)])
