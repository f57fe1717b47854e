"""From features and predictions to what a segment is decided from."""

import numpy as np

from scoring.features import FEATURES
from scoring.predict import Predictions
from scoring.segments import Standing
from scoring.snapshots import Floats, Matrix
from scoring.tables import DAY


def standings(
    known: Matrix, as_of: int, *, buying: Predictions | None = None, spending: Predictions | None = None
) -> list[Standing]:
    """One Standing per row of `known` (see `snapshots.matrix`), all at `as_of` (µs UTC).

    `buying` are predictions of repeat_purchase, `spending` of value; either may be missing. Raises ValueError when
    they are about other people than `known`.
    """
    chances, values = _beside(known, buying), _beside(known, spending)
    columns = {name: known.values[:, FEATURES.index(name)].tolist() for name in _USED}
    found = []
    for at, person_id in enumerate(known.person_ids.tolist()):
        row = {name: values[at] for name, values in columns.items()}
        recency, gap, recent = row["recency_days"], row["gap_mean"], row["spend_90d"]
        found.append(
            Standing(
                person_id=person_id,
                since=as_of - round(row["tenure_days"] * DAY),
                orders=int(row["orders"]),
                last_order=None if np.isnan(recency) else as_of - round(recency * DAY),
                usual_gap=None if np.isnan(gap) else gap,
                recent_spend=recent,
                earlier_spend=row["spend_180d"] - recent,
                p_buy=None if chances is None else float(chances[at]),
                value=None if values is None else float(values[at]),
            )
        )
    return found


_USED = ("tenure_days", "orders", "recency_days", "gap_mean", "spend_90d", "spend_180d")


def _beside(known: Matrix, predictions: Predictions | None) -> Floats | None:
    if predictions is None:
        return None
    if not np.array_equal(predictions.person_ids, known.person_ids):
        raise ValueError("these predictions are about other people than the features")
    return predictions.values
