"""Why models or quotas speak against writing: it is refused like an implausible change, until a human agrees.

A month that was judged speaks once: a run that got through after it, because a human accepted it, settles it.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sync.counted import counted
from sync.errors import ACCEPT
from sync.feedback import months
from sync.plan import Plan
from sync.site import Site
from sync.store.ledger import realised_rows
from sync.store.models import model_in_use

if TYPE_CHECKING:
    from scoring.ledger import Realised


def judged(site: Site) -> dict[str, str]:
    """The newest month that was compared with what happened, by objective: what a run that gets through has settled."""
    newest = {each.key: realised_rows(site.db, each.key)[-1:] for each in site.config.objectives}
    return {key: rows[0].as_of.isoformat() for key, rows in newest.items() if rows}


def doubts(site: Site, plan: Plan, settled: Mapping[str, str]) -> Iterator[str]:
    """Each with its numbers, the likely cause and the command to look closer. `settled`: `judged`, as of the last run
    that got through.
    """
    yield from _models(site, settled)
    for account, calls in plan.calls.items():
        budget = site.budgets.get(account)
        days = site.config.guard.max_write_days
        if budget is not None and budget.limit and calls > days * budget.limit:
            yield (
                f"{account}: writing would take {counted(calls, 'call')}, more than {counted(days, 'day')} of the "
                f"{budget.limit:,} that foretag may make there. Most likely a first load of many contacts. Look "
                f"closer: foretag plan; raise daily_share or daily_calls, or {ACCEPT}"
            )


def _models(site: Site, settled: Mapping[str, str]) -> Iterator[str]:
    from scoring.monitor import enough, ranking_finding

    now = judged(site)
    for objective in site.config.objectives:
        key = objective.key
        rows = realised_rows(site.db, key)[-1:]
        used = model_in_use(site.db, key, site.clock.now()) if rows else None
        if objective.predict == "value" or used is None or rows[0].model_id != used.id or now[key] == settled.get(key):
            continue
        realised = [each for _, each in months(site, objective)]
        worse = ranking_finding(objective.title, realised)
        if worse:
            yield f"{worse.text}; {ACCEPT}"
        if enough(realised[-1]):
            yield from _off(objective.title, realised[-1], site.config.guard.max_calibration_error)


def _off(title: str, month: "Realised", limit: float) -> Iterator[str]:
    gap = abs(month.predicted_mean - month.observed_mean)
    if gap > limit:
        yield (
            f"{title}: {month.predicted_mean:.0%} were predicted and {month.observed_mean:.0%} came true, of "
            f"{counted(month.model.n, 'person')} ({100 * gap:.0f} points off, limit {100 * limit:.0f}). Most likely a "
            "season or an offer that the past did not hold, or facts that are missing. Look closer: foretag feedback; "
            f"{ACCEPT}"
        )
