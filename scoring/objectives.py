"""What is predicted: the outcome, for whom, within how many days; and the labels that follow."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from scoring.features import features
from scoring.rhythm import HORIZON_RANGE, RHYTHM, own_horizons, own_range
from scoring.tables import DAY, Floats, Frame, Tables

Kind = Literal["repeat_purchase", "churn", "stay", "high_value", "value", "response", "conversion"]
"""`stay` is the complement of a churn that has an event of its own: what is learned for it."""

Among = Literal["buyers", "mailed", "not yet", "everyone", "there"]
"""People an objective can be asked about."""


@dataclass(frozen=True)
class Objective:
    """One thing to predict. Raises ValueError for an unknown kind, a horizon below one day, an `event` that is
    missing (conversion) or has no meaning (any other kind but churn), or a rhythm where silence is not asked about.
    """

    name: str
    kind: Kind
    horizon_days: int
    event: str = ""
    """The kind of activity that counts: for conversion, such as "form" or "stage=customer"; for a churn that happens
    at an instant, such as "cancel". Churn without one is silence.
    """
    again: bool = False
    """Whether a conversion is asked about those too who have converted before."""
    rhythm_days: float | None = None
    """For silence: the base's usual gap between orders, in days. With it each person has a horizon of their own, see
    `own_days`, and `horizon_days` is the longest; without it the horizon is the same for everyone.
    """

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unknown kind {self.kind!r}: choose one of {', '.join(get_args(Kind))}")
        if bool(self.event) != (self.kind in ("conversion", "stay")) and not (self.event and self.kind == "churn"):
            needs = "needs" if self.kind in ("conversion", "stay") else "has no use for"
            raise ValueError(f"{self.name}: {self.kind} {needs} an event")
        if self.horizon_days < 1:
            raise ValueError(f"the horizon must be at least one day, not {self.horizon_days}")
        if self.rhythm_days is not None and (self.kind not in ("churn", "repeat_purchase") or self.event):
            raise ValueError(f"{self.name}: only silence has horizons from people's own rhythm")
        if self.rhythm_days is not None and not self.rhythm_days > 0:
            raise ValueError(f"{self.name}: the usual gap must be longer than nothing, not {self.rhythm_days}")

    @property
    def horizon(self) -> int:
        """The horizon in µs."""
        return self.horizon_days * DAY

    @property
    def ahead(self) -> str:
        """How far it looks ahead, in words."""
        if self.rhythm_days is None:
            return f"{self.horizon_days} days ahead"
        low, high = min(HORIZON_RANGE[0], self.horizon_days), self.horizon_days
        return f"within the time in which they usually order again: {low} to {high} days"

    def own_days(self, recency: Floats, order_days: Floats, first: Floats) -> Floats:
        """The horizon of each person in days, from their features RHYTHM."""
        if self.rhythm_days is None:
            return np.full(recency.size, float(self.horizon_days))
        return own_horizons(recency, order_days, first, self.rhythm_days, self.horizon_days)

    @property
    def in_money(self) -> bool:
        """Whether the outcome is an amount (cents) and not yes or no."""
        return self.kind == "value"

    @property
    def asked(self) -> str:
        """The kind of activity that is predicted."""
        return self.event or ("response" if self.kind == "response" else "order")

    @property
    def among(self) -> Among:
        """Whom it is asked about: see `population`."""
        if self.kind == "conversion":
            return "everyone" if self.again else "not yet"
        if self.event:
            return "there"
        return "mailed" if self.kind == "response" else "buyers"

    @property
    def opposite(self) -> "Objective | None":
        """For churn what is learned in its place: buying again, or staying."""
        if self.kind != "churn":
            return None
        return replace(self, kind="stay" if self.event else "repeat_purchase")


def silence(name: str, tables: Tables, as_of: int) -> Objective:
    """Churn by not ordering, with horizons from the rhythm of the base and of each person as known at `as_of`."""
    rhythm, longest = own_range(tables, as_of)
    return Objective(name, "churn", longest, rhythm_days=rhythm)


@dataclass(frozen=True)
class Deeds:
    """What everyone known at a cut-off, ascending by id, did in the horizon: how often, for how much (cents)."""

    person_ids: NDArray[np.int64]
    times: NDArray[np.float64]
    spend: NDArray[np.float64]
    inside: NDArray[np.bool_]


@dataclass(frozen=True)
class Labels:
    """Outcomes of one cut-off: `person_ids` ascending, `y` beside it, `inside` true for members of the population."""

    person_ids: NDArray[np.int64]
    y: NDArray[np.float64]
    inside: NDArray[np.bool_]


def population(tables: Tables, objective: Objective, cut: int) -> Frame:
    """`person_id` of everyone the objective is asked about at `cut`.

    Purchases, churn and money: people with an order before the cut. Response: people mailed before the cut who have
    not unsubscribed since; mailed *ever*, not lately, so that nobody drops out between two campaigns. Conversion:
    everyone who has not converted yet (with `again`: everyone). Leaving: everyone with something else after the last
    time they left.
    """
    known = tables.until(cut)
    rows = known.people.select("person_id").join(known.activities, on="person_id", how="inner")
    match objective.among:
        case "everyone":
            return known.people.select("person_id")
        case "not yet":
            done = rows.filter(nw.col("kind") == objective.event).select("person_id").unique()
            return known.people.select("person_id").join(done, on="person_id", how="anti")
        case "there":
            return _there(rows, objective.event)
        case "mailed":
            return _mailed(rows)
        case "buyers":
            return rows.filter(nw.col("kind") == "order").select("person_id").unique()


def _mailed(rows: Frame) -> Frame:
    """Those who were mailed after they last unsubscribed, if they did."""
    at, kind = nw.col("at"), nw.col("kind")
    newest = (
        rows.with_columns(mailed=nw.when(kind == "send").then(at), left=nw.when(kind == "unsubscribe").then(at))
        .group_by("person_id")
        .agg(nw.col("mailed", "left").max())
    )
    return newest.filter(nw.col("mailed") > nw.col("left").fill_null(0)).select("person_id")


def _there(rows: Frame, event: str) -> Frame:
    """Those whose newest other activity is later than the newest `event`."""
    at, left = nw.col("at"), nw.col("kind") == event
    newest = (
        rows.with_columns(gone=nw.when(left).then(at), here=nw.when(~left).then(at))
        .group_by("person_id")
        .agg(nw.col("gone", "here").max())
    )
    return newest.filter(nw.col("here") > nw.col("gone").fill_null(0)).select("person_id")


def labels(tables: Tables, objective: Objective, cut: int, threshold: float | None = None) -> Labels:
    """What everyone known at `cut` did in [cut, cut + horizon), each in their own horizon where they have one.

    y is 1 or 0; for `value` it is the orders' cents. `high_value` needs the spend (cents) that counts as high,
    frozen on the training rows: see `high_threshold`; without it y is the spend itself.
    """
    return labelled(deeds(tables, objective, cut), objective, threshold)


def deeds(tables: Tables, objective: Objective, cut: int) -> Deeds:
    """What the labels of all objectives with the same horizon are made from that ask the same people for the same."""
    outcome = (
        tables.between(cut, cut + objective.horizon)
        .filter(nw.col("kind") == objective.asked)
        .group_by("person_id")
        .agg(nw.len().alias("times"), nw.col("amount").fill_null(0).sum().alias("spend"), soonest=nw.col("at").min())
    )
    inside = population(tables, objective, cut).with_columns(inside=nw.lit(1))
    rows = (
        tables.until(cut)
        .people.select("person_id")
        .join(outcome, on="person_id", how="left")
        .join(inside, on="person_id", how="left")
        .with_columns(nw.col("times", "spend", "inside", "soonest").fill_null(0).cast(nw.Float64))
    )
    own = RHYTHM if objective.rhythm_days is not None else ()
    if own:
        rows = rows.join(features(tables, cut).select("person_id", *own), on="person_id", how="left")
    frame = rows.sort("person_id").collect("pyarrow")
    columns = {name: frame[name].to_numpy() for name in ("person_id", "times", "spend", "inside", "soonest", *own)}
    times = columns["times"]
    if own:
        ends = cut + DAY * objective.own_days(*(columns[name] for name in own))
        times = np.where(columns["soonest"] < ends, times, 0.0)
    return Deeds(columns["person_id"], times, columns["spend"], columns["inside"] > 0)


def labelled(done: Deeds, objective: Objective, threshold: float | None = None) -> Labels:
    """The outcomes of one objective: see `labels`."""
    did = done.spend if objective.kind in ("value", "high_value") else done.times
    return Labels(done.person_ids, _outcome(did, objective, threshold), done.inside)


def high_threshold(spend: NDArray[np.float64]) -> float:
    """The spend (cents) that puts a person into the top tenth; never 0, so that who bought nothing is never high."""
    return max(float(np.quantile(spend, 0.9)), 1.0) if spend.size else 1.0


def _outcome(did: NDArray[np.float64], objective: Objective, threshold: float | None) -> NDArray[np.float64]:
    if objective.kind == "value" or (objective.kind == "high_value" and threshold is None):
        return np.asarray(did, dtype=np.float64)
    if objective.kind == "stay" or (objective.kind == "churn" and not objective.event):
        return np.asarray(did == 0, dtype=np.float64)
    return np.asarray(did >= (threshold or 1), dtype=np.float64)
