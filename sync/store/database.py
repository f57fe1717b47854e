"""The one SQLite file that holds all facts and all state."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.errors import ForetagError
from sync.store.migrations import MIGRATIONS

BUSY_SECONDS = 30.0
"""How long a reader waits for the daemon's write to end."""


class StoreError(ForetagError):
    """The store cannot be used; the text says why and what to do."""


def open_store(path: Path) -> sqlite3.Connection:
    """Open (or make) the store at `path`, brought to the newest schema.

    Raises StoreError when the file cannot be opened, is damaged, or was written by a newer foretag.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        migrate(db)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{path}: the store cannot be opened ({error}). Check data_dir, its rights and the disk"
        ) from error
    return db


def migrate(db: sqlite3.Connection) -> None:
    """Apply the migrations that are missing, each in one transaction with its number."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the store has schema {version}, this foretag knows {len(MIGRATIONS)}: install the newer foretag again"
        )
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        with transaction(db):
            for statement in statements:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: what is written inside is there after the block, or nothing of it is."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
