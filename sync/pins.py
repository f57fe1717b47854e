"""What humans know better: a segment set by hand for a while, or by the answer to a survey."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sync.config_segments import Segment, Survey
from sync.emails import email_key
from sync.errors import ForetagError
from sync.fields import SEGMENTS, score_key
from sync.instants import instant, micros
from sync.site import Site
from sync.store.people import person_of
from sync.store.scores import newest_standings


def overrides(site: Site, as_of: datetime) -> dict[int, Segment]:
    """The segment people are to be in whatever the scores say; a hand beats surveys, the first survey the others."""
    found: dict[int, Segment] = {}
    for survey in reversed(site.config.surveys):
        if survey.segment:
            found |= dict.fromkeys(_answered(site, survey), survey.segment)
    rows = site.db.execute("SELECT person_id, segment FROM pin WHERE until > ?", (micros(as_of),))
    return found | {row["person_id"]: row["segment"] for row in rows}


def _answered(site: Site, survey: Survey) -> Iterator[int]:
    """People of whom any contact has a value that fits."""
    accounts = {each.name for each in site.config.accounts if survey.account in (each.name, each.kind)}
    rows = site.db.execute(
        """SELECT person_id, account, properties ->> ? AS value FROM contact
        WHERE NOT deleted AND person_id IS NOT NULL AND value IS NOT NULL ORDER BY person_id""",
        (f'$."{survey.name}"',),
    )
    for row in rows:
        if row["account"] in accounts and survey.fits(str(row["value"])):
            yield row["person_id"]


def pin(site: Site, email: str, segment: str, lasting: timedelta) -> dict[str, Any]:
    """Keep a person in a segment (by its own or the shop's name) from the next scoring on. Inside a transaction.

    ForetagError for an unknown address or segment. What the scores said at that time is noted with it.
    """
    person = _person(site, email)
    key = _segment(site, segment)
    newest = newest_standings(site.db)
    standing = newest[1].get(person) if newest else None
    score = standing.fields.get(score_key("repeat_purchase")) if standing else None
    now = site.clock.now()
    site.db.execute(
        "INSERT OR REPLACE INTO pin VALUES (?, ?, ?, ?, ?)",
        (person, key, None if score is None else round(score), micros(now), micros(now + lasting)),
    )
    return {"segment": site.config.segments.name(key), "until": (now + lasting).date().isoformat()}


def unpin(site: Site, email: str) -> None:
    """Let the scores decide again. Inside a transaction. ForetagError when nothing was set by hand."""
    if not site.db.execute("DELETE FROM pin WHERE person_id = ?", (_person(site, email),)).rowcount:
        raise ForetagError("nothing was set by hand for this person")


def pins(site: Site) -> list[dict[str, Any]]:
    """Everything set by hand that still holds, by the numbers of people, as JSON-able data."""
    rows = site.db.execute("SELECT * FROM pin WHERE until > ? ORDER BY at", (micros(site.clock.now()),))
    return [
        {
            "person": row["person_id"],
            "segment": site.config.segments.name(row["segment"]),
            "score_then": row["score"],
            "since": instant(row["at"]).date().isoformat(),
            "until": instant(row["until"]).date().isoformat(),
        }
        for row in rows
    ]


def pin_lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The list for people, without addresses."""
    if not found:
        yield "Nothing is set by hand."
    for each in found:
        score = "no score" if each["score_then"] is None else f"the score was {each['score_then']}"
        yield f"person {each['person']}: {each['segment']} from {each['since']} to {each['until']} ({score})"


def _person(site: Site, email: str) -> int:
    person = person_of(site.db, email_key(email) or "")
    if person is None:
        raise ForetagError("nobody in the store has this address. Is it written as on the platform? foretag pull")
    return person


def _segment(site: Site, name: str) -> Segment:
    for segment in SEGMENTS:
        if name.lower() in (segment.lower(), site.config.segments.name(segment).lower()):
            return segment
    known = ", ".join(json.dumps(site.config.segments.name(segment)) for segment in SEGMENTS)
    raise ForetagError(f"there is no segment {name}: choose from {known}")
