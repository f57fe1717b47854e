"""One person, explained: segment, scores, and what speaks for and against each of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sync.config_sections import Objective
from sync.emails import email_key
from sync.errors import ForetagError
from sync.fields import score_key
from sync.persons import records_of
from sync.pins import overrides
from sync.site import Site
from sync.store.models import model_in_use
from sync.store.people import person_of
from sync.store.scores import newest_standings


def explanation(site: Site, email: str) -> dict[str, Any]:
    """Everything known about the person with this address, as JSON-able data.

    ForetagError when nobody has the address, or when the person has not been scored (objected, or not yet).
    """
    person = person_of(site.db, email_key(email) or "")
    if person is None:
        raise ForetagError("nobody in the store has this address. Is it written as on the platform? foretag pull")
    if site.db.execute("SELECT 1 FROM excluded WHERE person_id = ?", (person,)).fetchone():
        raise ForetagError("this person opted out or objects to profiling: there are no scores, and none are computed")
    newest = newest_standings(site.db)
    standing = newest[1].get(person) if newest else None
    if newest is None or standing is None:
        raise ForetagError("this person has not been scored yet: foretag run")
    scored = standing.scored_at or newest[0]
    return {
        "as_of": scored.isoformat(),
        "segment": standing.fields["segment"],
        "segment_since": standing.fields["segment_since"],
        "control_group": standing.fields["control_group"],
        "set_by_hand": person in overrides(site, scored),
        "scores": [
            {
                "objective": objective.title,
                "field": site.config.write.prefix + score_key(objective.key),
                "ahead": _ahead(site, objective, scored),
                "likely": _likely(site, objective, standing.fields.get(score_key(objective.key)), scored),
                "value": standing.fields.get(score_key(objective.key)),
                "unit": site.config.currency if objective.key == "value" else "%",
                "for": [text for text, share in standing.reasons.get(objective.key, []) if share > 0],
                "against": [text for text, share in standing.reasons.get(objective.key, []) if share < 0],
            }
            for objective in site.config.objectives
        ],
        "records": [
            {"account": row["account"], "object": row["object"], "id": row["id"], "consent": row["consent"]}
            for row in records_of(site.db, person)
        ],
    }


def _ahead(site: Site, objective: Objective, as_of: datetime) -> str:
    """How far the score looks ahead, in words; "" without a model, and of one that was kept before cards said it."""
    stored = model_in_use(site.db, objective.key, as_of)
    asked = stored.card.get("ahead", "") if stored and not stored.card["refused"] else ""
    return str(asked).partition(", ")[0]


def _likely(site: Site, objective: Objective, value: float | None, as_of: datetime) -> list[float] | None:
    """For money: the range nine in ten people with this expected value end up in, in the currency."""
    stored = model_in_use(site.db, objective.key, as_of) if objective.predict == "value" else None
    kept = stored.card.get("spread") if stored else None
    if kept is None or value is None:
        return None
    import numpy as np

    from scoring.value import Spread

    return [round(float(each[0]) / 100, 2) for each in Spread.read(kept).around(np.array([100 * value]))]


def explain_lines(found: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    control = ", control group" if found["control_group"] else ""
    control += ", set by hand or by a survey" if found["set_by_hand"] else ""
    yield f"{found['segment']} since {found['segment_since']}{control}   (scored {found['as_of'][:10]})"
    for score in found["scores"]:
        value = "no prediction yet" if score["value"] is None else f"{score['value']:g} {score['unit']}"
        likely = " (nine in ten: {:.2f} to {:.2f})".format(*score["likely"]) if score["likely"] else ""
        ahead = f", {score['ahead']}" if score["ahead"] and score["value"] is not None else ""
        yield f"{score['objective']:<24} {value}{likely}{ahead}"
        for reason in score["for"]:
            yield f"    + {reason}"
        for reason in score["against"]:
            yield f"    - {reason}"
    for record in found["records"]:
        yield f"{record['account']} {record['object']} {record['id']}: consent {record['consent']}"
