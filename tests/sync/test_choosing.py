"""Which model is in use: first ones, challengers, and the level."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from scoring import champion
from scoring.champion import Verdict
from scoring.train import dump, load
from sync import choosing, cycle
from sync.choosing import keep
from sync.progress import Silent
from sync.runbook import one, run_lines
from sync.score import score
from sync.standings import standings
from sync.store import runs
from sync.store.database import transaction
from sync.store.models import artefact, level_at, model_in_use, models, promotions, save_model

ASKED = [{"predict": "repeat_purchase"}, {"predict": "churn"}]
RARELY = {"train": "0 3 1 1 *"}


@pytest.fixture
def pair(shop, helpers, tmp_path):
    """The shop, asking only what one training answers."""
    shop.config = helpers.config(
        tmp_path, objectives=ASKED, model={"candidates": ["rules", "logistic"], "train_on_growth": 0}, schedule=RARELY
    )
    return shop


def growing(site, share: float):
    """The same, but trained when outcomes grew by `share`."""
    model = site.config.model.model_copy(update={"train_on_growth": share})
    site.config = site.config.model_copy(update={"model": model})
    return site


@pytest.fixture
def said(monkeypatch):
    """What the next comparisons say."""

    def say(*, promote: bool):
        monkeypatch.setattr(champion, "contest", lambda *_args, **_options: Verdict(promote, "It was compared."))

    return say


def names(site):
    return [each.objective for each in promotions(site.db)]


def test_the_first_models_come_into_use_at_once(shop, helpers) -> None:
    assert sorted(names(shop)) == sorted(["repeat_purchase", "churn", "high_value", "value", "response"])
    assert {each.cause for each in promotions(shop.db)} == {"first"}
    assert model_in_use(shop.db, "churn", helpers.now - timedelta(days=1)) is None


def test_outcomes_that_grew_are_a_reason_to_train_and_it_is_said(pair, helpers) -> None:
    """Within 30 days some 11 % more orders came in than there were."""
    later = helpers.now + timedelta(days=30)
    assert not any(each.trained for each in score(growing(pair, 0.0), later).models)
    assert not any(each.trained for each in score(growing(pair, 0.2), later).models)
    used = score(growing(pair, 0.05), later).models
    assert all(each.trained for each in used)
    assert {re.sub(r"[\d,]+", "N", each.why_trained) for each in used} == {
        "outcomes grew by N% (N to N) since the last training"
    }
    again = score(growing(pair, 0.05), later + timedelta(days=1)).models
    assert not any(each.trained for each in again), "it counts from the last training on"


def test_why_there_was_a_training_is_in_the_book_of_runs(pair, platform) -> None:
    assert cycle.run(pair, Silent()).scored is not None
    assert "trained" not in {key for key, value in runs.last(pair.db)[0].summary.items() if value}
    cycle.run(pair, Silent(), train=True)
    assert set(runs.last(pair.db)[0].summary["trained"].values()) == {"it was asked for"}
    assert "trained      Buys again: it was asked for" in list(run_lines(one(pair, runs.last(pair.db)[0].id)))


def test_a_challenger_without_evidence_waits_and_only_the_newest_is_kept(pair, helpers) -> None:
    before = model_in_use(pair.db, "churn", helpers.now)
    for day in (7, 14):
        used = score(pair, helpers.now + timedelta(days=day), train=True).models
        assert all(each.trained is not None and not each.cause for each in used)
        assert all("of 2 windows" in each.verdict for each in used)
    later = helpers.now + timedelta(days=14)
    assert model_in_use(pair.db, "churn", later).id == before.id
    assert [each.trained_at for each in models(pair.db, "churn")] == [helpers.now, later]
    assert models(pair.db, "churn")[-1].verdict
    predicted = pair.db.execute("SELECT DISTINCT model_id FROM prediction WHERE objective = 'churn'").fetchall()
    assert [row[0] for row in predicted] == [before.id]


@pytest.mark.parametrize(("found", "kept"), [(36, True), (40, False)])
def test_a_horizon_from_the_data_stays_until_people_order_otherwise(pair, helpers, monkeypatch, found, kept) -> None:
    """Models are compared on one question: at 30 days ahead, 36 would be nearly the same, and 40 another one."""
    before = model_in_use(pair.db, "repeat_purchase", helpers.now)
    gap = model_in_use(pair.db, "churn", helpers.now).card["objective"]["rhythm_days"]
    monkeypatch.setattr("scoring.rhythm.default_horizon", lambda *_: found)
    monkeypatch.setattr("scoring.objectives.own_range", lambda *_: (gap * found / 30, 60 * found // 30))
    later = helpers.now + timedelta(days=7)
    buying, silence = score(pair, later, train=True).models
    if kept:
        assert [each.trained.objective.horizon_days for each in (buying, silence)] == [30, 60]
        assert all("of 2 windows" in each.verdict for each in (buying, silence))
        assert model_in_use(pair.db, "repeat_purchase", later).id == before.id
    else:
        assert [each.model.objective.horizon_days for each in (buying, silence)] == [40, 80]
        assert {each.cause for each in (buying, silence)} == {"replaced"}
        assert buying.verdict == "Asked is 40 days ahead now, not 30 days ahead: people order otherwise."


def test_evidence_promotes_and_the_one_before_is_kept(pair, helpers, said) -> None:
    said(promote=True)
    later = helpers.now + timedelta(days=7)
    used = score(pair, later, train=True).models
    assert {each.cause for each in used} == {"evidence"}
    (first, second) = promotions(pair.db, "churn")
    assert (second.at, second.cause, second.why) == (later, "evidence", "It was compared.")
    assert model_in_use(pair.db, "churn", later).id == second.model_id
    assert model_in_use(pair.db, "churn", later - timedelta(hours=1)).id == first.model_id
    moved = pair.db.execute("SELECT DISTINCT cause FROM move WHERE at > 0").fetchall()
    assert {row[0] for row in moved} <= {"event", "model change"}


def test_moves_are_put_down_to_the_model_in_the_run_that_changed_it(pair, helpers, said, monkeypatch) -> None:
    seen = []

    def watched(*args, new_model, **more):
        seen.append(new_model)
        return standings(*args, new_model=new_model, **more)

    monkeypatch.setattr("sync.score.standings", watched)
    said(promote=True)
    score(pair, helpers.now + timedelta(days=7), train=True)
    score(pair, helpers.now + timedelta(days=8))
    assert seen == [True, False]


def test_a_model_whose_kind_is_no_candidate_any_more_is_replaced_when_training_is_due(pair, helpers) -> None:
    stored = model_in_use(pair.db, "churn", helpers.now)
    boosted = replace(load(artefact(pair.db, stored.id)), rung="boosting")
    save_model(pair.db, "churn", helpers.now, dump(boosted), stored.card)
    used = score(pair, helpers.now + timedelta(days=1)).models
    assert not any(each.cause for each in used)
    used = score(pair, helpers.now + timedelta(days=2), train=True).models
    assert [each.cause for each in used] == ["", "replaced"]


def test_the_level_is_set_a_month_after_the_training_and_looked_up_from_then_on(pair, helpers, monkeypatch) -> None:
    number = model_in_use(pair.db, "repeat_purchase", helpers.now).id
    early = {each.objective.predict: each.model for each in score(pair, helpers.now + timedelta(days=29)).models}
    month = helpers.now + timedelta(days=30)
    late = {each.objective.predict: each.model for each in score(pair, month).models}
    assert level_at(pair.db, number, month) is not None
    assert early["repeat_purchase"].calibration != late["repeat_purchase"].calibration
    monkeypatch.setattr("scoring.recalibrate.newest_line", None)
    again = {each.objective.predict: each.model for each in score(pair, month + timedelta(days=3)).models}
    assert again["repeat_purchase"].calibration == late["repeat_purchase"].calibration


def test_churn_by_each_persons_own_rhythm_is_a_training_of_its_own(pair, helpers) -> None:
    used = {each.objective.predict: each for each in score(pair, helpers.now, train=True).models}
    buys, leaves = used["repeat_purchase"], used["churn"]
    assert buys.model.objective.rhythm_days is None
    assert leaves.model.objective.rhythm_days > 0
    assert leaves.model.objective.horizon_days > buys.model.objective.horizon_days
    assert "within the time in which they usually order again: 30 to 60 days, " in leaves.sentence
    assert "the usual gap of all is " in leaves.sentence
    assert "30 days ahead" in buys.sentence


def test_a_change_between_own_and_fixed_horizons_trains_anew(pair, helpers, tmp_path) -> None:
    """What an earlier version kept (one horizon for everyone) is such a model as well."""
    days = model_of(pair, helpers).objective.horizon_days
    settings = {"model": {"candidates": ["rules"], "train_on_growth": 0}, "schedule": RARELY}
    fixed = [{"predict": "repeat_purchase", "within": "30d"}, {"predict": "churn", "within": f"{days}d"}]
    pair.config = helpers.config(tmp_path, objectives=fixed, **settings)
    used = score(pair, helpers.now + timedelta(days=1)).models[-1]
    assert (used.cause, used.model.objective.rhythm_days) == ("replaced", None)
    assert used.verdict == "Asked is the same horizon for everyone now, not each person's own rhythm."
    pair.config = helpers.config(tmp_path, objectives=ASKED, **settings)
    used = score(pair, helpers.now + timedelta(days=2)).models[-1]
    assert used.cause == "replaced"
    assert used.verdict == f"Asked is each person's own rhythm now, not {days} days ahead for everyone."


def model_of(site, helpers):
    return load(artefact(site.db, model_in_use(site.db, "churn", helpers.now).id))


def test_a_new_model_starts_at_its_own_level(pair, helpers, said) -> None:
    said(promote=True)
    (used, *_) = score(pair, helpers.now + timedelta(days=31), train=True).models
    assert used.model.calibration == used.trained.calibration
    with transaction(pair.db):
        assert keep(pair, replace(used, trained=None), helpers.now) is not None
    assert choosing.model_in_use(pair.db, "repeat_purchase", helpers.now + timedelta(days=31)).id > 0
