"""Columns that know too much are kept out, and honest ones are not."""

import numpy as np
import pytest

from scoring.extras import Extras, History, Static
from scoring.leaks import leaks
from scoring.lesson import lesson
from scoring.objectives import Objective, labels
from scoring.snapshots import Snapshots
from scoring.train import train

BUYS = Objective("buys again", "repeat_purchase", 30)
PEOPLE = 600


def none():
    empty = np.empty(0, dtype=object)
    return History(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), empty, empty)


def found(tables, as_of, columns, history=None):
    extras = Extras.of(tables, Static(columns), history or none(), as_of, immutable=columns)
    past = Snapshots(tables, as_of, extras)
    split = lesson(past, BUYS, 1)
    return set(leaks(past, split.training, split.test).values())


@pytest.fixture(scope="module")
def truth(tables, at):
    """Who bought in the newest window that has ended."""
    known = labels(tables, BUYS, at(270))
    y = np.zeros(PEOPLE)
    y[known.person_ids] = known.y
    return y


def objects(values):
    return np.array(values.tolist(), dtype=object)


def test_honest_columns_pass(tables, at):
    rng = np.random.default_rng(2)
    columns = {
        "age": objects(rng.integers(18, 80, PEOPLE)),
        "country": rng.choice(["DE", "FR", "NL"], PEOPLE).astype(object),
    }
    assert found(tables, at(300), columns) == set()


def test_totals_of_today_are_kept_out(shop, at):
    facts = shop()
    orders = np.bincount(
        [who for who, kind, when, _, _ in facts.activities if kind == "order" and when < at(300)], minlength=PEOPLE
    )
    newest = np.zeros(PEOPLE)
    for who, kind, when, _, _ in facts.activities:
        if kind == "order" and when < at(300):
            newest[who] = max(newest[who], when)
    why = found(facts.tables(), at(300), {"lifetime": objects(orders), "newest": objects(newest)})
    assert {each.partition(" ")[0] for each in why} == {"lifetime", "newest"}
    assert any('lifetime is kept out: it follows the number of "order" up to today' in each for each in why)


def test_the_outcome_itself_is_kept_out(tables, at, truth):
    noisy = np.where(np.random.default_rng(1).random(PEOPLE) < 0.01, 1 - truth, truth) + np.linspace(0, 1e-3, PEOPLE)
    (why,) = found(tables, at(300), {"bought": objects(noisy)})
    assert "bought is kept out" in why


def test_being_known_at_all_may_tell(tables, at, truth):
    """What was answered tells nothing, and hardly anybody answered who did not buy."""
    rng = np.random.default_rng(1)
    known = np.where(rng.random(PEOPLE) < 0.07, 1 - truth, truth)
    values = np.where(known > 0, rng.integers(0, 50, PEOPLE), np.nan)
    (why,) = found(tables, at(300), {"survey": objects(values)})
    assert "whether it is known at all tells the outcome" in why


def test_what_knows_how_the_old_windows_went_is_kept_out(shop, at):
    """The orders of the first months, noted today: no total of today, and no use for the newest windows."""
    facts = shop(people=PEOPLE, days=330, seed=1)
    tables, early = facts.tables(), np.zeros(PEOPLE)
    for cut in (60, 90, 120, 150):
        known = labels(tables, BUYS, at(cut))
        early[known.person_ids] += known.y
    (why,) = found(tables, at(330), {"bucket": objects(early + np.random.default_rng(1).normal(0, 0.01, PEOPLE))})
    assert "in the windows learned from" in why


def test_an_activity_that_told_more_once_is_kept(shop, at):
    """It is counted up to each cut-off, so it knows nothing of later: times have changed."""
    facts = shop(people=PEOPLE, days=330, seed=1)
    for cut in (60, 90, 120, 150, 180):
        known = labels(facts.tables(), BUYS, at(cut))
        for person in known.person_ids[known.inside & (known.y > 0)].tolist():
            facts.add(person, "visit to the shop", cut - 9.0)
    tables = facts.tables()
    extras = Extras.of(tables, Static({}), none(), at(330))
    assert any("visit to the shop" in name for name in extras.names)
    past = Snapshots(tables, at(330), extras)
    split = lesson(past, BUYS, 1)
    assert leaks(past, split.training, split.test) == {}


def test_a_property_that_changes_with_the_outcome_is_kept_out(tables, at):
    """Set on the last days before each purchase: at the cut-off it already knows."""
    rows = []
    for cut in range(100, 300, 7):
        known = labels(tables, Objective("soon", "repeat_purchase", 8), at(cut))
        rows += [
            (person, at(cut) - 1, "yes" if y else "no") for person, y in zip(known.person_ids, known.y, strict=True)
        ]
    person, when, value = (np.array(column) for column in zip(*rows, strict=True))
    history = History(person, when, np.full(person.size, "soon", dtype=object), value.astype(object))
    extras = Extras.of(tables, Static({}), history, at(300))
    assert {"soon=yes", "soon=no"} == set(extras.names)
    past = Snapshots(tables, at(300), extras)
    short = Objective("soon", "repeat_purchase", 8)
    split = lesson(past, short, 1)
    why = set(leaks(past, split.training, split.test).values())
    assert why
    assert all(each.startswith("soon is kept out") for each in why)


def test_what_is_kept_out_is_not_used_and_said(shop, at):
    facts = shop(people=250, seed=5)
    total = np.bincount([who for who, kind, *_ in facts.activities if kind == "order"], minlength=250)
    tables = facts.tables()
    plain = train(tables, BUYS, at(330), seed=3, candidates=("logistic",))
    extras = Extras.of(tables, Static({"total": objects(total)}), none(), at(330), immutable=["total"])
    model = train(tables, BUYS, at(330), seed=3, candidates=("logistic",), snapshots=Snapshots(tables, at(330), extras))
    assert model.features[-1] == "total"
    assert model.quarantined[0].startswith("total is kept out")
    assert model.evaluation == plain.evaluation


def test_denied_names_and_unknown_ones(tables, at):
    column = {"hs_score": objects(np.arange(PEOPLE))}
    extras = Extras.of(tables, Static(column), none(), at(300))
    assert extras.names == ()
    assert "roll-up or status" in extras.refused[0]
    with pytest.raises(ValueError, match="people do not have: age"):
        Extras.of(tables, Static(column), none(), at(300), immutable=["age"])
