"""How numbers, money and times are written on the page; no percentage is claimed of fewer than thirty people."""

from datetime import date, datetime
from math import sqrt

from sync.report.evaluation import Interval

FEWEST_FOR_PERCENT = 30
_NBSP = "\u00a0"
_MINUS = "\u2212"
_Z95 = 1.959964


def whole(number: int) -> str:
    """12408 → 12,408."""
    return f"{number:,}".replace("-", _MINUS)


def signed(number: int) -> str:
    """A change: +12, −8 or 0."""
    return f"+{whole(number)}" if number > 0 else whole(number)


def percent(share: float) -> str:
    """0.412 → 41 %; one decimal below 1 %."""
    points = share * 100
    return f"{points:.1f}{_NBSP}%" if 0 < points < 0.95 else f"{points:.0f}{_NBSP}%"


def portion(hits: int, total: int) -> str:
    """A percentage, or "7 of 19" when there are fewer than thirty."""
    return percent(hits / total) if total >= FEWEST_FOR_PERCENT else f"{whole(hits)} of {whole(total)}"


def likely(interval: Interval, scale: int = 100) -> str:
    """The range in words: "likely 22–35" (of `scale`)."""
    return f"likely {interval.low * scale:.0f}–{interval.high * scale:.0f}"


def amount(cents: int) -> str:
    """940000 → 9,400; below 100 with decimals."""
    units = cents / 100
    return (f"{units:,.0f}" if abs(units) >= 100 or units == 0 else f"{units:,.2f}").replace("-", _MINUS)


def money(cents: int, currency: str) -> str:
    """940000 → 9,400 EUR."""
    return f"{amount(cents)}{_NBSP}{currency}"


def day(when: date) -> str:
    """1 December 2017."""
    return f"{when.day} {when:%B %Y}"


def moment(when: datetime) -> str:
    """1 December 2017, 07:14 CET (in the zone the instant came with)."""
    return f"{day(when)}, {when:%H:%M %Z}"


def measured(interval: Interval | None) -> str:
    """For data scientists: "0.812 (0.790–0.834)", or a dash."""
    return f"{interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})" if interval else "–"


def proportion_range(hits: int, total: int) -> Interval:
    """The share with its 95 % Wilson range; `total` must be positive."""
    share, spread = hits / total, _Z95**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = _Z95 * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))
