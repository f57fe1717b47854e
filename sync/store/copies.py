"""Copies of the store: making one of a single instant, and telling whether one is whole."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sync.errors import ForetagError
from sync.files import OWNER_ONLY, to_disk
from sync.store.migrations import MIGRATIONS

COUNTED = ("contact", "person", "activity", "prediction", "standing", "model", "run", "outbox")


class NoStore(ForetagError):
    """A file is not a whole store; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A whole store in a file."""

    schema: int
    counts: dict[str, int]
    """Rows per table."""


def copy(db: sqlite3.Connection, target: Path) -> None:
    """Write what `db` holds at this instant to `target`, readable by its owner only; whatever was there is replaced.

    The file is there whole or not at all. OSError or sqlite3.Error when it cannot be written.
    """
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=OWNER_ONLY)
        with closing(sqlite3.connect(unfinished)) as made:
            db.backup(made)
            made.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        to_disk(unfinished)
        unfinished.replace(target)
        to_disk(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def examine(file: Path) -> Copy:
    """What is in a copy. NoStore when it is damaged, no store of foretag, or from a newer one."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
            wrong = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
            if wrong:
                raise NoStore(f"{file} is damaged ({wrong[0]}): take another copy")
            schema = db.execute("PRAGMA user_version").fetchone()[0]
            if schema > len(MIGRATIONS):
                raise NoStore(
                    f"{file} has schema {schema}, this foretag knows {len(MIGRATIONS)}: install the newer foretag"
                )
            counts = {
                table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names from above
                for table in COUNTED
            }
    except sqlite3.Error as error:
        raise NoStore(f"{file} is not a store of foretag ({error})") from error
    return Copy(schema, counts)
