from collections import Counter

import numpy as np
import pytest

from scoring.explain import pick, shares
from scoring.features import FAMILIES, FEATURES
from scoring.objectives import Objective
from scoring.predict import predict
from scoring.snapshots import matrix
from scoring.train import train


def test_at_most_three_for_and_two_against_strongest_first():
    parts = np.zeros((2, len(FEATURES)))
    for family, share in zip(FAMILIES, (0.3, 0.01, 0.9, 0.1, 0.6, -0.2), strict=True):
        parts[0, FEATURES.index(FAMILIES[family][0])] = share
    parts[1] = -parts[0]
    one, two = pick(parts, np.full((2, len(FEATURES)), 1.0)).families
    assert [list(FAMILIES)[place] for place in one if place >= 0] == ["frequency", "campaigns", "recency", "tenure"]
    assert [list(FAMILIES)[place] for place in two if place >= 0] == ["tenure", "frequency", "campaigns"]


def test_how_often_somebody_bought_is_no_reason_when_they_have_long_stopped():
    parts, x = np.zeros((2, len(FEATURES))), np.zeros((2, len(FEATURES)))
    for family in ("recency", "rhythm", "frequency"):
        parts[:, FEATURES.index(FAMILIES[family][0])] = 0.5
    x[:, FEATURES.index("recency_in_gaps")] = (2.9, 3.1)
    families = list(FAMILIES)
    here, gone = ({families[place] for place in row if place >= 0} for row in pick(parts, x).families)
    assert here == {"recency", "rhythm", "frequency"}
    assert gone == {"recency"}


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


def test_shares_are_told_against_the_average_person_of_the_day(tables, past, at):
    model = train(tables, Objective("x", "churn", 30), at(300), seed=3, candidates=("logistic",), snapshots=past)
    known = past.matrix(at(300))
    found = predict(model, tables, at(300), known=known)
    asked = np.flatnonzero(~found.prior_only)
    _, parts = model.estimator.contributions(known.values[asked])
    wanted = dict(zip(asked.tolist(), shares(model.slope * (parts - parts.mean(axis=0))), strict=True))
    told = [(row, each) for row in wanted for each in found.reasons[row]]
    assert told
    families = list(FAMILIES)
    for row, each in told:
        assert each.contribution == pytest.approx(wanted[row][families.index(each.family)])
