"""What came of a run, and what the book of runs keeps of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.contract import Change
from sync.apply import Applied
from sync.plan import Plan
from sync.pull import Pulled
from sync.score import Scored


@dataclass
class Outcome:
    """What came of a run."""

    number: int
    as_of: datetime
    pulled: list[Pulled] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    """Why accounts were not read to the end; people on them keep the scores they had."""
    waiting: dict[str, int] = field(default_factory=dict)
    """How many people that are, for each of these accounts."""
    scored: Scored | None = None
    plan: Plan | None = None
    plan_file: Path | None = None
    objections: list[str] = field(default_factory=list)
    """Why the guard refused; nothing was written then."""
    withheld: str = ""
    """Why nothing was written although the guard agreed: nobody there, shadow mode, or outside the write window."""
    shut: dict[str, str] = field(default_factory=dict)
    """Why an account was not written to, where others may be."""
    applied: list[Applied] = field(default_factory=list)
    carried_out: str = ""
    """The id of the plan, once it is being carried out: by it a run can be undone."""
    thin: list[str] = field(default_factory=list)
    """By `account kind`: activities of which implausibly few came."""
    judged: dict[str, str] = field(default_factory=dict)
    """The newest month of each objective that was compared with what happened."""
    contacts: dict[str, int] = field(default_factory=dict)
    """Contacts per account after reading; of an account that was not read, those of the last run that got through."""
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


def summary(outcome: Outcome) -> dict[str, Any]:
    """What the book of runs keeps: counts only, no personal data."""
    found: dict[str, Any] = {
        "calls": outcome.calls,
        "plan": outcome.carried_out,
        "pulled": {},
        "contacts": outcome.contacts,
        "judged": outcome.judged,
        "thin": outcome.thin,
        "waiting": outcome.waiting,
        "withheld": outcome.withheld,
        "shut": outcome.shut,
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
        found["trained"] = {used.title: used.why_trained for used in outcome.scored.models if used.why_trained}
    if outcome.plan:
        found["planned"] = {account: _counts(changes) for account, changes in outcome.plan.changes.items()}
        found["moved"] = outcome.plan.moved
        found["unlisted"] = outcome.plan.unlisted
        found["blank"] = outcome.plan.blank
        found["skipped"] = {account: dict(reasons) for account, reasons in outcome.plan.skipped.items()}
    found["written"] = written(outcome.applied)
    return found


def written(applied: Sequence[Applied]) -> dict[str, Any]:
    """What the book of runs keeps of the writing, by account."""
    return {
        each.account: {
            "contacts": each.written,
            "calls": each.calls,
            "failed": dict(each.failed),
            "created": each.created,
            "problem": each.problem,
        }
        for each in applied
    }


def _counts(changes: list[Change]) -> dict[str, int]:
    tags = sum("tags" in change.after for change in changes)
    return {"contacts": len(changes), "fields": sum(len(change.after) for change in changes) - tags, "tags": tags}
