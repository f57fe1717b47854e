"""How the past is split into what is learned from and what it is judged on."""

import numpy as np
import pytest

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
    assert np.unique(split.training.person_ids).size > 0
