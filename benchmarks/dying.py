"""Runs foretag and kills its process at the n-th commit; tells at the end how many there were.

Usage: python -m benchmarks.dying N [MODULE.NAME=NUMBER ...] -- foretag's own arguments. N above 0 kills right before
the commit, below 0 right after it, 0 never. The settings are for pages and batches of another size. A commit is
whatever makes something last: a transaction, a write outside of one, a copied database, a file that gets its name.
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class Fuse:
    """Counts commits and kills the process at one of them."""

    def __init__(self, at: int) -> None:
        self.count = 0
        self._at, self._lock = at, Lock()

    def burn(self, commit: Callable[[], T]) -> T:
        """Carry out one commit, or die before or after it."""
        with self._lock:
            self.count += 1
            number = self.count
        if number == self._at:
            self._die()
        done = commit()
        if number == -self._at:
            self._die()
        return done

    @staticmethod
    def _die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def lay(fuse: Fuse) -> None:
    """Have every commit of this process pass the fuse."""

    class Connection(sqlite3.Connection):
        """Passes on explicit commits, and writes outside of a transaction, which commit by themselves."""

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            act = partial(super().execute, sql, *values)
            commits = sql == "COMMIT" or (sql.lstrip().startswith(_WRITES) and not self.in_transaction)
            return fuse.burn(act) if commits else act()

        def backup(self, *target: Any, **options: Any) -> None:
            fuse.burn(partial(super().backup, *target, **options))

    replace = os.replace
    os.replace = lambda *names, **folders: fuse.burn(partial(replace, *names, **folders))
    sqlite3.connect = partial(sqlite3.connect, factory=Connection)  # type: ignore[assignment]


def main(arguments: list[str]) -> None:
    """Run foretag with what stands behind `--`; the last line on stderr is the number of commits."""
    ours, theirs = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    fuse = Fuse(int(ours[0]))
    lay(fuse)
    for setting in ours[1:]:
        place, _, number = setting.partition("=")
        module, _, name = place.rpartition(".")
        if not hasattr(import_module(module), name):
            raise SystemExit(f"there is no {place}")
        setattr(import_module(module), name, int(number))
    from sync.cli import main as foretag

    try:
        foretag(theirs)
    finally:
        sys.stderr.write(f"\n{fuse.count}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
