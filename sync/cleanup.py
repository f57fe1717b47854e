"""Takes everything of ours off the platforms: first the values, then the fields and tags themselves."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from connectors.contract import Change
from connectors.errors import ConnectorError
from sync.accounts import connect
from sync.apply import Applied, apply
from sync.fields import every_field
from sync.outcome import written
from sync.plan import UNWRITABLE, Plan, contacts
from sync.redact import redact
from sync.site import Site
from sync.store import facts, runs

log = logging.getLogger(__name__)


@dataclass
class Removed:
    """What went, or would go, of one account."""

    account: str
    things: list[str] = field(default_factory=list)
    problem: str | None = None
    """Why something is left."""


@dataclass
class Cleaned:
    """What came of a cleanup."""

    number: int
    emptied: list[Applied]
    """Values that could not be emptied go with their field all the same."""
    removed: list[Removed]

    @property
    def verdict(self) -> str:
        """`ok` when nothing of ours is left, `failed` when no account was cleaned, else `partial`."""
        problems = [each.problem for each in self.removed]
        return "ok" if not any(problems) else "failed" if all(problems) else "partial"


def emptying_plan(site: Site) -> Plan:
    """Empties every value of ours, also of people who opted out, by what the store holds: pull first."""
    plan = Plan(site.clock.now(), site.config.boldest_mode)
    for name, connector in site.connectors.items():
        changes, skipped = plan.changes.setdefault(name, []), plan.skipped.setdefault(name, Counter())
        for row in contacts(site.db, name):
            owned = facts.load_owned(row["owned"])
            if all(value is False for value in owned.values()):  # boxes that are not ticked cannot be any emptier
                continue
            if row["writable"]:
                changes.append(Change(row["object"], row["id"], row["email"], dict.fromkeys(owned), owned))
            else:
                skipped[f"{UNWRITABLE}; their values go with the fields"] += 1
        plan.calls[name] = connector.predict_calls(changes) if changes else 0
    return plan


def removable(site: Site) -> list[Removed]:
    """What there is to remove on each account; changes nothing."""
    return _remove(site, dry_run=True)


def clean(site: Site, plan: Plan) -> Cleaned:
    """Empty the values of `plan`, remove our fields and tags, forget them in the store. It is in the book of runs.

    An account that fails does not stop the others. Safe to repeat.
    """
    now = site.clock.now()
    number = site.begin_run(now)
    emptied = apply(site, plan, specs=())
    cleaned = Cleaned(number, emptied, _remove(site, dry_run=False))
    for each in cleaned.removed:
        if each.problem is None:
            facts.forget_owned(site.db, each.account)
    runs.end(site.db, number, site.clock.now(), cleaned.verdict, _summary(cleaned))
    return cleaned


def _remove(site: Site, *, dry_run: bool) -> list[Removed]:
    fields, found = every_field(site.config), []
    for account in site.config.accounts:
        removed = Removed(account.name)
        try:
            connector = connect(account, site.config, site.clock, site.budgets[account.name], cleanup=True)
            removed.things = connector.remove(fields, dry_run=dry_run)
        except ConnectorError as error:
            removed.problem = redact(str(error))
            log.error("%s: %s", account.name, removed.problem)
        found.append(removed)
    return found


def _summary(cleaned: Cleaned) -> dict[str, Any]:
    return {
        "written": written(cleaned.emptied),
        "removed": {each.account: {"things": each.things, "problem": each.problem} for each in cleaned.removed},
    }
