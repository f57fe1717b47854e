"""Bring a model in use back to the observed level, once a month, on the newest windows that have ended since."""

from dataclasses import replace

import numpy as np

from scoring.calibrate import Calibration, calibrate
from scoring.model import Model
from scoring.snapshots import Snapshots
from scoring.tables import DAY

EVERY_DAYS = 30
WINDOWS = 3
"""How many of the newest windows set the level: one alone may be a whim of the calendar, older ones are history."""


def anchor(model: Model, at: int) -> int:
    """The last instant up to `at` (µs UTC) at which `model` was due for a new level: every EVERY_DAYS from training."""
    step = EVERY_DAYS * DAY
    return model.trained_at + max(at - model.trained_at, 0) // step * step


def newest_line(model: Model, past: Snapshots, at: int) -> Calibration | None:
    """The line from the log-odds (log-money) `model` gives to those observed, as of `anchor(model, at)`.

    Learned from the newest WINDOWS windows, a month apart, that began after the training and have ended; None while
    there is none: until then the model's own level, set on the newest outcomes it had, is the best there is. With fewer
    than calibrate.ENOUGH_FOR_SLOPE outcomes only the level moves.
    """
    newest = anchor(model, at) - model.objective.horizon
    cuts = [cut for cut in (newest - month * EVERY_DAYS * DAY for month in range(WINDOWS)) if cut >= model.trained_at]
    if model.estimator is None or not cuts:
        return None
    rows = past.rows(model.objective, cuts)
    if model.threshold is not None:
        rows = rows.reaching(model.threshold)
    if not rows.y.size:
        return None
    # Learned and calibrated is always towards buying: churn is the same line, read the other way round.
    y = 1 - rows.y if model.objective.kind == "churn" else rows.y
    link = model.calibration(model.estimator.raw(rows.x))
    found = calibrate(np.asarray(link), y, in_money=model.objective.in_money)
    return None if found == Calibration() else found


def relevelled(model: Model, line: Calibration | None) -> Model:
    """`model` with `line` laid over its own calibration; the same model without a line."""
    if line is None:
        return model
    own = model.calibration
    both = Calibration(line.slope * own.slope, line.slope * own.intercept + line.intercept)
    return replace(model, calibration=both)
