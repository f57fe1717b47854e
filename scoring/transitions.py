"""How people move between segments over many weeks: shares, time spent, and flows out of the ordinary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, false_discovery_control, norm

from scoring.evaluate import Interval
from scoring.segments import SEGMENTS

FEWEST_MOVES = 20
"""People a flow must have before it can be out of the ordinary."""
FALSE_ALARMS = 0.05
"""Share of false alarms among the flows told (Benjamini and Hochberg 1995)."""
FEWEST_WEEKS = 4
"""Earlier periods that say what is usual."""


@dataclass(frozen=True)
class Period:
    """People (and their expected cents) by segment at the start and at the end of one period, stayers included."""

    people: Mapping[tuple[str, str], int]
    money: Mapping[tuple[str, str], int]

    def leaving(self, origin: str) -> int:
        """People who were in `origin` at the start."""
        return sum(self.people.get((origin, target), 0) for target in SEGMENTS)


@dataclass(frozen=True)
class Cell:
    """The flow from one segment to another within a period: how likely, with its interval, and what it carries."""

    origin: str
    target: str
    people: int
    share: Interval
    money: int
    """Expected cents of those who moved."""


@dataclass(frozen=True)
class Surge:
    """A flow clearly above its own past."""

    origin: str
    target: str
    people: int
    usual: float
    """People it would have been at the usual share."""
    share: float
    usual_share: float
    money: int


def matrix(periods: Sequence[Period]) -> list[Cell]:
    """Every cell between segments that hold anybody, over all `periods`, rows in the order of SEGMENTS.

    Shares are smoothed by one person spread over the row (a Dirichlet prior), so that a move never seen is not called
    impossible; intervals (95 %) are those of the posterior.
    """
    cells = []
    for origin in SEGMENTS:
        row = {target: sum(period.people.get((origin, target), 0) for period in periods) for target in SEGMENTS}
        total = sum(row.values())
        if not total:
            continue
        for target in SEGMENTS:
            money = sum(period.money.get((origin, target), 0) for period in periods)
            cells.append(Cell(origin, target, row[target], _smoothed(row[target], total), money))
    return cells


def expected_days(periods: Sequence[Period], period_days: float) -> dict[str, Interval]:
    """How long people stay in each segment on average, in days, as if every period were like these (first order)."""
    found = {}
    for cell in matrix(periods):
        if cell.origin == cell.target:
            stay = (cell.share.value, cell.share.low, cell.share.high)
            value, low, high = (period_days / max(1 - share, 1e-6) for share in stay)
            found[cell.origin] = Interval(value, low, high)
    return found


def surges(periods: Sequence[Period]) -> list[Surge]:
    """Flows of the newest of `periods` (oldest first) above their own share in all earlier ones, most money first.

    A two-proportion test per cell, one-sided, with false discoveries held down over all cells; none with fewer than
    FEWEST_MOVES people or FEWEST_WEEKS earlier periods.
    """
    if len(periods) <= FEWEST_WEEKS:
        return []
    newest, earlier = periods[-1], periods[:-1]
    found, chances = [], []
    for origin in SEGMENTS:
        now, then = newest.leaving(origin), sum(period.leaving(origin) for period in earlier)
        if not now or not then:
            continue
        for target in SEGMENTS:
            if target == origin:
                continue
            moved = newest.people.get((origin, target), 0)
            before = sum(period.people.get((origin, target), 0) for period in earlier)
            share, usual = moved / now, before / then
            both = (moved + before) / (now + then)
            spread = (both * (1 - both) * (1 / now + 1 / then)) ** 0.5
            chances.append(float(norm.sf((share - usual) / spread)) if spread > 0 else 1.0)
            money = newest.money.get((origin, target), 0)
            found.append(Surge(origin, target, moved, usual * now, share, usual, money))
    if not found:
        return []
    kept = false_discovery_control(np.array(chances)) <= FALSE_ALARMS
    told = [each for each, real in zip(found, kept, strict=True) if real and each.people >= FEWEST_MOVES]
    return sorted(told, key=lambda each: (-abs(each.money), -each.people))


def _smoothed(count: int, total: int) -> Interval:
    prior = 1 / len(SEGMENTS)
    a, b = count + prior, total - count + 1 - prior
    low, high = (float(bound) for bound in beta.ppf([0.025, 0.975], a, b))
    return Interval(a / (a + b), low, high)
