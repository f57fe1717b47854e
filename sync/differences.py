"""Which fields of a contact are to be written: those that moved enough, and those that follow them."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.contract import FieldSpec, FieldType
from connectors.records import Value
from sync.store.outbox import COMPANIONS
from sync.store.scores import Standing

MONEY_BAND = 0.10
"""An amount is rewritten when it moved by this share."""
BANDS = (33.0, 67.0)
"""Scores below the first are low, from the second on high."""


def same(wanted: Mapping[str, Value], owned: Mapping[str, Value]) -> bool:
    """Whether nothing that leads differs, not even by little."""
    return all(wanted.get(key) == owned.get(key) for key in (wanted.keys() | owned.keys()) - COMPANIONS)


def wanted_values(standing: Standing, specs: tuple[FieldSpec, ...], today: str) -> dict[str, Value]:
    """What should be in our fields on this day (`YYYY-MM-DD`), by key; empty ones are left out."""
    values: dict[str, Any] = {**standing.fields, "scored_on": today}
    return {
        spec.key: tuple(values[spec.key]) if spec.type is FieldType.TAGS else values[spec.key]
        for spec in specs
        if values.get(spec.key) not in (None, "", [])
    }


def differences(
    wanted: Mapping[str, Value], owned: Mapping[str, Value], specs: tuple[FieldSpec, ...], points: int
) -> Iterator[tuple[str, Value]]:
    """The fields to write: those that moved enough, and with them the ones that only follow."""
    moved = {
        spec.key: wanted.get(spec.key)
        for spec in specs
        if spec.key not in COMPANIONS and _moved(spec, owned.get(spec.key), wanted.get(spec.key), points)
    }
    yield from moved.items()
    if moved:
        for spec in specs:
            if spec.key in COMPANIONS and owned.get(spec.key) != wanted.get(spec.key):
                yield spec.key, wanted.get(spec.key)


def _moved(spec: FieldSpec, old: Value, new: Value, points: int) -> bool:
    if old is False and new is None:  # a box that is not ticked cannot be any emptier on some platforms
        return False
    if old == new or spec.type is not FieldType.NUMBER:
        return old != new
    if not isinstance(old, float | int) or not isinstance(new, float | int):
        return True
    if spec.key == "expected_value":
        return abs(new - old) > MONEY_BAND * max(abs(old), 1.0)
    return abs(new - old) >= points or (_band(old) != _band(new) and abs(new - old) >= 1)


def _band(score: float) -> int:
    return sum(score >= edge for edge in BANDS)
