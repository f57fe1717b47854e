"""Orders summed up for the buy-till-you-die models."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.btyd.counts import WEEK, Purchases, summary
from scoring.tables import DAY

CUT = 20_000 * DAY
HOUR = DAY // 24


def sum_up(orders, cut=CUT, period=DAY):
    """`orders`: (person, days before the cut, cents)."""
    columns = np.array([(who, cut - round(days * DAY), cents) for who, days, cents in orders], dtype=np.int64)
    return summary(*columns.reshape(-1, 3).T, cut, period)


def columns_of(x, t_x, age):
    return Purchases(*(np.array(column, dtype=np.float64) for column in (x, t_x, age)))


def test_repeat_purchases_their_last_and_the_time_known_are_counted_in_days():
    found = sum_up([(7, 69.5, 1000), (7, 69.2, 500), (7, 20.5, 300), (7, 20.1, 100), (7, 6.5, 200), (3, 13.5, 900)])
    assert found.person_ids.tolist() == [3, 7]
    assert found.purchases.x.tolist() == [0, 2]
    assert found.purchases.t_x == pytest.approx([0, 63 / 7])
    assert found.purchases.age == pytest.approx([13 / 7, 69 / 7])
    assert found.spend == pytest.approx([np.nan, (300 + 100 + 200) / 2], nan_ok=True)


def test_an_order_at_the_cut_off_is_not_known_and_the_instant_before_it_is():
    orders = np.array([CUT, CUT - 1])
    found = summary(np.array([1, 2]), orders, np.array([100, 100]), CUT)
    assert found.person_ids.tolist() == [2]
    assert found.purchases.age.tolist() == [0]


def test_later_orders_change_nothing():
    known = [(1, 30.5, 100), (1, 3.5, 250), (2, 12.5, 400)]
    before, after = sum_up(known), sum_up([*known, (1, -5, 999), (2, 0, 999), (9, -1, 999)])
    np.testing.assert_array_equal(after.person_ids, before.person_ids)
    np.testing.assert_array_equal(after.spend, before.spend)
    for column in ("x", "t_x", "age"):
        np.testing.assert_array_equal(getattr(after.purchases, column), getattr(before.purchases, column))


def test_days_are_those_of_the_cut_offs_own_midnight():
    late_and_early = np.array([CUT - 10 * DAY - HOUR, CUT - 10 * DAY + HOUR])
    one, cents = np.array([1, 1]), np.array([100, 100])
    assert summary(one, late_and_early, cents, CUT).purchases.x.tolist() == [1]
    assert summary(one, late_and_early, cents, CUT - 5 * HOUR).purchases.x.tolist() == [0]


def test_with_weeks_as_the_period_several_days_are_one_purchase():
    found = sum_up([(1, 20.5, 100), (1, 15.5, 100), (1, 0.5, 300)], period=WEEK)
    assert (found.purchases.x.tolist(), found.purchases.t_x.tolist()) == ([1], [2])
    assert (found.purchases.age.tolist(), found.spend.tolist()) == ([2], [300])


def test_nobody_is_known_without_orders():
    assert sum_up([]).person_ids.size == 0


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(-3, 40), st.integers(0, 9999)), max_size=30), st.randoms())
def test_it_is_what_counting_by_hand_gives_in_any_order(orders, random):
    placed = [(who, day + 0.5, cents) for who, day, cents in orders]
    random.shuffle(placed)
    found = sum_up(placed)
    by_hand = {}
    for who, day, cents in orders:
        if day >= 0:
            days = by_hand.setdefault(who, {})
            days[day] = days.get(day, 0) + cents
    assert found.person_ids.tolist() == sorted(by_hand)
    for place, who in enumerate(sorted(by_hand)):
        days = by_hand[who]
        later = [cents for day, cents in days.items() if day != max(days)]
        assert found.purchases.x[place] == len(later)
        assert found.purchases.age[place] == pytest.approx(max(days) / 7)
        assert found.purchases.t_x[place] == pytest.approx((max(days) - min(days)) / 7)
        assert found.spend[place] == pytest.approx(sum(later) / len(later) if later else np.nan, nan_ok=True)


def test_equal_people_become_one_row_of_their_number_or_weight():
    people = columns_of([1, 0, 1, 1], [2, 0, 2, 3], [5, 5, 5, 5])
    rows, weights = people.distinct()
    assert (rows.x.tolist(), rows.t_x.tolist(), weights.tolist()) == ([0, 1, 1], [0, 2, 3], [1, 2, 1])
    assert people.distinct(np.array([0.5, 1, 2, 4]))[1].tolist() == [1, 2.5, 4]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (([1], [1, 2], [3]), "one length"),
        (([np.nan], [1], [3]), "known for everyone"),
        (([1], [1], [np.inf]), "known for everyone"),
        (([-1], [1], [3]), "not be negative"),
        (([1], [4], [3]), "beyond age"),
        (([0], [1], [3]), "exactly where x is 0"),
        (([2], [0], [3]), "exactly where x is 0"),
    ],
)
def test_impossible_purchases_are_refused(columns, why):
    with pytest.raises(ValueError, match=why):
        columns_of(*columns)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, np.nan]])
def test_weights_are_one_positive_number_per_person(weights):
    with pytest.raises(ValueError, match="one positive number per person"):
        columns_of([0, 1], [0, 2], [5, 5]).distinct(np.array(weights))


def test_a_period_is_positive():
    with pytest.raises(ValueError, match="period"):
        sum_up([(1, 2, 100)], period=0)
