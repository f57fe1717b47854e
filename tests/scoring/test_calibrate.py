import numpy as np
import pytest
from scipy.special import expit

from scoring.calibrate import calibrate, levelled


@pytest.fixture
def drawn():
    """Raw scores twice too steep and one too high, and outcomes from the honest ones."""
    rng = np.random.default_rng(2)
    honest = rng.normal(-0.5, 1.2, 6000)
    return 2 * honest + 1, (rng.random(6000) < expit(honest)).astype(float)


def test_platt_recovers_the_honest_line(drawn):
    raw, y = drawn
    found = calibrate(raw, y, in_money=False)
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert found.intercept == pytest.approx(-0.5, abs=0.1)


def test_few_outcomes_move_the_level_only(drawn):
    raw, y = drawn[0][:80], drawn[1][:80]
    found = calibrate(raw, y, in_money=False)
    assert found.slope == 1
    assert expit(found(raw)).mean() == pytest.approx(y.mean())


def test_the_order_is_never_turned_round(drawn):
    raw, y = drawn
    assert calibrate(-raw, y, in_money=False).slope == 1


def test_money_keeps_the_total_within_a_factor_of_two():
    raw, y = np.log(np.array([100.0, 300.0])), np.array([500.0, 0.0])
    assert np.exp(calibrate(raw, y, in_money=True)(raw)).sum() == pytest.approx(500)
    assert np.exp(calibrate(raw, 100 * y, in_money=True)(raw)).sum() == pytest.approx(800)


def test_one_sided_outcomes_leave_the_score_alone():
    raw = np.array([0.1, 0.4])
    assert calibrate(raw, np.ones(2), in_money=False)(raw).tolist() == raw.tolist()


def test_levelled_matches_each_group(drawn):
    raw, y = drawn
    groups = np.arange(raw.size) % 3
    shifted = levelled(raw, y, groups, in_money=False)
    for group in range(3):
        assert expit(shifted[groups == group]).mean() == pytest.approx(y[groups == group].mean())
    money = levelled(raw, 100 * y, groups, in_money=True)
    assert np.exp(money[groups == 1]).sum() == pytest.approx(100 * y[groups == 1].sum())
