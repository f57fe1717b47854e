import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as reference

from scoring.evaluate import difference, evaluate, losses, wilson


@pytest.fixture(scope="module")
def scored():
    rng = np.random.default_rng(4)
    p = np.round(rng.beta(2, 5, 3000), 2)
    return (rng.random(3000) < p).astype(float), np.clip(p, 0.01, 0.99), np.arange(3000)


def test_metrics_agree_with_scikit_learn(scored):
    y, p, ids = scored
    found = {name: interval.value for name, interval in evaluate(y, p, ids, seed=1).metrics.items()}
    assert found["auc"] == pytest.approx(reference.roc_auc_score(y, p))
    assert found["brier"] == pytest.approx(reference.brier_score_loss(y, p))
    assert found["log_loss"] == pytest.approx(reference.log_loss(y, p))


def test_flagging_metrics_agree_with_scikit_learn():
    rng = np.random.default_rng(4)
    p = rng.permutation(1000) / 1000
    y = (rng.random(1000) < p).astype(float)
    flagged = p >= 0.8
    found = {name: interval.value for name, interval in evaluate(y, p, np.arange(1000), seed=1).metrics.items()}
    assert found["precision"] == pytest.approx(reference.precision_score(y, flagged))
    assert found["recall"] == pytest.approx(reference.recall_score(y, flagged))
    assert found["f1"] == pytest.approx(reference.f1_score(y, flagged))
    assert found["lift_20"] == pytest.approx(y[flagged].mean() / y.mean())
    assert found["lift_10"] == pytest.approx(y[p >= 0.9].mean() / y.mean())
    assert found["capture_20"] == pytest.approx(y[flagged].sum() / y.sum())


def test_calibrated_scores_have_a_small_ece_and_false_ones_do_not(scored):
    y, p, ids = scored
    found = evaluate(y, p, ids, seed=1).metrics
    assert found["ece"].value < 0.03
    assert found["slope"].low < 1 < found["slope"].high
    assert evaluate(y, p / 2, ids, seed=1).metrics["ece"].value == pytest.approx(p.mean() / 2, abs=0.03)


def test_every_interval_holds_its_value_and_narrows_with_people(scored):
    y, p, ids = scored
    wide = evaluate(y[:300], p[:300], ids[:300], seed=1).metrics
    narrow = evaluate(y, p, ids, seed=1).metrics
    for name, interval in narrow.items():
        assert interval.low <= interval.value <= interval.high
        assert interval.high - interval.low < wide[name].high - wide[name].low


def test_rows_of_one_person_are_drawn_together(scored):
    y, p, _ = scored
    alone = evaluate(y[:600], p[:600], np.arange(600), seed=1).metrics["brier"]
    tripled = [np.tile(values[:600], 3) for values in (y, p, np.arange(600))]
    together = evaluate(*tripled, seed=1).metrics["brier"]
    assert together.high - together.low == pytest.approx(alone.high - alone.low)


def test_ties_do_not_depend_on_the_order_of_rows():
    y = np.r_[np.ones(100), np.zeros(400)]
    found = evaluate(y, np.full(500, 0.2), np.arange(500), seed=1).metrics
    assert found["auc"].value == 0.5
    assert 0.5 < found["lift_20"].value < 1.6


def test_gains_and_reliability_cover_everyone(scored):
    y, p, ids = scored
    found = evaluate(y, p, ids, seed=1)
    assert found.gains[0] == (0.0, 0.0)
    assert found.gains[-1] == pytest.approx((1.0, 1.0))
    assert sum(row.n for row in found.reliability) == 3000
    assert [row.predicted for row in found.reliability] == sorted(row.predicted for row in found.reliability)
    assert all(row.low <= row.observed <= row.high for row in found.reliability)


def test_money_metrics():
    rng = np.random.default_rng(6)
    y = np.where(rng.random(2000) < 0.4, rng.gamma(1, 5000, 2000), 0.0)
    perfect = evaluate(y, y, np.arange(2000), seed=1, in_money=True).metrics
    assert perfect["gini"].value == pytest.approx(1)
    assert perfect["total_ratio"].value == pytest.approx(1)
    assert perfect["mae"].value == 0
    blind = evaluate(y, rng.random(2000), np.arange(2000), seed=1, in_money=True).metrics
    assert blind["gini"].low < 0 < blind["gini"].high
    assert perfect["capture_20"].value > 0.7 > 0.3 > blind["capture_20"].value


def test_what_cannot_be_told_is_nan_and_nothing_is_an_error():
    found = evaluate(np.ones(20), np.full(20, 0.7), np.arange(20), seed=1)
    assert np.isnan(found.metrics["auc"].value)
    with pytest.raises(ValueError, match="nothing to evaluate"):
        evaluate(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), seed=1)


def test_losses_agree_with_scikit_learn(scored):
    y, p, _ = scored
    assert losses(y, p, in_money=False).mean() == pytest.approx(reference.log_loss(y, p))
    money, expected = y * 1000 + 3, p * 1000
    deviance = reference.mean_poisson_deviance(money, expected)
    assert losses(money, expected, in_money=True).mean() == pytest.approx(deviance)


def test_difference_is_paired(scored):
    y, p, ids = scored
    same = difference(losses(y, p, in_money=False), losses(y, p, in_money=False), ids, 1)
    assert (same.low, same.value, same.high) == (0, 0, 0)
    assert difference(losses(y, p / 3, in_money=False), losses(y, p, in_money=False), ids, 1).low > 0


@pytest.mark.parametrize(("k", "n"), [(0, 7), (7, 7), (7, 19), (300, 1000)])
def test_wilson_agrees_with_scipy(k, n):
    expected = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-4)
