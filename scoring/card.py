"""The model card: everything a reader needs to judge a model, as plain values."""

import math
from dataclasses import asdict
from typing import Any

from scoring.model import Model


def card(model: Model) -> dict[str, Any]:
    """`model` as a dict that JSON can hold: no NaN, no objects; instants in µs UTC."""
    found: dict[str, Any] = plain(
        {
            "objective": asdict(model.objective),
            "trained_at": model.trained_at,
            "seed": model.seed,
            "refused": model.refused,
            "rung": model.rung,
            "title": model.title if model.rung else None,
            "why": model.why,
            "notes": list(model.notes),
            "rows": model.rows,
            "prior": model.prior,
            "threshold": model.threshold,
            "calibration": asdict(model.calibration),
            "features": list(model.features),
            "evaluation": None if model.evaluation is None else asdict(model.evaluation),
            "candidates": {name: asdict(found) for name, found in model.candidates.items()},
        }
    )
    return found


def plain(value: Any) -> Any:
    """`value` without what JSON cannot hold: NaN and infinities become None, tuples lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
