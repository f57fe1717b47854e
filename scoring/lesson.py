"""What there is to learn from: the labelled past, split into what comes before and what it is judged on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring import gate
from scoring.objectives import Objective, high_threshold
from scoring.sample import count
from scoring.snapshots import Ints, Rows, Snapshots

MOST_ROWS = 60_000
"""Learning curves are flat long before this many rows; people are drawn beyond it, and the model says so."""
MOST_TEST_CUTS = 3
"""One window alone is too noisy to tell models apart, and its level may be a whim of the calendar."""
PRIOR_WEIGHT = 10
"""How many average people the rate of those outside the population is mixed with."""


@dataclass(frozen=True)
class Lesson:
    """Every matured row, and two parts of it: each training horizon ended before the first test cut-off."""

    rows: Rows
    training: Rows
    test: Rows
    threshold: float | None
    prior: float
    drawn: bool = False
    """Whether the people of the rows are some of those there are, drawn by chance."""


def lesson(past: Snapshots, objective: Objective, seed: int) -> Lesson | str:
    """The lesson, or one sentence on what is missing for it."""
    cuts = past.cuts(objective)
    if not cuts or not _embargoed(cuts, cuts[0], objective):
        return gate.too_short(past, objective)
    members, outside = past.members(objective, cuts), past.outside(objective, cuts)
    rows = past.rows(objective, cuts, _some(members, seed))
    tests = _test_cuts(cuts, objective)
    training_cuts = _embargoed(cuts, tests[-1], objective)
    threshold = None
    if objective.kind == "high_value":
        threshold = high_threshold(rows.at(training_cuts).y)
        rows, outside = rows.reaching(threshold), (outside >= threshold).astype(np.float64)
    reason = gate.too_few(past, rows)
    if reason is None and not (rows.at(training_cuts).outcomes() and rows.at(tests).outcomes()):
        reason = gate.one_sided(objective, tests[0])
    if reason is not None:
        return reason
    prior = (outside.sum() + PRIOR_WEIGHT * rows.y.mean()) / (outside.size + PRIOR_WEIGHT)
    drawn = rows.y.size < members.size or count(past.studied) < count(past.tables)
    return Lesson(rows, rows.at(training_cuts), rows.at(tests), threshold, float(prior), drawn)


def _embargoed(cuts: Sequence[int], test: int, objective: Objective) -> list[int]:
    """The cut-offs whose outcome was fully known at `test`."""
    return [cut for cut in cuts if cut + objective.horizon <= test]


def _test_cuts(cuts: Sequence[int], objective: Objective) -> list[int]:
    """The newer half of the cut-offs, at most MOST_TEST_CUTS, as long as as many are left to learn from."""
    count = min(MOST_TEST_CUTS, max((len(cuts) - 1) // 2, 1))
    while count > 1 and len(_embargoed(cuts, cuts[count - 1], objective)) < count:
        count -= 1
    return list(cuts[:count])


def _some(members: Ints, seed: int) -> Ints | None:
    """Of the people whose the rows are, as many randomly chosen ones as make about MOST_ROWS; None for all."""
    if members.size <= MOST_ROWS:
        return None
    people = np.unique(members)
    return np.random.default_rng(seed).choice(people, int(people.size * MOST_ROWS / members.size), replace=False)
