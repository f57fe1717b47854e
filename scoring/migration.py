"""Who moved where between two assignments, in people and in money."""

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.segments import SEGMENTS

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
