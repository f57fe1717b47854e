"""Churn is buying again, asked the other way round: one training answers both where their horizons are the same."""

from dataclasses import replace

from scoring.model import Model
from scoring.objectives import Objective


def opposites(one: Objective, other: Objective) -> bool:
    """Whether the chances of the two add up to one for everybody."""
    churn, rest = sorted((one, other), key=lambda each: each.kind != "churn")
    opposite = churn.opposite
    return opposite is not None and replace(opposite, name=rest.name) == rest


def mirrored(model: Model, objective: Objective) -> Model:
    """`model` (of churn, or of buying again or staying) as a model of `objective`, its opposite with the same horizon.

    Their chances add up to one for everybody. Raises ValueError when the two are not each other's mirror image.
    """
    if not opposites(model.objective, objective):
        raise ValueError(f"{objective.name} is not the opposite of {model.objective.name}")
    if model.check is None:
        return replace(model, objective=objective)
    judged = model.check.judged(objective, model.seed)
    return replace(model, objective=objective, evaluation=judged[model.rung], candidates=judged, prior=1 - model.prior)
