"""What the changes of a plan amount to: by field, by reason, by segment."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.contract import Change
from connectors.records import Value
from sync.fields import CONTROL
from sync.store.facts import EMPTY

FIRST, EMPTIED, SEGMENT, SCORE, OTHER = "first values", "emptied", "another segment", "the score moved", "other fields"
"""Why a contact is written to, each contact under the first that fits."""


def counts(changes: Iterable[Change]) -> dict[str, Any]:
    """Contacts by field written, by reason and by segment (`Loyal → Cooling`; `Loyal` for first values); how many of
    them are in the control group by their new tags, how many get a tag, and another segment: automations begin there.
    """
    fields, reasons, segments = Counter[str](), Counter[str](), Counter[str]()
    control = tagged = moved = 0
    for change in changes:
        fields.update(change.after.keys())
        reasons[_reason(change)] += 1
        control += CONTROL in _tags(change.after)
        tagged += bool(set(_tags(change.after)) - set(_tags(change.before)))
        moved += change.after.get("segment") not in EMPTY
        if "segment" in change.after:
            before, after = (side.get("segment") for side in (change.before, change.after))
            segments[" → ".join(str(each) for each in (before, after) if each not in EMPTY)] += 1
    return {
        "fields": dict(fields.most_common()),
        "reasons": dict(reasons.most_common()),
        "segments": dict(segments.most_common()),
        "control": control,
        "tagged": tagged,
        "moved": moved,
    }


def _tags(values: Mapping[str, Value]) -> tuple[str, ...]:
    tags = values.get("tags")
    return tags if isinstance(tags, tuple) else ()


def _reason(change: Change) -> str:
    if all(value in EMPTY for value in change.after.values()):
        return EMPTIED
    if not any(change.before.values()):
        return FIRST
    if "segment" in change.after:
        return SEGMENT
    return SCORE if any(key.endswith("_score") for key in change.after) else OTHER
