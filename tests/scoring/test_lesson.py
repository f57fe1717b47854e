"""How the past is split into what is learned from and what it is judged on."""

import numpy as np
import pytest

from scoring import lesson as splitting
from scoring.lesson import lesson
from scoring.objectives import Objective


@pytest.mark.parametrize(
    "objective",
    [
        Objective("x", "repeat_purchase", 30),
        Objective("x", "value", 45),
        Objective("x", "repeat_purchase", 60, rhythm_days=20.0),
    ],
)
def test_all_that_is_learned_from_had_ended_before_the_first_test(past, objective):
    split = lesson(past, objective, seed=1)
    assert split.training.cuts.max() + objective.horizon <= split.test.cuts.min()
    assert split.rows.cuts.max() + objective.horizon <= past.as_of
    assert set(np.unique(split.test.cuts)) == set(past.cuts(objective)[: np.unique(split.test.cuts).size]), "the newest"


def test_of_many_rows_some_are_learned_from_and_all_are_judged_on(past, monkeypatch):
    objective = Objective("x", "repeat_purchase", 30)
    whole = lesson(past, objective, seed=1)
    monkeypatch.setattr(splitting, "MOST_ROWS", 500)
    monkeypatch.setattr(splitting, "ENOUGH_OUTCOMES", 1)
    few = lesson(past, objective, seed=1)
    assert few.drawn
    assert not whole.drawn
    assert 400 < few.rows.y.size < 600 < whole.rows.y.size
    assert few.training.y.size < whole.training.y.size
    np.testing.assert_array_equal(few.test.x, whole.test.x)
    np.testing.assert_array_equal(few.test.y, whole.test.y)
