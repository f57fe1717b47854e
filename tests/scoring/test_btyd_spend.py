"""Gamma-Gamma: the mean spend a person is expected to have."""

import numpy as np
import pytest

from scoring.btyd.gamma_gamma import GammaGamma

TRUTH = GammaGamma(6.25, 3.74, 1544.0)


@pytest.fixture(scope="module")
def buyers():
    """Repeat purchases and mean spend (cents) of people who spend as the model says, and their true means."""
    generator = np.random.default_rng(8)
    x = generator.geometric(0.4, 20_000).astype(np.float64)
    rate = generator.gamma(TRUTH.q, 1 / TRUTH.v, x.size)
    return x, generator.gamma(TRUTH.p * x, 1 / rate) / x, TRUTH.p / rate


@pytest.fixture(scope="module")
def fitted(buyers):
    return GammaGamma.fit(*buyers[:2])


def test_parameters_of_simulated_buyers_are_found_again(fitted):
    assert fitted.converged
    assert (fitted.p, fitted.q, fitted.v) == pytest.approx((TRUTH.p, TRUTH.q, TRUTH.v), rel=0.1)


def test_expected_spend_is_nearer_to_the_true_mean_than_what_was_seen(buyers, fitted):
    x, seen, true = buyers
    expected = fitted.expected(x, seen)
    assert np.abs(expected - true).mean() < 0.9 * np.abs(seen - true).mean()
    assert expected.mean() == pytest.approx(true.mean(), rel=0.02)


def test_the_fewer_purchases_the_nearer_to_everyones_mean():
    everyone = TRUTH.p * TRUTH.v / (TRUTH.q - 1)
    expected = TRUTH.expected(np.array([0.0, 1, 5, 1000]), np.array([np.nan, 9000, 9000, 9000]))
    assert expected[0] == pytest.approx(everyone)
    assert (np.diff(expected) > 0).all()
    assert expected[-1] == pytest.approx(9000, rel=0.01)


def test_cents_and_dollars_tell_the_same(buyers, fitted):
    x, cents, _ = buyers
    in_dollars = GammaGamma.fit(x, cents / 100)
    assert (in_dollars.p, in_dollars.q, 100 * in_dollars.v) == pytest.approx((fitted.p, fitted.q, fitted.v), rel=1e-3)


def test_people_without_a_repeat_purchase_teach_nothing(buyers, fitted):
    x, spend, _ = buyers
    more = GammaGamma.fit(np.append(x, [0, 0, 3]), np.append(spend, [np.nan, 500, 0]))
    assert more == fitted


def test_a_weight_is_as_good_as_that_many_equal_people(buyers):
    x, spend, _ = (column[:400] for column in buyers)
    times = np.random.default_rng(1).integers(1, 4, x.size)
    weighted = GammaGamma.fit(x, spend, times.astype(np.float64))
    counted = GammaGamma.fit(np.repeat(x, times), np.repeat(spend, times))
    found, wanted = ((each.p, each.q, each.v) for each in (weighted, counted))
    assert found == pytest.approx(wanted, rel=1e-3)


def test_the_same_spend_of_everyone_settles_nothing():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found = GammaGamma.fit(np.full(50, 3.0), np.full(50, 2500.0))
    assert not found.converged
    assert found.expected(np.array([0.0, 3.0]), np.array([np.nan, 2500.0])) == pytest.approx([2500, 2500], rel=0.02)


def test_somebody_is_needed_and_parameters_have_a_mean():
    with pytest.raises(ValueError, match="nobody"):
        GammaGamma.fit(np.zeros(3), np.full(3, np.nan))
    with pytest.raises(ValueError, match="q above 1"):
        GammaGamma(6.0, 1.0, 15.0)
