"""What is worth an alert: each condition in one text that says what it is, what follows from it, and one command.

A condition has a key under which it is known while it lasts; the texts hold counts and names of ours, nobody's data.
"""

import shutil
from collections.abc import Collection, Iterable, Iterator

from sync.apply import Applied
from sync.config_values import duration_text
from sync.counted import counted
from sync.doctor import LITTLE_SPACE
from sync.feedback import findings
from sync.fields import score_key
from sync.movement import new_surges
from sync.outcome import Outcome
from sync.plan import too_old
from sync.pull import Pulled
from sync.site import Site
from sync.status import scored
from sync.store.scores import newest_standings

MANY_FAILED = 0.01
"""Share of the contacts to be written from which on refusals are worth an alert."""
BETWEEN_RUNS = ("scores", "scores expired", "scores emptied", "disk")
"""The conditions that can begin and end without a run."""

CAUSES = {
    "NotAuthorised": "the token is refused. Nothing is read or written there, the values stay. "
    "Fix: foretag secret set {account}, then foretag doctor",
    "NotPermitted": "the token lacks a right. Fix: foretag doctor",
    "QuotaSpent": "today's share of calls is used up; it goes on by itself when there are new ones. "
    "More: foretag status",
    "SchemaDrift": "somebody changed or deleted fields of ours, so nothing is written. Fix: foretag doctor",
    "Throttled": "the platform does not let us through; the next run tries again. More: foretag status",
    "Unavailable": "the platform does not answer; the next run tries again. More: foretag status",
}
"""What to say of a platform's errors, by their kind (connectors.errors)."""
SHUT = ("NotAuthorised", "QuotaSpent", "Throttled", "Unavailable")
"""The errors that let nothing be read from an account: worth an alert as soon as they are met."""


def of_run(site: Site, outcome: Outcome) -> dict[str, str]:
    """Everything this run found to be wrong, by its key."""
    found = between_runs(site) | _of_accounts(outcome)
    if outcome.objections:
        found["guard"] = (
            f"Run {outcome.number} was REFUSED by the guard: {outcome.objections[0]} Nothing was written, the scores "
            f"from before stay. More: foretag runs show {outcome.number}"
        )
    for each in findings(site):
        if not each.hint:
            found[f"{each.kind} {each.about}"] = f"{each.text}. More: foretag feedback"
    if outcome.plan and outcome.plan.unlisted:
        found["pilot"] = f"{outcome.plan.unlisted[0]}. More: foretag doctor"
    conflicts = _consent_conflicts(site)
    if conflicts:
        found["consent"] = (
            f"opted out on one platform and not on another: {counted(conflicts, 'person')}. foretag follows the "
            "strictest; your other tools may not. More: foretag report"
        )
    return found


def of_exception(error: Exception) -> dict[str, str]:
    """A run that did not come to its end."""
    return {"run": f"A run broke off ({type(error).__name__}): {error} More: foretag status, foretag doctor"}


def between_runs(site: Site) -> dict[str, str]:
    """What is wrong now, whatever the last run said: scores that grew old, a disk that is full."""
    found = {}
    scored_at, fresh = scored(site)
    limits = site.config.alerts
    if fresh in ("stale", "expired"):
        found["scores"] = (
            f"WARNING: scores are older than {duration_text(limits.stale_after)}. Campaigns run on old values. "
            "More: foretag status"
        )
    if fresh == "expired":
        found["scores expired"] = (
            f"ERROR: scores are older than {duration_text(limits.expired_after)}. Do not use them. More: foretag doctor"
        )
    if scored_at is not None and too_old(site.config, scored_at, site.clock.now()):
        found["scores emptied"] = (
            f"Scores are older than {duration_text(site.config.write.blank_after)}: our fields and tags are emptied, "
            "wherever they may be written to, until everyone is scored again. More: foretag status"
        )
    free = shutil.disk_usage(site.config.data_dir).free
    if free < LITTLE_SPACE:
        found["disk"] = f"Only {free / 1e9:.1f} GB are free, and a full disk stops every run. More: foretag doctor"
    return found


def movements(site: Site) -> Iterator[str]:
    """Flows out of the ordinary, and the movements since the last scoring that the config wants to be told of."""
    yield from new_surges(site)
    newest = newest_standings(site.db)
    earlier = newest_standings(site.db, before=newest[0]) if newest else None
    if newest is None or earlier is None:
        return
    # Who waited at one of the two would seem to have moved all at once.
    there, here = ({person: each for person, each in at.items() if not each.scored_at} for _, at in (earlier, newest))
    for rule in site.config.alerts.rules:
        moved = [
            before
            for person, before in there.items()
            if before.segment == rule.moved_from and person in here and here[person].segment == rule.moved_to
        ]
        value = sum(each.fields.get(score_key("value")) or 0 for each in moved)
        if len(moved) >= rule.min_people and value >= rule.min_value:
            yield (
                f"{counted(len(moved), 'person')} moved from {rule.moved_from} to {rule.moved_to}, "
                f"{value:,.0f} {site.config.currency} expected from them. More: foretag report"
            )


def of_pull(pulled: Iterable[Pulled]) -> dict[str, str]:
    """The accounts that a pull between two runs found shut, by the keys that a run would give them."""
    return dict(_problem(each) for each in pulled if each.cause in SHUT)


def told_by_pull(accounts: Collection[str]) -> set[str]:
    """The keys of which a pull of `accounts` knows whether they still hold."""
    return {f"{account} {cause}" for account in accounts for cause in SHUT}


def _problem(part: Pulled | Applied, waiting: int = 0) -> tuple[str, str]:
    said = CAUSES.get(part.cause)
    text = said.format(account=part.account) if said else f"{part.problem} More: foretag status"
    who = f" (the scores there were stay for {counted(waiting, 'person')})" if waiting else ""
    return f"{part.account} {part.cause}", f"{part.account}{who}: {text}"


def _of_accounts(outcome: Outcome) -> dict[str, str]:
    parts: list[Pulled | Applied] = [*outcome.pulled, *outcome.applied]
    found = dict(_problem(each, outcome.waiting.get(each.account, 0)) for each in parts if each.problem)
    for applied in outcome.applied:
        failed, tried = applied.failed.total(), applied.failed.total() + applied.written
        if failed > MANY_FAILED * tried:
            found[f"{applied.account} rows"] = (
                f"{applied.account} refused {failed:,} of {counted(tried, 'contact')}, mostly: "
                f"{applied.failed.most_common(1)[0][0]} More: foretag runs show {outcome.number} --failed"
            )
    return found


def _consent_conflicts(site: Site) -> int:
    """People who may be written to on one platform and have opted out on another."""
    row = site.db.execute(
        """SELECT count(*) FROM (
            SELECT person_id FROM contact WHERE NOT deleted GROUP BY person_id
            HAVING count(DISTINCT account) > 1 AND max(consent IN ('opted_out', 'no_profiling'))
                AND max(consent = 'granted'))"""
    ).fetchone()
    return int(row[0])
