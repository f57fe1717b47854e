"""The control group: what is found, what is not claimed, and what it would take."""

import numpy as np
import pytest

from scoring.evaluate import Interval
from scoring.uplift import Arms, detectable, newcombe, pooled, uplift, waves_needed


def wave(people=4000, effect=0.0, share=0.1, seed=1, person_seed=9, p_spread=1.5):
    rng = np.random.default_rng(seed)
    acted = np.random.default_rng(person_seed).random(people) >= share
    p = 1 / (1 + np.exp(-np.random.default_rng(person_seed + 1).normal(-0.5, p_spread, people)))
    y = (rng.random(people) < np.clip(p + effect * acted, 0, 1)).astype(float)
    return Arms(np.arange(people), acted, y, p)


def test_a_real_effect_is_found_and_its_size_is_right():
    found = uplift(wave(people=20_000, effect=0.06, share=0.2), 0.2, seed=1)
    assert found.verdict == "helps"
    assert found.adjusted.low < 0.055 < found.adjusted.high
    assert found.adjusted.value == pytest.approx(found.means[0] - found.means[1], abs=0.02)
    harmed = uplift(wave(people=20_000, effect=-0.06, share=0.2), 0.2, seed=1)
    assert harmed.verdict == "harms"


def test_without_an_effect_hardly_ever_one_is_claimed():
    verdicts = [uplift(wave(people=1500, seed=s, person_seed=s + 500), 0.1, seed=s).verdict for s in range(60)]
    assert verdicts.count("cannot tell yet") >= 53


def test_predictions_narrow_the_interval():
    found = uplift(wave(), 0.1, seed=1)
    width = {name: getattr(found, name).high - getattr(found, name).low for name in ("plain", "adjusted")}
    assert width["adjusted"] < 0.92 * width["plain"]
    assert 0.2 < found.explained < 0.6
    useless = wave()
    constant = Arms(useless.person_ids, useless.acted, useless.y, np.full(useless.y.size, 0.4))
    assert uplift(constant, 0.1, seed=1).explained == 0


def test_waves_are_pooled_by_person():
    waves = [wave(seed=s) for s in range(6)]
    one, six = uplift(waves[0], 0.1, seed=1), uplift(pooled(waves), 0.1, seed=1)
    assert six.people == one.people
    assert six.adjusted.high - six.adjusted.low < 0.6 * (one.adjusted.high - one.adjusted.low)
    assert six.detectable < one.detectable
    assert uplift(pooled([]), 0.1, seed=1).verdict == "nothing has matured"


def test_a_split_that_is_off_is_told_instead_of_a_winner():
    lopsided = wave(people=20_000, effect=0.2, share=0.05)
    found = uplift(lopsided, 0.1, seed=1)
    assert found.verdict == "the split is off"
    assert found.split_chance < 0.001
    assert uplift(wave(share=0.0), 0.1, seed=1).verdict == "no control group"


def test_money_is_compared_too():
    rng = np.random.default_rng(4)
    acted = rng.random(8000) >= 0.3
    p = rng.lognormal(7, 1, 8000)
    y = p * rng.lognormal(0, 0.3, 8000) + 400 * acted
    found = uplift(Arms(np.arange(8000), acted, y, p), 0.3, seed=2, in_money=True)
    assert found.verdict == "helps"
    assert found.adjusted.value == pytest.approx(400, abs=120)


def test_the_interval_of_two_shares_is_newcombes():
    """Example (a) of Newcombe 1998: 56/70 against 48/80 gives .2 with .0524 to .3339."""
    found = newcombe((56, 48), (70, 80))
    assert found == Interval(pytest.approx(0.2), pytest.approx(0.0524, abs=2e-4), pytest.approx(0.3339, abs=2e-4))


def test_what_can_be_found_beforehand_is_the_textbooks():
    """Two-sided 5 %, power 80 %: at a base of 5 % a fifth more needs about 8,150 people in each arm."""
    base = 0.05
    spread = (base * (1 - base) + 1.2 * base * (1 - 1.2 * base)) ** 0.5 / 2**0.5
    assert detectable(8155, 8155, spread) == pytest.approx(0.2 * base, rel=0.01)
    assert waves_needed(2 * 7460, 0.5, base, 0.2) == pytest.approx(1, rel=0.02)
    assert waves_needed(1000, 0.1, 0.05, 0.2) > waves_needed(1000, 0.5, 0.05, 0.2)
    assert waves_needed(1000, 0.0, 0.05, 0.2) == float("inf")


def test_power_is_as_promised():
    """An effect of the size that can be found is found about four times out of five."""
    hits = 0
    for seed in range(60):
        arms = wave(people=2000, share=0.5, seed=seed, person_seed=seed + 100, p_spread=0.01)
        size = detectable(1000, 1000, float(arms.y.std()))
        lifted = wave(people=2000, share=0.5, effect=size, seed=seed, person_seed=seed + 100, p_spread=0.01)
        hits += uplift(lifted, 0.5, seed=seed).verdict == "helps"
    assert 38 <= hits <= 58
