"""What can be said of a person in each family of features, and which of it fits the side it is told on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from scoring.extras import COUNTED, property_of
from scoring.features import DIRECTIONS, FAMILIES, FEATURES
from scoring.tables import Floats

LAPSED_GAPS = 3.0
"""Usual gaps of silence from which somebody counts as gone."""

Row = Mapping[str, float]
"""What is known of a person, by the names of the columns."""


@dataclass(frozen=True)
class Fact:
    """A sentence, and the column that tells on which side it can stand: see DIRECTIONS (0: on either)."""

    column: str
    text: Callable[[Row], str]
    even: float | None = None
    """The value at which it speaks for neither side, whatever is usual."""
    beyond: float | None = None
    """Told only as something bad, and of larger values than this."""
    alone: bool = False
    """The only column of its family: whichever side the family speaks for, so does it."""
    notable: bool = False
    """Not told of who never did it where that is usual."""

    @property
    def direction(self) -> int:
        """1 where more of the column speaks for buying, -1 where it speaks against it, 0 where it may do either."""
        return DIRECTIONS[FEATURES.index(self.column)]

    def fits(self, row: Row, good: bool, usual: Row) -> bool:
        """Whether it can be told as something good of this person, or else as something bad.

        Good is what is at least as good as `usual`, and has happened; bad what is at most as good, or has not. What may
        say either fits both sides, where it is known and not nothing.
        """
        value = row[self.column]
        if self.beyond is not None:
            return not good and value > self.beyond
        if not self.direction:
            return bool(value > 0)
        if self.alone:
            return not (good and _never(value, self.direction))
        if _never(value, self.direction):
            return not good and not (self.notable and _never(usual[self.column], self.direction))
        better = self.direction * (1 if good else -1)
        return all(better * (value - each) >= 0 for each in (usual[self.column], self.even) if each is not None)


def usual(x: Floats, shares: Floats) -> dict[str, float]:
    """For each column of FACTS the value from which it is good; rows of `x` by FEATURES, `shares` by FAMILIES.

    A family speaks for some people and against the others: of each of its columns that part of people has the worse
    values. Never counts as the worst, and is infinite here.
    """
    found = {}
    for family, own in zip(FAMILIES, shares.T, strict=True):
        against = int(np.count_nonzero(own <= 0))
        for fact in FACTS[family]:
            oriented = x[:, FEATURES.index(fact.column)] * (fact.direction or 1)
            oriented = np.sort(np.where(np.isnan(oriented), -np.inf, oriented))
            found[fact.column] = float(oriented[min(against, oriented.size - 1)]) * (fact.direction or 1)
    return found


def tell(family: str, row: Row, good: bool, usual: Row) -> str | None:
    """The first fact of the family that fits its side, as plain ASCII of at most 80 characters; None when none does."""
    return next((fact.text(row) for fact in FACTS[family] if fact.fits(row, good, usual)), None)


def tell_extra(name: str, row: Row) -> str:
    """What is known of a person in an extra column, as `tell`."""
    about, value = property_of(name), row[name]
    if name.startswith(COUNTED):
        since = row[f"since:{about}"]
        text = f"no {about} yet" if np.isnan(since) else f"last {about} {_ago(since)}"
    elif "=" in name:
        text = f"{about} is {'' if value else 'not '}{name.partition('=')[2]}"
    else:
        text = f"{about} is not known" if np.isnan(value) else f"{about} is {value:g}"
    return text.encode("ascii", "replace").decode()[:80]


def _never(value: float, direction: int) -> bool:
    return bool(value <= 0 if direction > 0 else not np.isfinite(value))


def _recency(row: Row) -> str:
    return "no order yet" if np.isnan(row["recency_days"]) else f"last order {_ago(row['recency_days'])}"


def _silence(row: Row) -> str:
    gap = row["gap_mean"]
    often = "more than once a day" if gap < 0.5 else "every day" if gap < 1.5 else f"every {_days(gap)}"
    return f"{_recency(row)}, usually {often}"


def _lateness(row: Row) -> str:
    if np.isnan(row["recency_days"]):
        return "no order yet"
    if np.isnan(row["gap_mean"]):
        return "ordered once: no rhythm yet"
    return f"usually {_days(row['gap_mean'])} between orders, now {_days(row['recency_days'])} since the last"


def _gap(row: Row) -> str:
    return f"usually {_days(row['gap_mean'])} between orders"


def _newest_gap(row: Row) -> str:
    return f"{_days(row['gap_last'])} between the last two orders"


def _unevenness(row: Row) -> str:
    return f"gaps between orders vary by {_days(row['gap_sd'])}"


def _orders(days: int) -> Callable[[Row], str]:
    def text(row: Row) -> str:
        found = f"{_counted(row[f'orders_{days}d'], 'order')} in the last {days} days"
        return f"{found}, {row['orders']:.0f} in all" if row["orders"] > row[f"orders_{days}d"] else found

    return text


def _all_orders(row: Row) -> str:
    return f"{_counted(row['orders'], 'order')} in all"


def _returns(row: Row) -> str:
    return _counted(row["returns"], "return")


def _deals_lost(row: Row) -> str:
    return f"{_counted(row['deals_lost'], 'deal')} lost"


def _spend(days: int) -> Callable[[Row], str]:
    def text(row: Row) -> str:
        if row[f"spend_{days}d"] > 0:
            return f"spent {_money(row[f'spend_{days}d'])} in the last {days} days"
        before = f", {_money(row['spend_sum'])} before" if row["spend_sum"] > 0 else ""
        return f"spent nothing in the last {days} days{before}"

    return text


def _spend_mean(row: Row) -> str:
    return f"spends {_money(row['spend_mean'])} per order"


def _spend_last(row: Row) -> str:
    return f"spent {_money(row['spend_last'])} on the last order"


def _spend_sum(row: Row) -> str:
    return f"spent {_money(row['spend_sum'])} in all"


def _answered(row: Row) -> str:
    if not row["sends"]:
        return "not mailed yet"
    answers, mailings = f"{row['responses']:.0f}", _counted(row["sends"], "mailing")
    often = row["responses"] > row["sends"]
    text = f"{answers} answers to {mailings}" if often else f"answered {answers} of {mailings}"
    if np.isnan(row["days_since_response"]):
        return text
    return f"{text}, the last {_ago(row['days_since_response'])}"


def _clicked(row: Row) -> str:
    if np.isnan(row["days_since_click"]):
        return "no click yet"
    return f"last click {_ago(row['days_since_click'])}"


def _reacted(row: Row) -> str:
    if np.isnan(row["days_since_answer"]):
        return "no open, click, form or visit yet"
    return f"last open, click, form or visit {_ago(row['days_since_answer'])}"


def _touched(row: Row) -> str:
    del row  # how often is only known as a decayed count
    return "had calls, meetings or notes"


def _sends(row: Row) -> str:
    return f"{_counted(row['sends'], 'mailing')} so far"


def _tenure(row: Row) -> str:
    text = f"known for {_days(row['tenure_days'])}"
    first = row["first_order_days"]
    return text if np.isnan(first) else f"{text}, first order {_ago(first)}"


FACTS: Mapping[str, tuple[Fact, ...]] = {
    "recency": (Fact("recency_in_gaps", _silence, beyond=LAPSED_GAPS), Fact("recency_days", _recency, alone=True)),
    "rhythm": (
        Fact("recency_in_gaps", _lateness, even=1.0),
        Fact("gap_mean", _gap),
        Fact("gap_last", _newest_gap),
        Fact("gap_sd", _unevenness),
    ),
    "frequency": (
        Fact("orders_90d", _orders(90)),
        Fact("orders_30d", _orders(30)),
        Fact("orders_180d", _orders(180)),
        Fact("orders", _all_orders),
        Fact("returns", _returns),
        Fact("deals_lost", _deals_lost),
    ),
    "spend": (
        Fact("spend_90d", _spend(90)),
        Fact("spend_30d", _spend(30)),
        Fact("spend_180d", _spend(180)),
        Fact("spend_mean", _spend_mean),
        Fact("spend_last", _spend_last),
        Fact("spend_sum", _spend_sum),
    ),
    "campaigns": (
        Fact("days_since_response", _answered),
        Fact("answered_share", _answered),
        Fact("days_since_click", _clicked, notable=True),
        Fact("days_since_answer", _reacted, notable=True),
        Fact("touches_decayed", _touched),
        Fact("sends", _sends),
    ),
    "tenure": (Fact("tenure_days", _tenure),),
}
"""Of each family what can be said, the most telling first."""


def _ago(days: float) -> str:
    return "today" if days < 1 else f"{_days(days)} ago"


def _days(days: float) -> str:
    return "less than a day" if days < 0.5 else _counted(round(days), "day")


def _money(cents: float) -> str:
    return f"{cents / 100:.2f}"


def _counted(number: float, noun: str) -> str:
    if number == 0:
        return f"no {noun}s"
    return f"{number:.0f} {noun}" if round(number) == 1 else f"{number:.0f} {noun}s"
