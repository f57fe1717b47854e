import numpy as np
import pytest

from scoring.objectives import Objective
from scoring.train import train
from scoring.value import fitted, spread


@pytest.mark.parametrize("buyers", [1.0, 0.7, 0.05])
def test_nine_in_ten_lie_within_the_range(buyers):
    rng = np.random.default_rng(8)
    expected = rng.gamma(2, 5000, 8000)
    actual = np.where(rng.random(8000) < buyers, expected * rng.gamma(1, 1, 8000) / buyers, 0.0)
    low, high = fitted(actual[:4000], expected[:4000]).around(expected[4000:])
    within = (actual[4000:] >= low) & (actual[4000:] <= high)
    assert 0.88 <= within.mean() <= (0.92 if buyers > 0.1 else 1.0)
    assert ((low <= expected[4000:]) & (high >= expected[4000:])).all()


def test_few_rows_have_no_range():
    assert fitted(np.ones(29), np.ones(29)) is None
    assert fitted(np.ones(30), np.ones(30)).around(np.array([1.0])) == (1.0, 1.0)


def test_only_money_has_a_range(tables, at, past):
    money = train(tables, Objective("v", "value", 30), at(300), seed=3, candidates=("rules",), snapshots=past)
    chance = train(
        tables, Objective("b", "repeat_purchase", 30), at(300), seed=3, candidates=("rules",), snapshots=past
    )
    assert spread(money) is not None
    assert spread(chance) is None
