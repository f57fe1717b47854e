"""Saving the store in one file, and putting one back."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sync.config import Config
from sync.errors import ForetagError
from sync.lock import only_run
from sync.site import Site, half_restored, store_path
from sync.store import forgotten
from sync.store.copies import copy, examine
from sync.store.database import migrate

WAIT_SECONDS = 1.0
"""How long a restore waits for readers of the present store."""


def create(site: Site, target: Path | None = None) -> Path:
    """Save the store as `target`, or in the folder `backups` beside it under the present instant; returns the path.

    ForetagError when there is a file already, or when it cannot be written.
    """
    if target is not None:
        return _save(site, target)
    folder = _folder(site)
    folder.mkdir(mode=0o700, exist_ok=True)
    with _one_at_a_time(folder):
        for left in folder.glob("foretag-*.sqlite.part"):  # by a process that died
            left.unlink()
        return _save(site, folder / f"foretag-{site.clock.now():%Y%m%d-%H%M%S}.sqlite")


def _save(site: Site, target: Path) -> Path:
    if target.exists():
        raise ForetagError(f"{target} is there already: name another file, or remove it")
    try:
        copy(site.db, target)
        examine(target)
    except (OSError, sqlite3.Error) as error:
        raise ForetagError(
            f"{target} cannot be written ({error}). Check the folder, its rights and the disk"
        ) from error
    return target


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until nobody else saves into `folder`; the lock is gone with the process that holds it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def rotate(site: Site) -> Path:
    """Save the store into its folder and delete the oldest copies there beyond `backup.keep`; returns the new one.

    Nothing is deleted before the new copy is whole. ForetagError when it cannot be written.
    """
    made = create(site)
    for old in sorted(_folder(site).glob("foretag-*.sqlite"))[: -site.config.backup.keep]:
        old.unlink()
    return made


def _folder(site: Site) -> Path:
    return site.store.parent / "backups"


def restore(config: Config, now: datetime, file: Path) -> Path | None:
    """Make `file` the store and return where the present one is kept; None when there was none.

    Who was forgotten since `file` was made is forgotten in it too. Raises NoStore for a file that is no whole store,
    RunActive while something works with the store, ForetagError when it cannot be done; the store is as it was then.
    """
    examine(file)
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = store_path(config)
    ready = half_restored(config)
    with only_run(config.data_dir, now):
        try:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
                copy(db, ready)
            kept = _keep(store, ready, now)
            ready.replace(store)
        except (OSError, sqlite3.Error) as error:
            raise ForetagError(f"{file} cannot be restored ({error}). Check the folder, its rights and the disk") from (
                error
            )
        finally:
            for left in (ready, *_beside(ready)):
                left.unlink(missing_ok=True)
    return kept


def _keep(store: Path, ready: Path, now: datetime) -> Path | None:
    """Give the present store a second name, after its list of forgotten people has been carried over to `ready`.

    A damaged store is moved away with what lies beside it, for whoever may rescue it.
    """
    if not store.exists():
        return None
    kept = store.with_name(f"{store.name}.before-restore-{now:%Y%m%d-%H%M%S}")
    if kept.exists():
        raise ForetagError(f"{kept} is there already: move it away first")
    try:
        with closing(_connect(store)) as old:
            with closing(_connect(ready)) as new:
                migrate(new)
                forgotten.carry_over(old, new)
            old.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise ForetagError("somebody is looking at the store just now (status, report): try again") from error
        raise
    except sqlite3.DatabaseError:
        for path in (*_beside(store), store):
            path.rename(path.with_name(path.name.replace(store.name, kept.name)))
        return kept
    kept.hardlink_to(store)
    return kept


def _connect(store: Path) -> sqlite3.Connection:
    db = sqlite3.connect(store, timeout=WAIT_SECONDS, isolation_level=None)
    db.row_factory = sqlite3.Row
    return db


def _beside(store: Path) -> tuple[Path, ...]:
    """The files SQLite keeps beside an open store; a stale one would spoil another store of the same name."""
    found = (store.with_name(f"{store.name}{ending}") for ending in ("-wal", "-shm"))
    return tuple(path for path in found if path.exists())
