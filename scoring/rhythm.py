"""How long it usually is until somebody orders again: in the base as a whole, and for each person."""

import narwhals.stable.v2 as nw
import numpy as np

from scoring.tables import DAY, Floats, Tables

HORIZON_RANGE = (30, 180)
"""Days a horizon from the data is kept within."""
GAPS_AHEAD = 1.75
"""How many usual gaps a horizon from the data is long."""
WITHOUT_GAPS = 90
"""Days to look ahead where nobody has ordered twice."""
BASE_WEIGHT = 2.0
"""How many gaps of the base's length are mixed into a person's own. Right for paces that differ between people as much
as they are long (the mean of an inverse gamma prior with a coefficient of variation of 1). What three shops would have
for themselves, the variance of gaps within people over that between them (Bühlmann 1967): 0.5, 1.1 and 5.5.
"""
OWN_HISTORY = 5
"""The longest own horizon fits into the known history so often, so that several have ended to learn from."""

RHYTHM = ("recency_days", "order_days", "first_order_days")
"""The features an own horizon follows from."""


def median_gap(tables: Tables, as_of: int) -> float | None:
    """Days between two orders of a person, the median over all; orders of one day (UTC) are one. None without any."""
    day = nw.col("at") // DAY
    orders = tables.until(as_of).activities.filter(nw.col("kind") == "order")
    found = orders.select("person_id", day=day).unique()
    day = nw.col("day")
    gaps = found.select(gap=day - day.shift(1).over("person_id", order_by="day")).drop_nulls().collect("pyarrow")
    return None if gaps.is_empty() else float(np.median(gaps["gap"].to_numpy()))


def default_horizon(tables: Tables, as_of: int) -> int:
    """Days to predict ahead for everyone: GAPS_AHEAD times `median_gap`, within HORIZON_RANGE."""
    return usual_horizon(median_gap(tables, as_of))


def own_range(tables: Tables, as_of: int) -> tuple[float, int]:
    """What own horizons are taken from: the base's gap, and the longest anybody has (days).

    The longest is twice the horizon of the base, within HORIZON_RANGE, and shorter (never below that horizon) while
    little history is known: the longest one has to end before anything can be learned from a cut-off.
    """
    gap = median_gap(tables, as_of)
    base = usual_horizon(gap)
    first = tables.until(as_of).activities.select(nw.col("at").min()).collect("pyarrow")["at"].to_list()[0]
    history = 0.0 if first is None else (as_of - first) / DAY
    longest = min(2 * base, HORIZON_RANGE[1], int(history / OWN_HISTORY))
    return WITHOUT_GAPS / GAPS_AHEAD if gap is None else gap, max(longest, base)


def own_horizons(recency: Floats, order_days: Floats, first: Floats, base_gap: float, longest: int) -> Floats:
    """Whole days within which each person usually orders again: GAPS_AHEAD times their gap, from 30 to `longest`.

    The gap is their own mean one, drawn to the base's by BASE_WEIGHT: of who ordered on one day only, or never, it is
    the base's. Given are the features RHYTHM (days; NaN where there was no order).
    """
    repeats = np.maximum(np.nan_to_num(order_days) - 1, 0.0)
    span = np.where(repeats > 0, first - recency, 0.0)
    gap = (BASE_WEIGHT * base_gap + span) / (BASE_WEIGHT + repeats)
    horizons: Floats = np.clip(np.rint(GAPS_AHEAD * gap), min(HORIZON_RANGE[0], longest), longest)
    return horizons


def usual_horizon(gap: float | None) -> int:
    """Days to look ahead for everyone in a base whose usual gap is `gap` days."""
    return WITHOUT_GAPS if gap is None else int(np.clip(round(GAPS_AHEAD * gap), *HORIZON_RANGE))
