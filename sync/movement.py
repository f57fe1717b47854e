"""Movements between segments over weeks: how likely each is, how long people stay, and which flows are unusual."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sync.config_segments import Segment
from sync.counted import counted
from sync.site import Site
from sync.store.scores import flows, kept_at, last_scored, moves_since, paths
from sync.upkeep import PERIODS

if TYPE_CHECKING:
    from scoring.transitions import Period

WEEKS = 13
"""Weeks that a flow is held against."""
MONTHS = 12
"""Four-week periods the matrix is made from."""


def movement(site: Site) -> dict[str, Any]:
    """The matrix (over four weeks) and how far it can be trusted, days per segment, unusual flows of the last week, and
    moves by cause since then.

    JSON-able; shares in [0, 1], money in cents, segments under their own (English) names.
    """
    from scoring.card import plain
    from scoring.chain import backtest, order_tests
    from scoring.transitions import expected_days, matrix

    months = _periods(site, PERIODS[1])[-MONTHS:]
    scored = last_scored(site.db)
    causes: dict[str, int] = {}
    for move in moves_since(site.db, scored - timedelta(days=28), scored) if scored else ():
        causes[move.cause] = causes.get(move.cause, 0) + 1
    tested = backtest(months)
    found: dict[str, Any] = plain(
        {
            "order": [{**asdict(each), "needed": each.needed} for each in order_tests(_paths(site))],
            "backtest": asdict(tested) if tested else None,
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
            "text": f"{counted(each.people, 'person')} moved from {_name(site, each.origin)} to "
            f"{_name(site, each.target)} within a week, usually {each.usual:,.0f} "
            f"({each.share:.1%} instead of {each.usual_share:.1%}), "
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


def _paths(site: Site) -> Counter[tuple[str, str, str]]:
    """People by segment at three instants four weeks apart (within half a week), over all that are still kept."""
    length, kept = timedelta(days=PERIODS[1]), kept_at(site.db)
    chosen: list[datetime] = kept[-1:]
    while near := [at for at in kept if abs(chosen[0] - at - length) <= length / 8]:
        chosen.insert(0, near[-1])
    found: Counter[tuple[str, str, str]] = Counter()
    for instants in zip(chosen, chosen[1:], chosen[2:], strict=False):
        found.update(paths(site.db, instants))
    return found


def chain_sentences(found: dict[str, Any]) -> Iterator[str]:
    """What `movement` found about the chain, for readers of statistics."""
    for each in found["order"]:
        what = "A chain of first order against none" if each["order"] == 1 else "Of second order against first"
        yield (
            f"{what}: {'' if each['needed'] else 'not '}clearly better (G² {each['statistic']:,.1f}, {each['freedom']} "
            f"degrees of freedom, p {each['chance']:.2g}); by {'where they were' if each['order'] == 1 else 'the way'} "
            f"{each['elsewhere']:.1%} of people went elsewhere"
        )
    if tested := found["backtest"]:
        yield (
            f"The last 12 weeks by the matrix of the time before: {tested['missed']:.1%} of people, in sum, were in "
            f"another segment than predicted; {tested['unchanged']:.1%} for the guess that nothing changes"
        )


def doubt(found: dict[str, Any]) -> str:
    """Why the days people stay are rough, "" when nothing speaks against them."""
    if any(each["order"] == 2 and each["needed"] for each in found["order"]):
        return "Where people come from matters too: take these days as rough."
    tested = found["backtest"]
    if tested and tested["missed"] > tested["unchanged"]:
        return "The last 12 weeks went otherwise than the weeks before: take these days as rough."
    return ""


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
    if found["expected_days"] and (why := doubt(found)):
        yield f"  {why}"
    for sentence in chain_sentences(found):
        yield f"  {sentence}."
    if not found["periods"]:
        yield "  Not enough history yet: four weeks of scores are needed."
