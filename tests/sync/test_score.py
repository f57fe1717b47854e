"""Scoring from the store: who is placed, what is kept, when models are made anew, and what came true."""

import json
from datetime import timedelta

import pytest

from connectors.contract import Page
from connectors.records import Consent, Contact
from sync.config_sections import TITLES
from sync.errors import ForetagError
from sync.fields import SEGMENTS, field_specs, score_key
from sync.instants import micros
from sync.rollout import in_control
from sync.score import score
from sync.standings import REASONS_LENGTH
from sync.store.database import StoreError
from sync.store.ledger import matured_at
from sync.store.people import person_of
from sync.store.scores import newest_standings


def dumped(site, table: str) -> list[tuple]:
    return [tuple(row) for row in site.db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]


def standings(site) -> dict:
    newest = newest_standings(site.db)
    assert newest
    return newest[1]


def models(site) -> int:
    return site.db.execute("SELECT count(*) FROM model").fetchone()[0]


def alter(site, objective: str) -> None:
    """What a bad disk or a bad guest would do."""
    site.db.execute("UPDATE model SET artefact = CAST(artefact || x'00' AS BLOB) WHERE objective = ?", (objective,))


def test_everyone_is_in_exactly_one_segment_with_every_field(shop) -> None:
    found = standings(shop)
    assert sorted(found) == list(range(1, 301))
    keys = {spec.key for spec in field_specs(shop.config)} - {"scored_on"}
    for each in found.values():
        assert each.segment in SEGMENTS
        assert each.fields["segment"] == each.segment
        assert keys <= each.fields.keys() | ({"reasons"} if not each.reasons else set())
        assert each.fields["control_group"] == in_control(each.person_id, shop.config.holdout.share)
        assert each.fields["tags"] == sorted({each.segment, *(["Control"] if each.fields["control_group"] else [])})


def test_scores_stay_between_0_and_100_and_reasons_fit_the_field(shop) -> None:
    for each in standings(shop).values():
        for predict in TITLES:
            value = each.fields[score_key(predict)]
            assert value >= 0
            assert predict == "value" or value <= 100
        assert len(each.fields["reasons"]) <= REASONS_LENGTH
        assert all(share for told in each.reasons.values() for _, share in told)


def test_chances_to_buy_and_to_stop_add_up_where_their_horizons_are_the_same(shop, helpers, tmp_path) -> None:
    asked = [{"predict": predict, "within": "30d"} for predict in ("repeat_purchase", "churn")]
    shop.config = helpers.config(tmp_path, objectives=asked, model={"candidates": ["rules"]})
    score(shop, helpers.now)
    for each in standings(shop).values():
        assert each.fields["buy_score"] + each.fields["churn_score"] == pytest.approx(100, abs=0.11)


def test_the_scores_tell_buyers_from_others(shop, helpers) -> None:
    end = helpers.now + timedelta(days=30)
    rows = shop.db.execute(
        "SELECT DISTINCT person_id FROM person_activity WHERE kind = 'order' AND at >= ? AND at < ?",
        (micros(helpers.now), micros(end)),
    )
    bought = {row["person_id"] for row in rows}
    scores = {person: each.fields["buy_score"] for person, each in standings(shop).items()}
    best = sorted(scores, key=scores.__getitem__)[-60:]
    assert len(bought & set(best)) / 60 > 1.4 * len(bought) / 300


def test_the_same_instant_again_gives_the_same_bytes(shop, helpers) -> None:
    before = {table: dumped(shop, table) for table in ("standing", "prediction", "model", "setting")}
    again = score(shop, helpers.now)
    assert not any(used.trained for used in again.models)
    assert {table: dumped(shop, table) for table in before} == before


@pytest.mark.slow
def test_training_again_at_the_same_instant_gives_the_same_bytes_too(shop, helpers) -> None:
    before = dumped(shop, "standing"), dumped(shop, "prediction")
    assert all(used.trained for used in score(shop, helpers.now, train=True).models)
    assert (dumped(shop, "standing"), dumped(shop, "prediction")) == before


@pytest.mark.slow
def test_models_are_used_until_a_training_is_due(shop, helpers, tmp_path) -> None:
    shop.config = helpers.config(tmp_path, model={"candidates": ["rules"]})
    assert models(shop) == 5
    # 2017-09-30 is a Saturday: training is due on Sunday at 03:00 in Berlin, 01:00 UTC.
    assert not any(used.trained for used in score(shop, helpers.now + timedelta(hours=12, minutes=59)).models)
    assert models(shop) == 5
    assert all(used.trained for used in score(shop, helpers.now + timedelta(hours=13)).models)
    assert models(shop) == 10


def test_another_horizon_is_another_question(shop, helpers, tmp_path) -> None:
    asked = [{"predict": predict} for predict in TITLES]
    asked[0]["within"] = "45d"
    shop.config = helpers.config(tmp_path, objectives=asked, model={"candidates": ["rules"]})
    trained = {used.objective.predict: used.trained is not None for used in score(shop, helpers.now).models}
    assert trained == {predict: predict == "repeat_purchase" for predict in TITLES}
    horizons = shop.db.execute(
        "SELECT DISTINCT horizon_days FROM prediction WHERE objective = 'repeat_purchase'"
    ).fetchall()
    assert [row["horizon_days"] for row in horizons] == [45]


@pytest.mark.slow
def test_an_altered_model_is_not_loaded_and_training_again_helps(shop, helpers) -> None:
    alter(shop, "churn")
    before = dumped(shop, "standing")
    with pytest.raises(StoreError, match="foretag score --train"):
        score(shop, helpers.now)
    assert issubclass(StoreError, ForetagError)
    assert dumped(shop, "standing") == before
    score(shop, helpers.now + timedelta(days=1), train=True)
    assert score(shop, helpers.now + timedelta(days=1)).people == 300


@pytest.mark.slow
def test_predictions_of_an_altered_model_are_not_judged_and_stop_nothing(shop, helpers, caplog) -> None:
    alter(shop, "churn")
    later = helpers.now + timedelta(days=61)
    assert score(shop, later, train=True).people == 300
    assert "altered" in caplog.text
    assert helpers.now not in matured_at(shop.db, "churn")
    assert helpers.now in matured_at(shop.db, "repeat_purchase")


def test_what_came_true_is_what_really_happened(shop, helpers) -> None:
    end = helpers.now + timedelta(days=30)
    score(shop, end - timedelta(microseconds=1))
    assert matured_at(shop.db, "repeat_purchase") == []
    score(shop, end)
    rows = shop.db.execute(
        """SELECT person_id, sum(kind = 'order') AS orders, sum(CASE kind WHEN 'order' THEN amount END) AS spend,
        sum(kind = 'response') AS answers FROM person_activity WHERE at >= ? AND at < ? GROUP BY person_id""",
        (micros(helpers.now), micros(end)),
    )
    real = {row["person_id"]: row for row in rows}
    ledger = shop.db.execute("SELECT * FROM prediction WHERE as_of = ?", (micros(helpers.now),)).fetchall()
    assert {row["objective"] for row in ledger} == set(TITLES)
    for row in ledger:
        did = real.get(row["person_id"])
        orders, spend, answers = (did["orders"], did["spend"] or 0, did["answers"]) if did else (0, 0, 0)
        expected = {
            "repeat_purchase": orders > 0,
            "churn": None,
            "value": spend,
            "response": answers > 0,
            "high_value": row["outcome"],
        }[row["objective"]]
        assert row["outcome"] == expected
    spends = {row["person_id"]: row["outcome"] for row in ledger if row["objective"] == "value"}
    high = {row["person_id"] for row in ledger if row["objective"] == "high_value" and row["outcome"] == 1}
    assert high
    assert min(spends[person] for person in high) > max(spends[person] for person in spends.keys() - high)


def test_silence_is_judged_by_each_persons_own_horizon_when_the_longest_is_over(shop, helpers) -> None:
    day, now = 86_400_000_000, micros(helpers.now)
    asked = {each.objective.predict: each.model.objective for each in score(shop, helpers.now).models}["churn"]
    score(shop, helpers.now + timedelta(days=asked.horizon_days, microseconds=-1))
    assert matured_at(shop.db, "churn") == []
    score(shop, helpers.now + timedelta(days=asked.horizon_days))
    orders: dict[int, list[int]] = {}
    for row in shop.db.execute("SELECT person_id, at FROM person_activity WHERE kind = 'order'"):
        orders.setdefault(row["person_id"], []).append(row["at"])
    ledger = shop.db.execute("SELECT * FROM prediction WHERE objective = 'churn' AND as_of = ?", (now,)).fetchall()
    own = []
    for row in ledger:
        before = [at for at in orders[row["person_id"]] if at < now]
        repeats = len({at // day for at in before}) - 1
        gap = (2 * asked.rhythm_days + (max(before) - min(before)) / day * (repeats > 0)) / (2 + repeats)
        own.append(min(max(round(1.75 * gap), 30), asked.horizon_days))
        came = [at for at in orders[row["person_id"]] if now <= at < now + own[-1] * day]
        assert row["outcome"] == (not came), row["person_id"]
    assert min(own) == 30
    assert max(own) == asked.horizon_days
    assert len(set(own)) > 5


def test_who_objects_disappears_from_standings_and_from_the_ledger(shop, helpers) -> None:
    contact = Contact("contacts", "7", "p7@shop.example", Consent.NO_PROFILING)
    helpers.fill(shop, {"contacts": [Page("contacts", "c2", (contact,))]})
    later = helpers.now + timedelta(days=60)
    assert score(shop, later).people == 299
    person, other = (person_of(shop.db, f"p{number}@shop.example") for number in (7, 8))
    assert standings(shop).keys() == set(range(1, 301)) - {person}
    assert shop.db.execute("SELECT count(*) FROM prediction WHERE person_id = ?", (person,)).fetchone()[0] == 0
    assert shop.db.execute("SELECT count(*) FROM prediction WHERE person_id = ?", (other,)).fetchone()[0] > 0


def test_a_new_rule_of_exclusion_holds_without_another_pull(shop, helpers, tmp_path) -> None:
    shop.config = helpers.config(tmp_path, privacy={"exclude_when": ["hubspot:property:n=7"]})
    assert score(shop, helpers.now).people == 299
    assert person_of(shop.db, "p7@shop.example") not in standings(shop)


def test_an_empty_store_is_scored_to_nobody(site, helpers) -> None:
    scored = score(site, helpers.now)
    assert scored.people == 0
    assert set(scored.segments.values()) == {0}
    assert all("no activity yet" in used.model.refused for used in scored.models)
    json.dumps(scored.cards(), allow_nan=False)


def test_contacts_without_any_activity_are_placed(site, helpers) -> None:
    helpers.fill(site, {"contacts": helpers.shoppers(count=5)["contacts"]})
    assert score(site, helpers.now).people == 5
    assert {each.segment for each in standings(site).values()} == {"Lost"}


def test_too_little_data_gives_segments_but_no_probability(site, helpers) -> None:
    helpers.fill(site, helpers.shoppers(count=60, days=80, start=helpers.now - timedelta(days=80)))
    scored = score(site, helpers.now)
    assert scored.people == 60 == sum(scored.segments.values())
    assert sum(count > 0 for count in scored.segments.values()) >= 3
    for used in scored.models:
        assert "days of history" in used.sentence or "are needed" in used.sentence or "one side" in used.sentence
        assert "20" in used.sentence.split("no model yet")[1]
    for each in standings(site).values():
        assert not any(score_key(predict) in each.fields for predict in TITLES)
        assert each.fields["segment"] in SEGMENTS
    assert site.db.execute("SELECT count(*) FROM prediction").fetchone()[0] == 0


@pytest.mark.slow
def test_a_refused_model_is_tried_again_as_soon_as_there_is_more(site, helpers) -> None:
    site.config = helpers.config(site.config.data_dir.parent, model={"candidates": ["rules"]})
    assert all(used.model.refused for used in score(site, helpers.now).models)
    helpers.fill(site, helpers.shoppers())
    used = score(site, helpers.now + timedelta(hours=1)).models
    assert [each.model.refused for each in used] == [None] * 5


@pytest.mark.slow
def test_thresholds_stay_until_another_question_is_asked(shop, helpers, tmp_path) -> None:
    kept = dumped(shop, "setting")
    score(shop, helpers.now + timedelta(days=40), train=True)
    assert dumped(shop, "setting") == kept
    shop.config = helpers.config(tmp_path, objectives=[{"predict": "churn"}], model={"candidates": ["rules"]})
    score(shop, helpers.now + timedelta(days=41))
    assert dumped(shop, "setting") != kept


def test_thresholds_fitted_on_nobody_are_not_kept(site, helpers) -> None:
    score(site, helpers.now)
    assert dumped(site, "setting") == []


def test_a_scored_shop_can_be_shown_as_json(shop, helpers) -> None:
    cards = score(shop, helpers.now).cards()
    assert [each["objective"]["kind"] for each in cards] == list(TITLES)
    json.dumps(cards, allow_nan=False)


def test_a_value_is_learned_from_what_was_watched_only(shop, helpers, tmp_path) -> None:
    """Half of the shoppers become members in the 200 days before; the rest of the time nobody watched."""
    asked = [{"predict": "conversion", "counts": "property:stage=member", "within": "30d"}]
    more = {"objectives": asked, "hubspot": [{"properties": ["stage"]}], "model": {"candidates": ["rules"]}}
    shop.config = helpers.config(tmp_path, **more)

    def refused() -> str:
        (used,) = score(shop, helpers.now).models
        return used.model.refused or ""

    assert "Only 0 days of watching stage=member" in refused()
    start = micros(helpers.now) - 200 * 86_400_000_000
    shop.db.execute("INSERT INTO watched VALUES ('hubspot', 'stage', ?1, ?1)", (start,))
    assert "Only 0 people with the outcome" in refused()
    shop.db.execute(
        """INSERT INTO property_change SELECT account, id, 'stage', ? + 86400000000 * (CAST(id AS INTEGER) % 190),
        '', 'Member' FROM contact WHERE CAST(id AS INTEGER) % 2""",
        (start,),
    )
    (used,) = score(shop, helpers.now).models
    assert used.model.rows > 0


def test_several_conversions_and_ways_to_leave_stand_side_by_side(shop, helpers, tmp_path) -> None:
    asked = [
        {"predict": "conversion", "counts": "response"},
        {"predict": "conversion", "counts": "click", "field": "click"},
        {"predict": "churn"},
        {"predict": "churn", "counts": "unsubscribe", "field": "leave"},
    ]
    shop.config = helpers.config(tmp_path, objectives=asked, model={"candidates": ["rules"]})
    used = {each.objective.key: each for each in score(shop, helpers.now).models}
    assert list(used) == ["conversion", "click", "churn", "leave"]
    assert [each.model.objective.event for each in used.values()] == ["response", "click", "", "unsubscribe"]
    answered = {key for key, each in used.items() if not each.model.refused}
    assert "churn" in answered
    ledger = shop.db.execute("SELECT DISTINCT objective FROM prediction WHERE as_of = ?", (micros(helpers.now),))
    assert {row["objective"] for row in ledger} >= answered
    fields = {key for each in standings(shop).values() for key in each.fields if key.endswith("_score")}
    assert fields == {f"{key}_score" for key in answered}


def test_again_asks_those_too_who_have_done_it(shop, helpers, tmp_path) -> None:
    asked = {"predict": "conversion", "counts": "response", "within": "30d"}
    shop.config = helpers.config(tmp_path, objectives=[asked], model={"candidates": ["rules"]})
    (once,) = score(shop, helpers.now).models
    shop.config = helpers.config(tmp_path, objectives=[{**asked, "again": True}], model={"candidates": ["rules"]})
    (again,) = score(shop, helpers.now).models
    assert again.model.objective.again
    assert again.model.rows > once.model.rows
    assert again.model.refused is None
    told = shop.db.execute(
        "SELECT count(*) FROM prediction WHERE objective = 'conversion' AND as_of = ?", (micros(helpers.now),)
    ).fetchone()[0]
    assert told == len(standings(shop))


def test_a_conversion_counts_what_the_file_names(shop, helpers, tmp_path) -> None:
    asked = [{"predict": "conversion", "counts": "response", "name": "First answer"}]
    shop.config = helpers.config(tmp_path, objectives=asked, model={"candidates": ["rules"]})
    (used,) = score(shop, helpers.now).models
    assert (used.title, used.model.objective.kind, used.model.objective.event) == (
        "First answer",
        "conversion",
        "response",
    )
    told = {spec.key: spec.description for spec in field_specs(shop.config)}
    assert told["conversion_score"].startswith("Chance in per cent of the first response within ")
    scored = [each.fields["conversion_score"] for each in standings(shop).values() if "conversion_score" in each.fields]
    assert bool(scored) == (not used.model.refused)
    assert all(0 <= value <= 100 for value in scored)
    shop.config = helpers.config(
        tmp_path, objectives=[{**asked[0], "counts": "order"}], model={"candidates": ["rules"]}
    )
    assert score(shop, helpers.now).models[0].trained is not None
