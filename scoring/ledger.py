"""Predictions whose horizon has passed, against what happened."""

from dataclasses import dataclass

import numpy as np

from scoring.evaluate import Evaluation, evaluate
from scoring.snapshots import Floats, Ints


@dataclass(frozen=True)
class Realised:
    """How matured predictions turned out; `rule` is the rule of thumb scored silently beside them, if it was."""

    model: Evaluation
    rule: Evaluation | None
    predicted_mean: float
    observed_mean: float


def realised(
    p: Floats, y: Floats, person_ids: Ints, *, seed: int, rule_p: Floats | None = None, in_money: bool = False
) -> Realised:
    """Join stored predictions `p` with outcomes `y`, row by row. Only matured rows belong here.

    Raises ValueError without rows, or when the lists differ in length.
    """
    if not p.size == y.size == person_ids.size or (rule_p is not None and rule_p.size != p.size):
        raise ValueError("predictions, outcomes and people must be equally many")
    model = evaluate(y, p, person_ids, seed=seed, in_money=in_money)
    rule = None if rule_p is None else evaluate(y, rule_p, person_ids, seed=seed, in_money=in_money)
    return Realised(model, rule, float(np.mean(p)), float(np.mean(y)))
