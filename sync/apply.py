"""Stage 4: carry out a plan, batch by batch, through the outbox, so that a crash at any instant can be resumed."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connectors.contract import FieldSpec, Outcome, Result
from connectors.errors import ConnectorError
from sync.patience import Patience
from sync.plan import Plan
from sync.provision import demand_fields
from sync.redact import redact
from sync.site import Site
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


def apply(site: Site, plan: Plan, specs: Sequence[FieldSpec], progress: Progress | None = None) -> list[Applied]:
    """Write what is open of `plan`, into the fields of `specs`.

    An account that fails does not stop the others; being told to stop ends all after a batch.
    """
    outbox.resolve(site.db, site.clock.now())
    outbox.enqueue(site.db, plan.id, plan.changes)
    return [
        _apply_account(site, plan.id, account, specs, progress) for account, changes in plan.changes.items() if changes
    ]


def _apply_account(
    site: Site, plan: str, account: str, specs: Sequence[FieldSpec], progress: Progress | None
) -> Applied:
    applied = Applied(account)
    before, patience = site.calls()[account], Patience(site.clock)
    try:
        patience.check()
        changes = outbox.open_changes(site.db, plan, account, site.connectors[account].capabilities.write_by)
        left = len(changes)
        if not changes:  # all of it was written before: no call for that
            return applied
        applied.created = demand_fields(site, account, specs)
        outbox.mark_sent(site.db, plan, account, changes)
        for outcomes in site.connectors[account].write(changes):
            outbox.settle(site.db, plan, account, outcomes, site.clock.now())
            site.beat()
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
                patience.check()
    except ConnectorError as error:
        applied.cause = type(error).__name__
        applied.problem = redact(str(error))  # platforms quote addresses in their refusals
        log.error("%s: %s", account, error)
    applied.calls = site.calls()[account] - before
    return applied
