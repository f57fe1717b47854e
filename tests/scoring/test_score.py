"""Any table, one call."""

import json
import re

import numpy as np
import pytest

from scoring.score import Objective, score
from scoring.segments import SEGMENTS
from scoring.tables import DAY


def table(facts):
    """The activities of a shop as somebody else's table: texts, money, other words."""
    words = {"order": "bought", "send": "mail", "response": "answer"}
    return {
        "customer": [f"C{person:03}" for person, *_ in facts.activities],
        "at": [at for _, _, at, _, _ in facts.activities],
        "kind": [words[kind] for _, kind, _, _, _ in facts.activities],
        "amount": [None if cents is None else cents / 100 for *_, cents, _ in facts.activities],
    }


NAMES = {
    "columns": {"customer": "person", "at": "time"},
    "kinds": {"bought": "order", "mail": "send", "answer": "response"},
}


TODAY = (
    "today is left out: only today's value is known, which may already know the outcome. "
    "Name it immutable, or give its history."
)


@pytest.fixture(scope="module")
def facts(shop):
    return shop(people=300, days=330, seed=4)


@pytest.fixture(scope="module")
def scored(facts):
    return score(table(facts), **NAMES, candidates=("rules", "logistic"))


def test_everything_comes_from_one_call(scored, facts):
    assert list(scored.results) == ["repeat_purchase", "churn", "high_value", "value", "response"]
    found = scored.table().to_pydict()
    people = {f"C{person:03}" for person, *_ in facts.activities}
    assert set(found["person"]) == people
    assert set(found["segment"]) <= set(SEGMENTS)
    assert (np.array(found["value_low"]) <= np.array(found["value"])).all()
    assert (np.array(found["value_high"]) >= np.array(found["value"])).all()
    assert any(text.startswith("+ ") for text in found["repeat_purchase_reasons"])
    assert "the horizon is " in scored.notes[-2]
    assert re.fullmatch(
        r"churn looks ahead for each person within the time in which they usually order again: 30 to \d+ days, "
        r"\d+ for the one in the middle \(the usual gap of all is [\d.]+ days\)",
        scored.notes[-1],
    )
    assert scored.results["churn"].card["ahead"] in scored.notes[-1]
    for result in scored.results.values():
        json.dumps(result.card, allow_nan=False)


def test_ids_keep_to_their_people(scored, facts):
    last = {}
    for person, kind, at, _, _ in facts.activities:
        if kind == "order":
            last[f"C{person:03}"] = max(last.get(f"C{person:03}", 0), at)
    chance = dict(zip(scored.persons.tolist(), scored.results["repeat_purchase"].predictions.values, strict=True))
    recent = [chance[person] for person, at in last.items() if scored.as_of - at < 15 * DAY]
    lapsed = [chance[person] for person, at in last.items() if scored.as_of - at > 150 * DAY]
    assert np.mean(recent) > np.mean(lapsed) + 0.2


def test_what_comes_after_as_of_is_not_read(facts, at):
    given = table(facts)
    early = {
        name: [value for value, when in zip(column, given["at"], strict=True) if when < at(250)]
        for name, column in given.items()
    }
    objectives = [Objective("again", "repeat_purchase", 30)]
    one, two = (score(each, objectives, **NAMES, as_of=at(250), candidates=("rules",)) for each in (given, early))
    there = np.isin(one.persons, two.persons)
    np.testing.assert_array_equal(
        one.results["again"].predictions.values[there], two.results["again"].predictions.values
    )


@pytest.mark.parametrize("rows", [1, 3, 40])
def test_tiny_tables_are_refused_in_words(facts, rows):
    given = {name: column[:rows] for name, column in table(facts).items()}
    found = score(given, [Objective("again", "repeat_purchase", 30), Objective("spend", "value", 30)], **NAMES)
    assert all(result.model.refused for result in found.results.values())
    assert len(found.segments) == len(found.persons) > 0


def test_without_orders_it_asks_what_counts():
    rows = {"person": ["a", "b"], "time": ["2024-01-01", "2024-01-02"], "kind": ["login", "logout"]}
    with pytest.raises(ValueError, match=r"Say what counts: objectives="):
        score(rows)
    with pytest.raises(ValueError, match="nobody"):
        score({"person": [], "time": []})


@pytest.fixture(scope="module")
def app(at):
    """500 users of an app: those who log in more subscribe sooner; those who complain cancel sooner."""
    rng = np.random.default_rng(3)
    rows, people = [], []
    for user in range(500):
        keen, angry = rng.random() < 0.3, rng.random() < 0.3
        plan = "pro" if rng.random() < 0.5 else "basic"
        people.append({"person": user, "since": at(0), "plan": plan, "lucky": int(rng.integers(100))})
        subscribed = rng.exponential(90 if keen else 2000)
        cancels = subscribed + rng.exponential(60 if angry else 600)
        for day in range(300):
            if rng.random() < (0.25 if keen else 0.03):
                rows.append((user, "login", day))
            if angry and rng.random() < 0.02:
                rows.append((user, "complaint", day))
        rows += [(user, kind, day) for kind, day in (("subscribe", subscribed), ("cancel", cancels)) if day < 300]
        people[-1]["today"] = sum(kind == "subscribe" for who, kind, _ in rows[-2:] if who == user)
    table = {"person": [r[0] for r in rows], "time": [at(r[2]) for r in rows], "kind": [r[1] for r in rows]}
    return table, people


def test_conversions_and_cancellations_of_any_kind(app):
    table, people = app
    objectives = [
        Objective("subscribes", "conversion", 30, event="subscribe"),
        Objective("cancels", "churn", 30, event="cancel"),
    ]
    found = score(table, objectives, people=people, immutable=["plan", "lucky"], candidates=("rules", "logistic"))
    joins, leaves = (found.results[each.name] for each in objectives)
    assert joins.model.rung == "logistic", (
        joins.model.why,
        {k: v.metrics["auc"] for k, v in joins.model.candidates.items()},
    )
    assert joins.model.evaluation.metrics["auc"].low > 0.6
    assert joins.model.evaluation.base_rate < 0.3
    assert leaves.model.refused is None
    converted = {person for person, kind in zip(table["person"], table["kind"], strict=True) if kind == "subscribe"}
    asked = {
        int(person) for person, prior in zip(found.persons, joins.predictions.prior_only, strict=True) if not prior
    }
    assert asked == set(range(500)) - converted
    told = {reason.text for given in joins.predictions.reasons for reason in given if reason.family == "activity"}
    assert any(text.startswith("last login") for text in told)


def test_only_what_was_known_then_of_people(app):
    table, people = app
    objective = [Objective("subscribes", "conversion", 30, event="subscribe")]
    found = score(table, objective, people=people, immutable=["plan"], deny=["lucky"], candidates=("rules",))
    model = found.results["subscribes"].model
    assert model.features[-2:] == ("plan=basic", "plan=pro") or model.features[-2:] == ("plan=pro", "plan=basic")
    assert model.quarantined == (
        "lucky is left out: it is on your deny-list.",
        TODAY,
    )


def test_segments_follow_the_first_of_objectives_of_one_kind(facts):
    def placed(*days):
        asked = [Objective(f"in {each}", "repeat_purchase", each) for each in days]
        return score(table(facts), asked, **NAMES, candidates=("rules",)).segments

    assert placed(14, 90) == placed(14)
    assert placed(90, 14) == placed(90) != placed(14)
