"""Who moved between segments, in words and counts."""

from collections.abc import Mapping

from sync.counted import counted
from sync.report.data import Flow, Migration, Segment
from sync.report.numbers import FEWEST_FOR_PERCENT, money, portion, signed, whole
from sync.report.playbooks import direction


def change(segment: Segment) -> str:
    """How a segment grew since the last run."""
    if segment.people_before is None:
        return "first run"
    moved = segment.people - segment.people_before
    return signed(moved) if moved else "same"


def moves(migration: Migration) -> list[Flow]:
    """The flows that changed segment, most money first."""
    changed = [one for one in migration.flows if one.origin != one.target and one.people]
    return sorted(changed, key=lambda one: (-abs(one.value_cents), -one.people, str(one.origin), str(one.target)))


def moved(migration: Migration, origin: str | None, target: str | None) -> int:
    """People who went from one segment to another: one cell of the matrix."""
    return sum(one.people for one in migration.flows if (one.origin, one.target) == (origin, target))


def route(flow: Flow, labels: Mapping[str, str]) -> str:
    """Champions → Cooling, by shown names."""
    origin = "not scored" if flow.origin is None else labels[flow.origin]
    target = "no longer scored" if flow.target is None else labels[flow.target]
    return f"{origin} → {target}"


def told(flow: Flow, labels: Mapping[str, str], currency: str) -> str:
    """One move: "18 Champions → Cooling, 9,400 EUR"."""
    return f"{whole(flow.people)} {route(flow, labels)}, {money(flow.value_cents, currency)}"


def summary(migration: Migration, labels: Mapping[str, str], currency: str) -> str:
    """How many changed segment, and the largest loss by name."""
    changed = moves(migration)
    people, total = sum(one.people for one in changed), sum(one.people for one in migration.flows)
    if not people:
        return "Nobody changed segment since the last run."
    who = portion(people, total)
    count = who if total < FEWEST_FOR_PERCENT else f"{counted(people, 'person')} ({who})"
    falls = [one for one in changed if direction(one.origin, one.target) == "down"]
    at_stake = f"Most at stake: {told(falls[0], labels, currency)}." if falls else "Nobody moved down."
    return f"{count} changed segment. {at_stake}"
