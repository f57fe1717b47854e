"""Share a score out among families of columns that work together."""

from collections.abc import Callable, Sequence

import numpy as np

from scoring.snapshots import Floats


def shared(
    score: Callable[[Floats], Floats], x: Floats, usual: Floats, families: Sequence[Sequence[int]]
) -> tuple[float, Floats]:
    """The score of the `usual` row, and what each family of columns adds for each row of `x`: both sum up exactly.

    Families take their own values one after the other, once in their order and once in reverse, and each gets the mean
    of what its two steps added: the Shapley value (1953) over these two orders, in 2 * len(families) scorings. Where
    the score never rises as a family gets worse, neither does its part. A family's part stands in its first column.
    """
    parts = np.zeros_like(x)
    base = float(score(usual[None, :])[0])
    whole = score(x)
    for order in (families, families[::-1]):
        mixed = np.broadcast_to(usual, x.shape).copy()
        before = np.full(len(x), base)
        for family in order:
            mixed[:, list(family)] = x[:, list(family)]
            after = whole if family is order[-1] else score(mixed)
            parts[:, family[0]] += 0.5 * (after - before)
            before = after
    return base, parts


def usual(x: Floats) -> Floats:
    """The median of each column, of the values that are known; 0 where none is."""
    known = np.isfinite(x).any(axis=0)
    found = np.zeros(x.shape[1])
    found[known] = np.nanmedian(x[:, known], axis=0)
    return found
