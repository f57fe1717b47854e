"""When there is too little to learn from: what is missing, and when it will be enough."""

import math
from datetime import UTC, datetime

import numpy as np

from scoring.objectives import Objective
from scoring.snapshots import Rows, Snapshots, lead_in_days, step_days
from scoring.tables import DAY

ENOUGH = 10
"""People on the rarer side (with the outcome, or without it) below which there is no model."""

LONG_DAYS = 3650
"""Beyond this no day is named."""


def day(instant: int) -> str:
    """The UTC date of an instant in µs, as 2017-12-01."""
    return datetime.fromtimestamp(instant / 1_000_000, UTC).date().isoformat()


def too_short(snapshots: Snapshots, objective: Objective) -> str:
    """Why no outcome window before the newest one has ended yet, in one sentence."""
    if snapshots.first is None:
        return "There is no activity yet. Nothing can be learned before the first orders or mailings are in."
    start = snapshots.known_since(objective) or snapshots.first
    known = (snapshots.as_of - start) / DAY
    needed = math.ceil(lead_in_days(known, objective)) + 2 * objective.horizon_days
    needed += step_days(needed)
    watched = f" of watching {objective.asked}" if objective.asked in snapshots.watched else " of history"
    return (
        f"Only {int(known)} days{watched}: a {objective.horizon_days}-day prediction needs {needed} to learn and to "
        f"check what it learned. Enough on {day(start + (needed + 1) * DAY)}."
    )


def too_few(snapshots: Snapshots, rows: Rows) -> str | None:
    """Why the labelled rows do not suffice, in one sentence; None when they do."""
    did = np.unique(rows.person_ids[rows.y > 0]).size
    did_not = np.unique(rows.person_ids[rows.y <= 0]).size
    fewer, side = min((did, "with"), (did_not, "without"))
    if fewer >= ENOUGH:
        return None
    text = f"Only {fewer} {'person' if fewer == 1 else 'people'} {side} the outcome so far, {ENOUGH} are needed"
    if not fewer or snapshots.first is None:
        return f"{text}; at the present pace it cannot be told when that will be."
    span = snapshots.as_of - snapshots.first
    wait = int(span * (ENOUGH - fewer) / fewer)
    if wait > LONG_DAYS * DAY:
        return f"{text}; at the present pace that takes more than {LONG_DAYS // 365} years."
    return f"{text}; at the present pace that will be about {day(snapshots.as_of + wait)}."


def one_sided(objective: Objective, newest: int) -> str:
    """Why rows that are many enough still cannot be split into learning and checking, in one sentence."""
    return (
        f"All the people with the outcome, or all without it, are on one side of {day(newest)}: "
        f"the model could not be checked. One more window of {objective.horizon_days} days may be enough."
    )
