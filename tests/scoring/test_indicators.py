"""Marks of later top spenders: real ones are told, luck is not."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.features import FEATURES
from scoring.indicators import WORDS, indicators
from scoring.objectives import Objective
from scoring.snapshots import Snapshots
from scoring.train import train

HIGH = Objective("x", "high_value", 30)


@pytest.fixture(scope="module")
def model(tables, past, at):
    return train(tables, HIGH, at(300), seed=1, candidates=["rules"], snapshots=past)


def test_what_marks_later_top_spenders_is_told_with_its_size(model, past):
    found = indicators(model, past)
    assert found
    assert [each.gap.value for each in found] == sorted((each.gap.value for each in found), reverse=True)
    for each in found:
        assert each.feature in WORDS
        assert each.gap.low > 0
        assert each.share - each.others == pytest.approx(each.gap.value)
        assert each.people >= 30
        assert "{" not in each.text
        assert not {"because", "cause", "leads"} & set(each.text.split())


def test_luck_marks_nobody(model, past):
    rng = np.random.default_rng(3)

    class Shuffled(Snapshots):
        def rows(self, objective, cuts):
            rows = past.rows(objective, cuts)
            return replace(rows, y=rng.permutation(rows.y))

    hits = 0
    for _ in range(8):
        chance = Shuffled(past.tables, past.as_of)
        hits += len(indicators(model, chance))
    assert hits <= 2


def test_what_held_at_one_cut_off_only_marks_nobody(model, past):
    """As large a mark over all of it, and sure: but at one of three cut-offs it stood the other way round."""
    cuts = past.cuts(HIGH)[:3]
    found = past.rows(HIGH, cuts)
    marked = found.x[:, FEATURES.index("orders")] >= np.nanquantile(found.x[:, FEATURES.index("orders")], 0.75)
    turned = np.where(found.cuts == cuts[0], ~marked, marked)

    class Told(Snapshots):
        def __init__(self, side):
            super().__init__(past.tables, past.as_of)
            self.side = side

        def rows(self, objective, cuts):
            return replace(found, y=np.where(self.side, model.threshold + 1, 0.0))

    assert indicators(model, Told(marked))
    assert all(each.gap.low > 0 for each in indicators(model, Told(turned)))
    assert "orders" not in {each.feature for each in indicators(model, Told(turned))}


def test_only_top_spenders_have_indicators(model, past, shop):
    with pytest.raises(ValueError, match="top spenders"):
        indicators(replace(model, objective=Objective("x", "churn", 30)), past)
    few = shop(people=40, days=330, seed=2).tables()
    assert indicators(model, Snapshots(few, past.as_of)) == []


def test_the_words_are_about_features_there_are():
    assert set(WORDS) <= set(FEATURES)
