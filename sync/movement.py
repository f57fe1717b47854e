"""Movements between segments over weeks: how likely each is, how long people stay, and which flows are unusual."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sync.config_segments import Segment
from sync.site import Site
from sync.store.scores import flows, last_scored, moves_since
from sync.upkeep import PERIODS

if TYPE_CHECKING:
    from scoring.transitions import Period

WEEKS = 13
"""Weeks that a flow is held against."""
MONTHS = 12
"""Four-week periods the matrix is made from."""


def movement(site: Site) -> dict[str, Any]:
    """The matrix (over four weeks), days per segment, unusual flows of the last week, and moves by cause since then.

    JSON-able; shares in [0, 1], money in cents, segments under their own (English) names.
    """
    from scoring.card import plain
    from scoring.transitions import expected_days, matrix

    months = _periods(site, PERIODS[1])[-MONTHS:]
    scored = last_scored(site.db)
    causes: dict[str, int] = {}
    for move in moves_since(site.db, scored - timedelta(days=28), scored) if scored else ():
        causes[move.cause] = causes.get(move.cause, 0) + 1
    found: dict[str, Any] = plain(
        {
            "periods": len(months),
            "matrix": [asdict(cell) for cell in matrix(months) if cell.people],
            "expected_days": {name: asdict(each) for name, each in expected_days(months, PERIODS[1]).items()},
            "unusual": unusual(site),
            "causes": causes,
        }
    )
    return found


def unusual(site: Site) -> list[dict[str, Any]]:
    """The flows of the last week clearly above their own past, each with a sentence."""
    from scoring.transitions import surges

    return [
        {
            **asdict(each),
            "text": f"{each.people:,} people moved from {_name(site, each.origin)} to {_name(site, each.target)} "
            f"within a week, usually {each.usual:,.0f} ({each.share:.1%} instead of {each.usual_share:.1%}), "
            f"{each.money / 100:,.0f} {site.config.currency} expected from them",
        }
        for each in surges(_periods(site, PERIODS[0])[-WEEKS:])
    ]


def new_surges(site: Site) -> Iterator[str]:
    """The unusual flows, when a week ended with the newest scoring: told once."""
    ended = list(flows(site.db, PERIODS[0]))
    if ended and ended[-1][1] == last_scored(site.db):
        for each in unusual(site):
            yield f"{each['text']}. More: foretag feedback"


def _periods(site: Site, days: int) -> "list[Period]":
    from scoring.transitions import Period

    return [
        Period(
            {(each.origin, each.target): each.people for each in found},
            {(each.origin, each.target): each.money for each in found},
        )
        for found in flows(site.db, days).values()
    ]


def _name(site: Site, segment: str) -> str:
    name: Segment = segment  # type: ignore[assignment] # one of the nine
    return site.config.segments.name(name)


def movement_lines(site: Site, found: dict[str, Any]) -> Iterator[str]:
    """The same for people: unusual flows, causes, and how long people stay."""
    for each in found["unusual"]:
        yield f"  UNUSUAL: {each['text']}"
    if found["causes"]:
        yield "  Moves of the last 4 weeks by cause: " + ", ".join(
            f"{cause} {count:,}" for cause, count in sorted(found["causes"].items(), key=lambda each: -each[1])
        )
    for name, days in found["expected_days"].items():
        yield (
            f"  {_name(site, name):<12} people stay about {days['value']:,.0f} days "
            f"(likely {days['low']:,.0f} to {days['high']:,.0f})"
        )
    if not found["periods"]:
        yield "  Not enough history yet: four weeks of scores are needed."
