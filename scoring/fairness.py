"""Whether scores serve groups of people alike: how many are picked, and whether the percentages come true in each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.evaluate import FLAGGED, Interval, wilson
from scoring.ledger import calibration_line
from scoring.snapshots import Floats

FEWEST = 30
"""People below which a group is not judged: one number about few people says more about them than about the scores."""


@dataclass(frozen=True)
class Group:
    """One group. What needs outcomes is None without them, and where it happened to everybody or nobody."""

    name: str
    n: int
    predicted: float
    """Mean prediction."""
    picked: Interval
    """Share of the group among the best scored FLAGGED of everyone."""
    observed: Interval | None = None
    level: Interval | None = None
    """Log-odds to add to the predictions of this group; 0 when as many did it as predicted."""

    @property
    def off(self) -> bool:
        """Whether the percentages are surely wrong for this group."""
        return self.level is not None and not self.level.low <= 0 <= self.level.high


def by_group(names: Sequence[str], p: Floats, y: Floats | None = None) -> list[Group]:
    """`p` (probabilities) and, if known, outcomes `y` row by row, each with the name of its group, largest group first.

    Groups of fewer than FEWEST people are left out. Raises ValueError when the lists differ in length.
    """
    if len(names) != p.size or (y is not None and y.size != p.size):
        raise ValueError("groups, predictions and outcomes must be equally many")
    if not p.size:
        return []
    group = np.array(names)
    picked = np.zeros(p.size)
    picked[np.argsort(-p, kind="stable")[: round(FLAGGED * p.size)]] = 1.0
    found = []
    for name in sorted(set(names)):
        rows = group == name
        if rows.sum() >= FEWEST:
            level = None
            if y is not None and 0 < y[rows].sum() < rows.sum():
                level = calibration_line(p[rows], y[rows], np.flatnonzero(rows)).level
            mean = float(p[rows].mean())
            seen = None if y is None else _share(y[rows])
            found.append(Group(name, int(rows.sum()), mean, _share(picked[rows]), seen, level))
    return sorted(found, key=lambda each: -each.n)


def _share(values: Floats) -> Interval:
    low, high = wilson(float(values.sum()), values.size)
    return Interval(float(values.mean()), low, high)
