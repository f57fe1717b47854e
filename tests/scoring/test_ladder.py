import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks

from scoring.features import FEATURES
from scoring.ladder.forests import Forest, Tree
from scoring.ladder.hurdle import Hurdle
from scoring.ladder.linear import Logistic, LogLinear
from scoring.ladder.neural import Neural
from scoring.ladder.rules import Fifths, OneColumn, ScaledColumn, rules
from scoring.ladder.trees import Boosting, PoissonBoosting

CHANCES = [OneColumn(2), Fifths((0, 2), (-1, 1)), Logistic(), Tree(), Forest(), Boosting(), Neural()]
AMOUNTS = [ScaledColumn(2), LogLinear(), Hurdle(), PoissonBoosting()]


@pytest.fixture(scope="module")
def rows():
    """1,500 rows of six columns: skewed, zero-heavy, partly missing, all missing, constant, noise."""
    rng = np.random.default_rng(5)
    x = np.column_stack(
        [
            rng.exponential(30, 1500),
            rng.poisson(0.3, 1500).astype(float),
            rng.gamma(1.2, 4000, 1500),
            np.full(1500, np.nan),
            np.full(1500, 3.0),
            rng.normal(size=1500),
        ]
    )
    x[rng.random(1500) < 0.2, 2] = np.nan
    odds = 1.5 - 0.06 * x[:, 0] + x[:, 1] + np.where(np.isnan(x[:, 2]), -0.5, x[:, 2] / 8000)
    y = (rng.random(1500) < 1 / (1 + np.exp(-odds))).astype(float)
    return x, y, y * rng.gamma(2.0, 900, 1500)


@estimator_checks.parametrize_with_checks([type(each)() for each in (*CHANCES, *AMOUNTS)])
def test_scikit_learn_accepts_every_rung(estimator, check):
    """All but the two of buy-till-you-die, whose columns mean something: see test_buyers."""
    check(estimator)


@pytest.mark.parametrize("rung", CHANCES, ids=lambda it: type(it).__name__)
def test_parts_of_a_chance_add_up(rung, rows):
    x, y, _ = rows
    fitted = clone(rung).fit(x[:1000], y[:1000])
    base, parts = fitted.contributions(x)
    p = fitted.predict_proba(x)[:, 1]
    np.testing.assert_allclose(base + parts.sum(axis=1), np.log(p / (1 - p)), atol=1e-9)


@pytest.mark.parametrize("rung", CHANCES, ids=lambda it: type(it).__name__)
def test_a_rare_outcome_stays_rare(rung, rows):
    """No class is weighted, and nobody is drawn twice: that ruins the level and ranks no better."""
    x, y, _ = rows
    rare = y * (np.arange(y.size) % 8 == 0)
    p = clone(rung).fit(x, rare).predict_proba(x)[:, 1]
    assert p.mean() == pytest.approx(rare.mean(), abs=0.03)


@pytest.mark.parametrize("rung", AMOUNTS, ids=lambda it: type(it).__name__)
def test_parts_of_an_amount_add_up(rung, rows):
    x, _, spend = rows
    fitted = clone(rung).fit(x[:1000], spend[:1000])
    base, parts = fitted.contributions(x)
    np.testing.assert_allclose(base + parts.sum(axis=1), np.log(fitted.predict(x)), atol=1e-9)


@pytest.mark.parametrize("rung", [*CHANCES, *AMOUNTS], ids=lambda it: type(it).__name__)
def test_columns_that_say_nothing_get_no_part(rung, rows):
    x, y, spend = rows
    _, parts = clone(rung).fit(x, spend if rung in AMOUNTS else y).contributions(x)
    assert not parts[:, [3, 4]].any()


def test_boosting_takes_what_it_never_saw(rows):
    x, y, _ = rows
    fitted = Boosting().fit(x, y)
    strange = x[:5].copy()
    strange[:, 3] = 7.0
    strange[:, 0] = np.nan
    base, parts = fitted.contributions(strange)
    np.testing.assert_allclose(base + parts.sum(axis=1), fitted.raw(strange), atol=1e-9)


def test_one_column_keeps_the_order(rows):
    x, y, _ = rows
    known = x[np.argsort(x[:, 0])]
    assert (np.diff(OneColumn(0).fit(x, y).raw(known)) <= 1e-12).all()


def test_fifths_are_the_rfm_sum(rows):
    x, y, _ = rows
    rung = Fifths((0, 5), (-1, 1)).fit(x, y)
    expected = sum(
        1 + np.searchsorted(np.quantile(column, [0.2, 0.4, 0.6, 0.8]), column, side="left")
        for column in (-x[:, 0], x[:, 5])
    )
    order = np.argsort(rung.slope_ * expected, kind="stable")
    assert (np.diff(rung.raw(x)[order]) >= -1e-12).all()


def test_a_scaled_column_keeps_the_total(rows):
    x, _, spend = rows
    assert ScaledColumn(0).fit(x, spend).predict(x).sum() == pytest.approx(spend.sum())


@pytest.mark.parametrize("kind", ["repeat_purchase", "churn", "high_value", "value", "response"])
def test_every_kind_has_rules_on_known_columns(kind):
    rng = np.random.default_rng(0)
    x, y = rng.random((60, len(FEATURES))), np.tile([0.0, 1.0], 30)
    for rule in rules(kind).values():
        assert np.isfinite(rule.fit(x, y).raw(x)).all()


def test_linear_beats_the_base_rate_on_other_rows(rows):
    x, y, _ = rows
    p = Logistic().fit(x[:1000], y[:1000]).predict_proba(x[1000:])[:, 1]
    assert np.mean((p - y[1000:]) ** 2) < 0.9 * np.var(y[1000:])
