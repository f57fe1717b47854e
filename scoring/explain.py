"""Why a person got their score: each family's exact share of it, in words with the person's own numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scoring.features import FAMILIES, FEATURES
from scoring.snapshots import Floats

MOST_FOR, MOST_AGAINST = 3, 2
LEAST = 0.05
"""Log-odds (log-money) below which a family's share is not worth a reason."""


@dataclass(frozen=True)
class Reason:
    """One family's share of a person's score: above 0 speaks for it, below against; log-odds, or log-money."""

    family: str
    text: str
    contribution: float


def shares(parts: Floats) -> Floats:
    """Contributions per column of FEATURES added up per family: one column for each of FAMILIES, in their order."""
    place = {name: number for number, name in enumerate(FEATURES)}
    return np.column_stack([parts[:, [place[name] for name in names]].sum(axis=1) for names in FAMILIES.values()])


def reasons(parts: Floats, x: Floats) -> list[tuple[Reason, ...]]:
    """For each row up to three reasons for the score (strongest first), then up to two against it."""
    families = list(FAMILIES)
    found = []
    for share, values in zip(shares(parts), x, strict=True):
        order = np.argsort(-share)
        picked = [at for at in order[:MOST_FOR] if share[at] >= LEAST]
        picked += [at for at in order[::-1][:MOST_AGAINST] if share[at] <= -LEAST]
        row = dict(zip(FEATURES, values.tolist(), strict=True))
        found.append(tuple(Reason(families[at], describe(families[at], row), float(share[at])) for at in picked))
    return found


def describe(family: str, row: Mapping[str, float]) -> str:
    """What is known of a person in one family, as plain ASCII of at most 80 characters; `row` by FEATURES."""
    return _WORDS[family](row)


def _recency(row: Mapping[str, float]) -> str:
    if np.isnan(row["recency_days"]):
        return "no order yet"
    text = f"last order {_ago(row['recency_days'])}"
    return text if np.isnan(row["gap_mean"]) else f"{text}, usual gap {_days(row['gap_mean'])}"


def _frequency(row: Mapping[str, float]) -> str:
    orders = _counted(row["orders_90d"], "order")
    if row["orders"] > row["orders_90d"]:
        return f"{orders} in the last 90 days, {row['orders']:.0f} in all"
    return f"{orders} in the last 90 days"


def _spend(row: Mapping[str, float]) -> str:
    if row["spend_90d"] > 0:
        return f"spent {row['spend_90d'] / 100:.2f} in the last 90 days"
    return f"spent nothing in the last 90 days, {row['spend_sum'] / 100:.2f} before"


def _campaigns(row: Mapping[str, float]) -> str:
    if not row["sends"]:
        return "not mailed yet"
    answers, mailings = f"{row['responses']:.0f}", _counted(row["sends"], "mailing")
    often = row["responses"] > row["sends"]
    text = f"{answers} answers to {mailings}" if often else f"answered {answers} of {mailings}"
    if not np.isnan(row["days_since_response"]):
        return f"{text}, the last {_ago(row['days_since_response'])}"
    if not np.isnan(row["days_since_click"]):
        return f"{text}, last click {_ago(row['days_since_click'])}"
    return text


def _tenure(row: Mapping[str, float]) -> str:
    text = f"known for {_days(row['tenure_days'])}"
    first = row["first_order_days"]
    return text if np.isnan(first) else f"{text}, first order {_ago(first)}"


_WORDS = {
    "recency": _recency,
    "frequency": _frequency,
    "spend": _spend,
    "campaigns": _campaigns,
    "tenure": _tenure,
}


def _ago(days: float) -> str:
    return "today" if days < 1 else f"{_days(days)} ago"


def _days(days: float) -> str:
    return "less than a day" if days < 0.5 else _counted(round(days), "day")


def _counted(number: float, noun: str) -> str:
    if number == 0:
        return f"no {noun}s"
    return f"{number:.0f} {noun}" if round(number) == 1 else f"{number:.0f} {noun}s"
