"""Which rung is chosen, by what was measured alone."""

import pytest

from scoring.choose import NOBODY, choose
from scoring.evaluate import Evaluation, Interval

RUNGS = ["rules", "btyd", "logistic", "boosting"]


def judged(auc=0.7, outcomes=500, ratio=None):
    """A rung that ranks surely better than chance, unless `auc` is 0.5; with a `ratio` it predicts money."""
    near = Interval(auc, auc - 0.02, auc + 0.02)
    if ratio is None:
        return Evaluation(2000, outcomes, outcomes / 2000, {"auc": near, "log_loss": Interval(0.5, 0.4, 0.6)}, (), ())
    total = Interval(ratio, ratio - 0.05, ratio + 0.05)
    return Evaluation(2000, outcomes, 1500.0, {"gini": near, "total_ratio": total}, (), ())


def by(skill, noise=0.01):
    """The gain of one over the other where each has `skill`, and differences of more than `noise` are sure."""

    def gain(better, worse):
        found = skill[better] - skill[worse]
        return Interval(found, found - noise, found + noise)

    return gain


def skills(rules, btyd, logistic, boosting):
    return {NOBODY: 0.0, "rules": rules, "btyd": btyd, "logistic": logistic, "boosting": boosting}


def chosen(skill, *, noise=0.01, **more):
    return choose(RUNGS, dict.fromkeys(RUNGS, judged(**more)), by(skill, noise)).rung


@pytest.mark.parametrize(
    ("skill", "rung"),
    [
        (skills(0.1, 0.1, 0.1, 0.2), "boosting"),
        (skills(0.1, 0.1, 0.195, 0.2), "logistic"),
        (skills(0.1, 0.192, 0.195, 0.2), "btyd"),
        (skills(0.195, 0.192, 0.195, 0.2), "rules"),
    ],
)
def test_the_simplest_that_is_not_surely_worse_than_the_best_is_chosen(skill, rung):
    assert chosen(skill) == rung


def test_nobody_is_chosen_who_is_not_surely_better_than_the_same_for_everyone():
    found = choose(RUNGS, dict.fromkeys(RUNGS, judged(auc=0.51)), by(skills(0.1, 0.1, 0.1, 0.1)))
    assert not found.rung
    assert "an AUC of 0.51 (likely 0.49 to 0.53)" in found.why
    assert chosen(skills(-0.1, -0.1, 0.005, 0.005)) == "", "ranking alone is no skill where the loss may be chance"
    assert chosen(skills(-0.1, 0.005, -0.1, -0.1)) == "btyd", "for few parameters the better loss is enough"


def test_with_few_outcomes_only_the_simple_ones_compete():
    assert chosen(skills(0.1, 0.1, 0.2, 0.2), outcomes=40) == "btyd"
    assert chosen(skills(0.1, 0.08, 0.2, 0.2), outcomes=40) == "rules", "surely worse than the rule"
    assert chosen(skills(-0.1, -0.1, 0.2, 0.2), outcomes=40) == "logistic", "the rule has no skill at all"


def test_money_is_chosen_among_those_whose_total_may_be_right():
    skill = by(skills(0.1, 0.2, 0.2, 0.3))
    found = {name: judged(ratio=1.5 if name == "boosting" else 1.0) for name in RUNGS}
    assert choose(RUNGS, found, skill).rung == "btyd"
    assert choose(RUNGS, {**found, "boosting": judged(ratio=1.1)}, skill).rung == "boosting"
