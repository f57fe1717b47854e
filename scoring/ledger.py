"""Predictions whose horizon has passed, against what happened."""

from dataclasses import dataclass

import numpy as np

from scoring.evaluate import Evaluation, Interval, difference, evaluate, losses
from scoring.line import level, slope
from scoring.snapshots import Floats, Ints


@dataclass(frozen=True)
class Line:
    """How log-odds that happened lie over those predicted, each with its 95 % interval."""

    level: Interval
    """What has to be added to the predicted log-odds, the slope being 1; 0 when as many did it as predicted."""
    slope: Interval
    """1 when the predictions are as far apart as what happened; below 1 they were too sure."""


@dataclass(frozen=True)
class Realised:
    """How matured predictions turned out; `rule` is the rule of thumb scored silently beside them, if it was."""

    model: Evaluation
    rule: Evaluation | None
    predicted_mean: float
    observed_mean: float
    line: Line | None
    """None for money, and where it happened to everybody or to nobody."""
    gain: Interval | None
    """Loss of the rule of thumb minus that of the model, paired over people: above 0 the model was better."""


def realised(
    p: Floats, y: Floats, person_ids: Ints, *, seed: int, rule_p: Floats | None = None, in_money: bool = False
) -> Realised:
    """Join stored predictions `p` with outcomes `y`, row by row. Only matured rows belong here.

    Raises ValueError without rows, or when the lists differ in length.
    """
    if not p.size == y.size == person_ids.size or (rule_p is not None and rule_p.size != p.size):
        raise ValueError("predictions, outcomes and people must be equally many")
    model = evaluate(y, p, person_ids, seed=seed, in_money=in_money)
    rule, gain = None, None
    if rule_p is not None:
        rule = evaluate(y, rule_p, person_ids, seed=seed, in_money=in_money)
        gain = difference(losses(y, rule_p, in_money=in_money), losses(y, p, in_money=in_money), person_ids, seed)
    line = None if in_money or y.min() == y.max() else calibration_line(p, y, person_ids)
    return Realised(model, rule, float(np.mean(p)), float(np.mean(y)), line, gain)


def calibration_line(p: Floats, y: Floats, person_ids: Ints) -> Line:
    """The line of predictions `p` and outcomes `y`, of which both values must occur."""
    return Line(Interval(*level(p, y, person_ids)), Interval(*slope(p, y, person_ids)))
