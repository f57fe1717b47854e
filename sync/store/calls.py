"""How many calls an account has made today, noted before they are made, over a connection of its own."""

import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from threading import Lock

from sync.store.database import BUSY_SECONDS


class CallBook:
    """The calls of one account, as `connectors.budget.Ledger` asks for them. `today` gives the day they count for."""

    def __init__(self, store: Path, account: str, today: Callable[[], date]) -> None:
        self._db = sqlite3.connect(store, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._account, self._today = account, today
        self._lock = Lock()

    @property
    def used(self) -> int:
        """Calls noted today."""
        return self._ask("SELECT calls FROM calls WHERE account = ? AND day = ?", self._today().isoformat()) or 0

    @property
    def quota(self) -> int | None:
        """The account's daily quota as it was last heard of."""
        return self._ask("SELECT quota FROM calls WHERE account = ?")

    def take(self, calls: int, limit: int | None) -> int:
        """Note up to `calls` more, as far as today's stay within `limit`; how many that are."""
        used = self.used
        granted = calls if limit is None else max(0, min(calls, limit - used))
        self._note(used + granted)
        return granted

    def give_back(self, calls: int) -> None:
        """Take off calls that were noted and not made."""
        if calls:
            self._note(max(0, self.used - calls))

    def heard(self, quota: int) -> None:
        """Keep the account's daily quota."""
        self._note(self.used)
        self._ask("UPDATE calls SET quota = ?2 WHERE account = ?1", quota)

    def close(self) -> None:
        """Nothing is noted from here on."""
        with self._lock:
            self._db.close()

    def _note(self, calls: int) -> None:
        self._ask(
            """INSERT INTO calls (account, day, calls) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET day = excluded.day, calls = excluded.calls""",
            self._today().isoformat(),
            calls,
        )

    def _ask(self, statement: str, *values: object) -> int | None:
        """Carry out a statement whose first value is the account; the first number it answers with."""
        with self._lock:
            row = self._db.execute(statement, (self._account, *values)).fetchone()
        return None if row is None else row[0]
