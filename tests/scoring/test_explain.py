from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.explain import describe, reasons, shares
from scoring.features import FAMILIES, FEATURES
from scoring.objectives import Objective
from scoring.predict import predict
from scoring.snapshots import matrix
from scoring.train import train

CAUSAL = ("because", "due to", "caused", "leads to", "therefore")


def row(**known):
    return {**dict.fromkeys(FEATURES, 0.0), **dict.fromkeys((*FAMILIES["recency"], *FAMILIES["rhythm"]), np.nan)} | {
        "days_since_click": np.nan,
        "days_since_response": np.nan,
        "first_order_days": np.nan,
        **known,
    }


@pytest.mark.parametrize(
    ("family", "known", "text"),
    [
        ("recency", {"recency_days": 41.2, "gap_mean": 9.4}, "last order 41 days ago, usual gap 9 days"),
        ("recency", {"recency_days": 0.4}, "last order today"),
        ("recency", {}, "no order yet"),
        ("rhythm", {"recency_days": 91.0, "gap_mean": 19.0}, "4.8 usual gaps of 19 days since the last order"),
        ("rhythm", {"recency_days": 9.0}, "no rhythm yet: ordered once"),
        ("rhythm", {}, "no order yet"),
        ("frequency", {"orders_90d": 4.0, "orders": 4.0}, "4 orders in the last 90 days"),
        ("frequency", {"orders": 1.0}, "no orders in the last 90 days, 1 in all"),
        ("spend", {"spend_90d": 31240.0}, "spent 312.40 in the last 90 days"),
        ("spend", {"spend_sum": 999.0}, "spent nothing in the last 90 days, 9.99 before"),
        ("campaigns", {}, "not mailed yet"),
        (
            "campaigns",
            {"sends": 14.0, "responses": 2.0, "days_since_response": 5.0},
            "answered 2 of 14 mailings, the last 5 days ago",
        ),
        ("campaigns", {"sends": 6.0, "responses": 7.0}, "7 answers to 6 mailings"),
        ("tenure", {"tenure_days": 1.0}, "known for 1 day"),
        ("tenure", {"tenure_days": 90.0, "first_order_days": 42.0}, "known for 90 days, first order 42 days ago"),
    ],
)
def test_words_carry_the_persons_own_numbers(family, known, text):
    assert describe(family, row(**known)) == text


@given(
    st.sampled_from(sorted(FAMILIES)),
    st.lists(st.one_of(st.just(np.nan), st.floats(0, 1e9)), min_size=len(FEATURES), max_size=len(FEATURES)),
)
def test_words_are_short_plain_and_never_causal(family, values):
    known = dict(zip(FEATURES, values, strict=True))
    counts = {
        name: 0.0 if np.isnan(value) else value
        for name, value in known.items()
        if name not in (*FAMILIES["recency"], *FAMILIES["rhythm"])
    }
    ages = {name: known[name] for name in ("days_since_click", "days_since_response", "first_order_days")}
    text = describe(family, known | counts | ages)
    assert text.isascii()
    assert len(text) <= 80
    assert not any(word in text for word in CAUSAL)


def test_at_most_three_for_and_two_against_strongest_first():
    parts = np.zeros((2, len(FEATURES)))
    for family, share in zip(FAMILIES, (0.3, 0.01, 0.9, 0.1, 0.6, -0.2), strict=True):
        parts[0, FEATURES.index(FAMILIES[family][0])] = share
    parts[1] = -parts[0]
    x = np.array([list(row().values())] * 2)
    one, two = reasons(parts, x)
    assert [reason.family for reason in one] == ["frequency", "campaigns", "recency", "tenure"]
    assert [reason.family for reason in two] == ["tenure", "frequency", "campaigns"]


def test_families_share_out_everything():
    parts = np.random.default_rng(1).normal(size=(20, len(FEATURES)))
    np.testing.assert_allclose(shares(parts).sum(axis=1), parts.sum(axis=1))


@pytest.mark.parametrize("candidate", ["logistic", "boosting"])
def test_contributions_add_up_to_the_published_chance(candidate, tables, past, at):
    objective = Objective("x", "churn", 30)
    model = train(tables, objective, at(300), seed=3, candidates=(candidate,), snapshots=past)
    known = matrix(tables, at(300)).values[:200]
    base, parts = model.estimator.contributions(known)
    chance = model.score(known)
    log_odds = np.log(chance / (1 - chance))
    constant = model.slope * base - model.calibration.intercept
    np.testing.assert_allclose(constant + model.slope * shares(parts).sum(axis=1), log_odds, atol=1e-9)


def test_what_is_true_of_everyone_is_nobodys_reason(tables, past, at):
    model = train(tables, Objective("x", "repeat_purchase", 30), at(300), seed=3, snapshots=past)
    found = predict(model, tables, at(300), known=past.matrix(at(300)))
    given_to = Counter((reason.family, reason.contribution > 0) for given in found.reasons for reason in given)
    assert given_to
    assert max(given_to.values()) < 0.9 * (~found.prior_only).sum()
