"""What our fields hold on the platforms right now, where a plan would write: the last look before anything is sent."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.contract import Change
from connectors.errors import ConnectorError
from connectors.records import Value
from sync.patience import Patience
from sync.plan import Plan, make_plan
from sync.redact import redact
from sync.site import Site
from sync.store import facts, field_pins
from sync.store.database import transaction
from sync.store.outbox import COMPANIONS

log = logging.getLogger(__name__)

GONE = "not there any more, or cannot be written to"
"""Why a contact is left alone."""
BY_HAND_AT_MOST = 20
"""So many contacts in one field, or as many as half of those looked at, are edited by hand; more is an import, or a
field that was deleted."""
TOO_FEW_CALLS = "the calls left for today are needed for writing"
LOOKS = 4
"""Calls that are spared for looking at our fields before the first write."""


@dataclass
class Look:
    """What reading one account's part of a plan showed."""

    there: set[str] = field(default_factory=set)
    """Contacts that were found and can be written to."""
    news: bool = False
    """Whether the store knows something now that it did not: another plan is to be made."""
    moved: dict[str, dict[str, tuple[Value, Value]]] = field(default_factory=dict)
    """Those that hold neither what the plan found there nor what it would write: their fields as found, and now."""


def look(site: Site, account: str, changes: Sequence[Change]) -> Look:
    """Read the contacts of `changes` and note in the store what they hold. Raises the errors of `connectors.errors`."""
    found, planned = Look(), {change.id: change for change in changes}
    edited: dict[str, dict[str, Value]] = {}
    patience = Patience(site.clock)
    for batch in site.connectors[account].held(changes):
        patience.check()
        site.beat()
        with transaction(site.db):
            for each in batch:
                found.there.add(each.id)
                keys = planned[each.id].after.keys() - COMPANIONS
                if values := field_pins.edited(site.db, account, each.id, each.owned, keys):
                    edited[each.id] = values
                found.news |= facts.note_owned(site.db, account, each.id, each.owned)
                if moved := _moved(planned[each.id], each.owned):
                    found.moved[each.id] = moved
    if edited:
        found.news = True
        _pin(site, account, edited, len(changes))
    return found


def _pin(site: Site, account: str, edited: Mapping[str, Mapping[str, Value]], looked_at: int) -> None:
    """Let stay what people edited, field by field."""
    by_field = Counter(key for values in edited.values() for key in values)
    believed = {key for key, count in by_field.items() if count <= max(BY_HAND_AT_MOST, looked_at // 2)}
    for key in by_field.keys() - believed:
        log.warning(
            "%s: %s is not ours any more on %d contacts, too many for a human's hand: it is put right",
            *(account, key, by_field[key]),
        )
    with transaction(site.db):
        for contact_id, values in edited.items():
            kept = {key: value for key, value in values.items() if key in believed}
            field_pins.pin(site.db, account, contact_id, kept, site.clock.now())


def live_plan(site: Site, plan: Plan) -> Plan:
    """`plan`, put right by what the platforms hold right now.

    An account that cannot be read keeps its part as it is, and `unread` says why.
    """
    looks: dict[str, Look] = {}
    unread: dict[str, str] = {}
    for account, changes in plan.changes.items():
        if changes and not _affordable(site, plan, account):
            unread[account] = TOO_FEW_CALLS
        elif changes:
            try:
                looks[account] = look(site, account, changes)
            except ConnectorError as error:
                unread[account] = redact(str(error))
                log.warning("%s: planned without the values there are right now: %s", account, error)
    if any(each.news for each in looks.values()):
        plan = make_plan(site.db, site.config, site.connectors, plan.as_of)
    for account, each in looks.items():
        _leave_out_gone(site, plan, account, each)
    plan.moved = {account: len(each.moved) for account, each in looks.items() if each.moved}
    plan.unread = unread
    return plan


def _affordable(site: Site, plan: Plan, account: str) -> bool:
    """Whether today's calls last for reading and writing; writing goes before, as every value is absolute."""
    budget = site.budgets.get(account)
    if budget is None or budget.limit is None:
        return True
    reads = -(-len(plan.changes[account]) // site.connectors[account].capabilities.read_batch)
    return budget.limit - budget.used >= reads + plan.calls[account] + LOOKS


def _leave_out_gone(site: Site, plan: Plan, account: str, seen: Look) -> None:
    there = [change for change in plan.changes[account] if change.id in seen.there]
    gone = len(plan.changes[account]) - len(there)
    if gone:
        plan.changes[account] = there
        plan.skipped[account][GONE] += gone
        plan.calls[account] = site.connectors[account].predict_calls(there) if there else 0


def _moved(change: Change, owned: Mapping[str, Value]) -> dict[str, tuple[Value, Value]]:
    return {
        key: (change.before.get(key), owned.get(key))
        for key, value in change.after.items()
        if owned.get(key) not in (change.before.get(key), None if value in facts.EMPTY else value)
    }
