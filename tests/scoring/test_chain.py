"""Whether movements are a chain, and how far it foretells."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from scoring.chain import AHEAD, backtest, order_tests
from scoring.segments import SEGMENTS
from scoring.transitions import Period

STATES = SEGMENTS[:3]


def walked(step, people=3000, instants=3, seed=1):
    """Where people were at each instant; `step` gives the shares from (before last, last)."""
    rng = np.random.default_rng(seed)
    seen = [rng.integers(0, 3, people), rng.integers(0, 3, people)]
    while len(seen) < instants + 3:
        shares = np.array([step(a, b) for a, b in zip(seen[-2], seen[-1], strict=True)])
        seen.append((rng.random(people)[:, None] > shares.cumsum(axis=1)).sum(axis=1))
    return seen[3:]


def chain(_, here):
    return [(0.8, 0.15, 0.05), (0.2, 0.7, 0.1), (0.05, 0.15, 0.8)][here]


def turning(before, here):
    """Who has just come moves on, who has been there stays."""
    return np.where(np.arange(3) == here, 0.9, 0.05) if before == here else chain(before, (here + 1) % 3)


def counted(seen):
    paths = {}
    for path in zip(*seen, strict=True):
        key = tuple(STATES[place] for place in path)
        paths[key] = paths.get(key, 0) + 1
    return paths


def periods_of(seen):
    found = []
    for before, after in pairwise(seen):
        people = {}
        for a, b in zip(before, after, strict=True):
            key = (STATES[a], STATES[b])
            people[key] = people.get(key, 0) + 1
        found.append(Period(people, {}))
    return found


def test_a_chain_needs_one_step_and_not_two():
    first, second = order_tests(counted(walked(chain)))
    assert (first.order, second.order) == (1, 2)
    assert first.needed
    assert first.elsewhere > 0.2
    assert not second.needed
    assert second.chance > 0.01


def test_the_second_order_is_refuted_as_often_as_said():
    chances = [order_tests(counted(walked(chain, people=600, seed=seed)))[1].chance for seed in range(60)]
    assert np.mean(np.array(chances) < 0.1) < 0.25


def test_what_depends_on_the_way_is_found():
    assert order_tests(counted(walked(turning)))[1].needed


def test_the_statistic_is_that_of_the_book():
    seen = walked(chain)
    table = np.zeros((3, 3))
    np.add.at(table, (seen[1], seen[2]), 1)
    book = chi2_contingency(table, lambda_="log-likelihood", correction=False)
    first = order_tests(counted(seen))[0]
    assert first.statistic == pytest.approx(book.statistic)
    assert (first.freedom, first.chance) == (book.dof, pytest.approx(book.pvalue))


def test_few_people_settle_nothing():
    assert order_tests({("Champions", "Loyal", "Lost"): 19, ("Loyal", "Loyal", "Loyal"): 3}) == []
    assert order_tests({}) == []


def test_a_chain_that_goes_on_foretells_the_sizes():
    rng = np.random.default_rng(3)
    seen = [np.zeros(5000, dtype=int)]
    for _ in range(6):
        shares = np.array([chain(None, here) for here in range(3)])[seen[-1]]
        seen.append((rng.random(5000)[:, None] > shares.cumsum(axis=1)).sum(axis=1))
    found = backtest(periods_of(seen))
    assert found.missed < 0.05 < found.unchanged
    assert sum(found.observed.values()) == 5000
    assert sum(found.predicted.values()) == pytest.approx(5000)
    assert found.observed["Champions"] == int((seen[-1] == 0).sum())


def test_a_backtest_needs_periods_before_and_people():
    periods = periods_of(walked(chain, instants=6))
    assert backtest(periods[: AHEAD + 1]) is None
    assert backtest([Period({}, {})] * 8) is None
