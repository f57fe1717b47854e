"""Reasons must not contradict plain sense: doing worse never speaks for anybody."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.explain import shares
from scoring.features import DIRECTIONS, FAMILIES, FEATURES
from scoring.ladder.rules import rules
from scoring.objectives import Objective, high_threshold
from scoring.predict import predict
from scoring.snapshots import Snapshots
from scoring.train import rungs, train

SEED = 3
KINDS = ("repeat_purchase", "churn", "high_value", "value", "response")
LAPSED = 9001


def fitted(objective, past):
    """Every rung there is for an objective, fitted: two models and each rule of thumb."""
    rows = past.rows(objective, past.cuts(objective)[:4])
    if objective.kind == "high_value":
        rows = rows.reaching(high_threshold(rows.y))
    known = {**rungs(objective, SEED), **rules(objective.kind)}
    return {name: rung.fit(rows.x, rows.y) for name, rung in known.items()}


@pytest.fixture(scope="module")
def models(past):
    """(estimator, in words) of every rung of the four kinds that are learned, and people to try them on."""
    return [
        (f"{kind}: {name}", rung)
        for kind in KINDS
        if kind != "churn"
        for name, rung in fitted(Objective(kind, kind, 30), past).items()
    ], past.matrix(past.as_of).values


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(data=st.data(), family=st.sampled_from(sorted(FAMILIES)))
def test_whoever_does_worse_in_a_family_never_gains_by_it(models, data, family):
    known, people = models
    person = people[data.draw(st.integers(0, len(people) - 1), label="row")]
    columns = [FEATURES.index(name) for name in FAMILIES[family]]
    worse = person.copy()
    for column in columns:
        # Columns of direction 0 stay as they are; what never happened stays so too.
        by = data.draw(st.one_of(st.just(0.0), st.floats(1e-3, 3.0)), label=FEATURES[column])
        worse[column] = max(person[column] - DIRECTIONS[column] * by * (abs(person[column]) + 1), 0.0)
    worse[np.isnan(person)] = np.nan
    two, place = np.vstack([person, worse]), list(FAMILIES).index(family)
    for name, rung in known:
        before, after = shares(rung.contributions(two)[1])[:, place]
        assert after <= before + 1e-9, name
        assert rung.raw(two)[1] <= rung.raw(two)[0] + 1e-9, name


def test_never_is_never_better_than_the_best_known(models):
    known, people = models
    for column in (place for place, direction in enumerate(DIRECTIONS) if direction < 0):
        never, best = people.copy(), people.copy()
        never[:, column], best[:, column] = np.nan, 0.0
        for name, rung in known:
            assert (rung.raw(never) <= rung.raw(best) + 1e-9).all(), (name, FEATURES[column])


def test_what_speaks_for_is_always_known(past):
    values = past.matrix(past.as_of).values
    assert np.isfinite(values[:, np.array(DIRECTIONS) > 0]).all()


@pytest.fixture(scope="module")
def lapsed(shop, at):
    """A shop, and in it a regular of every 19 days who stopped 91 days before day 300."""
    facts = shop(people=400, seed=12)
    facts.person(LAPSED)
    for day in range(0, 210, 19):
        facts.add(LAPSED, "order", day, 4000)
    for day in range(10, 300, 30):
        facts.add(LAPSED, "send", day)
    facts.add(LAPSED, "response", 100)
    return Snapshots(facts.tables(), at(300))


@pytest.mark.parametrize("kind", KINDS)
def test_a_lapsed_regular_is_never_told_that_what_is_long_ago_speaks_for_them(kind, lapsed):
    objective = Objective(kind, kind, 30)
    model = train(lapsed.tables, objective, lapsed.as_of, seed=SEED, snapshots=lapsed, candidates=())
    learned = replace(objective, kind="repeat_purchase") if kind == "churn" else objective
    told = 0
    for name, rung in fitted(learned, lapsed).items():
        found = predict(replace(model, estimator=rung), lapsed.tables, lapsed.as_of, known=lapsed.matrix(lapsed.as_of))
        given_reasons = found.reasons[found.person_ids.tolist().index(LAPSED)]
        assert not {"rhythm", "frequency"} & {reason.family for reason in given_reasons}
        for reason in given_reasons:
            if reason.family == "recency":
                told += 1
                assert reason.text == "last order 91 days ago, usually every 19 days"
                assert (reason.contribution > 0) == (kind == "churn"), (name, reason)
    # Of money, what they do not spend any more is told instead; answers to campaigns are about something else.
    assert told or kind in ("value", "response")
