import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.features import FAMILIES, FEATURES, features
from scoring.snapshots import matrix
from scoring.tables import KINDS

CUT_DAY = 100.0


def test_every_feature_has_one_family_and_a_number():
    assert len(FEATURES) == len(set(FEATURES)) == sum(len(names) for names in FAMILIES.values())


def test_numbers_by_hand(facts, at, columns):
    facts.person(1, 0)
    facts.person(2, 40)
    for day, cents in ((10, 1000), (30, 3000), (90, 500)):
        facts.add(1, "order", day, cents)
    facts.add(1, "refund", 91, 200)
    facts.add(1, "send", 50)
    facts.add(1, "send", 95)
    facts.add(1, "response", 96)
    row = columns(features(facts.tables(), at(CUT_DAY)), FEATURES)
    one, two = row[1], row[2]
    assert one["recency_days"] == pytest.approx(10)
    assert one["tenure_days"] == pytest.approx(100)
    assert one["first_order_days"] == pytest.approx(90)
    assert (one["orders"], one["orders_90d"], one["orders_180d"]) == (3, 3, 3)
    assert (one["spend_sum"], one["spend_last"], one["spend_max"], one["spend_90d"]) == (4500, 500, 3000, 4500)
    assert (one["gap_mean"], one["gap_last"]) == (pytest.approx(40), pytest.approx(60))
    assert one["gap_sd"] == pytest.approx(np.std([20, 60], ddof=1))
    assert one["orders_decayed_45d"] == pytest.approx(sum(0.5 ** (age / 45) for age in (90, 70, 10)))
    assert one["spend_decayed_14d"] == pytest.approx(1000 * 0.5 ** (90 / 14) + 3000 * 0.5**5 + 500 * 0.5 ** (10 / 14))
    assert (one["returns"], one["sends"], one["responses"], one["answered_share"]) == (1, 2, 1, 0.5)
    assert two["recency_days"] is None
    assert two["first_order_days"] is None
    assert two["orders"] == two["spend_sum"] == two["sends"] == two["orders_decayed_14d"] == 0
    assert two["tenure_days"] == pytest.approx(60)


def test_machine_opens_count_for_nothing(facts, at, columns):
    for person in (1, 2):
        facts.person(person)
    facts.add(1, "open", 95, machine=True)
    facts.add(2, "open", 55)
    row = columns(features(facts.tables(), at(CUT_DAY)), ["answers_decayed", "clicks", "responses"])
    assert row[1]["answers_decayed"] == 0
    assert row[2]["answers_decayed"] == pytest.approx(0.5)


def test_two_orders_in_one_instant_are_one_row_per_person(facts, at):
    facts.person(1)
    facts.add(1, "order", 50, 100)
    facts.add(1, "order", 50, 300)
    known = matrix(facts.tables(), at(CUT_DAY))
    assert known.values.shape == (1, len(FEATURES))
    assert known.values[0, FEATURES.index("spend_last")] == 300


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 29),
            st.sampled_from(sorted(KINDS)),
            st.floats(0, 400, allow_nan=False),
            st.one_of(st.none(), st.integers(0, 10**9)),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_nothing_at_or_after_the_cut_changes_a_feature(shop, at, later):
    facts = shop(people=30, days=200, seed=3)
    before = matrix(facts.tables(), at(CUT_DAY))
    for person, kind, days, amount in later:
        facts.add(person, kind, CUT_DAY + days, amount)
    facts.person(99, CUT_DAY)
    after = matrix(facts.tables(), at(CUT_DAY))
    np.testing.assert_array_equal(before.person_ids, after.person_ids)
    np.testing.assert_array_equal(before.values, after.values)


def test_something_before_the_cut_does_change_them(shop, at):
    facts = shop(people=30, days=200, seed=3)
    before = matrix(facts.tables(), at(CUT_DAY))
    facts.add(0, "order", CUT_DAY - 1e-6, 5)
    assert not np.array_equal(before.values, matrix(facts.tables(), at(CUT_DAY)).values, equal_nan=True)


def test_people_without_activities_are_kept(facts, at):
    facts.person(7)
    known = matrix(facts.tables(), at(CUT_DAY))
    assert known.person_ids.tolist() == [7]
    assert math.isnan(known.values[0, FEATURES.index("recency_days")])
