"""Who may take whose place, and how the level of a model in use is kept."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.calibrate import Calibration
from scoring.champion import MARGIN, contest
from scoring.evaluate import Interval
from scoring.objectives import Objective
from scoring.recalibrate import anchor, newest_line, relevelled
from scoring.snapshots import Snapshots
from scoring.train import CANDIDATES, mirrored, train

BUYS = Objective("x", "repeat_purchase", 30)


@pytest.fixture(scope="module")
def champion(tables, at):
    return train(tables, BUYS, at(180), seed=1, candidates=["rules", "logistic"])


@pytest.fixture(scope="module")
def challenger(tables, past, at):
    return train(tables, BUYS, at(300), seed=1, candidates=["rules", "logistic"], snapshots=past)


def spoiled(model, slope=1.0, intercept=0.0):
    return replace(model, calibration=Calibration(slope * model.calibration.slope, intercept))


def test_a_challenger_that_is_surely_better_is_promoted(champion, challenger, past):
    backwards = spoiled(champion, slope=-1.0)
    verdict = contest(backwards, challenger, past, CANDIDATES)
    assert verdict.promote
    assert verdict.gain.low > 0
    assert "surely better" in verdict.why
    assert len(verdict.slices) >= 2
    assert all(cut >= champion.trained_at for cut in verdict.slices)
    assert verdict.calibration_error[1] < verdict.calibration_error[0]


def test_after_a_human_went_back_only_younger_evidence_counts(champion, challenger, past, at):
    backwards, days = spoiled(champion, slope=-1.0), sorted(set(challenger.check.cuts.tolist()))
    assert contest(backwards, challenger, past, CANDIDATES, since=days[-2]).slices == tuple(days[-2:])
    verdict = contest(backwards, challenger, past, CANDIDATES, since=days[-2] + 1)
    assert not verdict.promote
    assert verdict.why.startswith("1 of 2 windows have ended")


def test_a_challenger_that_may_only_be_lucky_stays_outside(champion, challenger, past, monkeypatch):
    monkeypatch.setattr("scoring.champion.difference", lambda *_: Interval(0.01, -0.01, 0.03))
    verdict = contest(champion, challenger, past, CANDIDATES)
    assert not verdict.promote
    assert "% less (likely between" in verdict.why
    assert "% more and" in verdict.why


def test_a_challenger_that_is_worse_stays_outside(champion, challenger, past):
    check = challenger.check
    links = {**check.links, challenger.rung: -check.links[challenger.rung]}
    verdict = contest(champion, replace(challenger, check=replace(check, links=links)), past, CANDIDATES)
    assert not verdict.promote
    assert verdict.gain.high < 0
    assert "stays" in verdict.why


def test_the_same_again_is_promoted_only_when_it_is_simpler(champion, challenger, past):
    cuts = [cut for cut in np.unique(challenger.check.cuts).tolist() if cut >= champion.trained_at]
    levelled = relevelled(champion, newest_line(champion, past, cuts[0]))
    said = np.zeros(challenger.check.y.size)
    for cut in cuts:
        here, known = challenger.check.cuts == cut, past.matrix(cut)
        rows = np.isin(known.person_ids, challenger.check.person_ids[here])
        said[here] = levelled.calibration(levelled.estimator.raw(known.values[rows]))
    twin = replace(challenger, check=replace(challenger.check, links={challenger.rung: said}))
    same = contest(replace(champion, rung=challenger.rung), twin, past, CANDIDATES)
    assert same.gain.value == 0
    assert not same.promote
    assert contest(replace(champion, rung="boosting"), twin, past, CANDIDATES).promote
    nearly = replace(
        twin, check=replace(twin.check, links={challenger.rung: said + 4 * MARGIN * np.sign(0.5 - twin.check.y)})
    )
    worse = contest(replace(champion, rung="boosting"), nearly, past, CANDIDATES)
    assert worse.gain.low < -MARGIN
    assert not worse.promote


def test_without_two_windows_of_its_own_there_is_no_verdict(challenger, tables, past, at):
    young = train(tables, BUYS, at(262), seed=1, candidates=["rules"])
    verdict = contest(young, challenger, past, CANDIDATES)
    assert not verdict.promote
    assert verdict.gain is None
    assert "of 2 windows" in verdict.why
    assert "about 20" in verdict.why


def test_leaving_gets_the_same_verdict_as_staying(champion, challenger, past):
    churn = Objective("y", "churn", 30)
    plain = contest(champion, challenger, past, CANDIDATES)
    mirror = contest(mirrored(champion, churn), mirrored(challenger, churn), past, CANDIDATES)
    assert mirror.promote == plain.promote
    assert mirror.gain.value == pytest.approx(plain.gain.value)


def test_refused_models_and_models_without_their_rows_are_not_compared(champion, challenger, past):
    for pair in ((replace(champion, estimator=None), challenger), (champion, replace(challenger, check=None))):
        with pytest.raises(ValueError, match="two models"):
            contest(*pair, past, CANDIDATES)


def test_the_level_is_due_once_a_month_from_the_training_on(champion, at):
    assert anchor(champion, at(180)) == at(180)
    assert anchor(champion, at(209.9)) == at(180)
    assert anchor(champion, at(211)) == at(210)
    assert anchor(champion, at(170)) == at(180)


def test_the_level_is_learned_only_from_windows_after_the_training(champion, tables, at):
    assert newest_line(champion, Snapshots(tables, at(209)), at(209)) is None
    month, later = (newest_line(champion, Snapshots(tables, at(day)), at(day)) for day in (210, 225))
    assert month is not None
    assert later == month
    assert newest_line(champion, Snapshots(tables, at(240)), at(240)) != month


@pytest.mark.parametrize("kind", ["repeat_purchase", "churn", "value", "high_value"])
def test_a_model_that_is_off_comes_back_to_what_happened(tables, past, at, kind):
    model = train(tables, Objective("x", kind, 30), at(180), seed=1, candidates=["rules"])
    off = spoiled(model, intercept=model.calibration.intercept + 0.6)
    used = relevelled(off, newest_line(off, past, at(300)))
    rows = past.rows(model.objective, [at(day) for day in (210, 240, 270)])
    rows = rows if model.threshold is None else rows.reaching(model.threshold)
    missed = [abs(float(each.score(rows.x).mean() - rows.y.mean())) for each in (off, used)]
    assert missed[1] < missed[0] / 2
    parts = used.estimator.contributions(rows.x)[1]
    assert (used.slope * parts).shape == rows.x.shape


def test_without_a_line_the_model_is_the_same(champion):
    assert relevelled(champion, None) is champion
