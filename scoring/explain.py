"""Why a person got their score: each family's exact share of it, in words with the person's own numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from scoring.extras import families, property_of
from scoring.features import FAMILIES, FEATURES
from scoring.snapshots import Floats

MOST_FOR, MOST_AGAINST = 3, 2
LAPSED_GAPS = 3.0
LEAST = 0.05
"""Log-odds (log-money) below which a family's share is not worth a reason."""


@dataclass(frozen=True)
class Reason:
    """One family's share of a person's score: above 0 speaks for it, below against; log-odds, or log-money."""

    family: str
    text: str
    contribution: float


def grouped(names: tuple[str, ...] = FEATURES) -> dict[str, tuple[str, ...]]:
    """The families of these columns: FAMILIES, and those of the columns beyond FEATURES."""
    return {**FAMILIES, **families(names[len(FEATURES) :])}


def shares(parts: Floats, names: tuple[str, ...] = FEATURES) -> Floats:
    """Contributions per column of `names` added up per family: one column for each of `grouped`, in their order."""
    place = {name: number for number, name in enumerate(names)}
    return np.column_stack([parts[:, [place[name] for name in own]].sum(axis=1) for own in grouped(names).values()])


@dataclass(frozen=True)
class Picked:
    """Which families are a reason for the score of each row, and how much: what words can be made from later."""

    families: NDArray[np.int8]
    """Up to MOST_FOR places in `grouped` for the score, strongest first, then up to MOST_AGAINST against; -1: none."""
    shares: Floats
    """What each of these adds to the score."""
    leading: NDArray[np.int32]
    """Per family beyond FAMILIES the place of the column that counts most."""

    @classmethod
    def stacked(cls, pieces: Sequence["Picked"]) -> "Picked":
        """All rows of the pieces, of which there is at least one."""
        return cls(
            np.concatenate([each.families for each in pieces]),
            np.concatenate([each.shares for each in pieces]),
            np.concatenate([each.leading for each in pieces]),
        )


def pick(parts: Floats, x: Floats, names: tuple[str, ...] = FEATURES) -> Picked:
    """For each row up to three reasons for the score (strongest first), then up to two against it.

    How often somebody used to buy is no reason to be told of a person who has long stopped: from LAPSED_GAPS usual gaps
    of silence on, recency speaks alone, and rhythm and frequency are passed over.
    """
    own = grouped(names)
    share = _telling(shares(parts, names), x, list(own))
    order = np.argsort(-share, axis=1, kind="stable")
    best = np.hstack([order[:, :MOST_FOR], order[:, ::-1][:, :MOST_AGAINST]])
    worth = np.take_along_axis(share, best, axis=1)
    told = np.where(np.arange(MOST_FOR + MOST_AGAINST) < MOST_FOR, worth >= LEAST, worth <= -LEAST)
    leading = [_leading(parts, [names.index(name) for name in own[each]]) for each in own if each not in FAMILIES]
    return Picked(
        np.where(told, best, -1).astype(np.int8),
        worth,
        np.column_stack([np.empty((len(x), 0), dtype=np.int32), *leading]),
    )


class Reasons(Sequence[tuple[Reason, ...]]):
    """The reasons of each row of `x`, put into words when they are asked for: few are ever read, and words take room.

    `picked` is about the rows numbered `rows`, ascending; the others have no reasons.
    """

    def __init__(self, picked: Picked, rows: NDArray[np.intp], x: Floats, names: tuple[str, ...] = FEATURES) -> None:
        self._picked, self._x, self._names, self._own = picked, x, names, grouped(names)
        self._place = np.full(len(x), -1, dtype=np.int64)
        self._place[rows] = np.arange(rows.size)

    def __len__(self) -> int:
        return len(self._x)

    @overload
    def __getitem__(self, at: int) -> tuple[Reason, ...]: ...

    @overload
    def __getitem__(self, at: slice) -> list[tuple[Reason, ...]]: ...

    def __getitem__(self, at: int | slice) -> tuple[Reason, ...] | list[tuple[Reason, ...]]:
        if isinstance(at, slice):
            return [self[row] for row in range(*at.indices(len(self)))]
        place = int(self._place[at])
        if place < 0:
            return ()
        row = dict(zip(self._names, self._x[at].tolist(), strict=True))
        known, shares = list(self._own), self._picked.shares[place].tolist()
        return tuple(
            Reason(known[family], self._text(known, family, place, row), share)
            for family, share in zip(self._picked.families[place].tolist(), shares, strict=True)
            if family >= 0
        )

    def __iter__(self) -> Iterator[tuple[Reason, ...]]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(tuple.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment] # as for a list

    def _text(self, known: list[str], family: int, place: int, row: Mapping[str, float]) -> str:
        if known[family] in FAMILIES:
            return describe(known[family], row)
        return _extra(self._names[self._picked.leading[place, family - len(FAMILIES)]], row)


def reasons(parts: Floats, x: Floats, names: tuple[str, ...] = FEATURES) -> Reasons:
    """The reasons of each row: see `pick`."""
    return Reasons(pick(parts, x, names), np.arange(len(x)), x, names)


def _leading(parts: Floats, own: list[int]) -> NDArray[np.int32]:
    """For each row the one of `own` columns that counts most."""
    leading: NDArray[np.int32] = np.array(own, dtype=np.int32)[np.abs(parts[:, own]).argmax(axis=1)]
    return leading


def _telling(share: Floats, x: Floats, known: list[str]) -> Floats:
    lapsed = np.flatnonzero(x[:, FEATURES.index("recency_in_gaps")] > LAPSED_GAPS)
    for family in ("rhythm", "frequency"):
        share[lapsed, known.index(family)] = 0.0
    return share


def _extra(name: str, row: Mapping[str, float]) -> str:
    """What is known of a person in an extra column."""
    about, value = property_of(name), row[name]
    if name.startswith(("recent:", "since:")):
        since = row[f"since:{about}"]
        text = f"no {about} yet" if np.isnan(since) else f"last {about} {_ago(since)}"
    elif "=" in name:
        text = f"{about} is {'' if value else 'not '}{name.partition('=')[2]}"
    else:
        text = f"{about} is not known" if np.isnan(value) else f"{about} is {value:g}"
    return text.encode("ascii", "replace").decode()[:80]


def describe(family: str, row: Mapping[str, float]) -> str:
    """What is known of a person in one family, as plain ASCII of at most 80 characters; `row` by FEATURES."""
    return _WORDS[family](row)


def _recency(row: Mapping[str, float]) -> str:
    if np.isnan(row["recency_days"]):
        return "no order yet"
    text = f"last order {_ago(row['recency_days'])}"
    return text if np.isnan(row["gap_mean"]) else f"{text}, usual gap {_days(row['gap_mean'])}"


def _rhythm(row: Mapping[str, float]) -> str:
    if np.isnan(row["recency_days"]):
        return "no order yet"
    if np.isnan(row["gap_mean"]):
        return "no rhythm yet: ordered once"
    gaps = row["recency_days"] / max(row["gap_mean"], 1e-9)
    return f"{min(gaps, 999):.1f} usual gaps of {_days(row['gap_mean'])} since the last order"


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
    "rhythm": _rhythm,
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
