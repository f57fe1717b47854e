from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from scoring.objectives import Objective
from scoring.predict import predict
from scoring.segments import SEGMENTS, Membership, Standing, Thresholds, assign
from scoring.standing import standings
from scoring.tables import DAY
from scoring.train import train

NOW = 1_700_000_000_000_000
LIMITS = Thresholds(likely=0.6, unlikely=0.35, lost=0.1, cooling=0.475, valuable=10_000, calm_days=0)
REGULAR = Standing(
    person_id=1,
    since=NOW - 400 * DAY,
    orders=12,
    last_order=NOW - 20 * DAY,
    usual_gap=30,
    recent_spend=6000,
    earlier_spend=6000,
    p_buy=0.8,
    value=20_000,
)


def one(person, previous=None, now=NOW, limits=LIMITS):
    (found,) = assign([person], {} if previous is None else {1: previous}, now, limits)
    return found


@pytest.mark.parametrize(
    ("segment", "changes"),
    [
        ("Champions", {}),
        ("Loyal", {"value": 4000}),
        ("Rising", {"value": 4000, "earlier_spend": 3000}),
        ("Promising", {"since": NOW - 10 * DAY, "orders": 1}),
        ("New", {"since": NOW - 10 * DAY, "orders": 1, "p_buy": 0.3}),
        ("New", {"since": NOW - 10 * DAY, "orders": 0, "last_order": None, "usual_gap": None, "p_buy": 0.05}),
        ("Steady", {"p_buy": 0.5}),
        ("Cooling", {"p_buy": 0.4}),
        ("At risk", {"p_buy": 0.2}),
        ("Lost", {"p_buy": 0.02}),
        ("Lost", {"orders": 0, "last_order": None, "usual_gap": None, "p_buy": 0.05}),
    ],
)
def test_each_segment_has_its_people(segment, changes):
    assert one(replace(REGULAR, **changes)).segment == segment


def test_rhythm_stands_in_for_a_missing_model():
    plain = replace(REGULAR, p_buy=None, value=None, recent_spend=12_000)
    assert one(plain).segment == "Champions"
    assert one(replace(plain, last_order=NOW - 70 * DAY)).segment == "Cooling"
    assert one(replace(plain, last_order=NOW - 120 * DAY)).segment == "At risk"
    assert one(replace(plain, last_order=NOW - 300 * DAY)).segment == "Lost"


people = st.builds(
    Standing,
    person_id=st.integers(1, 10**6),
    since=st.integers(NOW - 2000 * DAY, NOW),
    orders=st.integers(0, 500),
    last_order=st.one_of(st.none(), st.integers(NOW - 2000 * DAY, NOW)),
    usual_gap=st.one_of(st.none(), st.floats(0, 400)),
    recent_spend=st.floats(0, 1e7),
    earlier_spend=st.floats(0, 1e7),
    p_buy=st.one_of(st.none(), st.floats(0, 1)),
    value=st.one_of(st.none(), st.floats(0, 1e7)),
)


@given(st.lists(people, min_size=1, max_size=40, unique_by=lambda person: person.person_id))
def test_everyone_is_in_exactly_one_segment_again_and_again(everyone):
    limits = Thresholds.fit(everyone, NOW)
    assert limits.lost <= limits.unlikely <= limits.likely
    first = assign(everyone, {}, NOW, limits)
    assert [found.person_id for found in first] == [person.person_id for person in everyone]
    assert {found.segment for found in first} <= set(SEGMENTS)
    again = assign(everyone, {found.person_id: found for found in first}, NOW + 1, limits)
    assert [(found.segment, found.since) for found in again] == [(found.segment, NOW) for found in first]


@given(st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=12), st.sampled_from([0.6, 0.35, 0.1]))
def test_jitter_within_the_band_moves_nobody(jitter, limit):
    """0.05 to either side of a half are 0.2007 in log-odds, and as much everywhere."""
    quiet = replace(REGULAR, last_order=NOW - 400 * DAY, since=NOW - 900 * DAY)
    before = one(replace(quiet, p_buy=limit))
    for week, shift in enumerate(jitter, start=1):
        now = NOW + week * 30 * DAY
        after = one(replace(quiet, p_buy=float(expit(logit(limit) + shift))), before, now)
        assert (after.segment, after.since) == (before.segment, before.since)
        before = after


@pytest.mark.parametrize(("start", "end"), [(0.022, 0.031), (0.031, 0.022)])
def test_the_band_reaches_every_segment_between_its_ends(start, end):
    """In a shop where few buy again the limits are close together: more of them than one lie within a band."""
    close = replace(LIMITS, lost=0.02, unlikely=0.026, cooling=0.028, likely=0.03, band=0.1)
    quiet = replace(REGULAR, last_order=NOW - 400 * DAY, since=NOW - 900 * DAY)
    before = assign([replace(quiet, p_buy=0.027)], {}, NOW, close)[0]
    assert before.segment == "Cooling"
    for week, p in enumerate((start, end, start, end), start=1):
        after = assign([replace(quiet, p_buy=p)], {1: before}, NOW + week * 30 * DAY, close)[0]
        assert after.segment == before.segment
        before = after


def test_where_few_buy_the_band_is_narrow_in_proportion():
    """A chance that falls from 5 to 2 % has fallen far, although by less than five points."""
    rare = replace(LIMITS, lost=0.005, unlikely=0.035, cooling=0.038, likely=0.04)
    quiet = replace(REGULAR, last_order=NOW - 400 * DAY, since=NOW - 900 * DAY)
    before = assign([replace(quiet, p_buy=0.05)], {}, NOW, rare)[0]
    fallen = replace(quiet, p_buy=0.02)
    for week in range(1, 3):
        before = assign([fallen], {1: before}, NOW + week * 90 * DAY, rare)[0]
    assert before.segment == "At risk"


def test_a_move_down_needs_the_stay_and_a_second_confirmation():
    fell = replace(REGULAR, p_buy=0.2)
    start = one(REGULAR)
    early = one(fell, start, NOW + 7 * DAY)
    assert (early.segment, early.falling) == ("Champions", NOW + 7 * DAY)
    assert one(fell, early, NOW + 13 * DAY).segment == "Champions"
    late = one(fell, replace(start, assigned_at=NOW + 8 * DAY), NOW + 15 * DAY)
    assert (late.segment, late.falling) == ("Champions", NOW + 15 * DAY)
    confirmed = one(fell, late, NOW + 16 * DAY)
    assert (confirmed.segment, confirmed.since, confirmed.falling) == ("At risk", NOW + 16 * DAY, 0)
    assert (start.held_from, late.held_from, confirmed.held_from) == (None, "At risk", None)


def test_a_recovery_in_between_forgets_the_first_warning():
    start = replace(one(REGULAR), since=NOW - 30 * DAY)
    warned = one(replace(REGULAR, p_buy=0.2), start, NOW + DAY)
    assert warned.falling
    assert not one(REGULAR, warned, NOW + 2 * DAY).falling


@given(st.lists(st.integers(0, 48 * 60), min_size=2, max_size=8))
def test_a_move_down_takes_two_assignments_almost_a_day_apart(minutes):
    fell, found = replace(REGULAR, p_buy=0.2), replace(one(REGULAR), since=NOW - 30 * DAY)
    instants = [NOW + DAY + minute * DAY // 1440 for minute in sorted(minutes)]
    for at in instants:
        found = one(fell, found, at)
        assert (found.segment == "At risk") == (at - instants[0] >= 20 * DAY // 24)
        if found.segment == "At risk":
            break


def test_a_warning_kept_by_an_earlier_version_counts_as_old():
    warned = Membership(1, "Champions", NOW - 30 * DAY, NOW - DAY // 24, falling=True)
    assert one(replace(REGULAR, p_buy=0.2), warned, NOW).segment == "At risk"


def test_a_move_up_needs_the_stay_only():
    start = Membership(1, "Steady", NOW, NOW)
    assert one(REGULAR, start, NOW + 7 * DAY).segment == "Steady"
    assert one(REGULAR, start, NOW + 15 * DAY).segment == "Champions"


def test_an_order_since_the_last_run_moves_at_once_both_ways():
    bought = replace(REGULAR, last_order=NOW + DAY)
    assert one(bought, Membership(1, "Lost", NOW, NOW), NOW + 2 * DAY).segment == "Champions"
    less = replace(bought, value=2000)
    assert one(less, Membership(1, "Champions", NOW, NOW), NOW + 2 * DAY).segment == "Loyal"


def test_fit_keeps_at_risk_below_one_half():
    eager = [replace(REGULAR, person_id=number, p_buy=0.9 + number / 1000) for number in range(50)]
    limits = Thresholds.fit(eager, NOW)
    assert limits.unlikely == 0.5
    assert limits.lost == 0.25
    assert Thresholds.fit([], NOW).likely > Thresholds.fit([], NOW).unlikely


def test_standings_carry_features_and_predictions(tables, past, at):
    known = past.matrix(at(300))
    objective = Objective("x", "repeat_purchase", 30)
    found = predict(train(tables, objective, at(300), seed=1, snapshots=past), tables, at(300), known=known)
    everyone = standings(known, at(300), buying=found)
    assert [person.person_id for person in everyone] == known.person_ids.tolist()
    assert [person.p_buy for person in everyone] == found.values.tolist()
    buyer = next(person for person in everyone if person.orders > 1)
    assert buyer.last_order < at(300)
    assert buyer.since == pytest.approx(at(0), abs=1000)
    assert buyer.value is None
    shorter = replace(found, person_ids=found.person_ids[1:], values=found.values[1:])
    with pytest.raises(ValueError, match="other people"):
        standings(known, at(300), buying=shorter)


def test_weekly_assignments_of_a_whole_shop_seldom_turn_back(tables, past, at):
    """Segments by rhythm alone over ten weeks: few moves are taken back within the month after."""
    previous, history = {}, []
    limits = None
    for week in range(10):
        now = at(230 + 7 * week)
        everyone = standings(past.matrix(now), now)
        limits = limits or Thresholds.fit(everyone, now)
        previous = {found.person_id: found for found in assign(everyone, previous, now, limits)}
        history.append({person: found.segment for person, found in previous.items()})
    people = sorted(history[0])
    places = np.array([[SEGMENTS.index(week[person]) for person in people] for week in history])
    moves = places[1:] != places[:-1]
    back = [(places[week + 1] != places[week]) & (places[week + 2] == places[week]) for week in range(8)]
    assert 0 < moves.mean() < 0.15
    assert np.mean(back) < 0.01


def test_a_chance_of_one_day_does_not_move_anybody_but_weeks_of_it_do():
    calm = replace(LIMITS, calm_days=21)
    steady = replace(REGULAR, p_buy=0.5)
    before = replace(one(steady, limits=calm), since=NOW - 100 * DAY)
    dip = one(replace(REGULAR, p_buy=0.2), before, NOW + DAY, calm)
    assert (dip.segment, dip.falling) == ("Steady", 0)
    assert dip.chance == pytest.approx(0.49, abs=0.005)
    found = dip
    for day in range(2, 60):
        found = one(replace(REGULAR, p_buy=0.2), found, NOW + day * DAY, calm)
    assert found.segment == "At risk"
    assert found.chance == pytest.approx(0.2, abs=0.06)


def test_an_order_of_somebody_at_risk_counts_at_once():
    calm = replace(LIMITS, calm_days=21)
    before = Membership(1, "At risk", NOW, NOW, chance=0.2, worth=3000.0)
    back = replace(REGULAR, p_buy=0.8, last_order=NOW + DAY // 2)
    assert one(back, before, NOW + DAY, calm).segment == "Champions"
    assert one(replace(back, last_order=NOW - DAY), before, NOW + DAY, calm).segment == "At risk"


def test_limits_of_ones_own_stand_and_fitted_ones_give_way():
    eager = [replace(REGULAR, person_id=number, p_buy=number / 100) for number in range(100)]
    limits = Thresholds.fit(eager, NOW, likely=0.3, valuable=5.0)
    assert (limits.likely, limits.valuable) == (0.3, 5.0)
    assert limits.lost <= limits.unlikely <= limits.cooling <= limits.likely
    limits = Thresholds.fit(eager, NOW, unlikely=0.8)
    assert limits.lost <= limits.unlikely <= limits.cooling <= limits.likely
    assert limits.unlikely == 0.8


def test_a_capacity_makes_about_so_many_champions():
    many = [replace(REGULAR, person_id=number, value=float(number)) for number in range(500)]
    limits = LIMITS.holding(many, NOW, 50)
    placed = assign(many, {}, NOW, limits)
    assert sum(each.segment == "Champions" for each in placed) == 50
    everyone = assign(many, {}, NOW, LIMITS.holding(many, NOW, 5000))
    assert sum(each.segment == "Champions" for each in everyone) == 500


def test_what_is_down_follows_the_order_given():
    turned = replace(LIMITS, order=tuple(reversed(SEGMENTS)))
    before = Membership(1, "Champions", NOW - 30 * DAY, NOW - DAY)
    fell = replace(REGULAR, p_buy=0.2)
    assert one(fell, before, limits=LIMITS).falling
    assert one(fell, before, limits=turned).segment == "At risk"
