"""Churn is buying again, asked the other way round: one training answers both."""

from dataclasses import replace

from scoring.model import Model
from scoring.objectives import Objective


def mirrored(model: Model, objective: Objective) -> Model:
    """`model` (of repeat_purchase or churn) as a model of `objective`, its opposite with the same horizon.

    Their chances add up to one for everybody. Raises ValueError when the two are not each other's mirror image.
    """
    opposite = {model.objective.kind, objective.kind} == {"repeat_purchase", "churn"}
    if not opposite or model.horizon_days != objective.horizon_days:
        raise ValueError(f"{objective.name} is not the opposite of {model.objective.name}")
    if model.check is None:
        return replace(model, objective=objective)
    judged = model.check.judged(objective, model.seed)
    return replace(model, objective=objective, evaluation=judged[model.rung], candidates=judged, prior=1 - model.prior)
