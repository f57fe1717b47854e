import numpy as np
import pytest

from scoring.objectives import Objective, high_threshold, labels, population


def test_an_unknown_kind_or_no_horizon_is_refused():
    with pytest.raises(ValueError, match="unknown kind 'luck'"):
        Objective("x", "luck", 30)
    with pytest.raises(ValueError, match="at least one day"):
        Objective("x", "churn", 0)


@pytest.fixture
def four(facts):
    """1 buys again on day 100 and 129.9, 2 on day 130, 3 never ordered before, 4 came later."""
    for person in (1, 2, 3):
        facts.person(person)
    facts.person(4, 100)
    facts.add(1, "order", 10, 100)
    facts.add(2, "order", 20, 100)
    facts.add(1, "order", 100, 700)
    facts.add(1, "order", 129.9, 50)
    facts.add(2, "order", 130, 900)
    facts.add(3, "order", 110, 400)
    return facts


def test_the_horizon_is_half_open(four, at):
    found = labels(four.tables(), Objective("x", "repeat_purchase", 30), at(100))
    assert found.person_ids.tolist() == [1, 2, 3]
    assert found.y.tolist() == [1, 0, 1]
    assert found.inside.tolist() == [True, True, False]


def test_churn_is_the_complement(four, at):
    buys = labels(four.tables(), Objective("x", "repeat_purchase", 30), at(100))
    leaves = labels(four.tables(), Objective("x", "churn", 30), at(100))
    assert (buys.y + leaves.y).tolist() == [1, 1, 1]


def test_value_is_the_spend_and_high_value_needs_a_threshold(four, at):
    assert labels(four.tables(), Objective("x", "value", 30), at(100)).y.tolist() == [750, 0, 400]
    high = Objective("x", "high_value", 30)
    assert labels(four.tables(), high, at(100)).y.tolist() == [750, 0, 400]
    assert labels(four.tables(), high, at(100), threshold=750).y.tolist() == [1, 0, 0]


def test_who_bought_nothing_is_never_high():
    assert high_threshold(np.zeros(100)) > 0
    assert high_threshold(np.arange(101.0)) == 90


def test_response_is_asked_of_the_mailed_who_stayed(facts, at):
    for person in range(1, 6):
        facts.person(person)
    for person in (1, 2, 3):
        facts.add(person, "send", 10)
    facts.add(2, "unsubscribe", 20)
    facts.add(3, "unsubscribe", 20)
    facts.add(3, "send", 30)
    facts.add(4, "send", 60)
    found = population(facts.tables(), Objective("x", "response", 30), at(50)).collect("pyarrow")
    assert sorted(found["person_id"].to_list()) == [1, 3]
