"""What there is to learn from: the labelled past, split into what comes before and what it is judged on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring import gate
from scoring.objectives import Objective, high_threshold
from scoring.sample import count
from scoring.snapshots import Rows, Snapshots

MOST_ROWS = 60_000
"""Learning curves are flat long before this many rows: of more, some are drawn, and the model says so. Rows
are drawn and not people: two of one person tell less than two of two.
"""
MOST_TEST_ROWS = 40_000
"""Rows that are judged on, drawn as well. Intervals are narrow long before, and each rung is drawn anew many times."""
ENOUGH_OUTCOMES = 1_000
"""Rows on the rarer side that should be among those drawn: where outcomes are rare, more are drawn."""
MOST_OF_RARE = 5
"""Times as many rows at most, even for the sake of rare outcomes: time and memory grow with them."""
MOST_TEST_CUTS = 3
"""One window alone is too noisy to tell models apart, and its level may be a whim of the calendar."""
PRIOR_WEIGHT = 10
"""How many average people the rate of those outside the population is mixed with."""


@dataclass(frozen=True)
class Lesson:
    """Matured rows, and those of two parts: each training horizon ended before the first test cut-off."""

    rows: Rows
    training: Rows
    test: Rows
    threshold: float | None
    prior: float
    drawn: bool = False
    """Whether `rows` are some of those there are, drawn by chance."""


def lesson(past: Snapshots, objective: Objective, seed: int) -> Lesson | str:
    """The lesson, or one sentence on what is missing for it."""
    cuts = past.cuts(objective)
    if not cuts or not _embargoed(cuts, cuts[0], objective):
        return gate.too_short(past, objective)
    matured, outside = past.inside(objective, cuts), past.outside(objective, cuts)
    tests = _test_cuts(cuts, objective)
    training_cuts = _embargoed(cuts, tests[-1], objective)
    rows = past.rows(objective, cuts, share=_share(matured > 0, MOST_ROWS), seed=seed)
    test = past.rows(objective, tests, share=_share(past.inside(objective, tests) > 0, MOST_TEST_ROWS), seed=seed)
    threshold = None
    if objective.kind == "high_value":
        threshold = high_threshold(rows.at(training_cuts).y)
        rows, test, outside = rows.reaching(threshold), test.reaching(threshold), (outside >= threshold).astype(float)
    training = rows.at(training_cuts)
    reason = gate.too_few(past, rows)
    if reason is None and not (training.outcomes() and test.outcomes()):
        reason = gate.one_sided(objective, tests[0])
    if reason is not None:
        return reason
    prior = (outside.sum() + PRIOR_WEIGHT * rows.y.mean()) / (outside.size + PRIOR_WEIGHT)
    drawn = rows.y.size < matured.size or count(past.studied) < count(past.tables)
    return Lesson(rows, training, test, threshold, float(prior), drawn)


def _share(did: NDArray[np.bool_], most: int) -> float:
    """How many of all rows, told by whether they have the outcome, are taken: about `most`, more of rare outcomes."""
    if not did.size:
        return 1.0
    rarer = max(min(did.sum(), (~did).sum()), 1)
    wanted = min(max(most, ENOUGH_OUTCOMES * did.size / rarer), MOST_OF_RARE * most)
    return float(min(wanted / did.size, 1.0))


def _embargoed(cuts: Sequence[int], test: int, objective: Objective) -> list[int]:
    """The cut-offs whose outcome was fully known at `test`."""
    return [cut for cut in cuts if cut + objective.horizon <= test]


def _test_cuts(cuts: Sequence[int], objective: Objective) -> list[int]:
    """The newer half of the cut-offs, at most MOST_TEST_CUTS, as long as as many are left to learn from."""
    count = min(MOST_TEST_CUTS, max((len(cuts) - 1) // 2, 1))
    while count > 1 and len(_embargoed(cuts, cuts[count - 1], objective)) < count:
        count -= 1
    return list(cuts[:count])
