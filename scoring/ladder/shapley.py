"""Share a score out among the few columns it is made from, fairly and exactly."""

from collections.abc import Callable, Sequence
from itertools import combinations
from math import comb

import numpy as np

from scoring.snapshots import Floats


def shapley(
    score: Callable[[Floats], Floats], x: Floats, usual: Floats, columns: Sequence[int]
) -> tuple[float, Floats]:
    """The score of the `usual` row, and for each row of `x` what each of `columns` adds to that; both sum to its score.

    A column's part is the mean, over every order of swapping the usual values for the row's own, of what its swap adds
    (Shapley 1953). Other columns must not matter to `score`. It is asked 2 ** len(columns) times.
    """
    everyone = np.broadcast_to(usual, x.shape)
    scores = {}
    for size in range(len(columns) + 1):
        for own in combinations(columns, size):
            mixed = everyone.copy()
            mixed[:, own] = x[:, own]
            scores[frozenset(own)] = score(mixed)
    parts = np.zeros_like(x)
    for swapped, before in scores.items():
        for column in set(columns) - swapped:
            weight = 1 / (len(columns) * comb(len(columns) - 1, len(swapped)))
            parts[:, column] += weight * (scores[swapped | {column}] - before)
    return float(score(usual[None, :])[0]), parts
