"""The pipeline one would write in an afternoon: pandas groupby, scikit-learn as it comes, no check and no reasons."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from scoring.features import FEATURES, HALF_LIVES, WINDOWS
from scoring.tables import DAY

CUTS = 3
"""Windows of the past that are learned from, one after the other."""
_ANSWERS = ("open", "click", "form", "response", "visit")
_COUNTED = {"returns": "refund", "deals_lost": "deal_lost", "sends": "send", "clicks": "click", "responses": "response"}


def plain(folder: Path, as_of: int) -> pd.DataFrame:
    """Learn buying again, high value, value and response from everyone; a score for each person at `as_of` (µs UTC)."""
    activities = pd.read_parquet(folder / "activities.parquet")
    people = pd.read_parquet(folder / "people.parquet")
    orders = activities[activities.kind == "order"]
    gaps = orders.groupby("person_id")["at"].diff().dropna() / DAY
    horizon = round(float(np.clip(1.75 * gaps.median(), 30, 180))) * DAY
    cuts = [as_of - (number + 1) * horizon for number in range(CUTS)]
    x = pd.concat([features(activities, people, cut) for cut in cuts])
    y = pd.concat([_outcomes(activities, cut, cut + horizon, x.index[x["cut"] == cut]) for cut in cuts])
    now = features(activities, people, as_of)
    bought, mailed = x["orders"] > 0, x["sends"] > 0
    top = y["spend"][bought].quantile(0.9)
    asked = {
        "repeat_purchase": (bought, y["orders"] > 0, now["orders"] > 0),
        "high_value": (bought, y["spend"] >= top, now["orders"] > 0),
        "value": (bought, y["spend"], now["orders"] > 0),
        "response": (mailed, y["responses"] > 0, now["sends"] > 0),
    }
    scores = pd.DataFrame(index=now.index)
    for name, (known, outcome, inside) in asked.items():
        rows, truth = x.loc[known.to_numpy(), list(FEATURES)], outcome.to_numpy()[known.to_numpy()]
        today = now.loc[inside, list(FEATURES)]
        if name == "value":
            scores.loc[inside, name] = HistGradientBoostingRegressor().fit(rows, truth).predict(today)
        else:
            scores.loc[inside, name] = HistGradientBoostingClassifier().fit(rows, truth).predict_proba(today)[:, 1]
    scores["churn"] = 1 - scores["repeat_purchase"]
    return scores


def features(activities: pd.DataFrame, people: pd.DataFrame, cut: int) -> pd.DataFrame:
    """FEATURES of everyone known at `cut` (µs UTC), and the `cut`."""
    known = activities[activities["at"] < cut].copy()
    known["age"] = (cut - known["at"]) / DAY
    frame = people[people["since"] < cut].set_index("person_id")
    frame = pd.DataFrame({"tenure_days": (cut - frame["since"]) / DAY})
    frame = frame.join(_orders(known[known["kind"] == "order"].copy())).join(_others(known))
    frame["spend_mean"] = frame["spend_sum"] / frame["orders"]
    frame["gap_cv"] = frame["gap_sd"] / frame["gap_mean"]
    frame["recency_in_gaps"] = frame["recency_days"] / frame["gap_mean"]
    frame["gap_running"] = frame["first_order_days"] / frame["orders"]
    frame["answered_share"] = frame["responses"] / frame["sends"]
    frame["never_ordered"] = (frame["orders"].fillna(0) == 0).astype(float)
    frame["ordered_once"] = (frame["orders"] == 1).astype(float)
    frame["orders_alive"] = frame["orders"] * np.exp2(-frame["recency_in_gaps"])
    frame["cut"] = cut
    return frame[[*FEATURES, "cut"]].replace([np.inf, -np.inf], np.nan)


def _orders(orders: pd.DataFrame) -> pd.DataFrame:
    age, amount = orders["age"], orders["amount"].fillna(0)
    orders["amount"] = amount
    orders["gap"] = orders.groupby("person_id")["at"].diff() / DAY
    for days in WINDOWS:
        orders[f"orders_{days}d"] = age <= days
        orders[f"spend_{days}d"] = amount.where(age <= days, 0)
    for days in HALF_LIVES:
        orders[f"orders_decayed_{days}d"] = np.exp2(-age / days)
        orders[f"spend_decayed_{days}d"] = np.exp2(-age / days) * amount
    each = orders.groupby("person_id")
    summed = [f"{what}_{days}d" for what in ("orders", "spend") for days in WINDOWS]
    summed += [f"{what}_decayed_{days}d" for what in ("orders", "spend") for days in HALF_LIVES]
    found = each[summed].sum()
    found["orders"], found["recency_days"], found["first_order_days"] = (
        each.size(),
        each["age"].min(),
        each["age"].max(),
    )
    found["order_days"] = (orders["at"] // DAY).groupby(orders["person_id"]).nunique()
    found["gap_mean"], found["gap_sd"], found["gap_last"] = each["gap"].mean(), each["gap"].std(), each["gap"].last()
    found["spend_sum"], found["spend_max"], found["spend_last"] = (
        each["amount"].sum(),
        each["amount"].max(),
        each["amount"].last(),
    )
    return found


def _others(known: pd.DataFrame) -> pd.DataFrame:
    others = known[known["kind"] != "order"].copy()
    kind, age = others["kind"], others["age"]
    answer = kind.isin(_ANSWERS) & ~others["machine"].fillna(value=False)
    weight = np.exp2(-age / 45)
    for name, value in _COUNTED.items():
        others[name] = kind == value
    decayed = {"sends": kind == "send", "answers": answer, "touches": kind == "touch", "returns": kind == "refund"}
    for name, which in decayed.items():
        others[f"{name}_decayed"] = weight.where(which, 0)
    for name, which in {"answer": answer, "click": kind == "click", "response": kind == "response"}.items():
        others[f"days_since_{name}"] = age.where(which)
    each = others.groupby("person_id")
    found = each[[*_COUNTED, *(f"{name}_decayed" for name in decayed)]].sum()
    return found.join(each[["days_since_answer", "days_since_click", "days_since_response"]].min())


def _outcomes(activities: pd.DataFrame, start: int, end: int, people: pd.Index) -> pd.DataFrame:
    window = activities[(activities["at"] >= start) & (activities["at"] < end)]
    orders = window[window["kind"] == "order"].groupby("person_id")["amount"].agg(["size", "sum"])
    responses = window[window["kind"] == "response"].groupby("person_id").size()
    found = pd.DataFrame({"orders": orders["size"], "spend": orders["sum"], "responses": responses})
    return found.reindex(people).fillna(0)
