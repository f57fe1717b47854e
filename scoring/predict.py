"""Apply a model: everyone gets a value, and everyone it knows something about gets the reasons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from scoring.explain import Reason, reasons
from scoring.extras import Extras
from scoring.model import Model
from scoring.objectives import population
from scoring.snapshots import Floats, Ints, Matrix, matrix
from scoring.tables import Tables


@dataclass(frozen=True)
class Predictions:
    """Everyone known at the as-of instant, ascending by id; each list is beside `person_ids`."""

    person_ids: Ints
    values: Floats
    """Probability in [0, 1]; cents for `value`."""
    prior_only: NDArray[np.bool_]
    """True where nothing is known that the model could use: the value is the shrunk base rate, without reasons."""
    reasons: list[tuple[Reason, ...]]


def predict(
    model: Model, tables: Tables, as_of: int, *, known: Matrix | None = None, extras: Extras | None = None
) -> Predictions:
    """Predict the horizon after `as_of` (µs UTC) for everyone in `tables.people` by then.

    `known` may carry the features of this instant when several models share them; else `extras` are the columns beside
    FEATURES, where the model was trained with some. Raises ValueError when the model
    was refused, or was trained on other features than these.
    """
    if model.estimator is None:
        raise ValueError(f"there is no model for {model.objective.name}: {model.refused}")
    known = known or matrix(tables, as_of, extras)
    if known.values.shape[1] != len(model.features):
        raise ValueError("the model was trained on other features: train it again")
    members = population(tables, model.objective, as_of).collect("pyarrow")["person_id"].to_numpy()
    inside = np.isin(known.person_ids, members)
    values = np.full(known.person_ids.size, model.prior)
    given: list[tuple[Reason, ...]] = [()] * known.person_ids.size
    if inside.any():
        x = known.values[inside]
        with threadpool_limits(1):
            values[inside] = model.score(x)
            _, parts = model.estimator.contributions(x)
        # Against the average person scored today: what is true of everyone is nobody's reason.
        parts = model.slope * (parts - parts.mean(axis=0))
        for place, reason in zip(np.flatnonzero(inside), reasons(parts, x, model.features), strict=True):
            given[place] = reason
    return Predictions(known.person_ids, values, ~inside, given)
