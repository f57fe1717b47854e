"""Buy-till-you-die models on the ladder: what they learn from, how they are taken apart, when they stand aside."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from scoring.features import FAMILIES, FEATURES
from scoring.ladder.buyers import BuyersChance, BuyersMoney, StandsAsideError, best_so_far
from scoring.ladder.shapley import shapley
from scoring.objectives import Objective
from scoring.predict import predict
from scoring.snapshots import Snapshots
from scoring.train import dump, load, mirrored, train

SEED = 11
DAYS = 28.0
BUYS = Objective("buys again", "repeat_purchase", 30)


@pytest.fixture(scope="module")
def shoppers():
    """4,000 people as MBG/NBD tells it: recency, orders, first order (days), mean and recent spend, noise; and what
    they did next.
    """
    rng = np.random.default_rng(8)
    count, most = 4000, 80
    age = rng.uniform(100, 500, count)
    times = np.cumsum(rng.exponential(1.0, (count, most)) / rng.gamma(1.2, 1 / 40.0, count)[:, None], axis=1)
    times = np.column_stack([np.zeros(count), times])
    stops = rng.random(times.shape) < rng.beta(0.8, 2.5, count)[:, None]
    until = np.where(stops.any(axis=1), times[np.arange(count), stops.argmax(axis=1)], np.inf)
    times = np.where(times <= until[:, None], times, np.inf)
    known = times <= age[:, None]
    later = (times > age[:, None]) & (times <= age[:, None] + DAYS)
    scale = 6.0 / rng.gamma(4.0, 1 / 1500.0, count) * 250
    spend = rng.gamma(6.0 * known.sum(axis=1)) / (6.0 * known.sum(axis=1)) * scale
    last = np.where(known, times, 0.0).max(axis=1)
    recent = spend * np.where(known, 0.5 ** ((age[:, None] - np.where(known, times, 0.0)) / 120), 0.0).sum(axis=1)
    x = np.column_stack([age - last, known.sum(axis=1), age, spend, recent, rng.normal(size=count)])
    return x, later.any(axis=1).astype(float), later.sum(axis=1) * scale


@pytest.fixture(scope="module")
def chance(shoppers):
    return BuyersChance(days=28).fit(shoppers[0], shoppers[1])


@pytest.fixture(scope="module")
def money(shoppers):
    return BuyersMoney(days=28).fit(shoppers[0], shoppers[2])


def test_the_chance_comes_true_before_any_calibration(chance, shoppers):
    x, bought, _ = shoppers
    told = chance.predict_proba(x)[:, 1]
    for group in np.array_split(np.argsort(told), 5):
        assert told[group].mean() == pytest.approx(bought[group].mean(), abs=0.05)


def test_the_money_comes_true_before_any_calibration(money, shoppers):
    x, _, spent = shoppers
    told = money.predict(x)
    assert told.sum() == pytest.approx(spent.sum(), rel=0.12)
    best = np.argsort(-told)[:800]
    assert told[best].sum() == pytest.approx(spent[best].sum(), rel=0.12)


@pytest.mark.parametrize("name", ["chance", "money"])
def test_parts_add_up_and_go_to_the_columns_used(name, shoppers, request):
    rung, x = request.getfixturevalue(name), shoppers[0]
    base, parts = rung.contributions(x)
    np.testing.assert_allclose(base + parts.sum(axis=1), rung.raw(x), atol=1e-9)
    assert [bool(parts[:, column].any()) for column in range(6)] == [True] * 3 + [name == "money"] * 2 + [False]


def test_most_scores_are_the_models_own(chance, shoppers):
    """Only who would be better off with fewer orders is lifted; nobody is lowered."""
    x = shoppers[0]
    own = np.concatenate([chance._at(row[None, :], row[1] - 1) for row in x[:500]])
    lifted = chance.raw(x[:500]) - own
    few = x[:500, 1] <= 7
    assert (lifted[few] > -1e-9).all()
    assert np.median(np.abs(lifted)) < 1e-9
    assert (lifted > 0.1).any()


def test_more_orders_between_the_same_two_are_never_worse(chance, money):
    rows = np.array([[200.0, orders, 400.0, 5000.0, 3000.0, 0.0] for orders in range(2, 60)])
    assert (np.diff(chance.raw(rows)) >= 0).all()
    assert (np.diff(money.raw(rows)) >= 0).all()


def test_what_is_missing_counts_as_said(chance, shoppers):
    x = shoppers[0][:3]
    never, longest = x.copy(), x.copy()
    never[:, 0], longest[:, 0] = np.nan, shoppers[0][:, 0].max()
    np.testing.assert_array_equal(chance.raw(never), chance.raw(longest))
    unknown, usual = x.copy(), x.copy()
    unknown[:, 2], usual[:, 2] = np.nan, np.median(shoppers[0][:, 2])
    np.testing.assert_array_equal(chance.raw(unknown), chance.raw(usual))


def test_many_orders_in_one_moment_are_no_obstacle(chance):
    odd = np.array([[10, 5, 10, 100, 90, 0.0], [30, 3, 10, 0, 0, 0], [0, 900, 400, 1, 500, 0]])
    assert np.isfinite(chance.raw(odd)).all()


def test_best_so_far_is_the_greatest_up_to_there():
    height = np.array([0.0, 2.0, 1.0, 5.0])
    upto = np.array([0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 9.0])
    found = best_so_far(lambda rows, level: np.full(rows.size, height[int(level)]), upto, np.arange(4.0))
    np.testing.assert_allclose(found, [0.0, 1.0, 2.0, 2.0, 3.5, 5.0, 5.0])


def test_shapley_by_hand():
    """A product of two: each gets what it adds alone, and half of what they only add together."""
    x, usual = np.array([[3.0, 9.0, 5.0]]), np.array([1.0, 9.0, 2.0])
    base, parts = shapley(lambda rows: rows[:, 0] * rows[:, 2], x, usual, (0, 2))
    assert base == 2.0
    np.testing.assert_allclose(parts, [[2 * 2 + 2 * 3 / 2, 0.0, 1 * 3 + 2 * 3 / 2]])


def test_too_few_who_came_back_stand_aside(shoppers):
    x, y, _ = shoppers
    once = np.flatnonzero(x[:, 1] == 1)
    few = np.r_[once[:200], np.flatnonzero(x[:, 1] > 1)[:24]]
    with pytest.raises(StandsAsideError, match="fewer than 25"):
        BuyersChance().fit(x[few], y[few])


def never_stopping(rng, age, pace):
    orders = rng.poisson(pace, age.size) + 2.0
    return np.column_stack([rng.uniform(0, 5, age.size), orders, age]), rng.integers(0, 2, age.size)


def test_people_who_never_stop_are_told_to_go_on():
    rng = np.random.default_rng(1)
    x, y = never_stopping(rng, rng.uniform(100, 300, 500), 20)
    rung = BuyersChance().fit(x, y)
    assert rung.model_.alive(rung._purchases(x, x[:, 1] - 1)).min() > 0.99


def test_people_who_are_all_alike_settle_nothing():
    x, y = never_stopping(np.random.default_rng(1), np.full(4000, 200.0), 60)
    with pytest.raises(StandsAsideError, match="how people buy and stop"):
        BuyersChance().fit(x, y)


def test_sixty_people_are_enough(shoppers, chance):
    """A weak prior settles what so few leave open; they rank others as thousands would."""
    x, y, _ = shoppers
    few = BuyersChance(days=28).fit(x[:60], y[:60])
    assert roc_auc_score(y[60:], few.raw(x[60:])) > roc_auc_score(y[60:], chance.raw(x[60:])) - 0.01


def test_money_needs_amounts(shoppers):
    x, _, spent = shoppers
    free = x.copy()
    free[:, 3] = 0.0
    with pytest.raises(StandsAsideError, match="no order has an amount"):
        BuyersMoney().fit(free, spent)


def test_very_many_rows_are_thinned_out(shoppers, chance):
    x, y, _ = shoppers
    tripled = clone(chance).fit(np.repeat(x, 3, axis=0), np.repeat(y, 3))
    assert tripled.model_.alpha == pytest.approx(chance.model_.alpha, rel=0.1)


@pytest.fixture(scope="module")
def big(shop, at):
    return Snapshots(shop(people=1600, seed=9).tables(), at(300))


@pytest.fixture(scope="module")
def model(big):
    return train(big.tables, BUYS, big.as_of, seed=SEED, candidates=("btyd",), snapshots=big)


def test_it_wins_where_people_buy_till_they_die(model):
    assert list(model.candidates) == ["rules", "btyd"]
    assert model.rung == "btyd"
    assert model.why.startswith("Buy-till-you-die is used: on ")
    assert model.evaluation.metrics["ece"].value < 0.05


def test_its_model_is_kept_mirrored_and_explained_like_any_other(model, big):
    found = predict(model, big.tables, big.as_of, known=big.matrix(big.as_of))
    again = predict(load(dump(model)), big.tables, big.as_of, known=big.matrix(big.as_of))
    np.testing.assert_array_equal(found.values, again.values)
    assert found.reasons == again.reasons
    churn = mirrored(model, replace(BUYS, kind="churn"))
    leaves = predict(churn, big.tables, big.as_of, known=big.matrix(big.as_of))
    np.testing.assert_allclose(found.values + leaves.values, 1)
    families = {reason.family for reasons in found.reasons for reason in reasons}
    assert families == {"recency", "frequency", "tenure"}


@pytest.mark.parametrize(("kind", "takes_part"), [("value", True), ("high_value", False), ("response", False)])
def test_it_takes_part_where_it_has_an_answer(kind, takes_part, big):
    objective = Objective(kind, kind, 30)
    found = train(big.tables, objective, big.as_of, seed=SEED, candidates=("btyd",), snapshots=big)
    assert ("btyd" in found.candidates) == takes_part


def test_it_stands_aside_in_silence(tables, past, monkeypatch):
    """The other models go on without it."""
    monkeypatch.setattr("scoring.ladder.buyers.ENOUGH_REPEATERS", 10**6)
    found = train(tables, BUYS, past.as_of, seed=SEED, candidates=("btyd", "logistic"), snapshots=past)
    assert list(found.candidates) == ["rules", "logistic"]


def test_a_final_fit_that_settles_nothing_leaves_the_one_that_was_judged(big, monkeypatch):
    fits = []
    learn = BuyersChance._learn

    def only_four(self, x, y):
        fits.append(y.size)
        if len(fits) > 4:
            raise StandsAsideError("not settled")
        learn(self, x, y)

    monkeypatch.setattr(BuyersChance, "_learn", only_four)
    found = train(big.tables, BUYS, big.as_of, seed=SEED, candidates=("btyd",), snapshots=big)
    assert found.rung == "btyd"
    assert len(fits) > 4, "the last ones, on all rows, failed"
    assert np.isfinite(predict(found, big.tables, big.as_of, known=big.matrix(big.as_of)).values).all()


def test_the_ages_of_people_teach_the_free_models_nothing(big):
    """Everyone's first order moves away at the pace of the calendar: a free weight on it would learn that."""
    column = FEATURES.index("first_order_days")
    assert "first_order_days" in FAMILIES["tenure"]
    found = train(big.tables, BUYS, big.as_of, seed=SEED, candidates=("logistic",), snapshots=big)
    _, parts = found.estimator.contributions(big.matrix(big.as_of).values)
    assert found.rung == "logistic"
    assert not parts[:, column].any()
