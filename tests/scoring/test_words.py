"""Sentences about a person: short, plain, with their own numbers, and never against the side they stand on."""

import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.shops import journey, micros
from scoring.features import FAMILIES, FEATURES
from scoring.objectives import Objective
from scoring.predict import predict
from scoring.snapshots import Matrix, Snapshots
from scoring.train import train
from scoring.words import tell, usual

CAUSAL = ("because", "due to", "caused", "leads to", "therefore")
NEVER = dict.fromkeys((*FAMILIES["recency"], *FAMILIES["rhythm"]), np.nan) | dict.fromkeys(
    ("days_since_click", "days_since_response", "days_since_answer", "first_order_days"), np.nan
)
AVERAGE = {**dict.fromkeys(FEATURES, 5.0), "recency_in_gaps": 1.2, "answered_share": 0.5}


def row(**known):
    return {**dict.fromkeys(FEATURES, 0.0), **NEVER, **known}


@pytest.mark.parametrize(
    ("family", "good", "known", "text"),
    [
        (
            "recency",
            False,
            {"recency_days": 41.2, "gap_mean": 9.4, "recency_in_gaps": 4.4},
            "last order 41 days ago, usually every 9 days",
        ),
        (
            "recency",
            False,
            {"recency_days": 9.0, "gap_mean": 1.0, "recency_in_gaps": 9.0},
            "last order 9 days ago, usually every day",
        ),
        ("recency", True, {"recency_days": 4.0, "gap_mean": 1.0, "recency_in_gaps": 4.0}, "last order 4 days ago"),
        ("recency", True, {"recency_days": 0.4}, "last order today"),
        ("recency", False, {}, "no order yet"),
        (
            "rhythm",
            False,
            {"recency_days": 91.0, "gap_mean": 19.0, "recency_in_gaps": 4.8},
            "usually 19 days between orders, now 91 days since the last",
        ),
        (
            "rhythm",
            True,
            {"recency_days": 1.0, "gap_mean": 2.0, "recency_in_gaps": 0.5},
            "usually 2 days between orders, now 1 day since the last",
        ),
        (
            "rhythm",
            True,
            {"recency_days": 3.0, "gap_mean": 2.0, "recency_in_gaps": 1.1},
            "usually 2 days between orders",
        ),
        ("rhythm", False, {"recency_days": 9.0}, "ordered once: no rhythm yet"),
        ("rhythm", False, {}, "no order yet"),
        ("rhythm", True, {"recency_days": 9.0}, None),
        ("frequency", False, {"orders_90d": 4.0, "orders": 4.0}, "4 orders in the last 90 days"),
        ("frequency", False, {"orders": 1.0}, "no orders in the last 90 days, 1 in all"),
        ("frequency", True, {"orders": 9.0}, "9 orders in all"),
        ("frequency", True, {"orders": 1.0, "returns": 2.0}, "2 returns"),
        ("spend", True, {"spend_90d": 31240.0, "spend_sum": 31240.0}, "spent 312.40 in the last 90 days"),
        ("spend", False, {"spend_sum": 999.0}, "spent nothing in the last 90 days, 9.99 before"),
        ("spend", False, {}, "spent nothing in the last 90 days"),
        ("spend", True, {"spend_mean": 999.0, "spend_sum": 999.0}, "spends 9.99 per order"),
        ("campaigns", False, {}, "not mailed yet"),
        (
            "campaigns",
            True,
            {"sends": 14.0, "responses": 2.0, "days_since_response": 5.0},
            "answered 2 of 14 mailings, the last 5 days ago",
        ),
        ("campaigns", True, {"sends": 6.0, "responses": 7.0, "answered_share": 7 / 6}, "7 answers to 6 mailings"),
        ("campaigns", False, {"sends": 3.0}, "answered 0 of 3 mailings"),
        ("campaigns", True, {"days_since_click": 2.0, "sends": 3.0}, "last click 2 days ago"),
        ("tenure", True, {"tenure_days": 1.0}, "known for 1 day"),
        (
            "tenure",
            False,
            {"tenure_days": 90.0, "first_order_days": 42.0},
            "known for 90 days, first order 42 days ago",
        ),
    ],
)
def test_words_carry_the_persons_own_numbers(family, good, known, text):
    assert tell(family, row(**known), good, AVERAGE) == text


def test_who_never_clicked_is_not_told_so_where_nobody_does():
    nobody = {**AVERAGE, "days_since_click": np.inf, "days_since_answer": np.inf}
    known = row(sends=4.0, responses=9.0, answered_share=9 / 4, days_since_response=1.0)
    assert tell("campaigns", known, False, AVERAGE) == "no click yet"
    assert tell("campaigns", known, False, nobody) == "4 mailings so far"


def test_usual_is_where_a_family_turns():
    x = np.array(
        [
            [row(orders_90d=float(n), recency_days=d)[name] for name in FEATURES]
            for n, d in zip(range(4), [np.nan, 9, 5, 1], strict=True)
        ]
    )
    shares = np.outer([-2.0, -1.0, 0.5, 3.0], np.ones(len(FAMILIES)))
    found = usual(x, shares)
    assert found["orders_90d"] == 2
    assert found["recency_days"] == 5
    assert usual(x, -np.abs(shares))["recency_days"] == 1
    assert usual(x, np.abs(shares))["recency_days"] == np.inf


@given(
    st.sampled_from(sorted(FAMILIES)),
    st.booleans(),
    st.lists(st.one_of(st.just(np.nan), st.floats(0, 1e9)), min_size=len(FEATURES), max_size=len(FEATURES)),
)
def test_words_are_short_plain_and_never_causal(family, good, values):
    known = {
        name: 0.0 if np.isnan(value) and name not in NEVER else value
        for name, value in zip(FEATURES, values, strict=True)
    }
    if any(np.isnan(known[name]) for name in ("recency_days", *FAMILIES["rhythm"])):
        known |= dict.fromkeys(FAMILIES["rhythm"], np.nan)  # who has no gap has no rhythm at all
    text = tell(family, known, good, AVERAGE)
    if text is not None:
        assert text.isascii()
        assert len(text) <= 80
        assert not any(word in text for word in CAUSAL)


NOTHING = re.compile(r"nothing|no order|no click|no open|ordered once|answered 0|not mailed")


@cache
def shop():
    return Snapshots(journey().tables, micros("2017-12-01"))


@cache
def told(kind, candidate):
    """Everybody's reasons, for a shop of real customers."""
    past = shop()
    model = train(past.tables, Objective(kind, kind, 30), past.as_of, seed=7, candidates=(candidate,), snapshots=past)
    return model, predict(model, past.tables, past.as_of, known=past.matrix(past.as_of))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "candidate"),
    [
        ("repeat_purchase", "logistic"),
        ("churn", "btyd"),
        ("value", "logistic"),
        ("high_value", "boosting"),
    ],
)
def test_no_sentence_speaks_against_its_side(kind, candidate):
    _, found = told(kind, candidate)
    x, good = shop().matrix(shop().as_of).values, kind != "churn"
    silent = np.nan_to_num(x[:, FEATURES.index("recency_in_gaps")])
    counted = 0
    for row_, given_ in enumerate(found.reasons):
        for reason in given_:
            counted += 1
            fine = (reason.contribution > 0) == good
            assert not (fine and NOTHING.search(reason.text)), reason
            late = "since the last" in reason.text
            assert not (late and fine and silent[row_] > 1), reason
            assert not (late and not fine and silent[row_] < 1), reason
            assert not (fine and "usually every" in reason.text), reason
    picked = sum(int((each > -1).sum()) for each in found.reasons._picked.families)
    assert counted > 0.995 * picked, "families were left out because nothing that fits could be said of them"


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "candidate"), [("repeat_purchase", "logistic"), ("high_value", "boosting")])
def test_reasons_stay_when_numbers_move_by_one_percent(kind, candidate):
    model, before = told(kind, candidate)
    known = shop().matrix(shop().as_of)
    moved = known.values * np.random.default_rng(5).uniform(0.99, 1.01, known.values.shape)
    after = predict(model, shop().tables, shop().as_of, known=Matrix(known.person_ids, moved))
    pairs = [(one[0], two[0]) for one, two in zip(before.reasons, after.reasons, strict=True) if one and two]
    assert len(pairs) > 2000
    same = [one.family == two.family and (one.contribution > 0) == (two.contribution > 0) for one, two in pairs]
    worded = [re.sub(r"\d[\d.]*", "#", one.text) == re.sub(r"\d[\d.]*", "#", two.text) for one, two in pairs]
    assert np.mean(same) >= 0.95
    assert np.mean(worded) >= 0.9
