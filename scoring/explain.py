"""Why a person got their score: each family's exact share of it, in words with the person's own numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from scoring.extras import families
from scoring.features import FAMILIES, FEATURES
from scoring.snapshots import Floats
from scoring.words import LAPSED_GAPS, Row, tell, tell_extra, usual

MOST_FOR, MOST_AGAINST = 3, 2
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
    """Per family beyond FAMILIES the place of the column that counts most towards the side of the family."""

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

    `picked` is about the rows numbered `rows`, ascending; the others have no reasons. What is said fits the side it
    stands on, compared with what is `common` (see `in_common`); a family of which nothing does is not told.
    """

    def __init__(
        self, picked: Picked, rows: NDArray[np.intp], x: Floats, names: tuple[str, ...], common: "Common"
    ) -> None:
        self._picked, self._x, self._names, self._own, self._common = picked, x, names, grouped(names), common
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
        told = [
            (known[family], self._text(known[family], family, place, row, share), share)
            for family, share in zip(self._picked.families[place].tolist(), shares, strict=True)
            if family >= 0
        ]
        return tuple(Reason(family, text, share) for family, text, share in told if text is not None)

    def __iter__(self) -> Iterator[tuple[Reason, ...]]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(tuple.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment] # as for a list

    def _text(self, family: str, number: int, place: int, row: Row, share: float) -> str | None:
        if family in FAMILIES:
            return tell(family, row, share * self._common.sense > 0, self._common.usual)
        return tell_extra(self._names[self._picked.leading[place, number - len(FAMILIES)]], row)


@dataclass(frozen=True)
class Common:
    """What the people a score is about have in common, to compare each of them with."""

    usual: Row
    """Per column the value from which it speaks for buying, see `words.usual`."""
    sense: int
    """1 where a higher score is one for buying or answering, -1 where it is one for leaving."""


def in_common(parts: Floats, x: Floats, names: tuple[str, ...] = FEATURES, sense: int = 1) -> Common:
    """From contributions (less the average) and features of some of the people."""
    return Common(usual(x[:, : len(FEATURES)], sense * shares(parts, names)[:, : len(FAMILIES)]), sense)


def _leading(parts: Floats, own: list[int]) -> NDArray[np.int32]:
    """For each row the one of `own` columns that counts most towards the side they speak for together."""
    side = np.where(parts[:, own].sum(axis=1, keepdims=True) < 0, -1, 1)
    leading: NDArray[np.int32] = np.array(own, dtype=np.int32)[(side * parts[:, own]).argmax(axis=1)]
    return leading


def _telling(share: Floats, x: Floats, known: list[str]) -> Floats:
    lapsed = np.flatnonzero(x[:, FEATURES.index("recency_in_gaps")] > LAPSED_GAPS)
    for family in ("rhythm", "frequency"):
        share[lapsed, known.index(family)] = 0.0
    return share
