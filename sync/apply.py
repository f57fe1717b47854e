"""Stage 4: carry out a plan, batch by batch, through the outbox, so that a crash at any instant can be resumed."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event

from connectors.contract import Connector, FieldSpec, Outcome, Result
from connectors.errors import ConnectorError, Retry, SchemaDrift
from sync.clock import STOPPED
from sync.plan import Plan
from sync.redact import redact
from sync.store import outbox

log = logging.getLogger(__name__)


@dataclass
class Applied:
    """What became of one account's part of a plan."""

    account: str
    written: int = 0
    created: list[str] = field(default_factory=list)
    """Fields and tags of ours that had to be made first."""
    failed: Counter[str] = field(default_factory=Counter)
    """Contacts that were not written, by reason."""
    calls: int = 0
    problem: str | None = None
    """Why the account stopped early; what is left stays in the outbox."""
    cause: str = ""
    """The problem's kind, of `connectors.errors`."""


Progress = Callable[[str, Sequence[Outcome]], None]


def apply(
    db: sqlite3.Connection,
    plan: Plan,
    connectors: Mapping[str, Connector],
    specs: Sequence[FieldSpec],
    progress: Progress | None = None,
    stop: Event | None = None,
) -> list[Applied]:
    """Write what is open of `plan`. An account that fails does not stop the others; `stop` ends all after a batch."""
    pairs = [(account, change) for account, changes in plan.changes.items() for change in changes]
    outbox.enqueue(db, plan.id, pairs)
    return [
        _apply_account(db, plan.id, account, connectors[account], specs, progress, stop or Event())
        for account, changes in plan.changes.items()
        if changes
    ]


def _apply_account(
    db: sqlite3.Connection,
    plan: str,
    account: str,
    connector: Connector,
    specs: Sequence[FieldSpec],
    progress: Progress | None,
    stop: Event,
) -> Applied:
    applied = Applied(account)
    before = connector.calls.total()
    try:
        _go_on_unless(stop)
        applied.created = _prepare(connector, specs)
        changes = outbox.open_changes(db, plan, account)
        left = len(changes)
        outbox.mark_sent(db, plan, account, changes)
        for outcomes in connector.write(changes):
            outbox.settle(db, plan, account, outcomes)
            applied.written += sum(outcome.result is Result.WRITTEN for outcome in outcomes)
            applied.failed.update(
                redact(outcome.reason) or outcome.result.value
                for outcome in outcomes
                if outcome.result is not Result.WRITTEN
            )
            if progress:
                progress(account, outcomes)
            left -= len(outcomes)
            if left > 0:
                _go_on_unless(stop)
    except ConnectorError as error:
        applied.cause = type(error).__name__
        applied.problem = redact(str(error))  # platforms quote addresses in their refusals
        log.error("%s: %s", account, error)
    applied.calls = connector.calls.total() - before
    return applied


def _go_on_unless(stop: Event) -> None:
    if stop.is_set():
        raise Retry(STOPPED)


def _prepare(connector: Connector, specs: Sequence[FieldSpec]) -> list[str]:
    """Make what is missing of our fields; SchemaDrift when something is still wrong with them afterwards."""
    if not connector.drift(specs):
        return []
    created = connector.provision(specs)
    wrong = connector.drift(specs)
    if wrong:
        raise SchemaDrift("; ".join(wrong))
    return created
