"""Movements over many weeks: shares, time spent, and flows out of the ordinary."""

import numpy as np
import pytest

from scoring.segments import SEGMENTS
from scoring.transitions import Period, expected_days, matrix, surges


def week(seed, cooling=0.03, people=4000):
    """Champions and Loyal of whom a share moves on, the rest stays."""
    rng = np.random.default_rng(seed)
    moved = int(rng.binomial(people, cooling))
    lost = int(rng.binomial(people, 0.01))
    counts = {("Champions", "Cooling"): moved, ("Champions", "Champions"): people - moved}
    counts |= {("Loyal", "Lost"): lost, ("Loyal", "Loyal"): people - lost}
    return Period(counts, {pair: 100 * count for pair, count in counts.items()})


def test_shares_of_a_row_add_up_and_hold_the_truth():
    cells = matrix([week(seed) for seed in range(12)])
    assert {cell.origin for cell in cells} == {"Champions", "Loyal"}
    for origin in ("Champions", "Loyal"):
        row = [cell for cell in cells if cell.origin == origin]
        assert [cell.target for cell in row] == list(SEGMENTS)
        assert sum(cell.share.value for cell in row) == pytest.approx(1)
        assert all(0 <= cell.share.low <= cell.share.value <= cell.share.high <= 1 for cell in row if cell.people)
    moved = next(cell for cell in cells if (cell.origin, cell.target) == ("Champions", "Cooling"))
    assert moved.share.low < 0.03 < moved.share.high
    assert moved.money == 100 * moved.people
    never = next(cell for cell in cells if (cell.origin, cell.target) == ("Champions", "Lost"))
    assert never.people == 0
    assert never.share.value > 0


def test_time_spent_follows_from_the_share_that_stays():
    days = expected_days([week(seed) for seed in range(12)], 7)
    assert days["Champions"].low < 7 / 0.03 < days["Champions"].high
    assert days["Loyal"].value > days["Champions"].value
    assert expected_days([], 7) == {}


def test_a_flow_above_its_own_past_is_told():
    usual = [week(seed) for seed in range(8)]
    (found,) = surges([*usual, week(99, cooling=0.06)])
    assert (found.origin, found.target) == ("Champions", "Cooling")
    assert found.people == pytest.approx(240, abs=40)
    assert found.usual == pytest.approx(120, abs=15)
    assert found.money == 100 * found.people


def test_what_is_usual_small_or_below_is_not():
    usual = [week(seed) for seed in range(8)]
    assert surges([*usual, week(99, cooling=0.01)]) == []
    assert surges([*usual[:4], week(99, cooling=0.3)]) != []
    assert surges([*usual[:3], week(99, cooling=0.3)]) == []
    few = [week(seed, people=100) for seed in range(8)]
    assert surges([*few, week(99, cooling=0.15, people=100)]) == []
    assert surges([Period({}, {})] * 6) == []


def test_false_alarms_are_rare():
    alarms = sum(bool(surges([week(1000 * run + seed) for seed in range(9)])) for run in range(120))
    assert alarms <= 12
