"""Put everyone into exactly one of nine segments, without tags that flap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from scoring.tables import DAY

SEGMENTS = ("Champions", "Loyal", "Rising", "Promising", "New", "Steady", "Cooling", "At risk", "Lost")
"""Best first: a move to a name further right is a move down."""
LEAVING = ("At risk", "Lost")
CONFIRM_HOURS = 20
"""Hours the second confirmation of a move down comes after the first at least: two runs of one morning are one."""
VALUE_BANDS, GROWTH_BANDS = 5, 10
"""How much wider than that of a chance the band of money is, and that of growth: they swing more. See
benchmarks.loop_quality, which counts what flaps."""


@dataclass(frozen=True)
class Standing:
    """What one person's segment is decided from."""

    person_id: int
    since: int
    """Known since, µs UTC."""
    orders: int
    last_order: int | None
    """Instant of the last order, µs UTC; None without orders."""
    usual_gap: float | None
    """Mean days between two orders; None below two orders."""
    recent_spend: float
    """Cents spent in the last 90 days."""
    earlier_spend: float
    """Cents spent in the 90 days before those."""
    p_buy: float | None = None
    """Chance to buy within the horizon; None without a model: rhythm stands in for it."""
    value: float | None = None
    """Expected cents within the horizon; None without a model: recent spend stands in for it."""


@dataclass(frozen=True)
class Membership:
    """The segment a person is in, since when, and what the last assignment knew."""

    person_id: int
    segment: str
    since: int
    """µs UTC of the move into the segment."""
    assigned_at: int
    """µs UTC of the last assignment."""
    falling: int = 0
    """Instant (µs UTC) of the first of the last assignments in a row that saw a move down; 0: the last one saw none."""
    chance: float | None = None
    """The chance of the last assignment, calmed: see Thresholds.calm_days. None: not known."""
    worth: float | None = None
    """The expected cents of the last assignment, calmed."""
    held_from: str | None = None
    """Where the last assignment would have put the person, had the move not been held back."""


@dataclass(frozen=True)
class Thresholds:
    """Absolute limits, so that a segment means the same every week: fitted once, then kept until a new model."""

    likely: float
    """Chance to buy from which a person counts as likely to come back."""
    unlikely: float
    """Chance below which a person counts as leaving."""
    lost: float
    """Chance below which a person counts as gone."""
    cooling: float
    """Chance below which a person who is neither likely nor leaving counts as cooling off."""
    valuable: float
    """Expected cents from which a person counts as valuable."""
    new_days: float = 60.0
    """Days since first known below which a person counts as new."""
    rising: float = 1.25
    """Growth of the spend of 90 days over the 90 before from which a person counts as rising."""
    band: float = 0.05
    """How far beyond a limit of one half a chance has to be before a person moves, in [0, 0.5), elsewhere as far in
    log-odds: where few buy, a point is much. VALUE_BANDS times as far, relatively, a value, GROWTH_BANDS times growth.
    """
    calm_days: float = 21.0
    """Days after which a chance counts half: segments follow the chance of the last weeks, not that of one day."""
    order: tuple[str, ...] = SEGMENTS
    """All nine, best first."""
    stay_days: float = 14.0
    """Days a person stays in a segment at least."""
    confirmations: int = 2
    """Assignments in a row that have to say so before a person moves down."""

    @classmethod
    def fit(cls, people: Sequence[Standing], now: int, **own: Any) -> "Thresholds":
        """Limits from how the buyers among `people` stand at `now` (µs UTC); `own` limits stand as they are given.

        A person at risk is always less likely than not to buy, someone lost less than one in four.
        """
        chances = np.array([chance(person, now) for person in people if person.orders])
        values = np.array([worth(person) for person in people if person.orders])
        if not chances.size:
            start = {"likely": 0.6, "cooling": 0.475, "unlikely": 0.35, "lost": 0.1, "valuable": 1.0}
            return cls(**{**start, **own})
        lost, unlikely, likely = (float(limit) for limit in np.quantile(chances, [0.1, 0.3, 0.6]))
        lost, unlikely = min(lost, 0.25), min(unlikely, 0.5)
        valuable = max(float(np.quantile(values, 0.7)), 1.0)
        fitted: dict[str, Any] = {"lost": lost, "unlikely": unlikely, "likely": likely, "valuable": valuable, **own}
        # Limits of one's own may cross fitted ones: these give way.
        fitted["likely"] = own.get("likely", max(fitted["likely"], fitted["unlikely"], own.get("cooling", 0.0)))
        fitted["unlikely"] = own.get("unlikely", min(fitted["unlikely"], fitted["likely"], own.get("cooling", 1.0)))
        fitted["lost"] = own.get("lost", min(fitted["lost"], fitted["unlikely"]))
        return cls(**{"cooling": (fitted["likely"] + fitted["unlikely"]) / 2, **fitted})

    def holding(self, people: Sequence[Standing], now: int, capacity: int) -> "Thresholds":
        """The same limits, but for `valuable`: set so that about `capacity` of `people` are Champions at `now`."""
        values = sorted(
            (worth(each) for each in people if each.orders and chance(each, now) >= self.likely), reverse=True
        )
        if len(values) <= capacity:
            return replace(self, valuable=0.0)
        return replace(self, valuable=(values[capacity - 1] + values[capacity]) / 2)


def assign(
    people: Sequence[Standing], previous: Mapping[int, Membership], now: int, thresholds: Thresholds
) -> list[Membership]:
    """The membership of each of `people` at `now` (µs UTC), in their order.

    A person moves only when clearly over a limit, after a minimum stay, and down only when assignments in a row
    say so that are CONFIRM_HOURS apart. An order since the last assignment sets the stay and the second confirmation
    aside.
    """
    return [_next(person, previous.get(person.person_id), now, thresholds) for person in people]


def chance(person: Standing, now: int) -> float:
    """The chance to buy, or in its place a half for every two usual gaps since the last order."""
    if person.p_buy is not None:
        return person.p_buy
    if person.last_order is None:
        return 0.0
    gap = max(person.usual_gap if person.usual_gap is not None else 60.0, 7.0)
    return float(0.5 ** ((now - person.last_order) / DAY / (2 * gap)))


def worth(person: Standing) -> float:
    """The expected spend, or in its place the recent one (cents)."""
    return person.value if person.value is not None else person.recent_spend


def _next(person: Standing, before: Membership | None, now: int, limits: Thresholds) -> Membership:
    p, value = _calmed(person, before, now, limits)
    found = _classify(person, p, value, 1.0, now, limits)
    moved = Membership(person.person_id, found, now, now, chance=p, worth=value)
    if before is None:
        return moved
    stays = Membership(person.person_id, before.segment, before.since, now, chance=p, worth=value)
    if found == before.segment:
        return stays
    if before.segment in _nearby(person, p, value, now, limits):
        return replace(stays, held_from=found)
    if person.last_order is not None and person.last_order >= before.assigned_at:
        return moved
    down = limits.order.index(found) > limits.order.index(before.segment)
    stayed = now - before.since >= limits.stay_days * DAY
    confirmed = before.falling and now - before.falling >= CONFIRM_HOURS * DAY // 24
    if stayed and (confirmed or not down or limits.confirmations < 2):
        return moved
    return replace(stays, falling=(before.falling or now) if down else 0, held_from=found)


def _calmed(person: Standing, before: Membership | None, now: int, limits: Thresholds) -> tuple[float, float]:
    """The chance and the expected cents, mixed with those of the last assignment, which counts half after calm_days.

    An order of somebody who was leaving is news: the new chance counts at once where it is higher.
    """
    p, value = chance(person, now), worth(person)
    if before is None or before.chance is None or before.worth is None or limits.calm_days <= 0:
        return p, value
    old = 0.5 ** ((now - before.assigned_at) / DAY / limits.calm_days)
    calm, calm_value = old * before.chance + (1 - old) * p, old * before.worth + (1 - old) * value
    back = person.last_order is not None and person.last_order >= before.assigned_at
    if back and before.segment in LEAVING and p > calm:
        return p, max(value, calm_value)
    return calm, calm_value


def _nearby(person: Standing, p: float, value: float, now: int, limits: Thresholds) -> set[str]:
    """Every segment within the band around where the person stands."""
    wider = (0.5 + limits.band) / (0.5 - limits.band)
    low, high = p / (p + (1 - p) * wider), p * wider / (p * wider + 1 - p)
    between = (limits.lost, limits.unlikely, limits.cooling, limits.likely)
    chances = (low, *(limit for limit in between if low < limit <= high))
    wide, growth = VALUE_BANDS * limits.band, min(GROWTH_BANDS * limits.band, 0.9)
    values = (value * max(1 - wide, 0.0), value, value * (1 + wide))
    patience = (1 - growth, 1.0, 1 + growth)
    return {_classify(person, *around, now, limits) for around in product(chances, values, patience)}


def _classify(person: Standing, p: float, value: float, patience: float, now: int, limits: Thresholds) -> str:
    """The segment by the numbers alone; `patience` stretches the limit of growth."""
    new = now - person.since < limits.new_days * DAY
    if person.orders == 0:
        return "New" if new else "Lost"
    if person.orders == 1 or new:
        return _newcomer(p, limits, new=new)
    if p >= limits.likely:
        if value >= limits.valuable:
            return "Champions"
        growing = person.recent_spend > patience * limits.rising * max(person.earlier_spend, 1.0)
        return "Rising" if growing else "Loyal"
    if p >= limits.unlikely:
        return "Cooling" if p < limits.cooling else "Steady"
    return "At risk" if p >= limits.lost else "Lost"


def _newcomer(p: float, limits: Thresholds, *, new: bool) -> str:
    if p >= limits.likely:
        return "Promising"
    if new:
        return "New"
    return "Steady" if p >= limits.unlikely else "At risk" if p >= limits.lost else "Lost"
