"""Answers to surveys and segments set by hand as outcomes: dated, and never known before they were given."""

from datetime import timedelta

import pytest

from sync.answers import said, said_since
from sync.instants import micros
from sync.pins import overrides, pin
from sync.score import score
from sync.store.database import transaction

LEAVES = {"predict": "churn", "counts": "unsubscribe", "field": "gone", "within": "30d"}
ANSWER = {"answer": "hubspot:nps", "when": "<= 3", "label": "gone"}
HUBSPOT = [{"properties": ["nps"]}]


def config(helpers, tmp_path, *surveys, objectives=(LEAVES,), **more):
    return helpers.config(tmp_path, hubspot=HUBSPOT, objectives=list(objectives), surveys=list(surveys), **more)


@pytest.fixture
def start(shop, helpers) -> int:
    """The instant the answers of the shop's contacts are watched from: 100 days ago."""
    since = micros(helpers.now - timedelta(days=100))
    shop.db.execute("INSERT INTO watched VALUES ('hubspot', 'nps', ?1, ?1)", (since,))
    return since


def change(shop, contact: str, at: int, after: str) -> int:
    """Note a change; the person it is about."""
    shop.db.execute("INSERT INTO property_change VALUES ('hubspot', ?, 'nps', ?, '', ?)", (contact, at, after))
    row = shop.db.execute("SELECT person_id FROM contact WHERE account = 'hubspot' AND id = ?", (contact,)).fetchone()
    return row["person_id"]


def test_an_answer_counts_from_when_it_was_noticed(shop, helpers, tmp_path, start) -> None:
    shop.config = config(helpers, tmp_path, ANSWER)
    contacts = [row["id"] for row in shop.db.execute("SELECT id FROM contact WHERE account = 'hubspot' ORDER BY id")]
    angry, happy, was = contacts[:3]
    day = 86_400_000_000
    person = change(shop, angry, start + 5 * day, "2")
    change(shop, happy, start + 6 * day, "9")
    shop.db.execute("UPDATE contact SET properties = json_object('nps', 1) WHERE id = ?", (was,))
    assert list(said(shop)) == [(person, "unsubscribe", start + 5 * day)]
    now = micros(helpers.now)
    assert said_since(shop, now) == {"unsubscribe": start}
    shop.db.execute("UPDATE watched SET since = NULL")
    assert said_since(shop, now) == {"unsubscribe": now}


def test_a_segment_set_by_hand_may_be_the_answer(shop, helpers, tmp_path) -> None:
    shop.config = config(helpers, tmp_path, {"answer": "pin:segment", "when": "= Lost", "label": "gone"})
    now = micros(helpers.now)
    assert said_since(shop, now) == {"unsubscribe": now}
    with transaction(shop.db):
        pin(shop, "p7@shop.example", "Lost", timedelta(days=90))
        pin(shop, "p8@shop.example", "Loyal", timedelta(days=90))
    ((_, kind, at),) = said(shop)
    assert (kind, at) == ("unsubscribe", micros(shop.clock.now()))
    assert said_since(shop, now) == {"unsubscribe": at}
    assert len(overrides(shop, helpers.now)) == 2


def test_models_learn_from_answers_and_only_from_the_time_they_were_watched(shop, helpers, tmp_path, start) -> None:
    """Those who order least say one after the other that they are gone; nobody unsubscribed."""
    shop.db.execute("DELETE FROM activity WHERE kind = 'unsubscribe'")
    rows = shop.db.execute(
        """SELECT id FROM contact c WHERE account = 'hubspot' ORDER BY
        (SELECT count(*) FROM person_activity a WHERE a.person_id = c.person_id AND kind = 'order'), id"""
    ).fetchall()
    for place, row in enumerate(rows[: len(rows) // 2]):
        change(shop, row["id"], start + (1 + place % 90) * 86_400_000_000, "0")
    shop.config = config(helpers, tmp_path, ANSWER, schedule={"train": "0 3 1 1 *"})
    (used,) = score(shop, helpers.now, train=True).models
    assert used.model.refused is None, used.model.refused
    assert used.model.check.cuts.min() > start
    assert used.model.evaluation.metrics["auc"].low > 0.6
    shop.config = config(helpers, tmp_path, schedule={"train": "0 3 1 1 *"})
    (without,) = score(shop, helpers.now, train=True).models
    assert "Only 0 people without the outcome" in without.model.refused  # all stay


@pytest.mark.parametrize(
    ("survey", "complaint"),
    [
        ({"answer": "hubspot:nps", "when": "<= 3"}, "needs a segment to put people into, or a label"),
        ({**ANSWER, "label": "churn"}, "there is no objective churn: choose from gone"),
        ({**ANSWER, "answer": "hubspot:other"}, 'set properties = ."other"'),
        ({"answer": "pin:segment", "when": "<= 3", "label": "gone"}, "segment already"),
        ({"answer": "pin:segment", "when": "= Lost", "segment": "Lost", "label": "gone"}, "segment already"),
    ],
)
def test_a_survey_answers_an_objective_or_moves_people(helpers, tmp_path, survey, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        config(helpers, tmp_path, survey)


@pytest.mark.parametrize(
    "objective",
    [
        {"predict": "repeat_purchase"},
        {"predict": "churn"},
        {"predict": "conversion", "counts": "deal_won"},
    ],
)
def test_no_survey_answers_what_orders_say(helpers, tmp_path, objective) -> None:
    with pytest.raises(ValueError, match="is about orders, which no survey answers"):
        config(helpers, tmp_path, {**ANSWER, "label": objective["predict"]}, objectives=(objective,))
