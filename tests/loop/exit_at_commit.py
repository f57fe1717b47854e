"""Runs foretag once and ends the process hard at the n-th commit of the store; prints how many commits it came to.

Usage: exit_at_commit.py N CONFIG DATE [MODULE.NAME=NUMBER ...]. A negative N ends right after the commit, a positive
one right before it. The settings are for pages of another size.
"""

import os
import sqlite3
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from sync import cycle
from sync.clock import FixedClock
from sync.configfile import load
from sync.progress import Silent
from sync.site import open_site
from sync.store import database

_WRITES = ("INSERT", "UPDATE", "DELETE")
limit, config_file, date, *settings = sys.argv[1:]
count = 0
for setting in settings:
    place, _, number = setting.partition("=")
    module, _, name = place.rpartition(".")
    setattr(import_module(module), name, int(number))


def leave() -> None:
    sys.stdout.write(str(count))
    sys.stdout.flush()
    os._exit(9)


class Connection(sqlite3.Connection):
    """Counts explicit commits, and writes outside of a transaction, which commit by themselves."""

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        global count
        commits = sql == "COMMIT" or (sql.lstrip().startswith(_WRITES) and not self.in_transaction)
        count += commits
        if commits and count == int(limit):
            leave()
        cursor = super().execute(sql, *values)
        if commits and count == -int(limit):
            leave()
        return cursor


class Factory:
    """Stands in for the module sqlite3 in the store: the same, but connections are of our kind."""

    Row, Error = sqlite3.Row, sqlite3.Error

    @staticmethod
    def connect(path: Path, **options: object) -> Connection:
        return sqlite3.connect(path, factory=Connection, **options)


database.sqlite3 = Factory
with open_site(load(Path(config_file)), FixedClock(datetime.fromisoformat(date).replace(tzinfo=UTC))) as site:
    cycle.run(site, Silent())
sys.stdout.write(str(count))
