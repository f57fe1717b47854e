"""BG/NBD, MBG/NBD and Pareto/NBD: against integrals, simulated people, and the edges of the numbers."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln, roots_sh_jacobi

from scoring.btyd.bgnbd import BgNbd, MbgNbd
from scoring.btyd.counts import Purchases
from scoring.btyd.pareto import ParetoNbd

MODELS = (BgNbd, MbgNbd, ParetoNbd)
TYPICAL = (BgNbd(0.25, 4.4, 0.8, 2.4), MbgNbd(0.5, 6.2, 0.9, 1.6), ParetoNbd(0.55, 10.6, 0.6, 11.7))
PARETOS = (
    ParetoNbd(0.55, 10.6, 0.6, 11.7),
    ParetoNbd(0.55, 10.6, 0.6, 0.2),
    ParetoNbd(3.0, 2.0, 0.05, 150.0),
    ParetoNbd(20.0, 40.0, 7.0, 40.0),
)
GEOMETRICS = tuple(
    model(*parameters)
    for model in (BgNbd, MbgNbd)
    for parameters in ((0.25, 4.4, 0.8, 2.4), (2.0, 3.0, 0.3, 0.4), (0.5, 20.0, 6.0, 9.0))
)


def people(*rows):
    return Purchases(*np.array(rows, dtype=np.float64).T)


MANY = people((0, 0, 0.5), (0, 0, 30), (1, 0.2, 30), (1, 30, 30), (4, 8, 20), (25, 30, 39), (150, 38, 39))


@dataclass(frozen=True)
class Simulated:
    """People who buy and stop as a model says, watched until now and for some weeks more."""

    purchases: Purchases
    later: np.ndarray


def watched(times, alive_until, age, weeks):
    """Purchases at `times` (rows: people, columns: weeks after the first one) as long as they were alive."""
    times = np.where(times <= alive_until[:, None], times, np.inf)
    known = times <= age[:, None]
    x = known.sum(axis=1)
    t_x = np.where(known, times, 0.0).max(axis=1)
    later = ((times > age[:, None]) & (times <= age[:, None] + weeks)).sum(axis=1)
    return Simulated(Purchases(x.astype(np.float64), t_x, age), later)


def paced(generator, r, alpha, count, most):
    pace = generator.gamma(r, 1 / alpha, count)
    return np.cumsum(generator.exponential(1.0, (count, most)) / pace[:, None], axis=1)


def simulate(model, count, seed, weeks=26.0):
    """`count` people of 20 to 60 weeks by the story the paper tells, not by its formulas."""
    generator = np.random.default_rng(seed)
    age = generator.uniform(20, 60, count)
    times = paced(generator, model.r, model.alpha, count, 150)
    if isinstance(model, ParetoNbd):
        stop = generator.exponential(1.0, count) / generator.gamma(model.s, 1 / model.beta, count)
    else:
        stops = generator.random(times.shape) < generator.beta(model.a, model.b, count)[:, None]
        chances = np.column_stack([np.zeros(count), times])[:, : times.shape[1]] if model.sooner else times
        stop = np.where(stops.any(axis=1), chances[np.arange(count), stops.argmax(axis=1)], np.inf)
    return watched(times, stop, age, weeks)


@pytest.mark.parametrize("model", PARETOS)
def test_pareto_likelihood_and_alive_are_the_integral_over_the_moment_of_stopping(model):
    def log_of(of, moment):
        """Log density of the purchases, pace integrated out, when alive until `moment`, without what is constant."""
        bought = model.r + of.x[0]
        return (
            gammaln(bought) - gammaln(model.r) + model.r * np.log(model.alpha) - bought * np.log(model.alpha + moment)
        )

    for row in zip(MANY.x, MANY.t_x, MANY.age, strict=True):
        of = people(row)
        level, (t_x, age) = model.log_likelihood(of)[0], row[1:]

        def stopped(moment, of=of, level=level):
            log_stop = np.log(model.s) + model.s * np.log(model.beta) - (model.s + 1) * np.log(model.beta + moment)
            return np.exp(log_of(of, moment) + log_stop - level)

        still = np.exp(log_of(of, age) + model.s * np.log(model.beta / (model.beta + age)) - level)
        before = quad(stopped, t_x, age, epsabs=0, epsrel=1e-10, limit=200)[0] if t_x < age else 0.0
        assert before + still == pytest.approx(1, rel=1e-7)
        assert model.alive(of)[0] == pytest.approx(still, rel=1e-7)


@pytest.mark.parametrize("model", GEOMETRICS)
@pytest.mark.parametrize("weeks", [0.5, 39.0])
def test_expected_purchases_of_the_geometric_models_are_the_integral_over_the_chance_to_stop(model, weeks):
    alive, expected = model.alive(MANY), model.expected(MANY, weeks)
    for row in range(MANY.x.size):
        stayed = model.b + MANY.x[row] + model.sooner
        chance, weight = roots_sh_jacobi(120, model.a + stayed - 1, model.a)
        silent = np.log1p(chance * weeks / (model.alpha + MANY.age[row]))
        while_alive = weight @ (-np.expm1(-(model.r + MANY.x[row]) * silent) / chance) / weight.sum()
        assert expected[row] == pytest.approx(while_alive * alive[row], rel=1e-6)


def test_modified_model_knows_that_silence_after_one_purchase_may_be_for_good():
    new, silent = people((0, 0, 0)), people((0, 0, 500))
    assert BgNbd(0.25, 4.4, 0.8, 2.4).alive(silent) == 1
    modified = MbgNbd(0.25, 4.4, 0.8, 2.4)
    assert modified.alive(new) == pytest.approx(2.4 / (0.8 + 2.4))
    assert modified.alive(silent) < modified.alive(new) / 1.5


@pytest.mark.parametrize(
    ("at", "beside"),
    [
        (BgNbd(0.3, 5, 1, 2), BgNbd(0.3, 5, 1.0001, 2)),
        (BgNbd(0.3, 5, 0.4, 0.6), BgNbd(0.3, 5, 0.4, 0.6001)),
        (MbgNbd(0.3, 5, 1, 2), MbgNbd(0.3, 5, 0.9999, 2)),
        (ParetoNbd(0.5, 8, 1, 9), ParetoNbd(0.5, 8, 1.0001, 9)),
        (ParetoNbd(0.5, 8, 0.7, 8), ParetoNbd(0.5, 8, 0.7, 8.0001)),
        (ParetoNbd(0.5, 8, 0.7, 8), ParetoNbd(0.5, 8, 0.7, 7.9999)),
    ],
)
def test_nothing_jumps_where_a_formula_has_a_gap(at, beside):
    assert at.expected(MANY, 20) == pytest.approx(beside.expected(MANY, 20), rel=2e-3)
    assert at.log_likelihood(MANY) == pytest.approx(beside.log_likelihood(MANY), abs=1e-2)


ages = st.floats(1, 200)
shares = st.floats(0.01, 1)
counts = st.integers(1, 300)
few = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("model", TYPICAL)
@few
@given(age=ages, share=shares, x=counts, weeks=st.floats(0.1, 100))
def test_alive_is_a_probability_and_a_longer_horizon_or_a_shorter_silence_expects_more(model, age, share, x, weeks):
    of = people((x, share * age, age), (x, share * age * 0.9, age), (0, 0, age))
    alive, expected = model.alive(of), model.expected(of, weeks)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (expected >= 0).all()
    assert (model.expected(of, 2 * weeks) >= expected).all()
    assert expected[1] <= expected[0]
    assert alive[1] <= alive[0]


@pytest.mark.parametrize("model", TYPICAL)
@few
@given(age=ages, x=counts, weeks=st.floats(0.1, 100))
def test_of_those_who_bought_just_now_the_frequent_are_expected_to_buy_more(model, age, x, weeks):
    fewer, more = model.expected(people((x, age, age), (x + 1, age, age)), weeks)
    assert more > fewer


@pytest.mark.parametrize("model", TYPICAL)
def test_the_frequent_buyer_who_fell_silent_is_likelier_gone_than_the_rare_one(model):
    rare, frequent = model.alive(people((1, 15, 39), (20, 15, 39)))
    assert frequent < rare / 10


@pytest.mark.parametrize("truth", TYPICAL)
def test_parameters_of_simulated_people_are_found_again_and_so_is_their_future(truth):
    found = simulate(truth, 20_000, seed=11)
    fitted = type(truth).fit(found.purchases)
    assert fitted.converged
    likelihood = [model.log_likelihood(found.purchases).sum() for model in (fitted, truth)]
    assert 0 <= likelihood[0] - likelihood[1] < 10
    assert (fitted.r, fitted.alpha) == pytest.approx((truth.r, truth.alpha), rel=0.15)
    assert fitted.expected(found.purchases, 26).sum() == pytest.approx(found.later.sum(), rel=0.05)
    active, silent = (found.purchases.t_x > found.purchases.age - 8), (found.purchases.t_x < 5)
    for some in (active, silent):
        assert fitted.expected(found.purchases, 26)[some].sum() == pytest.approx(found.later[some].sum(), rel=0.15)


@pytest.mark.parametrize("model", MODELS)
def test_a_weight_is_as_good_as_that_many_equal_people(model):
    some = simulate(TYPICAL[MODELS.index(model)], 300, seed=3).purchases
    times = np.random.default_rng(4).integers(1, 5, 300)
    repeated = Purchases(*(np.repeat(column, times) for column in (some.x, some.t_x, some.age)))
    weighted, counted = model.fit(some, times.astype(np.float64)), model.fit(repeated)
    assert counted == weighted
    assert counted != model.fit(some)


@pytest.mark.parametrize("model", MODELS)
def test_weeks_or_days_tell_the_same(model):
    weeks = simulate(TYPICAL[MODELS.index(model)], 800, seed=5).purchases
    days = Purchases(weeks.x, weeks.t_x * 7, weeks.age * 7)
    by_week, by_day = model.fit(weeks), model.fit(days)
    assert by_day.expected(days, 70) == pytest.approx(by_week.expected(weeks, 10), rel=1e-3)
    assert by_day.alpha == pytest.approx(7 * by_week.alpha, rel=1e-3)


THIN = {
    "nobody came back": people(*[(0, 0, age) for age in range(1, 31)]),
    "all alike": people(*[(3, 10, 12)] * 40),
    "one person": people((2, 5, 9)),
    "all today": people(*[(0, 0, 0)] * 5),
}


@pytest.mark.parametrize("name", THIN)
@pytest.mark.parametrize("model", MODELS)
def test_thin_data_give_finite_answers_and_say_that_they_settle_nothing(model, name):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        fitted = model.fit(THIN[name])
        assert np.isfinite(fitted.expected(THIN[name], 10)).all()
    assert not fitted.converged


shapes = st.floats(-2, 1.47).map(lambda power: 10.0**power) | st.integers(1, 29).map(float)
ratios = st.floats(-2, 2).map(lambda power: 10.0**power)
EXTREME = people(
    (0, 0, 0), (0, 0, 1e-6), (0, 0, 1e6), (1, 1e-9, 1e-9), (1, 1e-9, 1e5), (1, 1e5, 1e5),
    (3, 50, 52), (300, 100, 500), (300, 1, 1), (10_000, 1000, 1000), (10_000, 1, 1000),
)  # fmt: skip


@few
@given(r=shapes, alpha=st.floats(-3, 4).map(lambda power: 10.0**power), a=shapes, b=shapes, ratio=ratios)
def test_no_number_breaks_at_the_edges(r, alpha, a, b, ratio):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for model in (BgNbd(r, alpha, a, b), MbgNbd(r, alpha, a, b), ParetoNbd(r, alpha, a, alpha * ratio)):
            alive = model.alive(EXTREME)
            assert ((alive >= 0) & (alive <= 1)).all()
            assert np.isfinite(model.log_likelihood(EXTREME)).all()
            for weeks in (0.0, 1e-3, 4.0, 52.0, 520.0):
                expected = model.expected(EXTREME, weeks)
                assert (np.isfinite(expected) & (expected >= 0)).all()
                assert (expected <= (r + EXTREME.x) / (alpha + EXTREME.age) * weeks * 1.000001).all()
            assert (model.expected(EXTREME, 0.0) == 0).all()


@pytest.mark.parametrize("model", MODELS)
def test_parameters_are_positive_and_somebody_is_needed(model):
    with pytest.raises(ValueError, match="must be positive"):
        model(0.5, 4.0, 0.0, 3.0)
    with pytest.raises(ValueError, match="nobody"):
        model.fit(Purchases(*np.empty((3, 0))))


def test_a_pull_settles_what_few_leave_open_and_many_drown():
    few = people((3, 9, 9), (4, 8, 8.5), (5, 9, 9.2))
    assert not ParetoNbd.fit(few).converged
    assert ParetoNbd.fit(few, pull=1.0).converged
    many = simulate(TYPICAL[2], 4000, seed=2).purchases
    free, pulled = ParetoNbd.fit(many), ParetoNbd.fit(many, pull=1.0)
    assert pulled.log_likelihood(many).mean() == pytest.approx(free.log_likelihood(many).mean(), abs=1e-4)


def test_alpha_and_beta_stay_within_reach_of_each_other():
    with pytest.raises(ValueError, match="factor of 100"):
        ParetoNbd(0.5, 1.0, 0.5, 101.0)


@pytest.mark.parametrize("model", GEOMETRICS)
def test_buying_is_the_opposite_of_the_same_history_going_on(model):
    """No purchase until later, given the history, is one likelihood over another."""
    for weeks in (0.5, 4.0, 26.0):
        silent = model.log_likelihood(Purchases(MANY.x, MANY.t_x, MANY.age + weeks)) - model.log_likelihood(MANY)
        np.testing.assert_allclose(model.buys(MANY, weeks), -np.expm1(silent), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("model", TYPICAL)
def test_as_many_simulated_people_buy_as_told(model):
    found = simulate(model, 60_000, seed=4, weeks=8.0)
    told, bought = model.buys(found.purchases, 8.0), found.later > 0
    for group in np.array_split(np.argsort(told, kind="stable"), 6):
        assert told[group].mean() == pytest.approx(bought[group].mean(), abs=0.015)
