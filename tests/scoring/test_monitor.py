"""Findings: what is told, in which cases, and what is left alone."""

import numpy as np
import pytest

from scoring.ledger import calibration_line, realised
from scoring.monitor import (
    ORDER,
    Scores,
    Weeks,
    calibration_finding,
    data_findings,
    drift_hint,
    ranking_finding,
    stability,
)


def month(shift=0.0, stretch=1.0, rule_noise=None, noise=0.0, seed=1, n=4000):
    """Outcomes that follow log-odds, predicted with a shift, a stretch and noise."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 1.2, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-true))).astype(float)

    def said(logodds):
        return 1 / (1 + np.exp(-logodds))

    p = said(stretch * (true + noise * rng.normal(size=n)) + shift)
    rule = None if rule_noise is None else said(true + rule_noise * rng.normal(size=n))
    return realised(p, y, np.arange(n), seed=seed, rule_p=rule)


def test_the_line_finds_shift_and_stretch():
    rng = np.random.default_rng(5)
    true = rng.normal(0, 1.5, 20_000)
    y = (rng.random(true.size) < 1 / (1 + np.exp(-true))).astype(float)
    found = calibration_line(1 / (1 + np.exp(-(2 * true + 0.0))), y, np.arange(y.size))
    assert found.slope.value == pytest.approx(0.5, abs=0.03)
    assert found.slope.low < 0.5 < found.slope.high
    shifted = calibration_line(1 / (1 + np.exp(-(true + 0.4))), y, np.arange(y.size))
    assert shifted.level.value == pytest.approx(-0.4, abs=0.05)
    assert shifted.level.low < shifted.level.value < shifted.level.high < 0


def test_the_interval_of_the_line_holds_what_it_promises():
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        true = rng.normal(0, 1, 400)
        y = (rng.random(400) < 1 / (1 + np.exp(-true))).astype(float)
        line = calibration_line(1 / (1 + np.exp(-true)), y, np.arange(y.size))
        held += line.level.low <= 0 <= line.level.high and line.slope.low <= 1 <= line.slope.high
    assert held >= 84


def test_the_same_people_again_make_the_line_no_surer():
    rng = np.random.default_rng(1)
    true = rng.normal(0, 1, 400)
    p, y = 1 / (1 + np.exp(-true)), (rng.random(400) < 1 / (1 + np.exp(-true))).astype(float)
    once = calibration_line(p, y, np.arange(400))
    thrice = calibration_line(np.tile(p, 3), np.tile(y, 3), np.tile(np.arange(400), 3))
    for one, other in ((once.level, thrice.level), (once.slope, thrice.slope)):
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), abs=1e-6)


def test_no_interval_where_nobody_was_told_wrong():
    p, y = np.linspace(0.1, 0.9, 40), (np.arange(40) >= 20).astype(float)
    line = calibration_line(p, y, np.arange(40))
    assert line.level.low < 0 < line.level.high
    assert np.isnan([line.slope.low, line.slope.high]).all()


def test_no_line_where_everybody_did_it():
    assert realised(np.array([0.4, 0.6]), np.ones(2), np.arange(2), seed=1).line is None


def test_one_bad_month_is_no_alarm_and_two_are():
    good, bad = month(), month(shift=0.8, seed=2)
    assert calibration_finding("Buys again", [good, good]) is None
    assert calibration_finding("Buys again", [bad]) is None
    assert calibration_finding("Buys again", [bad, good]) is None
    found = calibration_finding("Buys again", [good, bad, month(shift=0.8, seed=3)])
    assert found.kind == "calibration"
    assert "happened" in found.text
    assert "Next: " in found.text
    assert calibration_finding("x", [month(stretch=2.5), month(stretch=2.5, seed=4)]).kind == "calibration"


def test_what_is_surely_off_but_hardly_is_left_alone():
    slightly = [month(shift=0.06, seed=seed, n=40_000) for seed in (1, 2)]
    assert all(not (each.line.level.low <= 0 <= each.line.level.high) for each in slightly)
    assert calibration_finding("x", slightly) is None


def test_too_few_outcomes_are_not_judged():
    assert calibration_finding("x", [month(shift=2, n=80), month(shift=2, n=80, seed=2)]) is None
    assert ranking_finding("x", [month(noise=9, rule_noise=0.1, n=60)]) is None


def test_a_model_worse_than_the_rule_of_thumb_is_told():
    worse = month(noise=3, rule_noise=0.1)
    assert worse.gain.high < 0
    assert ranking_finding("x", [worse]).kind == "ranking"
    assert ranking_finding("x", [month(noise=0.2, rule_noise=2)]) is None
    slightly = [month(noise=0.8, rule_noise=0.72, seed=seed, n=1500) for seed in (1, 2)]
    assert ranking_finding("x", slightly[:1]) is None
    assert ranking_finding("x", slightly).kind == "ranking"
    assert ranking_finding("x", [month(), month()]) is None


def test_weeks_far_from_the_usual_are_told_and_bursts_are_not():
    usual = (100, 104, 98, 101, 99, 103, 97, 100, 102, 100, 99, 101)
    none = (0,) * 13

    def told(last, kind="order", machine=none, no_amount=none, before=usual):
        return list(data_findings([Weeks(kind, (*before, last), machine, no_amount)]))

    assert told(110) == []
    (gone,) = told(3)
    assert (gone.kind, gone.about) == ("data", "order")
    assert "3 in the last 7 days, 100 a week before" in gone.numbers
    assert "stopped" in gone.cause
    assert "import" in told(900)[0].cause
    assert told(0, before=(0,) * 12) == []
    assert told(0, before=(0, 0, 300, 0, 0, 0, 280, 0, 0, 0, 310, 0)) == []
    robots = told(100, kind="open", machine=(*(0,) * 12, 80))
    assert "80% by machines in the last 7 days, 0% before" in robots[0].numbers
    assert "without an amount" in told(100, no_amount=(*(0,) * 12, 90))[0].numbers
    assert list(data_findings([Weeks("order", (5, 900), (0, 0), (0, 0))])) == []


def test_drift_is_a_hint_only():
    rng = np.random.default_rng(3)
    then, later = rng.beta(2, 2, 3000), rng.beta(2, 2, 3000)
    assert stability(then, later) < 0.05
    ages = rng.uniform(0, 900, 3000)
    assert drift_hint("x", Scores(then, ages), Scores(later, ages)) is None
    assert drift_hint("x", Scores(then, ages), Scores(rng.beta(6, 2, 3000), ages)).hint
    assert drift_hint("x", Scores(then[:10], ages[:10]), Scores(later, ages)) is None
    assert stability(np.full(100, 0.5), np.full(100, 0.5)) == 0


def test_that_everybody_grows_older_is_no_drift():
    """Scores fall with age, and the same people are 200 days older now."""
    rng = np.random.default_rng(4)
    ages = rng.uniform(0, 500, 4000)

    def scores(old):
        return Scores(np.clip(0.9 - old / 1000 + rng.normal(0, 0.05, old.size), 0, 1), old)

    then, now = scores(ages), scores(ages + 200)
    assert stability(then.values, now.values) > 0.5
    assert drift_hint("x", then, now) is None
    worse = Scores(np.clip(now.values - 0.3, 0, 1), now.ages)
    assert "among people known for as long" in drift_hint("x", then, worse).numbers
    assert drift_hint("x", then, Scores(now.values, now.ages + 5000)) is None, "nobody was as old then"
    small = [drift_hint("x", scores(rng.uniform(0, 89, 60)), scores(rng.uniform(0, 89, 60))) for _ in range(40)]
    assert sum(each is not None for each in small) <= 6, "small groups differ by chance"
    unknown = np.full(4000, np.nan)
    assert drift_hint("x", Scores(then.values, unknown), Scores(worse.values, unknown)) is not None


def test_the_order_is_that_of_what_to_believe_first():
    assert ORDER == ("data", "calibration", "ranking", "drift")
