"""Whether a run may write to an account now: its mode, the hours and days of writing, and times of its own."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sync.clock import STOPPED
from sync.config_accounts import Account
from sync.plan import Plan
from sync.site import Site

NOT_ITS_TIME = (
    "it is not its turn: it has times of its own (schedule.write of this account), or was left out (--account)"
)


def shut(site: Site, at: datetime, accounts: Collection[str] | None = None) -> dict[str, str]:
    """Why accounts may not be written to at this instant, by their names; those that may are not in it.

    `accounts` are those whose turn it is; None stands for all.
    """
    found = {
        each.name: why_not_now(site, each, at) or ("" if accounts is None or each.name in accounts else NOT_ITS_TIME)
        for each in site.config.accounts
    }
    return {name: why for name, why in found.items() if why}


def why_not_now(site: Site, account: Account, at: datetime) -> str:
    """Why a run may not write to `account` at this instant; empty when it may."""
    if site.clock.stop.is_set():
        return STOPPED
    if site.config.mode_of(account) == "shadow":
        return 'the mode is shadow: nothing is written until mode = "pilot" or "full"'
    local = at.astimezone(site.config.zone)
    hours, days = site.config.hours_of(account), site.config.days_of(account)
    if hours is not None and local.time() not in hours:
        return f"it is {local:%H:%M}, writing is allowed {hours} (write.hours); the plan can be applied then"
    if local.strftime("%a").lower() not in days:
        return f"it is {local:%A}, writing is allowed on {', '.join(days)} (write.days)"
    return ""


def part(plan: Plan, without: Collection[str]) -> Plan:
    """The plan for all accounts but those in `without`."""
    return replace(
        plan,
        changes={account: each for account, each in plan.changes.items() if account not in without},
        skipped={account: each for account, each in plan.skipped.items() if account not in without},
        calls={account: each for account, each in plan.calls.items() if account not in without},
        pilot={account: each for account, each in plan.pilot.items() if account not in without},
    )


def together(whole: Plan, part: Plan) -> Plan:
    """`whole`, with what `part` says of its accounts."""
    return replace(
        part,
        changes=whole.changes | part.changes,
        skipped=whole.skipped | part.skipped,
        calls=whole.calls | part.calls,
        pilot=whole.pilot | part.pilot,
    )
