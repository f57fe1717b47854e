"""Apply a model: everyone gets a value, and everyone it knows something about gets the reasons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.explain import Picked, Reason, Reasons, in_common, pick
from scoring.extras import Extras
from scoring.model import Model, direction
from scoring.objectives import population
from scoring.snapshots import Floats, Ints, Matrix, matrix
from scoring.tables import Tables
from scoring.workers import side_by_side

ROWS_AT_ONCE = 20_000
"""Few enough that what is computed on the way stays in the cache, and out of the memory."""
AVERAGED = 20_000
"""People the average is taken over, evenly spread over all."""


@dataclass(frozen=True)
class Predictions:
    """Everyone known at the as-of instant, ascending by id; each list is beside `person_ids`."""

    person_ids: Ints
    values: Floats
    """Probability in [0, 1]; cents for `value`."""
    prior_only: NDArray[np.bool_]
    """True where nothing is known that the model could use: the value is the shrunk base rate, without reasons."""
    reasons: Sequence[tuple[Reason, ...]]
    """Put into words when they are asked for."""


Answers = tuple[Floats, Picked]
"""The value of each row, and which families are the reasons for it."""


def predict(
    model: Model,
    tables: Tables,
    as_of: int,
    *,
    known: Matrix | None = None,
    extras: Extras | None = None,
    elsewhere: Callable[[Floats], Answers] | None = None,
) -> Predictions:
    """Predict the horizon after `as_of` (µs UTC) for everyone in `tables.people` by then.

    `known` may carry the features of this instant when several models share them; else `extras` are the columns beside
    FEATURES, where the model was trained with some. `elsewhere` applies the model in another place: from the average
    to the `answers` for the population, ascending by id. Raises ValueError when the model
    was refused, or was trained on other features than these.
    """
    if model.estimator is None:
        raise ValueError(f"there is no model for {model.objective.name}: {model.refused}")
    known = known or matrix(tables, as_of, extras)
    if known.values.shape[1] != len(model.features):
        raise ValueError("the model was trained on other features: train it again")
    members = population(tables, model.objective, as_of).collect("pyarrow")["person_id"].to_numpy()
    inside = np.flatnonzero(np.isin(known.person_ids, members))
    values = np.full(known.person_ids.size, model.prior)
    prior_only = np.ones(values.size, dtype=bool)
    prior_only[inside] = False
    # Against the average person scored today: what is true of everyone is nobody's reason.
    if not inside.size:
        return Predictions(known.person_ids, values, prior_only, [()] * values.size)
    some = known.values[inside[:: inside.size // AVERAGED + 1]]
    _, parts = model.estimator.contributions(some)
    average = parts.mean(axis=0)
    common = in_common(model.slope * (parts - average), some, model.features, direction(model.objective))
    if elsewhere is None:
        values[inside], picked = _here(model, known.values, inside, average)
    else:
        values[inside], picked = elsewhere(average)
    return Predictions(
        known.person_ids, values, prior_only, Reasons(picked, inside, known.values, model.features, common)
    )


def answers(model: Model, x: Floats, average: Floats) -> Answers:
    """The value of each row of `x`, and the reasons that tell it from what each column adds on `average`."""
    assert model.estimator is not None
    _, parts = model.estimator.contributions(x)
    return model.score(x), pick(model.slope * (parts - average), x, model.features)


def _here(model: Model, values: Floats, inside: Ints, average: Floats) -> Answers:
    pieces = np.split(inside, range(ROWS_AT_ONCE, inside.size, ROWS_AT_ONCE))
    found = side_by_side(lambda rows: answers(model, values[rows], average), pieces)
    return np.concatenate([each for each, _ in found]), Picked.stacked([each for _, each in found])
