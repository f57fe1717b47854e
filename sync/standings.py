"""From predictions to where everyone stands: the segment, and the values of our fields."""

import json
import sqlite3
from collections.abc import Mapping, Set
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sync.config import Config
from sync.fields import CONTROL, score_key
from sync.instants import instant, micros
from sync.pins import overrides
from sync.rollout import in_control
from sync.site import Site
from sync.store.scores import Move, Standing, newest_standings

if TYPE_CHECKING:
    from scoring.explain import Reason
    from scoring.predict import Predictions
    from scoring.segments import Membership, Thresholds
    from scoring.segments import Standing as Footing
    from scoring.snapshots import Snapshots

WEEK = 7 * 86_400_000_000
"""µs after which champions are counted anew where there is a capacity."""
REASONS_LENGTH = 255
"""Characters the reasons field holds on every platform."""

Found = Mapping[str, "Predictions"]
"""By the key of the objective."""


def standings(
    site: Site, past: "Snapshots", found: Found, as_of: datetime, *, new_model: bool = False, settle: bool = True
) -> tuple[list[Standing], list[Move]]:
    """Where everyone in `past` stands at `as_of`, given the predictions there are, and who moved why.

    `new_model`: one of the models segments are decided from came into use just now. Without `settle` the limits between
    segments stay as they are.
    """
    from scoring.migration import cause
    from scoring.segments import Membership, assign
    from scoring.standing import standings as footings

    now = micros(as_of)
    people = footings(past.matrix(now), now, buying=found.get("repeat_purchase"), spending=found.get("value"))
    before = newest_standings(site.db, before=as_of)
    previous = {person: Membership(**each.membership) for person, each in before[1].items()} if before else {}
    limits, fitted_now = thresholds(site.db, site, people, now, asks=_question(found), settle=settle)
    pinned = overrides(site, as_of)
    placed = [
        _pinned(each, pinned.get(each.person_id), previous.get(each.person_id))
        for each in assign(people, previous, now, limits)
    ]
    moves = [
        Move(
            person.person_id,
            as_of,
            previous[person.person_id].segment,
            membership.segment,
            "event"
            if person.person_id in pinned
            else cause(person, previous[person.person_id], now, new_model=new_model or fitted_now),
            _expected(before[1][person.person_id]) if before else 0,
        )
        for person, membership in zip(people, placed, strict=True)
        if previous.get(person.person_id, membership).segment != membership.segment
    ]
    return [
        _standing(site, found, row, membership, previous.get(membership.person_id))
        for row, membership in enumerate(placed)
    ], moves


def as_before(site: Site, as_of: datetime, people: Set[int]) -> list[Standing]:
    """What `people` had at the last scoring, with the instant it is of: they are not scored at `as_of`."""
    newest = newest_standings(site.db)
    if newest is None:
        return []
    at, there = newest
    before = at if at < as_of else None  # scored at this very instant, by a run that could read everything
    return [
        replace(each, scored_at=each.scored_at or before) for person, each in sorted(there.items()) if person in people
    ]


def _pinned(found: "Membership", segment: str | None, before: "Membership | None") -> "Membership":
    """The membership, in the segment a human has set if there is one."""
    if segment is None:
        return found
    stays = before is not None and before.segment == segment
    return replace(found, segment=segment, since=before.since if stays and before else found.assigned_at, falling=0)


def _expected(standing: Standing) -> int:
    """Cents expected of someone; 0 when it was not predicted."""
    return round(100 * (standing.fields.get(score_key("value")) or 0))


def thresholds(
    db: sqlite3.Connection, site: Site, people: "list[Footing]", now: int, *, asks: str, settle: bool = True
) -> "tuple[Thresholds, bool]":
    """The limits between the segments, and whether they are new: fitted once, then kept, so that a segment means the
    same every week.

    They are fitted anew only when another question is asked (`asks`: there is a model or none). Limits that were
    fitted on nobody, because nobody has bought yet, are not kept. Without `settle` those that are kept hold on, and
    nothing is kept: a capacity ranks everyone, so it waits until everyone is there.
    """
    from scoring.segments import Thresholds

    own = _own_limits(site.config)
    row = db.execute("SELECT value FROM setting WHERE name = 'thresholds'").fetchone()
    kept = json.loads(row["value"]) if row else {}
    if not settle and "cooling" in kept.get("limits", {}):
        return Thresholds(**{**kept["limits"], **own}), False
    fitted_now = kept.get("asks") != asks or "cooling" not in kept["limits"]
    limits = Thresholds.fit(people, now, **own) if fitted_now else Thresholds(**{**kept["limits"], **own})
    filled, capacity = kept.get("filled", 0), site.config.segments.capacity.removesuffix("/week")
    if capacity and (fitted_now or now - filled >= WEEK):
        limits, filled, fitted_now = limits.holding(people, now, int(capacity)), now, True
    if settle and fitted_now and any(person.orders for person in people):
        db.execute(
            "INSERT INTO setting VALUES ('thresholds', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (json.dumps({"asks": asks, "limits": asdict(limits), "filled": filled}),),
        )
    return limits, fitted_now


def _own_limits(config: Config) -> dict[str, Any]:
    """What the config says of the limits, in the words of Thresholds; money in cents."""
    own, limits = config.segments, config.segments.limits
    given = {
        "likely": limits.likely,
        "cooling": limits.cooling,
        "unlikely": limits.unlikely,
        "lost": limits.lost,
        "valuable": None if limits.valuable is None or own.capacity else 100 * limits.valuable,
    }
    return {
        "band": own.hysteresis,
        "stay_days": own.min_stay / timedelta(days=1),
        "calm_days": own.calm / timedelta(days=1),
        "new_days": limits.new / timedelta(days=1),
        "rising": limits.rising,
        "order": tuple(own.order),
        **{name: limit for name, limit in given.items() if limit is not None},
    }


def _question(found: Found) -> str:
    return "+".join(name for name in ("repeat_purchase", "value") if name in found)


def _standing(site: Site, found: Found, row: int, membership: "Membership", before: "Membership | None") -> Standing:
    names = site.config.segments
    control = in_control(membership.person_id, site.config.holdout.share)
    segment = names.name(membership.segment)  # type: ignore[arg-type] # one of the nine
    previous = before.segment if before and before.segment != membership.segment else None
    fields: dict[str, Any] = {
        "segment": segment,
        "tags": sorted([segment, CONTROL] if control else [segment]),
        "control_group": control,
        "segment_since": instant(membership.since).astimezone(site.config.zone).date().isoformat(),
        "segment_before": names.name(previous) if previous else None,  # type: ignore[arg-type]
    }
    reasons: dict[str, list[tuple[str, float]]] = {}
    for objective, predictions in found.items():
        fields[score_key(objective)] = _value(objective, float(predictions.values[row]))
        reasons[objective] = [(each.text, round(each.contribution, 4)) for each in predictions.reasons[row]]
    if "repeat_purchase" in found:
        fields["reasons"] = in_words(found["repeat_purchase"].reasons[row])
    return Standing(membership.person_id, membership.segment, asdict(membership), fields, reasons)


def _value(objective: str, value: float) -> float:
    """Per cent with one decimal; money in whole units with two."""
    return round(value / 100, 2) if objective == "value" else round(100 * value, 1)


def in_words(reasons: "tuple[Reason, ...]") -> str:
    """What speaks for and against buying, in at most REASONS_LENGTH characters; whole reasons only."""
    text = ""
    for word, speaking in (
        ("For: ", [each.text for each in reasons if each.contribution > 0]),
        ("Against: ", [each.text for each in reasons if each.contribution < 0]),
    ):
        for number, reason in enumerate(speaking):
            addition = f"{'; ' if number else (' ' if text else '') + word}{reason}"
            if len(text) + len(addition) + 1 > REASONS_LENGTH:
                break
            text += addition
        text += "." if speaking and text and not text.endswith(".") else ""
    return text
