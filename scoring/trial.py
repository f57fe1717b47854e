"""Fit one rung and bring it to the observed level, without looking at the rows it will be judged on."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from scoring.calibrate import Calibration, calibrate
from scoring.evaluate import losses
from scoring.ladder.base import Rung
from scoring.model import respond
from scoring.objectives import Objective
from scoring.snapshots import Rows, folds
from scoring.workers import side_by_side

FOLDS = 3
LEVEL_CUTS = 3
"""How many of the newest cut-offs set the level: one alone may be a whim of the calendar, older ones are history."""
LEVEL_CUTS_MONEY = 1
"""Money drifts with the calendar and as decayed sums fill up: only the very newest cut-off tells its level."""


@dataclass(frozen=True)
class Trial:
    """A rung fitted on the training rows, its calibration, and how far off it was on rows kept apart from both."""

    name: str
    estimator: Rung
    calibration: Calibration
    loss: float


def attempt(name: str, rung: Rung, rows: Rows, objective: Objective, seed: int) -> Trial:
    """Fit `rung` on `rows` and calibrate it on its predictions for people it was not fitted on.

    The level is taken from the newest cut-offs, to follow the times. Raises StandsAsideError where the rows do not
    settle the rung.
    """
    fold = folds(rows.person_ids, FOLDS, seed)
    level_cuts = LEVEL_CUTS_MONEY if objective.in_money else LEVEL_CUTS
    newest = np.isin(rows.cuts, np.unique(rows.cuts)[-level_cuts:])

    def fitted(without: int) -> Rung:
        new: Rung = clone(rung)
        return new.fit(rows.x[fold != without], rows.y[fold != without])

    held_out = [number for number in range(FOLDS) if (newest & (fold == number)).any()]
    held_out = [number for number in held_out if rows.where(fold != number).outcomes()]
    # The last is fitted on everyone: nobody is in that fold.
    *models, final = side_by_side(fitted, [*held_out, FOLDS])
    raw = np.zeros(rows.y.size)
    for number, model in zip(held_out, models, strict=True):
        mine = newest & (fold == number)
        raw[mine] = model.raw(rows.x[mine])
    raw, y = raw[newest], rows.y[newest]
    calibration = calibrate(raw, y, in_money=objective.in_money)
    answer = respond(calibration(raw), objective)
    loss = float(losses(y, answer, in_money=objective.in_money).mean())
    return Trial(name, final, calibration, loss)
