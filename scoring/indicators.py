"""What marked people early who became top spenders later: told with its size, and only where it holds everywhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.evaluate import Interval, resamples
from scoring.features import FAMILIES, FEATURES
from scoring.model import Model
from scoring.snapshots import Floats, Rows, Snapshots, folds

CUTS = 3
FOLDS = 3
FEWEST = 30
"""People needed on either side of a split, and top spenders in all."""
MOST = 5

WORDS = {
    "recency_days": "last order at most {:.0f} days ago",
    "gap_mean": "at most {:.0f} days between two orders",
    "gap_last": "at most {:.0f} days between the last two orders",
    "orders": "at least {:.0f} orders so far",
    "orders_90d": "at least {:.0f} orders in 90 days",
    "orders_180d": "at least {:.0f} orders in 180 days",
    "spend_sum": "{:,.2f} or more spent so far",
    "spend_mean": "{:,.2f} or more per order",
    "spend_last": "{:,.2f} or more in the last order",
    "spend_max": "{:,.2f} or more in the largest order",
    "spend_90d": "{:,.2f} or more spent in 90 days",
    "spend_180d": "{:,.2f} or more spent in 180 days",
    "clicks": "at least {:.0f} clicks in mails",
    "responses": "at least {:.0f} answers to campaigns",
    "sends": "at least {:.0f} mailings received",
    "answered_share": "{:.0%} or more of the mailings answered",
    "days_since_click": "last click at most {:.0f} days ago",
    "days_since_response": "last answer to a campaign at most {:.0f} days ago",
    "tenure_days": "known for at least {:.0f} days",
    "returns": "at least {:.0f} returns",
}
"""The features that can be told, and how. Where it says "at most", less speaks for it; money is given in units."""


@dataclass(frozen=True)
class Indicator:
    """Of people who were no top spenders yet: how many with the mark became one, and how many without."""

    feature: str
    text: str
    people: int
    """Rows with the mark, over all cut-offs."""
    share: float
    """Of these, how many became top spenders."""
    others: float
    """The same for everyone else."""
    gap: Interval
    """Difference of the two shares, over people."""


def indicators(model: Model, past: Snapshots) -> list[Indicator]:
    """The strongest marks, one per family of features, for a model of high_value; empty where nothing is stable.

    Judged at the newest matured cut-offs, on people whose spend at the time was below the model's threshold. A mark has
    to hold, at half its size at least, in every third of the people and at every cut-off. It is no cause.
    Raises ValueError for a model of anything else.
    """
    if model.objective.kind != "high_value":
        raise ValueError(f"indicators are about top spenders, not about {model.objective.kind}")
    cuts = past.cuts(model.objective)[:CUTS]
    if model.threshold is None or not cuts:
        return []
    found = past.rows(model.objective, cuts)
    usual = found.x[:, FEATURES.index("spend_90d")] * model.horizon_days / 90
    rows = found.where(usual < model.threshold).reaching(model.threshold)
    if rows.y.sum() < FEWEST:
        return []
    best: dict[str, Indicator] = {}
    for family, names in FAMILIES.items():
        for each in _of_family(names, rows, model.seed):
            if family not in best or each.gap.value > best[family].gap.value:
                best[family] = each
    return sorted(best.values(), key=lambda each: -each.gap.value)[:MOST]


def _of_family(names: Sequence[str], rows: Rows, seed: int) -> Iterator[Indicator]:
    for name in names:
        if name not in WORDS:
            continue
        values = rows.x[:, FEATURES.index(name)]
        low = "at most" in WORDS[name]
        limit = float(np.nanquantile(values, 0.25 if low else 0.75)) if np.isfinite(values).any() else float("nan")
        if not np.isfinite(limit) or (limit <= 0 and not low):
            continue
        marked = np.nan_to_num(values, nan=np.inf if low else -np.inf)
        side = marked <= limit if low else marked >= limit
        if min(side.sum(), (~side).sum()) < FEWEST:
            continue
        gap = _gap(rows.y, side, rows.person_ids, seed)
        if gap.low > 0 and _stable(rows, side, gap.value, seed):
            money = name.startswith("spend")
            text = WORDS[name].format(limit / 100 if money else limit)
            yield Indicator(name, text, int(side.sum()), float(rows.y[side].mean()), float(rows.y[~side].mean()), gap)


def _stable(rows: Rows, side: NDArray[np.bool_], size: float, seed: int) -> bool:
    fold = folds(rows.person_ids, FOLDS, seed)
    parts = [fold == number for number in range(FOLDS)] + [rows.cuts == cut for cut in np.unique(rows.cuts)]
    for part in parts:
        if not (side & part).any() or not (~side & part).any():
            return False
        if rows.y[side & part].mean() - rows.y[~side & part].mean() < size / 2:
            return False
    return True


def _gap(y: Floats, side: NDArray[np.bool_], person_ids: NDArray[np.int64], seed: int) -> Interval:
    masks = side.astype(np.float64), (~side).astype(np.float64)
    value = float(y[side].mean() - y[~side].mean())
    draws = []
    for weights in resamples(person_ids, seed):
        with_mark, without = ((weights @ (mask * y)) / np.maximum(weights @ mask, 1.0) for mask in masks)
        draws.append(with_mark - without)
    low, high = (float(bound) for bound in np.quantile(np.concatenate(draws), [0.025, 0.975]))
    return Interval(value, min(low, value), max(high, value))
