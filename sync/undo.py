"""Takes back what one run wrote: the values from before it, wherever those it wrote still stand."""

import sqlite3
from collections import Counter
from collections.abc import Mapping

from connectors.contract import Change
from connectors.records import Value
from sync.errors import ForetagError
from sync.plan import OBJECTS, OPTED_OUT, UNWRITABLE, Plan, contacts
from sync.site import Site
from sync.store import outbox, runs
from sync.store.facts import EMPTY, load_owned


def written_plan(db: sqlite3.Connection, number: int) -> str:
    """The plan that run `number` carried out. ForetagError when there is nothing to undo."""
    run = runs.find(db, number)
    if run is None:
        raise ForetagError(f"there is no run {number}: foretag status shows the last ones")
    if not run.summary.get("plan"):
        raise ForetagError(f"run {number} wrote nothing: there is nothing to undo")
    undone = runs.undone_by(db, number)
    if undone is not None:
        raise ForetagError(f"run {number} was undone already, by run {undone}")
    return str(run.summary["plan"])


def undo_plan(site: Site, number: int) -> Plan:
    """What it takes to undo run `number`, by what the store holds of the platforms: pull first.

    A field gets back what it held before the run where it still holds what the run wrote. Nothing is put back on people
    who have opted out or object to profiling since; emptying is done for them too. ForetagError when there is nothing
    to undo.
    """
    plan = Plan(site.clock.now(), site.config.boldest_mode)
    there = {account: {row["id"]: row for row in contacts(site.db, account)} for account in site.connectors}
    for account, change in outbox.attempted(site.db, written_plan(site.db, number)):
        changes, skipped = plan.changes.setdefault(account, []), plan.skipped.setdefault(account, Counter())
        if account not in there:
            skipped["the account is not in the config any more"] += 1
            continue
        back = _back(change, there[account].get(change.id), skipped)
        if back is not None:
            changes.append(back)
    for account, changes in plan.changes.items():
        plan.calls[account] = site.connectors[account].predict_calls(changes) if changes else 0
    return plan


def _back(change: Change, contact: sqlite3.Row | None, skipped: Counter[str]) -> Change | None:
    """The change that takes `change` back, as far as that goes; what is left as it is is counted."""
    if contact is None:
        skipped["deleted since"] += 1
        return None
    if not contact["writable"]:
        skipped[UNWRITABLE] += 1
        return None
    owned = load_owned(contact["owned"])
    after: Mapping[str, Value] = {
        key: change.before.get(key)
        for key, value in change.after.items()
        if owned.get(key) == (None if value in EMPTY else value)
    }
    if len(after) < len(change.after):
        skipped["changed since, in part" if after else "changed since"] += 1
    if contact["excluded"] or contact["opted_out"]:
        kept = {key: value for key, value in after.items() if value in EMPTY}
        if len(kept) < len(after):
            skipped[OPTED_OUT if contact["opted_out"] else OBJECTS] += 1
        after = kept
    if not after:
        return None
    return Change(
        contact["object"], change.id, contact["email"], after, {key: owned[key] for key in after if key in owned}
    )
