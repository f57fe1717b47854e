"""How long it usually is until somebody orders again, and silence that is measured by it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.features import FEATURES
from scoring.ladder.buyers import BuyersReturn
from scoring.ladder.columns import Columns
from scoring.mirror import mirrored
from scoring.model import dump, load
from scoring.objectives import Objective, labels, silence
from scoring.predict import predict
from scoring.rhythm import RHYTHM, default_horizon, own_horizons, own_range
from scoring.snapshots import Snapshots, matrix
from scoring.tables import DAY
from scoring.train import rungs, train

SEED = 3
FEW_DAYS = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
QUIET = Objective("quiet", "churn", 120, rhythm_days=30.0)


def own(tables, cut, objective=QUIET):
    """The horizon in days of everyone known at `cut`, by person."""
    known = matrix(tables, cut)
    columns = (known.values[:, FEATURES.index(name)] for name in RHYTHM)
    return dict(zip(known.person_ids.tolist(), objective.own_days(*columns).tolist(), strict=True))


def test_horizons_by_hand(facts, at):
    for person in range(1, 7):
        facts.person(person)
    for day in range(0, 364, 7):
        facts.add(1, "order", day)
    facts.add(2, "order", 10)
    for day in (0, 182, 364):
        facts.add(3, "order", day)
    for day in (0, 40):
        facts.add(4, "order", day)
    for hour in (0, 1, 2):
        facts.add(5, "order", 20 + hour / 24)
    found = own(facts.tables(), at(370))
    assert found == {
        1: 30,  # (2 · 30 + 357) / (2 + 51) = 7.9 days, and never below 30
        2: 52,  # who ordered once has the gap of all: round(1.75 · 30)
        3: 120,  # (2 · 30 + 364) / (2 + 2) = 106 days, and never beyond the longest
        4: 58,  # (2 · 30 + 40) / (2 + 1) = 33.3 days
        5: 52,  # orders of one day are one
        6: 52,  # no order at all
    }


@given(
    base=st.floats(1, 300),
    longest=st.integers(1, 180),
    repeats=st.integers(0, 200),
    span=st.floats(0, 2000),
    recency=st.floats(0, 900),
)
def test_own_horizons_stay_within_bounds_and_follow_the_pace(base, longest, repeats, span, recency):
    span = span if repeats else 0.0

    def horizon(repeats, span):
        days = np.array([repeats + 1.0])
        return own_horizons(np.array([recency]), days, np.array([recency + span]), base, longest)[0]

    found = horizon(repeats, span)
    assert min(30, longest) <= found <= longest
    assert found == round(found)
    if repeats:
        assert horizon(repeats + 1, span) <= found <= horizon(repeats, span + 100)


def test_only_silence_has_horizons_of_peoples_own():
    for kind, event in (("value", ""), ("response", ""), ("churn", "cancel"), ("conversion", "form")):
        with pytest.raises(ValueError, match="only silence"):
            Objective("x", kind, 60, event=event, rhythm_days=20.0)
    with pytest.raises(ValueError, match="longer than nothing"):
        replace(QUIET, rhythm_days=0.0)
    same = Objective("x", "churn", 45)
    assert same.own_days(*np.ones((3, 4))).tolist() == [45.0] * 4
    assert same.ahead == "45 days ahead"
    assert QUIET.ahead == "within the time in which they usually order again: 30 to 120 days"


def test_default_horizon_follows_the_median_gap(facts, at):
    assert default_horizon(facts.tables(), at(300)) == 90
    facts.person(1)
    for day in (0, 40, 80, 120):
        facts.add(1, "order", day, 100)
    facts.person(2)
    facts.add(2, "order", 299, 100)
    assert default_horizon(facts.tables(), at(300)) == 70
    assert default_horizon(facts.tables(), at(30)) == 90
    for day in (0, 40, 80, 120):
        facts.add(1, "order", day + 0.01, 100)
    assert default_horizon(facts.tables(), at(300)) == 70


def test_the_longest_horizon_leaves_something_to_learn_from(facts, at):
    assert own_range(facts.tables(), at(300)) == (pytest.approx(90 / 1.75), 90)
    facts.person(1)
    for day in range(0, 401, 40):
        facts.add(1, "order", day)
    assert own_range(facts.tables(), at(200)) == (40, 70)
    assert own_range(facts.tables(), at(500)) == (40, 100)
    assert own_range(facts.tables(), at(2000)) == (40, 140)
    assert silence("x", facts.tables(), at(500)) == Objective("x", "churn", 100, rhythm_days=40.0)


def brute(facts, cut, objective):
    """Who did not order in their own horizon, told order by order."""
    found = {}
    for person, since in facts.people:
        if since >= cut:
            continue
        orders = [at for who, kind, at, *_ in facts.activities if who == person and kind == "order"]
        before = [at for at in orders if at < cut]
        repeats = max(len({at // DAY for at in before}) - 1, 0)
        span = (max(before) - min(before)) / DAY if repeats else 0
        gap = (2 * objective.rhythm_days + span) / (2 + repeats)
        horizon = min(max(round(1.75 * gap), 30), objective.horizon_days)
        found[person] = float(not any(cut <= at < cut + horizon * DAY for at in orders))
    return found


@pytest.fixture(scope="module")
def small(shop):
    return shop(people=60, days=330, seed=5)


@FEW_DAYS
@given(day=st.integers(1, 250), rhythm=st.floats(3, 80), longest=st.integers(40, 150))
def test_labels_are_what_each_person_did_in_their_own_horizon(small, at, day, rhythm, longest):
    objective = Objective("x", "churn", longest, rhythm_days=rhythm)
    found = labels(small.tables(), objective, at(day))
    assert dict(zip(found.person_ids.tolist(), found.y.tolist(), strict=True)) == brute(small, at(day), objective)
    again = labels(small.tables(), objective.opposite, at(day))
    assert (found.y + again.y == 1).all()
    assert (found.inside == again.inside).all()


@FEW_DAYS
@given(
    st.lists(st.tuples(st.integers(0, 59), st.floats(0, 300, allow_nan=False)), min_size=1, max_size=20),
)
def test_nothing_at_or_after_the_cut_changes_a_horizon(shop, at, later):
    facts = shop(people=60, days=150, seed=5)
    before = own(facts.tables(), at(150))
    for person, day in later:
        facts.add(person, "order", 150 + day)
    assert own(facts.tables(), at(150)) == before


def test_an_open_own_horizon_is_never_labelled(past):
    open_window = past.as_of - QUIET.horizon + 1
    with pytest.raises(ValueError, match="not over"):
        past.rows(QUIET, [open_window])
    assert all(cut + QUIET.horizon <= past.as_of for cut in past.cuts(QUIET))


def test_own_and_fixed_horizons_are_kept_apart(tables, past):
    fixed, slower = replace(QUIET, rhythm_days=None), replace(QUIET, rhythm_days=60.0)
    cuts = past.cuts(QUIET)[:1]
    first = [past.rows(each, cuts).y.mean() for each in (QUIET, fixed, slower)]
    fresh = [Snapshots(tables, past.as_of).rows(each, cuts).y.mean() for each in (QUIET, fixed, slower)]
    assert first == fresh
    assert len(set(first)) == 3


@pytest.fixture(scope="module")
def learned(tables, past):
    objective = silence("falls silent", tables, past.as_of)
    return train(tables, objective, past.as_of, seed=SEED, snapshots=past)


def test_it_is_trained_told_and_kept_like_any_other(learned, tables, past):
    assert learned.refused is None
    assert "for the one in the middle (the usual gap of all is " in learned.ahead
    found = predict(learned, tables, past.as_of, known=past.matrix(past.as_of))
    same = predict(load(dump(learned)), tables, past.as_of, known=past.matrix(past.as_of))
    np.testing.assert_array_equal(found.values, same.values)
    stays = predict(mirrored(learned, learned.objective.opposite), tables, past.as_of, known=past.matrix(past.as_of))
    np.testing.assert_allclose(stays.values + found.values, 1)
    with pytest.raises(ValueError, match="not the opposite"):
        mirrored(learned, replace(learned.objective.opposite, rhythm_days=None))


def test_buy_till_you_die_asks_each_person_about_their_own_horizon(past):
    buys = QUIET.opposite
    rows = past.rows(buys, past.cuts(buys)[:2])
    rung = rungs(buys, SEED)["btyd"]
    assert isinstance(rung, BuyersReturn)
    rung.fit(rows.x, rows.y)
    days = buys.own_days(*rows.x[:, [FEATURES.index(name) for name in RHYTHM]].T)
    for horizon in (30.0, float(np.median(days))):
        who = np.flatnonzero(days == horizon)
        fixed = BuyersReturn(rung.columns, int(horizon), 1e6).fit(rows.x, rows.y)
        np.testing.assert_allclose(rung.raw(rows.x[who]), fixed.raw(rows.x[who]))
    base, parts = rung.contributions(rows.x)
    np.testing.assert_allclose(base + parts.sum(axis=1), rung.raw(rows.x))


OFTEN, SELDOM = range(1000, 1030), range(2000, 2030)


@pytest.fixture(scope="module")
def two_paces(shop):
    """Shoppers of every 10 and of every 60 days, some of whom stop, until day 500; OFTEN and SELDOM ordered as steadily
    and are silent since day 455.
    """
    rng, facts = np.random.default_rng(8), shop(people=0)
    for person in range(400):
        facts.person(person)
        pace, day, stops = (10, 60)[person % 2], float(rng.uniform(0, 60)), float(rng.exponential(400))
        while day < min(stops, 500):
            facts.add(person, "order", day, 3000)
            day += pace * float(rng.uniform(0.6, 1.4))
    for group, pace in ((OFTEN, 10), (SELDOM, 60)):
        for person in group:
            facts.person(person)
            for day in range(455 - 5 * pace, 456, pace):
                facts.add(person, "order", day, 3000)
    return facts.tables()


def test_the_same_silence_means_more_of_who_buys_often(two_paces, at):
    past = Snapshots(two_paces, at(500))
    objective = silence("falls silent", two_paces, past.as_of)
    known = past.matrix(past.as_of)
    often, seldom = (np.isin(known.person_ids, list(group)) for group in (OFTEN, SELDOM))
    model = train(two_paces, objective, past.as_of, seed=SEED, snapshots=past)
    found = predict(model, two_paces, past.as_of, known=known).values
    assert found[often].min() > 0.6
    assert found[seldom].max() < 0.1
    rows = past.rows(objective.opposite, past.cuts(objective.opposite))
    for name in ("btyd", "logistic", "boosting"):
        raw = rungs(objective.opposite, SEED, Columns.of(FEATURES, own_horizons=True))[name].fit(rows.x, rows.y).raw
        assert raw(known.values[often]).max() < raw(known.values[seldom]).min(), name
