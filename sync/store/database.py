"""The one SQLite file that holds all facts and all state."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.errors import ForetagError
from sync.files import OWNER_ONLY
from sync.store.copies import copy
from sync.store.migrations import MIGRATIONS

BUSY_SECONDS = 30.0
"""How long a reader waits for the daemon's write to end."""


class StoreError(ForetagError):
    """The store cannot be used; the text says why and what to do."""


def open_store(path: Path) -> sqlite3.Connection:
    """Open (or make) the store at `path`, readable by its owner only, brought to the newest schema.

    Before the schema of a store changes, a copy is made beside it: `.before-2` holds it as it was before step 2.
    Raises StoreError when the file cannot be opened, is damaged, or was written by a newer foretag.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _close_to_others(path)
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        _copy_before_migrating(db, path)
        migrate(db)
    except (OSError, sqlite3.Error) as error:
        raise trouble(path, error) from error
    return db


def trouble(path: Path, error: OSError | sqlite3.Error) -> StoreError:
    """What to tell of an error that the store, or a file beside it, met with."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest tells which part of SQLite met with it
    full = code == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) in (errno.ENOSPC, errno.EDQUOT)
    if full:
        return StoreError(f"{path}: the disk is full. Nothing that was stored is lost: make room, then foretag run")
    if code == sqlite3.SQLITE_READONLY or getattr(error, "errno", 0) == errno.EROFS:
        return StoreError(f"{path}: the store may only be read. Check the rights of data_dir and the disk")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreError(f"{path}: the store is damaged ({error}). Put a copy back: foretag backup restore FILE")
    if code == sqlite3.SQLITE_BUSY:
        return StoreError(f"{path}: another program holds the store. Close it, then foretag run")
    return StoreError(f"{path}: the store cannot be used ({error}). Check data_dir, its rights and the disk")


def _close_to_others(path: Path) -> None:
    """SQLite gives the files it makes beside a store the store's own rights; those that lie there may have others."""
    if not path.exists():
        path.touch(mode=OWNER_ONLY)
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        if file.exists() and file.stat().st_mode & 0o077:
            file.chmod(OWNER_ONLY)


def _copy_before_migrating(db: sqlite3.Connection, path: Path) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if 0 < version < len(MIGRATIONS):
        copy(db, path.with_name(f"{path.name}.before-{version + 1}"))


def migrate(db: sqlite3.Connection) -> None:
    """Apply the migrations that are missing, all or none: a half-way schema is never seen, and never copied."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the store has schema {version}, this foretag knows {len(MIGRATIONS)}: install the newer foretag again, "
            f"or restore the copy made before the change (foretag.sqlite.before-{len(MIGRATIONS) + 1})"
        )
    if version == len(MIGRATIONS):
        return
    with transaction(db):
        version = db.execute("PRAGMA user_version").fetchone()[0]  # another process may have been quicker
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: what is written inside is there after the block, or nothing of it is."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # on a full disk SQLite has rolled back already
            db.execute("ROLLBACK")
        raise
