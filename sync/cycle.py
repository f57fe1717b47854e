"""THE MAIN PATH. One run, top to bottom: pull → score → plan → guard → apply."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from connectors.contract import Change, Page
from sync import guard
from sync import plan as planning
from sync.apply import Applied, apply
from sync.errors import ForetagError
from sync.fields import field_specs
from sync.plan import Plan
from sync.pull import Pulled, pull
from sync.score import Scored, score
from sync.site import Site
from sync.store import runs
from sync.store.scores import newest_standings


class Watcher(Protocol):
    """Is told how a run goes on."""

    def begin(self, stage: str) -> None:
        """A stage begins: `pull`, `score`, `plan`, `apply`."""

    def page(self, pulled: Pulled, page: Page) -> None:
        """A page was stored."""


@dataclass
class Outcome:
    """What came of a run."""

    number: int
    as_of: datetime
    pulled: list[Pulled] = field(default_factory=list)
    scored: Scored | None = None
    plan: Plan | None = None
    plan_file: Path | None = None
    objections: list[str] = field(default_factory=list)
    """Why the guard refused; nothing was written then."""
    withheld: str = ""
    """Why nothing was written although the guard agreed: nobody there, shadow mode, or outside the write window."""
    applied: list[Applied] = field(default_factory=list)
    read_calls: dict[str, int] = field(default_factory=dict)
    """Calls per account until everything was read."""
    calls: dict[str, int] = field(default_factory=dict)
    """Calls per account, for reading and writing together."""

    @property
    def verdict(self) -> str:
        """`refused`, `ok`, `partial` (some stream, account or contact failed) or `failed` (nothing got through)."""
        if self.objections:
            return "refused"
        problems = [each.problem for each in self.pulled] + [each.problem for each in self.applied]
        if problems and all(problems):
            return "failed"
        return "partial" if any(problems) or any(each.failed for each in self.applied) else "ok"


def run(site: Site, watcher: Watcher, *, train: bool = False, accept_large_change: bool = False) -> Outcome:
    """One run of everything; `train` makes new models even if the present ones are young.

    What it did is in the book of runs, also when it ends in an exception. ForetagError when the very first pull broke
    off: nothing is scored or written then.
    """
    as_of = site.clock.now()
    outcome = Outcome(runs.begin(site.db, as_of, as_of), as_of)
    try:
        watcher.begin("pull")
        outcome.pulled = pull(site, outcome.as_of, watcher.page)
        outcome.read_calls = site.calls()
        _demand_everything_once(site, outcome.pulled)
        watcher.begin("score")
        outcome.scored = score(site, outcome.as_of, train=train)
        if newest_standings(site.db):
            _write(site, watcher, outcome, guarded=not accept_large_change)
        else:
            outcome.plan, outcome.withheld = Plan(as_of, site.config.mode), "nobody is in the store yet"
        outcome.calls = site.calls()
    except BaseException as error:
        runs.end(
            site.db, outcome.number, site.clock.now(), "failed", {"error": type(error).__name__, **summary(outcome)}
        )
        raise
    runs.end(site.db, outcome.number, site.clock.now(), outcome.verdict, summary(outcome))
    return outcome


def _demand_everything_once(site: Site, pulled: Sequence[Pulled]) -> None:
    """Models and the limits between segments are kept once they are made: they must not be made from half the facts."""
    broken = [each for each in pulled if each.passing]
    if broken and newest_standings(site.db) is None:
        which = "; ".join(f"{each.account} {each.stream}: {each.problem}" for each in broken)
        raise ForetagError(
            f"nobody is scored before everything was read once, and some of it was not: {which}. What came is kept, "
            "foretag run goes on from there"
        )


def write(site: Site, watcher: Watcher) -> Outcome:
    """Plan, guard and apply alone, on the scores there are: for what could not be written when it was scored.

    It is in the book of runs when it wrote something or was refused.
    """
    as_of = site.clock.now()
    outcome = Outcome(0, as_of)
    _write(site, watcher, outcome, guarded=True)
    if outcome.applied or outcome.objections:
        outcome.calls = site.calls()
        outcome.number = runs.begin(site.db, as_of, as_of)
        runs.end(site.db, outcome.number, site.clock.now(), outcome.verdict, summary(outcome))
    return outcome


def _write(site: Site, watcher: Watcher, outcome: Outcome, *, guarded: bool) -> None:
    """Plan, guard (unless a human has accepted the change) and apply."""
    watcher.begin("plan")
    outcome.plan = planning.make_plan(site.db, site.config, site.connectors, outcome.as_of)
    outcome.plan_file = planning.save(outcome.plan, site.config.data_dir / "plans")
    if guarded:
        outcome.objections = _objections(site)
    outcome.withheld = why_not_now(site, site.clock.now())
    if not outcome.objections and not outcome.withheld:
        watcher.begin("apply")
        outcome.applied = apply(site.db, outcome.plan, site.connectors, field_specs(site.config))


def _objections(site: Site) -> list[str]:
    """The guard's, measured by the last run that got through: a refused one must not become what is usual."""
    through = runs.last_through(site.db)
    newest = newest_standings(site.db)
    if through is None or newest is None:
        return []
    before = newest_standings(site.db, before=through.as_of + timedelta(microseconds=1))
    return guard.objections(
        site.db, site.config.guard, before and before[1], newest[1], through.summary.get("contacts", {})
    )


def why_not_now(site: Site, at: datetime) -> str:
    """Why a run may not write at this instant; empty when it may."""
    if site.config.mode == "shadow":
        return 'the mode is shadow: nothing is written until mode = "pilot" or "full"'
    local, window = at.astimezone(site.config.zone), site.config.write
    if window.hours is not None and local.time() not in window.hours:
        return f"it is {local:%H:%M}, writing is allowed {window.hours} (write.hours); the plan can be applied then"
    if local.strftime("%a").lower() not in window.days:
        return f"it is {local:%A}, writing is allowed on {', '.join(window.days)} (write.days)"
    return ""


def summary(outcome: Outcome) -> dict[str, Any]:
    """What the book of runs keeps: counts only, no personal data."""
    found: dict[str, Any] = {
        "calls": outcome.calls,
        "pulled": {},
        "contacts": {},
        "withheld": outcome.withheld,
        "objections": outcome.objections,
    }
    for each in outcome.pulled:
        stream = {
            "rows": each.contacts + each.activities,
            "new": each.contacts_changed + each.activities_new,
            "problem": each.problem,
        }
        found["pulled"].setdefault(each.account, {})[each.stream] = stream
    if outcome.scored:
        found["people"] = outcome.scored.people
        found["segments"] = outcome.scored.segments
        found["contacts"] = outcome.scored.contacts
    if outcome.plan:
        found["planned"] = {account: _counts(changes) for account, changes in outcome.plan.changes.items()}
        found["skipped"] = {account: dict(reasons) for account, reasons in outcome.plan.skipped.items()}
    found["written"] = {
        each.account: {
            "contacts": each.written,
            "calls": each.calls,
            "failed": dict(each.failed),
            "created": each.created,
            "problem": each.problem,
        }
        for each in outcome.applied
    }
    return found


def _counts(changes: list[Change]) -> dict[str, int]:
    tags = sum("tags" in change.after for change in changes)
    return {"contacts": len(changes), "fields": sum(len(change.after) for change in changes) - tags, "tags": tags}
