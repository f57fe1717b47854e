import numpy as np
import pytest

from scoring.objectives import Objective
from scoring.snapshots import Snapshots, folds
from scoring.tables import DAY


@pytest.fixture(scope="module")
def later(tables, at):
    return Snapshots(tables, at(330))


BUYS = Objective("x", "repeat_purchase", 30)


def test_every_cut_has_matured_and_has_a_past(later, at):
    cuts = later.cuts(BUYS)
    assert cuts[0] == at(300)
    assert all(cut + BUYS.horizon <= later.as_of for cut in cuts)
    assert min(cuts) >= later.first + 30 * DAY
    assert set(np.diff(cuts)) == {-30 * DAY}


def test_short_histories_are_cut_more_often(tables, at):
    assert set(np.diff(Snapshots(tables, at(200)).cuts(BUYS))) == {-14 * DAY}
    assert set(np.diff(Snapshots(tables, at(110)).cuts(BUYS))) == {-7 * DAY}
    assert Snapshots(tables, at(40)).cuts(BUYS) == []


def test_an_open_horizon_is_never_labelled(later, at):
    with pytest.raises(ValueError, match="not over"):
        later.rows(BUYS, [at(300) + 1])
    with pytest.raises(ValueError, match="after as_of"):
        later.matrix(at(331))


def test_what_comes_after_as_of_is_gone(later, at):
    latest = later.tables.activities.collect("pyarrow")["at"].to_numpy().max()
    assert latest < at(330)


def test_population_and_the_rest_are_everyone_once(later):
    cut = later.cuts(BUYS)[-1]
    rows, outside = later.rows(BUYS, [cut]), later.outside(BUYS, [cut])
    np.testing.assert_array_equal(rows.y, later.inside(BUYS, [cut]))
    assert outside.size > 0
    assert np.unique(rows.person_ids).size == rows.y.size
    assert rows.y.size + outside.size == later.matrix(cut).person_ids.size


def test_a_share_of_the_rows_are_some_of_all_the_same_each_time(later):
    cuts = later.cuts(BUYS)[:2]
    everyone, some = later.rows(BUYS, cuts), later.rows(BUYS, cuts, share=0.3, seed=1)
    assert 0.2 < some.y.size / everyone.y.size < 0.4
    among = {
        (cut, person): row for row, (cut, person) in enumerate(zip(everyone.cuts, everyone.person_ids, strict=True))
    }
    own = [among[key] for key in zip(some.cuts, some.person_ids, strict=True)]
    np.testing.assert_array_equal(some.x, everyone.x[own])
    np.testing.assert_array_equal(some.y, everyone.y[own])
    np.testing.assert_array_equal(some.x, later.rows(BUYS, cuts, share=0.3, seed=1).x)
    assert not np.array_equal(some.person_ids, later.rows(BUYS, cuts, share=0.3, seed=2).person_ids)
    both = np.intersect1d(some.at(cuts[:1]).person_ids, some.at(cuts[1:]).person_ids)
    assert 0 < both.size < some.at(cuts[:1]).y.size, "rows are drawn, not people"


def test_a_person_is_in_one_fold_only():
    ids = np.repeat(np.arange(50), 4)
    fold = folds(ids, 5, seed=3)
    assert all(np.unique(fold[ids == person]).size == 1 for person in range(50))
    assert set(np.bincount(fold[::4])) == {10}
    np.testing.assert_array_equal(fold, folds(ids, 5, seed=3))


def test_outcomes_counts_people_of_the_rarer_side(later):
    inside = later.rows(BUYS, later.cuts(BUYS)[:2])
    did = {int(person) for person, y in zip(inside.person_ids, inside.y, strict=True) if y}
    did_not = {int(person) for person, y in zip(inside.person_ids, inside.y, strict=True) if not y}
    assert inside.outcomes() == min(len(did), len(did_not))


COMPANY = (
    BUYS,
    Objective("first order", "conversion", 30, event="order"),
    Objective("any order", "conversion", 30, event="order", again=True),
    Objective("quiet", "churn", 30),
    Objective("leaves", "churn", 30, event="order"),
    Objective("answers", "response", 30),
    Objective("first answer", "conversion", 30, event="response"),
    Objective("money", "value", 30),
)


@pytest.mark.parametrize("objective", COMPANY, ids=lambda each: each.name)
def test_what_is_learned_from_does_not_depend_on_what_else_is_asked(tables, at, objective):
    alone, together = Snapshots(tables, at(330)), Snapshots(tables, at(330))
    cuts = alone.cuts(objective)[:2]
    for other in COMPANY:
        if other != objective:
            together.rows(other, cuts)
    own, shared = alone.rows(objective, cuts), together.rows(objective, cuts)
    assert own.person_ids.tolist() == shared.person_ids.tolist()
    assert own.y.tolist() == shared.y.tolist()
    assert alone.outside(objective, cuts).tolist() == together.outside(objective, cuts).tolist()
