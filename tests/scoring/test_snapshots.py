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
    inside, outside = later.members(BUYS, [cut]), later.outside(BUYS, [cut])
    assert outside.size > 0
    assert np.unique(inside).size == inside.size
    assert inside.size + outside.size == later.matrix(cut).person_ids.size


def test_rows_of_some_people_are_theirs_among_all(later):
    cuts = later.cuts(BUYS)[:2]
    everyone, members = later.rows(BUYS, cuts), later.members(BUYS, cuts)
    np.testing.assert_array_equal(everyone.person_ids, members)
    some = later.rows(BUYS, cuts, np.unique(members)[::3])
    own = everyone.where(np.isin(members, np.unique(members)[::3]))
    for name in ("person_ids", "cuts", "x", "y"):
        np.testing.assert_array_equal(getattr(some, name), getattr(own, name))


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
