import json
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import narwhals.stable.v2 as nw
import numpy as np
import pytest
from scipy.special import expit

from scoring.card import card
from scoring.evaluate import Interval, evaluate
from scoring.ladder.rules import rules
from scoring.objectives import Objective, labels
from scoring.predict import predict
from scoring.tables import DAY, Tables
from scoring.train import dump, load, mirrored, rungs, train
from scoring.trial import LEVEL_CUTS

SEED = 11
BUYS = Objective("buys again", "repeat_purchase", 30)


@pytest.fixture(scope="module")
def model(tables, at, past):
    return train(tables, BUYS, at(300), seed=SEED, snapshots=past)


def test_the_check_lies_after_everything_learned(model, past):
    tests = model.evaluation.cuts
    assert tests
    assert all(cut + BUYS.horizon <= past.as_of for cut in tests)
    assert set(model.candidates) == {"rules", "btyd", "logistic", "tree", "boosting"}
    assert {found.cuts for found in model.candidates.values()} == {tests}


def test_what_was_promised_comes_true(model, tables, at):
    found, truth = predict(model, tables, at(300)), labels(tables, BUYS, at(300))
    inside = truth.inside
    later = evaluate(truth.y[inside], found.values[inside], truth.person_ids[inside], seed=SEED).metrics
    assert later["auc"].low > 0.6
    assert later["auc"].high > model.evaluation.metrics["auc"].low
    assert later["ece"].value < 0.08


@pytest.mark.slow
def test_a_planted_leak_changes_nothing(shop, at):
    """Activities that give the outcome away, from the cut-off on, must not be seen by training or prediction."""
    facts = shop(people=250, seed=5)
    clean = train(facts.tables(), BUYS, at(300), seed=SEED)
    before = predict(clean, facts.tables(), at(300))
    truth = labels(facts.tables(), BUYS, at(300))
    for person, y in zip(truth.person_ids.tolist(), truth.y.tolist(), strict=True):
        facts.add(person, "response" if y else "unsubscribe", 300.0)
        facts.add(person, "order" if y else "refund", 301.0, 10**6)
    spoiled = train(facts.tables(), BUYS, at(300), seed=SEED)
    after = predict(spoiled, facts.tables(), at(300))
    np.testing.assert_array_equal(before.values, after.values)
    assert clean.evaluation == spoiled.evaluation


def test_a_leak_inside_the_past_is_no_use_to_the_check(shop, at):
    """A sign that only appears after each purchase predicts nothing: it must not lift the AUC towards 1."""
    facts = shop(people=250, seed=5)
    for person, kind, instant, _, _ in list(facts.activities):
        if kind == "order":
            facts.activities.append((person, "visit", instant + 1, None, False))
    leaky = train(facts.tables(), BUYS, at(300), seed=SEED)
    assert leaky.evaluation.metrics["auc"].value < 0.9


@pytest.mark.parametrize(("days", "warned"), [(390, True), (400, False)])
def test_a_season_that_was_not_seen_before_is_told(days, warned, shop, at):
    """Thirteen months are 396 days."""
    tables = shop(people=150, days=410, seed=4).tables()
    notes = train(tables, BUYS, at(days), seed=SEED, candidates=("rules",)).notes
    assert any("the season ahead was not seen before" in note for note in notes) == warned


def test_no_skill_is_claimed_where_there_is_none(shop, at):
    model = train(shop(people=300, seed=2, pace_spread=0.0).tables(), BUYS, at(330), seed=SEED)
    assert model.refused.startswith("Nothing tells people apart better than chance yet: the best, ")
    assert model.estimator is None


def test_calibration_holds_for_people_never_seen(shop, at):
    tables = shop(people=1600, seed=9).tables()
    person = nw.col("person_id")
    seen, unseen = (
        Tables(tables.activities.filter(chosen), tables.people.filter(chosen))
        for chosen in (person < 800, person >= 800)
    )
    model = train(seen, BUYS, at(300), seed=SEED)
    found, truth = predict(model, unseen, at(300)), labels(unseen, BUYS, at(300))
    inside = truth.inside
    later = evaluate(truth.y[inside], found.values[inside], truth.person_ids[inside], seed=SEED)
    assert found.values[inside].mean() == pytest.approx(later.base_rate, abs=0.05)
    assert later.metrics["ece"].value < 0.08


@pytest.mark.parametrize("rung", ["rules", "btyd", "logistic", "boosting"])
def test_the_level_belongs_to_the_model_that_is_used(past, at, rung):
    """And not to the one that was tried on fewer months: on the newest outcomes predicted is what came."""
    model = train(past.tables, BUYS, past.as_of, seed=SEED, snapshots=past, candidates=[rung])
    newest = past.rows(BUYS, past.cuts(BUYS)[:LEVEL_CUTS])
    raw = model.rule_estimator.raw(newest.x) if rung == "rules" else model.estimator.raw(newest.x)
    link = model.rule_calibration(raw) if rung == "rules" else model.calibration(raw)
    assert expit(link).mean() == pytest.approx(newest.y.mean(), abs=0.009)


def test_churn_and_buying_again_add_up_to_one(model, tables, at, past):
    churn = train(tables, replace(BUYS, kind="churn"), at(300), seed=SEED, snapshots=past)
    leaves, stays = predict(churn, tables, at(300)), predict(model, tables, at(300))
    np.testing.assert_allclose(leaves.values + stays.values, 1)
    assert churn.evaluation.metrics["auc"].value == pytest.approx(model.evaluation.metrics["auc"].value)
    assert churn.evaluation.outcomes == model.evaluation.n - model.evaluation.outcomes
    first = next(number for number, given in enumerate(stays.reasons) if given)
    for_staying = {reason.family: reason.contribution for reason in stays.reasons[first]}
    for_leaving = {reason.family: reason.contribution for reason in leaves.reasons[first]}
    for family in for_staying.keys() & for_leaving.keys():
        assert for_staying[family] == pytest.approx(-for_leaving[family])


def test_churn_is_buying_again_mirrored(model, tables, at, past):
    objective = replace(BUYS, name="stops", kind="churn")
    alone = train(tables, objective, at(300), seed=SEED, snapshots=past)
    for first, second in ((alone, mirrored(model, objective)), (model, mirrored(alone, BUYS))):
        assert first.evaluation == second.evaluation
        assert first.candidates == second.candidates
        assert (first.objective, first.why, first.rung) == (second.objective, second.why, second.rung)
        one, other = (predict(each, tables, at(300)) for each in (first, second))
        np.testing.assert_allclose(one.values, other.values)
        assert one.reasons == other.reasons


def test_only_opposites_mirror_each_other(model, tables, at):
    for wrong in (BUYS, replace(BUYS, kind="value"), replace(BUYS, kind="churn", horizon_days=45)):
        with pytest.raises(ValueError, match="not the opposite"):
            mirrored(model, wrong)
    refused = train(tables, BUYS, at(50), seed=SEED)
    churn = mirrored(refused, replace(BUYS, kind="churn"))
    assert (churn.refused, churn.objective.kind) == (refused.refused, "churn")


@pytest.mark.parametrize("kind", ["repeat_purchase", "churn", "value"])
def test_the_rule_of_thumb_is_what_a_training_of_its_own_would_give(kind, tables, at, past):
    objective = Objective(kind, kind, 30)
    rule = train(tables, objective, at(300), seed=SEED, snapshots=past).rule_of_thumb()
    alone = train(tables, objective, at(300), seed=SEED, snapshots=past, candidates=("rules",))
    assert (rule.rung, rule.rule, rule.title) == ("rules", alone.rule, alone.title)
    assert rule.evaluation == alone.evaluation
    assert set(rule.candidates) == {"rules"}
    assert rule.rule_of_thumb() is rule
    one, other = (predict(each, tables, at(300)) for each in (rule, alone))
    np.testing.assert_array_equal(one.values, other.values)
    assert one.reasons == other.reasons
    if kind == "churn":
        assert mirrored(rule, BUYS).evaluation.n == rule.evaluation.n


def test_a_refused_model_has_no_rule_of_thumb_either(tables, at):
    refused = train(tables, BUYS, at(50), seed=SEED)
    assert refused.rule_of_thumb().refused == refused.refused


@pytest.mark.parametrize("kind", ["high_value", "value", "response"])
def test_the_other_kinds_train_and_predict(kind, tables, at, past):
    model = train(tables, Objective(kind, kind, 30), at(300), seed=SEED, snapshots=past)
    found = predict(model, tables, at(300), known=past.matrix(at(300)))
    assert model.refused is None
    assert np.isfinite(found.values).all()
    assert (found.values >= 0).all()
    assert kind == "value" or (found.values <= 1).all()
    assert model.evaluation.metrics["lift_20"].low > 1
    json.dumps(card(model), allow_nan=False)


def test_training_twice_gives_the_same(model, tables, at):
    again = train(tables, BUYS, at(300), seed=SEED)
    assert again.why == model.why
    assert again.evaluation == model.evaluation
    np.testing.assert_allclose(predict(again, tables, at(300)).values, predict(model, tables, at(300)).values)


def test_too_short_a_history_says_when_it_will_be_enough(tables, at):
    model = train(tables, BUYS, at(50), seed=SEED)
    assert model.refused == (
        "Only 49 days of history: a 30-day prediction needs 97 to learn and to check what it learned. "
        "Enough on 2020-12-20."
    )
    assert model.estimator is None
    with pytest.raises(ValueError, match="there is no model for buys again"):
        predict(model, tables, at(50))
    assert json.loads(json.dumps(card(model), allow_nan=False))["refused"] == model.refused


@pytest.mark.parametrize("horizon", [30, 45, 90])
def test_the_promised_date_is_kept(horizon, tables, at):
    objective = replace(BUYS, horizon_days=horizon)
    promised = train(tables, objective, at(40), seed=SEED).refused.rstrip(".").split()[-1]
    that_day = round(datetime.fromisoformat(promised).replace(tzinfo=UTC).timestamp() * 1_000_000)
    assert train(tables, objective, that_day, seed=SEED, candidates=()).refused is None


def test_too_few_outcomes_say_when_there_will_be_enough(shop, at):
    model = train(shop(people=6, seed=4).tables(), BUYS, at(330), seed=SEED)
    assert model.refused.startswith("Only ")
    assert "10 are needed" in model.refused
    assert "about 20" in model.refused


def test_nothing_at_all_is_refused(facts, at):
    assert "no activity yet" in train(facts.tables(), BUYS, at(330), seed=SEED).refused


def test_few_outcomes_in_the_check_keep_the_rule(shop, at):
    model = train(shop(people=25, seed=8).tables(), BUYS, at(330), seed=SEED, candidates=("logistic", "boosting"))
    assert model.refused is None
    assert model.rung == "rules"
    assert "are needed to tell models apart" in model.why
    assert model.title == f"rule of thumb ({model.rule})"
    assert model.rule in rules("repeat_purchase")


def test_people_without_orders_get_the_prior_and_no_reasons(model, shop, at):
    facts = shop(people=40, seed=6)
    facts.person(1000, 200)
    found = predict(model, facts.tables(), at(300))
    place = found.person_ids.tolist().index(1000)
    assert found.prior_only[place]
    assert found.reasons[place] == ()
    assert found.values[place] == model.prior
    assert 0 < model.prior < 1


def test_a_model_survives_being_kept(model, tables, at):
    again = load(dump(model))
    np.testing.assert_array_equal(predict(again, tables, at(300)).values, predict(model, tables, at(300)).values)
    assert again.why == model.why
    kept = dump(model)
    for wrong, why in (
        (dump({"model": 1}), "not a model"),
        (kept[:-1] + bytes([kept[-1] ^ 1]), "altered"),
        (b"pickle", "not a model"),
        (dump(replace(model, notes=Interval(1, 2, Fraction(1, 2)))), "they name fractions.Fraction"),
    ):
        with pytest.raises(ValueError, match=why):
            load(wrong)


@pytest.mark.parametrize("kind", ["repeat_purchase", "value"])
def test_every_rung_survives_being_kept(kind, model, past):
    rows = past.rows(Objective(kind, kind, 30), past.cuts(BUYS)[:4])
    for rung in {**rungs(Objective(kind, kind, 30), SEED), **rules(kind)}.values():
        again = load(dump(replace(model, estimator=rung.fit(rows.x, rows.y)))).estimator
        np.testing.assert_array_equal(again.raw(rows.x), rung.raw(rows.x))


def test_wrong_questions_are_refused(tables, at, past):
    with pytest.raises(ValueError, match="unknown candidate"):
        train(tables, BUYS, at(300), seed=SEED, candidates=("magic",))
    with pytest.raises(ValueError, match="another instant"):
        train(tables, BUYS, at(300) - DAY, seed=SEED, snapshots=past)


def test_only_the_candidates_asked_for_take_part(tables, at, past):
    model = train(tables, BUYS, at(300), seed=SEED, candidates=("logistic",), snapshots=past)
    assert set(model.candidates) == {"rules", "logistic"}
