"""Everything a stage works with, opened once: config, clock, store, connectors."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from connectors.budget import Budget
from connectors.contract import Connector
from sync.clock import Clock
from sync.config import Config
from sync.errors import ForetagError
from sync.lock import Hold, only_run, open_run
from sync.log import present
from sync.store import runs
from sync.store.calls import CallBook
from sync.store.database import open_store, trouble
from sync.store.facts import cursors

log = logging.getLogger(__name__)


@dataclass
class Site:
    """One installation at work."""

    config: Config
    clock: Clock
    db: sqlite3.Connection = field(repr=False)
    hold: Hold | None = field(default=None, repr=False)
    """The lock, where this process may change the store."""
    provisioners: dict[str, Connector] = field(default_factory=dict, repr=False)
    """The connectors that may make our fields, as far as they were needed."""

    in_order: set[str] = field(default_factory=set, repr=False)
    """Accounts whose fields were found in order just now: the next write need not ask again."""

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return store_path(self.config)

    @cached_property
    def connectors(self) -> dict[str, Connector]:
        """One connector per account, by the account's name; one that cannot be opened fails alone.

        Raises MissingSecret (or ForetagError) when none can be opened.
        """
        from sync.accounts import Unopened, connect

        found: dict[str, Connector] = {}
        failed: list[ForetagError] = []
        for account in self.config.accounts:
            try:
                found[account.name] = connect(account, self.config, self.clock, self.budgets[account.name])
            except ForetagError as error:
                failed.append(error)
                found[account.name] = Unopened(account.kind, error, cursors(self.db, account.name) or ("contacts",))
        if len(failed) == len(found):
            raise failed[0]
        return found

    @cached_property
    def budgets(self) -> dict[str, Budget]:
        """What each account may spend a day, by the account's name; all its connectors spend from the same."""
        return {
            account.name: Budget(
                account.name,
                CallBook(self.store, account.name, lambda: self.clock.now().astimezone(self.config.zone).date()),
                share=account.quota_share,
                most=account.daily_calls or None,
                goes_on=f"It goes on by itself when the day is over, at 00:00 {self.config.timezone}.",
            )
            for account in self.config.accounts
        }

    def provisioner(self, account: str) -> Connector:
        """The connector of an account that may make our fields; it is opened when it is first asked for."""
        from sync.accounts import connect

        if account not in self.provisioners:
            configured = next(each for each in self.config.accounts if each.name == account)
            self.provisioners[account] = connect(
                configured, self.config, self.clock, self.budgets[account], provision=True
            )
        return self.provisioners[account]

    def begin_run(self, as_of: datetime) -> int:
        """Open a run in the book of runs and return its number; from here on the log names it."""
        number = runs.begin(self.db, as_of, as_of)
        if self.hold:
            present.run = number
        self.beat(number)
        return number

    def beat(self, run: int | None = None) -> None:
        """Show whoever waits for the lock that this process is at work, and in which `run`."""
        if self.hold:
            self.hold.beat(self.clock.now(), run)

    def open_verdict(self, run: int, started: datetime) -> str:
        """What stands for the verdict of a `run` that has none: whether it goes on, as far as that can be seen."""
        return open_run(self.config.data_dir, run, started, self.clock.now().astimezone(self.config.zone))

    def calls(self) -> dict[str, int]:
        """Calls sent so far, by account."""
        sent = Counter({name: connector.calls.total() for name, connector in self.connectors.items()})
        sent.update({name: connector.calls.total() for name, connector in self.provisioners.items()})
        return dict(sent)


def store_path(config: Config) -> Path:
    """Where the store of this config lies."""
    return config.data_dir / "foretag.sqlite"


def half_restored(config: Config) -> Path:
    """What a copy that is put back is called until it is the store."""
    store = store_path(config)
    return store.with_name(f"{store.name}.restoring")


@contextmanager
def open_site(config: Config, clock: Clock, *, alone: bool = True) -> Iterator[Site]:
    """Open the installation; `alone` (everything that changes the store) waits for nobody: RunActive when it is held.

    Raises StoreError when the store cannot be used, then or later.
    """
    try:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds addresses and what people bought
    except OSError as error:
        raise trouble(config.data_dir, error) from error
    if alone:
        local = clock.now().astimezone(config.zone)
        with only_run(config.data_dir, local) as hold:
            _drop_half_restored(config)
            with _opened(config, clock, hold) as site:
                yield site
    else:
        with _opened(config, clock) as site:
            yield site


def _drop_half_restored(config: Config) -> None:
    """Remove what a restore left that died; whoever holds the lock knows that none is under way."""
    unfinished = half_restored(config)
    for left in unfinished.parent.glob(f"{unfinished.name}*"):
        try:
            left.unlink()
        except OSError as error:
            raise trouble(left, error) from error
        log.warning("removed %s: the restore that made it was cut off. If it is still wanted, do it again", left)


@contextmanager
def _opened(config: Config, clock: Clock, hold: Hold | None = None) -> Iterator[Site]:
    """The site with its store open. What the store meets with while it is in use comes out as StoreError."""
    path = store_path(config)
    try:
        with closing(open_store(path)) as db:
            site = Site(config, clock, db, hold)
            try:
                yield site
            finally:
                if hold:
                    present.run = None
                for budget in vars(site).get("budgets", {}).values():
                    budget.close()
    except sqlite3.Error as error:
        raise trouble(path, error) from error
