"""Who moved where between two assignments, in people and in money."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scoring.segments import SEGMENTS, Membership, Standing
from scoring.tables import DAY

Cause = Literal["event", "decay", "model change", "data gap"]

GAP_DAYS = 7
"""Days between two assignments after which a move says more about the gap than about the person."""

ABSENT = "-"
"""Stands in for the segment of people who were not there before, or are not any more."""


@dataclass(frozen=True)
class Moves:
    """`people[(a, b)]` and `money[(a, b)]` (cents) from segment a to segment b, staying included; zeros left out."""

    people: dict[tuple[str, str], int]
    money: dict[tuple[str, str], int]

    @property
    def moved(self) -> int:
        """How many people changed segment; arrivals and departures are not counted."""
        return sum(count for (a, b), count in self.people.items() if a != b and ABSENT not in (a, b))

    def matrix(self) -> list[list[int]]:
        """People as a square table, rows from and columns to, both in the order of SEGMENTS."""
        return [[self.people.get((a, b), 0) for b in SEGMENTS] for a in SEGMENTS]


def moves(before: Mapping[int, str], after: Mapping[int, str], values: Mapping[int, int]) -> Moves:
    """Compare two assignments (person id to segment); `values` are expected cents, 0 for who is missing there."""
    people: dict[tuple[str, str], int] = {}
    money: dict[tuple[str, str], int] = {}
    for person_id in before.keys() | after.keys():
        key = (before.get(person_id, ABSENT), after.get(person_id, ABSENT))
        people[key] = people.get(key, 0) + 1
        money[key] = money.get(key, 0) + values.get(person_id, 0)
    return Moves(people, money)


def cause(person: Standing, before: Membership, now: int, *, new_model: bool) -> Cause:
    """Why `person` left the segment of `before` at `now` (µs UTC), the surest reason first.

    An order since then is an event of their own. Else a new model (or new limits between segments) moved them, or too
    long a time without any scoring; what is left is time itself, and answers to campaigns.
    """
    if person.last_order is not None and person.last_order >= before.assigned_at:
        return "event"
    if new_model:
        return "model change"
    return "data gap" if now - before.assigned_at > GAP_DAYS * DAY else "decay"
