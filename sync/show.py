"""What commands print: stages and their results as lines of text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from connectors.budget import Budget
from connectors.contract import Change
from connectors.records import Value
from sync.apply import Applied
from sync.counted import counted
from sync.plan import OUTSIDE, TOO_OLD, Plan
from sync.plan_counts import counts
from sync.provision import Provisioned
from sync.pull import Pulled

if TYPE_CHECKING:  # foretag pull needs no numpy, which scoring brings along
    from sync.score import Scored

EXAMPLES = 10


def provisioned_lines(made: Iterable[Provisioned]) -> Iterator[str]:
    """What had to be made on each account, and what is in the way."""
    for each in made:
        if each.problem:
            yield f"{each.account:<12} STOPPED: {each.problem}"
        elif each.created:
            yield f"{each.account:<12} {len(each.created)} made: {_first(each.created)}"
        else:
            yield f"{each.account:<12} all our fields and tags are in place"


def _first(things: Sequence[str]) -> str:
    more = f" and {len(things) - 2} more" if len(things) > 2 else ""
    return f"{', '.join(things[:2])}{more}"


def pulled_lines(pulled: Sequence[Pulled], calls: Mapping[str, int]) -> Iterator[str]:
    """One line per account: what was read, what was new, calls; and every problem."""
    for account in dict.fromkeys(each.account for each in pulled):
        streams = [each for each in pulled if each.account == account]
        contacts, activities = sum(each.contacts for each in streams), sum(each.activities for each in streams)
        new = sum(each.contacts_changed + each.activities_new for each in streams)
        yield (
            f"{account:<12} {counted(contacts, 'contact')} and {counted(activities, 'activity')} read, "
            f"{new:,} of them new or changed, in {counted(calls.get(account, 0), 'call')}"
        )
        for each in streams:
            if each.problem:
                yield f"{'':<12} FAILED {each.stream}: {each.problem}"


def scored_lines(scored: "Scored") -> Iterator[str]:
    """The models with how good they are, and the sizes of the segments."""
    for model in scored.models:
        yield f"{model.title:<22} {model.sentence}"
        if model.why_trained and not model.model.refused:
            yield f"{'':<22} Trained: {model.why_trained}"
        if model.trained and model.cause and not model.model.refused:
            yield f"{'':<22} {model.model.why}"
        if model.trained and model.verdict:
            yield f"{'':<22} {model.verdict}"
    sizes = " | ".join(f"{name} {count:,}" for name, count in scored.segments.items())
    yield f"{'Segments':<22} {sizes}"


def budget_lines(budgets: Mapping[str, Budget], expected: Mapping[str, int]) -> Iterator[str]:
    """What each account has spent today of what it may, before a run, and what the last one took (`expected`)."""
    for account, budget in budgets.items():
        last = f"; the last run took {expected[account]:,}" if expected.get(account) else ""
        yield f"{account:<12} {counted(budget.used, 'call')} made today{_of(budget)}{last}"


def _of(budget: Budget | None) -> str:
    return f" of {budget.limit:,} a day" if budget and budget.limit else ""


def plan_lines(plan: Plan, budgets: Mapping[str, Budget] | None = None) -> Iterator[str]:
    """Who is in a pilot; counts, cost (beside what is left of the day's calls) and reasons per account."""
    if plan.blank:
        yield f"{'scores':<12} ! {TOO_OLD}"
    if plan.pilot:
        inside = sum(plan.pilot.values())
        outside = sum(plan.skipped[account][OUTSIDE] for account in plan.pilot)
        share = inside / (inside + outside) if inside else 0
        yield (
            f"PILOT {share:.0%}: {inside:,} of {counted(inside + outside, 'contact')} may be written; "
            f"{outside:,} stay untouched"
        )
    for each in plan.unlisted:
        yield f"{'pilot':<12} ! {each}"
    for account, changes in plan.changes.items():
        tags = sum("tags" in change.after for change in changes)
        fields = sum(len(change.after) - ("tags" in change.after) for change in changes)
        calls = plan.calls.get(account, 0)
        yield (
            f"{account:<12} ~ update {counted(len(changes), 'contact')} ({counted(fields, 'field')}, "
            f"{counted(tags, 'tag set')}) in {counted(calls, 'call')}{_left(calls, (budgets or {}).get(account))}"
        )
        if plan.moved.get(account):
            yield f"{'':<12} ! {plan.moved[account]:,} held something else than was known: changed over there just now"
        if account in plan.unread:
            yield f"{'':<12} ! planned without the values there are right now: {plan.unread[account]}"
        for reason, count in sorted(plan.skipped.get(account, Counter()).items()):
            yield f"{'':<12} = leave {count:,} alone: {reason}"
    yield "No contact is created, no subscription changed, no foreign field touched: such requests are never sent"


def _left(calls: int, budget: Budget | None) -> str:
    if budget is None or budget.limit is None:
        return ""
    left = max(0, budget.limit - budget.used)
    enough = "" if calls <= left else ": the rest is written another day"
    return f" ({calls / budget.limit:.1%} of a day's; {left:,} are left today{enough})"


def detail_lines(plan: Plan) -> Iterator[str]:
    """What the changes amount to, per account: reasons, segments, fields; and whose flips were held back."""
    for account, changes in plan.changes.items():
        found = counts(changes)
        for name in ("reasons", "segments", "fields"):
            if found[name]:
                yield f"{account:<12} {name:<9} " + ", ".join(f"{key} {n:,}" for key, n in found[name].items())
        if found["control"]:
            yield f"{account:<12} control   {found['control']:,} of them are marked as control group"
        yield from _automation_lines(account, found, silent=account in plan.silent)
    if plan.flips_held:
        yield (
            f"kept in their segment although the numbers alone would move them: {counted(plan.flips_held, 'person')}, "
            "by hysteresis, the minimum stay, or until a second run says so too"
        )


def _automation_lines(account: str, found: Mapping[str, Any], *, silent: bool) -> Iterator[str]:
    """For how many contacts automations could start; no platform tells how many automations listen."""
    if found["tagged"] and silent:
        tagged = counted(found["tagged"], "contact")
        yield f"{account:<12} 0 automations start by the tags of {tagged}: they are set silently"
    elif found["tagged"]:
        yield f"{account:<12} automations on our tags can start for {counted(found['tagged'], 'contact')}"
    if found["moved"]:
        told = f"automations on our segment field can start for {counted(found['moved'], 'contact')}"
        yield f"{account:<12} {told}: values cannot be set silently"


def moved_lines(moved: Mapping[str, Mapping[str, Mapping[str, tuple[Value, Value]]]]) -> Iterator[str]:
    """The fields that hold something else by now than a plan found, by account and contact: as found, and now."""
    for account, contacts in moved.items():
        if contacts:
            yield f"{account:<12} changed since this plan was made: {len(contacts):,}"
        for contact, fields in islice(contacts.items(), EXAMPLES):
            told = ", ".join(f"{key} {_value(was)} → {_value(now)}" for key, (was, now) in fields.items())
            yield f"{'':<12} {contact}: {told}"
        if len(contacts) > EXAMPLES:
            yield f"{'':<12} and {len(contacts) - EXAMPLES:,} more"


def example_lines(plan: Plan, count: int = EXAMPLES) -> Iterator[str]:
    """Some changes field by field, before → after, spread over the accounts."""
    shares = [changes for changes in plan.changes.values() if changes]
    for number, (account, changes) in enumerate(each for each in plan.changes.items() if each[1]):
        take = count // len(shares) + (number < count % len(shares))
        for change in changes[:take]:
            yield f"{account} {change.object} {change.id}"
            yield from _change_lines(change)


def _change_lines(change: Change) -> Iterator[str]:
    for key, new in change.after.items():
        yield f"    {key:<18} {_value(change.before.get(key))} → {_value(new)}"


def _value(value: Any) -> str:
    if value in (None, "", ()):
        return "(empty)"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def applied_lines(applied: Iterable[Applied]) -> Iterator[str]:
    """What became of each account's part of the plan."""
    for each in applied:
        failed = sum(each.failed.values())
        written, calls = counted(each.written, "contact"), counted(each.calls, "call")
        yield f"{each.account:<12} {written} written, {failed:,} failed, {calls}"
        if each.created:
            yield f"{'':<12} first {_first(each.created)}"
        for reason, count in each.failed.most_common(5):
            yield f"{'':<12} {count:,} not written: {reason}"
        if each.problem:
            yield f"{'':<12} STOPPED: {each.problem}"
