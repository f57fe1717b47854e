"""THE MAIN PATH. One run, top to bottom: pull → score → plan → guard → apply."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from connectors.contract import FieldSpec, Page
from sync import guard, inflow
from sync import plan as planning
from sync.apply import apply
from sync.choosing import NoModelFits
from sync.clock import STOPPED
from sync.doubts import doubts, judged
from sync.errors import ForetagError
from sync.fields import field_specs
from sync.live import TOO_FEW_CALLS, live_plan
from sync.outcome import Outcome, summary
from sync.plan import Plan
from sync.plan_files import save
from sync.pull import Pulled, pull
from sync.schema_guard import changed_fields
from sync.score import score
from sync.site import Site
from sync.store import people, runs
from sync.store.scores import all_scored, last_scored, newest_standings
from sync.unread import contacts, unread
from sync.window import part, shut, together

CLOCK_SET_BACK = timedelta(days=2)
"""How far a clock may be behind the last run: as much as a wrong time zone and a leap day together."""


class Watcher(Protocol):
    """Is told how a run goes on."""

    def begin(self, stage: str) -> None:
        """A stage begins: `pull`, `score`, `plan`, `apply`."""

    def page(self, pulled: Pulled, page: Page) -> None:
        """A page was stored."""


def run(
    site: Site,
    watcher: Watcher,
    *,
    train: bool = False,
    accept_large_change: bool = False,
    accounts: Collection[str] | None = None,
    read: Collection[str] | None = None,
) -> Outcome:
    """One run of everything; `train` makes new models even if the present ones are young.

    Accounts of `read` are read (all, for None), those of `accounts` written to, where that may be.

    What it did is in the book of runs, also when it ends in an exception. People who are on an account that was not
    read to the end keep the scores they had, and are not written to on any; nothing is learned from the others alone.
    NotAllRead when the very first pull broke off.
    """
    as_of = _instant(site)
    outcome = Outcome(site.begin_run(as_of), as_of)
    try:
        watcher.begin("pull")
        outcome.pulled = pull(site, outcome.as_of, watcher.page, accounts=read)
        outcome.unread = unread(site, outcome.pulled, read)
        outcome.read_calls, outcome.contacts = site.calls(), contacts(site, outcome.unread)
        outcome.withheld = _score(site, watcher, outcome, train=train)
        if not outcome.withheld:
            if newest_standings(site.db):
                _write(site, watcher, outcome, guarded=not accept_large_change, accounts=accounts)
            else:
                outcome.plan, outcome.withheld = Plan(as_of, site.config.boldest_mode), "nobody is in the store yet"
        elif (scored := all_scored(site.db)) and planning.too_old(site.config, scored, as_of):
            outcome.withheld = ""
            _write(site, watcher, outcome, guarded=not accept_large_change, accounts=accounts)
        outcome.calls = site.calls()
    except BaseException as error:
        verdict = outcome.verdict if isinstance(error, NotAllRead) else "failed"
        runs.end(
            site.db, outcome.number, site.clock.now(), verdict, {"error": type(error).__name__, **summary(outcome)}
        )
        raise
    runs.end(site.db, outcome.number, site.clock.now(), outcome.verdict, summary(outcome))
    return outcome


class NotAllRead(ForetagError):
    """The very first pull broke off; what came is kept."""


def _instant(site: Site) -> datetime:
    """The instant of a run: never before the one before it, also when somebody set the clock back a little.

    ForetagError when the clock is far behind: then either it is wrong, or it was wrong when the last run was made.
    """
    now, before = site.clock.now(), runs.last(site.db)
    if not before or now >= before[0].as_of:
        return now
    last = before[0].as_of
    if last - now > CLOCK_SET_BACK:
        raise ForetagError(
            f"the clock says {now:%Y-%m-%d %H:%M}, but run {before[0].id} was made at {last:%Y-%m-%d %H:%M} (UTC). Set "
            "the clock; if it was wrong then, put back a copy from before that run: foretag backup restore FILE"
        )
    return last


def _score(site: Site, watcher: Watcher, outcome: Outcome, *, train: bool) -> str:
    """Score everyone of whom everything was read. Why the scores stay as they are; "" when they were made.

    NotAllRead when nobody has been scored yet: models and the limits between segments are kept, and must not be made
    from half the facts.
    """
    if site.clock.stop.is_set():
        return STOPPED
    here = people.in_question(site.db)
    waiting = {account: people.on_account(site.db, account) & here for account in outcome.unread}
    outcome.waiting = {account: len(each) for account, each in waiting.items()}
    which = "; ".join(f"{account} {why}" for account, why in outcome.unread.items())
    if waiting and newest_standings(site.db) is None:
        raise NotAllRead(
            f"nobody is scored before everything was read once, and some of it was not: {which}. What came is kept, "
            "foretag run goes on from there"
        )
    all_waiting = frozenset().union(*waiting.values())
    if waiting and here <= all_waiting:
        return f"the scores stay as they are, because not everything could be read: {which}"
    watcher.begin("score")
    try:
        outcome.scored = score(site, outcome.as_of, train=train, waiting=all_waiting if waiting else None)
    except NoModelFits as error:
        return f"the scores stay as they are: {error} It is made when everything is read again: {which}"
    return ""


def write(site: Site, watcher: Watcher, accounts: Collection[str] | None = None) -> Outcome:
    """Plan, guard and apply alone, on the scores there are: for what could not be written when it was scored.

    Written to are those of `accounts` (all, for None) that may be.

    It is in the book of runs when it wrote something or was refused.
    """
    as_of = site.clock.now()
    outcome = Outcome(0, as_of, waiting=runs.waiting(site.db))
    _write(site, watcher, outcome, guarded=True, accounts=accounts)
    if outcome.applied or outcome.objections:
        outcome.calls = site.calls()
        outcome.number = outcome.number or site.begin_run(as_of)
        runs.end(site.db, outcome.number, site.clock.now(), outcome.verdict, summary(outcome))
    return outcome


def _write(
    site: Site, watcher: Watcher, outcome: Outcome, *, guarded: bool, accounts: Collection[str] | None = None
) -> None:
    """Plan, guard (unless a human has accepted the change) and apply to those of `accounts` that may be written to."""
    watcher.begin("plan")
    outcome.plan = planning.make_plan(site.db, site.config, site.connectors, outcome.as_of)
    through, scored = runs.last_through(site.db), last_scored(site.db)
    settled = through.summary.get("thin", ()) if through else ()
    thin = inflow.thin(site.db, outcome.as_of, site.config.guard.max_input_drop_share, outcome.waiting)
    outcome.thin = inflow.booked(thin, settled, outcome.waiting)
    guarded = guarded and not (scored and planning.too_old(site.config, scored, outcome.as_of))
    if guarded:
        outcome.objections = _objections(site, outcome, outcome.plan, thin, through)
    outcome.judged = judged(site)
    outcome.shut = shut(site, site.clock.now(), accounts)
    if not outcome.plan.blank:  # what is too old has to go also where orders alone cannot be read
        outcome.shut |= {account: f"it was not read: {why}" for account, why in outcome.unread.items()}
    if len(outcome.shut) == len(site.config.accounts):
        outcome.withheld, outcome.shut = "; ".join(dict.fromkeys(outcome.shut.values())), {}
    if guarded and not outcome.objections and not outcome.withheld:
        outcome.objections = list(changed_fields(site, outcome.plan, field_specs(site.config), outcome.shut))
    writes = not outcome.objections and not outcome.withheld
    if writes:
        open_part = live_plan(site, part(outcome.plan, outcome.shut))
        if open_part.blank:  # what is not known to be ours now is not emptied
            outcome.shut |= {name: why for name, why in open_part.unread.items() if why != TOO_FEW_CALLS}
        open_part = part(open_part, outcome.shut)
        outcome.plan = together(outcome.plan, open_part)
    outcome.plan_file = save(outcome.plan, site.config.data_dir / "plans")
    if writes:
        watcher.begin("apply")
        _apply(site, outcome, open_part, field_specs(site.config))


def carry_out(site: Site, plan: Plan, specs: Sequence[FieldSpec], **about: Any) -> Outcome:
    """Apply a plan that a human has agreed to. It is in the book of runs, with what there is to tell `about` it.

    Only the fields of `specs` are made when they are missing.
    """
    as_of = site.clock.now()
    outcome = Outcome(site.begin_run(as_of), as_of, plan=plan)
    try:
        _apply(site, outcome, plan, specs)
    except BaseException as error:
        found = {"error": type(error).__name__, **summary(outcome), **about}
        runs.end(site.db, outcome.number, site.clock.now(), "failed", found)
        raise
    outcome.calls = site.calls()
    runs.end(site.db, outcome.number, site.clock.now(), outcome.verdict, summary(outcome) | about)
    return outcome


def _apply(site: Site, outcome: Outcome, plan: Plan, specs: Sequence[FieldSpec]) -> None:
    """Write the plan. The book names it before: a run that is cut off can be undone as well."""
    if plan.size:
        outcome.number = outcome.number or site.begin_run(outcome.as_of)
        outcome.carried_out = plan.id
        runs.note(site.db, outcome.number, summary(outcome))
    outcome.applied = apply(site, plan, specs)


def _objections(site: Site, outcome: Outcome, plan: Plan, thin: inflow.Thin, through: runs.Run | None) -> list[str]:
    """The guard's, measured by the last run that got `through`: a refused one must not become what is usual."""
    newest, limits = newest_standings(site.db), site.config.guard
    found = list(doubts(site, plan, through.summary.get("judged", {}) if through else {}))
    if through is None or newest is None:
        return found
    found += inflow.objections(thin, through.summary.get("thin", ()), limits.max_input_drop_share)
    before = newest_standings(site.db, before=through.as_of + timedelta(microseconds=1))
    now = contacts(site, outcome.waiting)
    return found + guard.objections(now, limits, before and before[1], newest[1], through.summary.get("contacts", {}))
