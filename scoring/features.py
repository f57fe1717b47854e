"""What is known of each person at a cut-off: recency, frequency, money, rhythm, answers to campaigns."""

import math

import narwhals.stable.v2 as nw

from scoring.tables import DAY, Frame, Tables

WINDOWS = (30, 90, 180)
"""Days for plain counts and spend."""
HALF_LIVES = (14, 45, 120)
"""Days after which an order counts half in the decayed counts and spend."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "recency": ("recency_days",),
    "rhythm": ("recency_in_gaps", "gap_running", "gap_mean", "gap_sd", "gap_last", "gap_cv", "orders_alive"),
    "frequency": (
        "orders",
        "order_days",
        *(f"orders_{days}d" for days in WINDOWS),
        *(f"orders_decayed_{days}d" for days in HALF_LIVES),
        "returns",
        "returns_decayed",
        "deals_lost",
    ),
    "spend": (
        "spend_sum",
        "spend_mean",
        "spend_last",
        "spend_max",
        *(f"spend_{days}d" for days in WINDOWS),
        *(f"spend_decayed_{days}d" for days in HALF_LIVES),
    ),
    "campaigns": (
        "sends",
        "sends_decayed",
        "clicks",
        "responses",
        "answers_decayed",
        "touches_decayed",
        "days_since_click",
        "days_since_response",
        "days_since_answer",
        "answered_share",
    ),
    "tenure": ("tenure_days", "first_order_days", "never_ordered", "ordered_once"),
}
"""The families reasons are grouped by, and the features of each. Money is in cents, time in days."""

FEATURES: tuple[str, ...] = tuple(name for names in FAMILIES.values() for name in names)

_FREE = {"gap_sd", "gap_cv", "returns", "returns_decayed", "deals_lost", "sends", "sends_decayed", "touches_decayed"}
_FREE |= set(FAMILIES["tenure"])
_SINCE = {"days_since_click", "days_since_response", "days_since_answer"}
_AGAINST = {"recency_days", "recency_in_gaps", "gap_running", "gap_mean", "gap_last", *_SINCE}
DIRECTIONS: tuple[int, ...] = tuple(0 if name in _FREE else -1 if name in _AGAINST else 1 for name in FEATURES)
"""Beside FEATURES: what more of each may say. 1: only for buying or answering; -1: only against it; 0: either."""

PACES: tuple[str, ...] = ("gap_running", "gap_mean", "gap_last")
"""How long somebody takes between orders."""

BEHAVIOUR = ("recency", "rhythm", "frequency", "spend")
"""The families about orders, which say more together than each alone."""

CLOCKS: tuple[str, ...] = ("first_order_days",)
"""Features only for models that know what they mean: a free weight on them learns the calendar, and misses the level
of the next month. `tenure_days` says of the person what these could."""

LIFETIME: tuple[str, ...] = ("orders", "order_days")
"""Totals that never fall: with a free weight they would speak for people who left long ago."""

_ANSWER_HALF_LIFE = 45
_COUNTED = {"returns": "refund", "deals_lost": "deal_lost", "sends": "send", "clicks": "click", "responses": "response"}
_NULLABLE = _AGAINST | {"gap_sd", "gap_cv", "tenure_days", "first_order_days"}
_DERIVED = {"spend_mean", "answered_share", "orders_alive", "never_ordered", "ordered_once"}
_SUMS = tuple(name for name in FEATURES if name not in _NULLABLE | _DERIVED)


def features(tables: Tables, cut: int) -> Frame:
    """One row per person known before `cut` (µs UTC): `person_id` and FEATURES; nothing at or after `cut` is read.

    Null means "never happened" (no order yet, never clicked); what speaks for the more the larger is 0 instead.
    """
    known = tables.until(cut)
    people = known.people.select("person_id", tenure_days=_days(cut, "since"))
    orders, others = _orders(known.activities, cut), _others(known.activities, cut)
    frame = people.join(orders, on="person_id", how="left").join(others, on="person_id", how="left")
    frame = frame.with_columns(nw.col(*_SUMS).fill_null(0)).with_columns(
        spend_mean=_ratio("spend_sum", "orders").fill_null(0),
        gap_cv=_ratio("gap_sd", "gap_mean"),
        recency_in_gaps=_ratio("recency_days", "gap_mean"),
        gap_running=_ratio("first_order_days", "orders"),
        answered_share=_ratio("responses", "sends").fill_null(0),
        never_ordered=(nw.col("orders") == 0).cast(nw.Float64),
        ordered_once=(nw.col("orders") == 1).cast(nw.Float64),
    )
    frame = frame.with_columns(
        orders_alive=(nw.col("orders") * (nw.col("recency_in_gaps") * -math.log(2)).exp()).fill_null(0)
    )
    return frame.select("person_id", *(nw.col(name).cast(nw.Float64) for name in FEATURES))


def _orders(activities: Frame, cut: int) -> Frame:
    """Order counts, money and rhythm of everyone who ordered."""
    at, age, amount, before = nw.col("at"), nw.col("age"), nw.col("amount"), nw.col("before")
    orders = (
        activities.filter(nw.col("kind") == "order")
        .with_columns(
            age=_days(cut, "at"),
            amount=amount.fill_null(0).cast(nw.Float64),
            before=at.shift(1).over("person_id", order_by="at"),
            newest=at == at.max().over("person_id"),
        )
        .with_columns(
            gap=(at - before) / DAY,
            same_day=(at // DAY == before // DAY).fill_null(value=False).cast(nw.Int64),
        )
        .with_columns(
            **{f"orders_{days}d": (age <= days).cast(nw.Int64) for days in WINDOWS},
            **{f"spend_{days}d": nw.when(age <= days).then(amount).otherwise(0.0) for days in WINDOWS},
            **{f"orders_decayed_{days}d": _decay("age", days) for days in HALF_LIVES},
            **{f"spend_decayed_{days}d": _decay("age", days) * amount for days in HALF_LIVES},
            gap_newest=nw.when(nw.col("newest")).then(nw.col("gap")),
            spend_newest=nw.when(nw.col("newest")).then(amount),
        )
    )
    summed = [f"{what}_{days}d" for what in ("orders", "spend") for days in WINDOWS]
    summed += [f"{what}_decayed_{days}d" for what in ("orders", "spend") for days in HALF_LIVES]
    return orders.group_by("person_id").agg(
        nw.col(*summed).sum(),
        orders=nw.len(),
        order_days=nw.len() - nw.col("same_day").sum(),
        recency_days=age.min(),
        first_order_days=age.max(),
        gap_mean=nw.col("gap").mean(),
        gap_sd=nw.col("gap").std(),
        gap_last=nw.col("gap_newest").max(),
        spend_sum=amount.sum(),
        spend_max=amount.max(),
        spend_last=nw.col("spend_newest").max(),
    )


def _others(activities: Frame, cut: int) -> Frame:
    """Mailings and answers, returns and lost deals, of everyone who has any.

    Machine opens count for nothing, and opens by people never alone: they are one kind of answer among several.
    """
    kind, age = nw.col("kind"), nw.col("age")
    answer = kind.is_in(["open", "click", "form", "response", "visit"]) & ~nw.col("machine").fill_null(value=False)
    weight = _decay("age", _ANSWER_HALF_LIFE)
    decayed = {"sends": kind == "send", "answers": answer, "touches": kind == "touch", "returns": kind == "refund"}
    rows = (
        activities.filter(kind != "order")
        .with_columns(age=_days(cut, "at"))
        .with_columns(
            **{name: (kind == value).cast(nw.Int64) for name, value in _COUNTED.items()},
            **{f"{name}_decayed": nw.when(which).then(weight).otherwise(0.0) for name, which in decayed.items()},
            answer_age=nw.when(answer).then(age),
            click_age=nw.when(kind == "click").then(age),
            response_age=nw.when(kind == "response").then(age),
        )
    )
    return rows.group_by("person_id").agg(
        nw.col(*_COUNTED, *(f"{name}_decayed" for name in decayed)).sum(),
        days_since_answer=nw.col("answer_age").min(),
        days_since_click=nw.col("click_age").min(),
        days_since_response=nw.col("response_age").min(),
    )


def _days(cut: int, column: str) -> nw.Expr:
    return (nw.lit(cut) - nw.col(column)) / DAY


def _decay(age: str, half_life: float) -> nw.Expr:
    return (nw.col(age) * (-math.log(2) / half_life)).exp()


def _ratio(above: str, below: str) -> nw.Expr:
    """Null where `below` is null or nothing."""
    return nw.when(nw.col(below) > 0).then(nw.col(above) / nw.col(below))
