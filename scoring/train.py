"""Train one objective: climb the ladder of models, keep the simplest that is as good as the best, say why."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache

import numpy as np
from threadpoolctl import threadpool_limits

from scoring.calibrate import calibrate, levelled
from scoring.choose import NOBODY, Gain, choose
from scoring.evaluate import Interval, difference, gini_difference, losses
from scoring.features import FEATURES
from scoring.ladder.base import Rung
from scoring.ladder.buyers import BuyersChance, BuyersMoney, BuyersReturn, StandsAsideError
from scoring.ladder.columns import Columns
from scoring.ladder.forests import Forest, Tree
from scoring.ladder.hurdle import Hurdle
from scoring.ladder.linear import Logistic, LogLinear
from scoring.ladder.neural import Neural
from scoring.ladder.rules import rules
from scoring.ladder.trees import Boosting, PoissonBoosting
from scoring.leaks import leaks
from scoring.lesson import Lesson, lesson
from scoring.mirror import mirrored
from scoring.model import Check, Model, dump, load, respond
from scoring.objectives import Objective
from scoring.rhythm import RHYTHM
from scoring.snapshots import Snapshots
from scoring.tables import DAY, Tables
from scoring.trial import Trial, attempt
from scoring.workers import side_by_side

__all__ = ["CANDIDATES", "USUAL", "Model", "dump", "load", "mirrored", "rungs", "train"]

CANDIDATES = ("rules", "btyd", "logistic", "tree", "forest", "hurdle", "boosting", "neural")
"""The rungs, simplest first."""
USUAL = ("rules", "btyd", "logistic", "tree", "hurdle", "boosting")
"""Those that take part unless others are named: forest and network take long and seldom win."""

_BY_DAYS = tuple(FEATURES.index(name) for name in RHYTHM)
_BUYING = tuple(
    FEATURES.index(name) for name in ("recency_days", "orders", "first_order_days", "spend_mean", "spend_decayed_120d")
)


def train(
    tables: Tables,
    objective: Objective,
    as_of: int,
    *,
    seed: int,
    candidates: Sequence[str] = USUAL,
    snapshots: Snapshots | None = None,
) -> Model:
    """Learn `objective` from what was known at `as_of` (µs UTC).

    Each candidate is fitted and calibrated on cut-offs whose horizon had ended before the newest matured cut-off,
    and judged there; the chosen one is then fitted again on everything matured. The rule of thumb always takes part.
    Pass `snapshots` (of the same tables and instant) to share features between objectives. Raises ValueError for an
    unknown candidate or snapshots of another instant.
    """
    if unknown := set(candidates) - set(CANDIDATES):
        raise ValueError(f"unknown candidate(s) {', '.join(sorted(unknown))}: choose from {', '.join(CANDIDATES)}")
    past = snapshots or Snapshots(tables, as_of)
    if past.as_of != as_of:
        raise ValueError("these snapshots belong to another instant")
    if opposite := objective.opposite:
        return mirrored(train(tables, opposite, as_of, seed=seed, candidates=candidates, snapshots=past), objective)
    found = lesson(past, objective, seed)
    if isinstance(found, str):
        return Model(objective, as_of, seed, why=found, refused=found)
    # One thread: fits this small gain nothing from more, and on a busy machine idle threads cost minutes.
    with threadpool_limits(1):
        hidden = leaks(past, found.training, found.test)
        columns = Columns.of(past.names, hidden, own_horizons=objective.rhythm_days is not None)
        trials = _climb(found, objective, candidates, columns, seed)
        model = _model(objective, as_of, seed, found, trials, tuple(_notes(past, found)))
    own = _horizons(objective, found)
    return replace(model, features=past.names, quarantined=_kept_out(past, hidden), horizons=own)


def rungs(objective: Objective, seed: int, columns: Columns | None = None) -> dict[str, Rung]:
    """The rungs above the rules of thumb, not fitted yet, by name; they keep to the directions of `columns`.

    Buy-till-you-die models are about orders and money: they answer only `repeat_purchase` and `value`.
    """
    days, on = objective.horizon_days, columns or Columns.of(FEATURES)
    shape = (on.directions, on.families)
    if objective.in_money:
        return {
            "btyd": BuyersMoney(_BUYING, days),
            "logistic": LogLinear(on.directions, on.unused),
            "hurdle": Hurdle(seed, *shape, on.unused),
            "boosting": PoissonBoosting(seed, *shape, on.circles, on.unused),
        }
    found: dict[str, Rung] = {
        "logistic": Logistic(on.directions, on.unused),
        "tree": Tree(seed, *shape, on.unused),
        "forest": Forest(seed, *shape, on.unused),
        "boosting": Boosting(seed, *shape, on.circles, on.unused),
        "neural": Neural(seed, *shape, on.unused),
    }
    if objective.kind != "repeat_purchase":
        return found
    if objective.rhythm_days is not None:
        return {"btyd": BuyersReturn(_BY_DAYS, days, objective.rhythm_days), **found}
    return {"btyd": BuyersChance(_BUYING[:3], days), **found}


def _climb(
    found: Lesson, objective: Objective, candidates: Sequence[str], columns: Columns, seed: int
) -> dict[str, Trial]:
    """The trials, simplest first; a model the data do not settle stands aside."""
    thumb = rules(objective.kind, own_horizons=objective.rhythm_days is not None)
    models = {name: model for name, model in rungs(objective, seed, columns).items() if name in candidates}

    def tried(rung: tuple[str, Rung]) -> Trial | None:
        with suppress(StandsAsideError):
            return attempt(*rung, found.training, objective, seed)
        return None

    # The last take longest: they begin first, so that no processor is left to wait for them.
    done = side_by_side(tried, reversed([*thumb.items(), *models.items()]))[::-1]
    trials = {"rules": min((trial for trial in done[: len(thumb)] if trial), key=lambda trial: trial.loss)}
    return trials | {trial.name: trial for trial in done[len(thumb) :] if trial}


def _final(trial: Trial, found: Lesson, objective: Objective, seed: int) -> Trial:
    """`trial` again, on all rows; as it is, at the level of the test rows, when all rows do not settle it.

    The level belongs to what was fitted: a model that saw other months has another one.
    """
    try:
        return attempt(trial.name, trial.estimator, found.rows, objective, seed)
    except StandsAsideError:
        raw = trial.estimator.raw(found.test.x)
        return replace(trial, calibration=calibrate(raw, found.test.y, in_money=objective.in_money))


def _model(
    objective: Objective, as_of: int, seed: int, found: Lesson, trials: dict[str, Trial], notes: tuple[str, ...]
) -> Model:
    """Judge the trials on the test rows, choose one, and fit it and the rule of thumb on all rows."""
    test = found.test
    raw = dict(zip(trials, side_by_side(lambda trial: trial.estimator.raw(test.x), trials.values()), strict=True))
    check = Check(test.person_ids, test.cuts, test.y, {name: trials[name].calibration(raw[name]) for name in trials})
    judged = check.judged(objective, seed)
    choice = choose(list(trials), judged, _gains(check, objective, seed))
    if not choice.rung:
        return Model(objective, as_of, seed, why=choice.why, refused=choice.why, rows=found.rows.y.size, notes=notes)
    used = dict.fromkeys((choice.rung, "rules"))
    final = {name: _final(trials[name], found, objective, seed) for name in used}
    return Model(
        objective,
        as_of,
        seed,
        why=choice.why,
        rung=choice.rung,
        rule=trials["rules"].name,
        rows=found.rows.y.size,
        evaluation=judged[choice.rung],
        candidates=judged,
        notes=notes,
        estimator=final[choice.rung].estimator,
        calibration=final[choice.rung].calibration,
        rule_estimator=final["rules"].estimator,
        rule_calibration=final["rules"].calibration,
        check=check,
        prior=found.prior,
        threshold=found.threshold,
    )


def _gains(check: Check, objective: Objective, seed: int) -> Gain:
    """How much better one rung is than another: in loss at the level that came (which is a whim of the calendar, the
    same for all, and corrected later), for money in ranking.
    """
    y, money = check.y, objective.in_money
    answers = {
        name: respond(levelled(link, y, check.cuts, in_money=money), objective)
        for name, link in {**check.links, NOBODY: np.zeros(y.size)}.items()
    }
    missed = {name: losses(y, answer, in_money=money) for name, answer in answers.items()}

    @cache
    def gain(better: str, worse: str) -> Interval:
        if money:
            return gini_difference(y, answers[better], answers[worse], check.person_ids, seed)
        return difference(missed[worse], missed[better], check.person_ids, seed)

    return gain


def _kept_out(past: Snapshots, hidden: Mapping[int, str]) -> tuple[str, ...]:
    refused = past.extras.refused if past.extras else ()
    return (*refused, *dict.fromkeys(hidden.values()))


def _notes(past: Snapshots, found: Lesson) -> Iterator[str]:
    months = (past.as_of - (past.first or past.as_of)) / DAY / 30.44
    if months < 13:
        yield f"Only {months:.0f} months are known: the season ahead was not seen before, levels may be off."
    if found.drawn:
        people = np.unique(found.rows.person_ids).size
        rows = found.rows.y.size
        yield f"Learned from {rows:,} labelled rows of {people:,} people, drawn by chance; everybody is scored."


def _horizons(objective: Objective, found: Lesson) -> str:
    """How long people's own horizons were at the newest cut-off, and the gap of all they are drawn to."""
    if objective.rhythm_days is None:
        return ""
    own = objective.own_days(*found.rows.at([int(found.rows.cuts.max())]).x[:, _BY_DAYS].T)
    return f"{np.median(own):.0f} for the one in the middle (the usual gap of all is {objective.rhythm_days:.3g} days)"
