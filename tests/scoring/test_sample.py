import numpy as np
import pytest

from scoring import lesson as lessons
from scoring import sample as sampling
from scoring.objectives import Objective
from scoring.sample import sample
from scoring.snapshots import Snapshots, matrix
from scoring.train import train

BUYS = Objective("x", "repeat_purchase", 30)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(sampling, "MOST_PEOPLE", 200)


def test_a_small_shop_is_learned_from_as_a_whole(tables, at):
    everyone, chosen = matrix(tables, at(300)), matrix(sample(tables), at(300))
    np.testing.assert_array_equal(chosen.person_ids, everyone.person_ids)
    np.testing.assert_array_equal(chosen.values, everyone.values)


@pytest.mark.usefixtures("few")
def test_of_a_large_shop_about_as_many_as_are_wanted_from_all_over_it(tables, at):
    everyone, chosen = matrix(tables, at(300)), matrix(sample(tables), at(300))
    assert 170 <= chosen.person_ids.size <= 230
    per_sixth = np.histogram(chosen.person_ids, bins=6, range=(0, 600))[0]
    assert per_sixth.min() >= 20, "neighbours stand or fall together"
    own = np.isin(everyone.person_ids, chosen.person_ids)
    np.testing.assert_array_equal(chosen.values, everyone.values[own])


@pytest.mark.usefixtures("few")
def test_what_is_learned_from_is_a_sample_and_what_is_scored_is_everyone(tables, at):
    past = Snapshots(tables, at(300))
    newest = past.cuts(BUYS)[:1]
    assert past.inside(BUYS, newest).size + past.outside(BUYS, newest).size < 230
    assert past.matrix(at(300)).person_ids.size == 600


def test_the_model_says_when_it_learned_from_some_of_the_people(tables, at, monkeypatch):
    def notes() -> str:
        return " ".join(train(tables, BUYS, at(300), seed=1, candidates=("rules",)).notes)

    assert "drawn by chance" not in notes()
    monkeypatch.setattr(sampling, "MOST_PEOPLE", 300)
    assert "people, drawn by chance" in notes()
    monkeypatch.setattr(sampling, "MOST_PEOPLE", 10_000)
    monkeypatch.setattr(lessons, "MOST_ROWS", 500)
    assert "people, drawn by chance" in notes()


def test_where_outcomes_are_rare_more_rows_are_learned_from(monkeypatch):
    often, seldom = np.arange(10_000) % 4 == 0, np.arange(10_000) % 1_000 == 0
    monkeypatch.setattr(lessons, "ENOUGH_OUTCOMES", 5)
    monkeypatch.setattr(lessons, "MOST_OF_RARE", 6)
    assert lessons._share(often, 1_000) == lessons._share(~often, 1_000) == pytest.approx(0.1)
    assert lessons._share(seldom, 1_000) == lessons._share(~seldom, 1_000) == pytest.approx(0.5)
    assert lessons._share(np.arange(10_000) == 0, 1_000) == pytest.approx(0.6)
    assert lessons._share(often[:500], 1_000) == lessons._share(often[:0], 1_000) == 1
