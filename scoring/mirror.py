"""Churn is buying again, asked the other way round: one training answers both."""

from dataclasses import replace

from scoring.model import Model
from scoring.objectives import Objective


def mirrored(model: Model, objective: Objective) -> Model:
    """`model` (of churn, or of buying again or staying) as a model of `objective`, its opposite with the same horizon.

    Their chances add up to one for everybody. Raises ValueError when the two are not each other's mirror image.
    """
    churn, other = sorted((model.objective, objective), key=lambda each: each.kind != "churn")
    opposite = churn.opposite
    asked = (other.kind, other.event, other.horizon_days)
    if opposite is None or (opposite.kind, opposite.event, opposite.horizon_days) != asked:
        raise ValueError(f"{objective.name} is not the opposite of {model.objective.name}")
    if model.check is None:
        return replace(model, objective=objective)
    judged = model.check.judged(objective, model.seed)
    return replace(model, objective=objective, evaluation=judged[model.rung], candidates=judged, prior=1 - model.prior)
