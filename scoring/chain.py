"""Whether movements between segments are a chain: that only where people are counts, not where they came from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from scoring.segments import SEGMENTS
from scoring.tables import Floats
from scoring.transitions import Period, matrix

UNLIKELY = 0.01
"""Chance below which an order is taken for refuted."""
MATTERS = 0.02
"""Share of people who went elsewhere by where they came from, below which that is of no consequence."""
FEWEST = 20
"""People a past must be shared by to be looked at: fewer follow no chi-square."""
AHEAD = 3
"""Periods the backtest looks ahead."""
EARLIER = 2
"""Periods it needs before these."""


@dataclass(frozen=True)
class OrderTest:
    """A likelihood-ratio test of one order against the next lower (Anderson and Goodman 1957)."""

    order: int
    statistic: float
    freedom: int
    chance: float
    """How likely so much would be if the lower order held."""
    elsewhere: float
    """Share of people in [0, 1] who went elsewhere than the lower order says."""

    @property
    def needed(self) -> bool:
        """Whether the lower order does not do."""
        return self.chance < UNLIKELY and self.elsewhere > MATTERS


@dataclass(frozen=True)
class Backtest:
    """How many people each segment was to have by the chain of the periods before, and had."""

    predicted: Mapping[str, float]
    observed: Mapping[str, int]
    missed: float
    """Share of people in [0, 1] who were in another segment than predicted, in sum."""
    unchanged: float
    """The same of the plain guess that nothing changes."""


def order_tests(paths: Mapping[tuple[str, str, str], int]) -> list[OrderTest]:
    """First order against none, and second against first, from people by the segments they were in at three instants a
    period apart. Pasts with fewer than FEWEST people are left out; a test that nothing is left for is missing.
    """
    counts = np.zeros((len(SEGMENTS),) * 3)
    for path, people in paths.items():
        counts[tuple(map(SEGMENTS.index, path))] += people
    pairs = counts.sum(axis=0)
    tests = (_tested(1, [pairs]), _tested(2, [counts[:, here, :] for here in range(len(SEGMENTS))]))
    return [each for each in tests if each]


def _tested(order: int, tables: Iterable[NDArray[Any]]) -> OrderTest | None:
    """Whether in each of `tables` (rows: from where; columns: to where) all rows are alike."""
    statistic, freedom, people, elsewhere = 0.0, 0, 0.0, 0.0
    for counts in tables:
        table = counts[counts.sum(axis=1) >= FEWEST]
        table = table[:, table.sum(axis=0) > 0]
        if min(table.shape) < 1:
            continue
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
        seen = table > 0
        statistic += 2 * float((table[seen] * np.log(table[seen] / expected[seen])).sum())
        freedom += (table.shape[0] - 1) * (table.shape[1] - 1)
        people += float(table.sum())
        elsewhere += float(np.abs(table - expected).sum()) / 2
    if not freedom:
        return None
    return OrderTest(order, statistic, freedom, float(chi2.sf(statistic, freedom)), elsewhere / people)


def backtest(periods: Sequence[Period]) -> Backtest | None:
    """Predict the sizes of the segments AHEAD periods ahead by the `periods` (oldest first) before these, as shares of
    all people there are in the end. None with fewer than EARLIER periods before, or when nobody is there.
    """
    if len(periods) < AHEAD + EARLIER:
        return None
    before, after = periods[:-AHEAD], periods[-AHEAD:]
    start = np.array([after[0].leaving(origin) for origin in SEGMENTS], dtype=np.float64)
    ended = np.array([sum(after[-1].people.get((a, b), 0) for a in SEGMENTS) for b in SEGMENTS], dtype=np.float64)
    if not start.sum() or not ended.sum():
        return None
    start, end = start / start.sum(), ended / ended.sum()
    predicted = start @ np.linalg.matrix_power(_shares(before), AHEAD)
    return Backtest(
        dict(zip(SEGMENTS, (predicted * ended.sum()).tolist(), strict=True)),
        dict(zip(SEGMENTS, ended.astype(int).tolist(), strict=True)),
        float(np.abs(predicted - end).sum() / 2),
        float(np.abs(start - end).sum() / 2),
    )


def _shares(periods: Sequence[Period]) -> Floats:
    """The matrix of shares; who was in a segment nobody was in so far stays there."""
    shares = np.eye(len(SEGMENTS))
    cells = matrix(periods)
    for origin in {cell.origin for cell in cells}:
        row = [cell.share.value for cell in cells if cell.origin == origin]
        shares[SEGMENTS.index(origin)] = np.array(row) / sum(row)
    return shares
