"""Train one objective: climb the ladder of models, keep the simplest that is as good as the best, say why."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from sklearn.base import clone
from threadpoolctl import threadpool_limits

from scoring.calibrate import calibrate, levelled
from scoring.choose import choose
from scoring.evaluate import losses
from scoring.features import CLOCKS, DIRECTIONS, FAMILIES, FEATURES
from scoring.ladder.base import Rung
from scoring.ladder.buyers import BuyersChance, BuyersMoney, StandsAsideError
from scoring.ladder.linear import Logistic, LogLinear
from scoring.ladder.rules import rules
from scoring.ladder.trees import Boosting, PoissonBoosting
from scoring.lesson import Lesson, lesson
from scoring.mirror import mirrored
from scoring.model import Check, Model, dump, load, respond
from scoring.objectives import Objective
from scoring.snapshots import Snapshots
from scoring.tables import DAY, Tables
from scoring.trial import Trial, attempt, best_of

__all__ = ["CANDIDATES", "Model", "dump", "load", "mirrored", "rungs", "train"]

CANDIDATES = ("rules", "btyd", "logistic", "boosting")
"""The rungs, simplest first."""

_GROUPS = tuple(tuple(FEATURES.index(name) for name in names) for names in FAMILIES.values())
_CLOCKS = tuple(FEATURES.index(name) for name in CLOCKS)
_BUYING = tuple(FEATURES.index(name) for name in ("recency_days", "orders", "first_order_days", "spend_mean"))


def train(
    tables: Tables,
    objective: Objective,
    as_of: int,
    *,
    seed: int,
    candidates: Sequence[str] = CANDIDATES,
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
    if objective.kind == "churn":
        opposite = replace(objective, kind="repeat_purchase")
        return mirrored(train(tables, opposite, as_of, seed=seed, candidates=candidates, snapshots=past), objective)
    found = lesson(past, objective, seed)
    if isinstance(found, str):
        return Model(objective, as_of, seed, why=found, refused=found)
    # One thread: fits this small gain nothing from more, and on a busy machine idle threads cost minutes.
    with threadpool_limits(1):
        trials = _climb(found, objective, candidates, seed)
        return _model(objective, as_of, seed, found, trials, _notes(past))


def rungs(objective: Objective, seed: int) -> dict[str, Rung]:
    """The rungs above the rules of thumb, not fitted yet, by name; they keep to the directions of FEATURES.

    Buy-till-you-die models are about orders and money: they have no answer to `high_value` and `response`.
    """
    days = objective.horizon_days
    if objective.in_money:
        return {
            "btyd": BuyersMoney(_BUYING, days),
            "logistic": LogLinear(DIRECTIONS, _CLOCKS),
            "boosting": PoissonBoosting(seed, DIRECTIONS, _GROUPS, _CLOCKS),
        }
    found: dict[str, Rung] = {
        "logistic": Logistic(DIRECTIONS, _CLOCKS),
        "boosting": Boosting(seed, DIRECTIONS, _GROUPS, _CLOCKS),
    }
    return {"btyd": BuyersChance(_BUYING[:3], days), **found} if objective.kind == "repeat_purchase" else found


def _climb(found: Lesson, objective: Objective, candidates: Sequence[str], seed: int) -> dict[str, Trial]:
    """The trials, simplest first; a model the data do not settle stands aside."""
    trials = {"rules": best_of(rules(objective.kind), found.training, objective, seed)}
    for name, model in rungs(objective, seed).items():
        if name in candidates:
            with suppress(StandsAsideError):
                trials[name] = attempt(name, model, found.training, objective, seed)
    return trials


def _final(trial: Trial, found: Lesson) -> Rung:
    """The rung of `trial` fitted on all rows; as it is when those do not settle it."""
    rung: Rung = clone(trial.estimator)
    try:
        return rung.fit(found.rows.x, found.rows.y)
    except StandsAsideError:
        return trial.estimator


def _model(
    objective: Objective, as_of: int, seed: int, found: Lesson, trials: dict[str, Trial], notes: tuple[str, ...]
) -> Model:
    """Judge the trials on the test rows, choose one, and fit it and the rule of thumb on all rows."""
    test, money = found.test, objective.in_money
    raw = {name: trial.estimator.raw(test.x) for name, trial in trials.items()}
    check = Check(test.person_ids, test.cuts, test.y, {name: trials[name].calibration(raw[name]) for name in trials})
    judged = check.judged(objective, seed)
    # Compared at the level that came: it is a whim of the calendar, the same for all, and corrected below.
    missed = {
        name: losses(test.y, respond(levelled(link, test.y, test.cuts, in_money=money), objective), in_money=money)
        for name, link in check.links.items()
    }
    choice = choose(missed, judged, test.person_ids, seed)
    used = {choice.rung, "rules"}
    final = {name: _final(trials[name], found) for name in used}
    # The newest window is the best guide to today's level, and the trial had not seen it.
    level = {name: calibrate(raw[name], test.y, in_money=money) for name in used}
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
        estimator=final[choice.rung],
        calibration=level[choice.rung],
        rule_estimator=final["rules"],
        rule_calibration=level["rules"],
        check=check,
        prior=found.prior,
        threshold=found.threshold,
    )


def _notes(past: Snapshots) -> tuple[str, ...]:
    months = (past.as_of - (past.first or past.as_of)) / DAY / 30.44
    if months >= 13:
        return ()
    return (f"Only {months:.0f} months are known: the season ahead was not seen before, levels may be off.",)
