"""Answers to surveys, and segments set by hand, that stand for the outcome of an objective: each dated when noticed."""

import json
from collections.abc import Iterator

from sync.config_segments import Survey
from sync.site import Site

Said = tuple[int, str, int]
"""A person, the kind of activity that the objective counts, and when it was said (µs UTC)."""

_VALUES = "SELECT DISTINCT after FROM property_change WHERE name = ?"
_CHANGES = """
SELECT DISTINCT c.person_id, p.seen_at AS at FROM property_change p
LEFT JOIN alias m ON m.account = p.account AND m.id = p.contact_id
JOIN contact c ON c.account = p.account AND c.id = coalesce(m.contact_id, p.contact_id)
WHERE p.name = ? AND p.account IN (SELECT value FROM json_each(?)) AND p.after IN (SELECT value FROM json_each(?))
    AND c.person_id IS NOT NULL AND c.person_id NOT IN (SELECT person_id FROM excluded)
ORDER BY c.person_id, at
"""
_PINS = """
SELECT person_id, segment, at FROM pin WHERE person_id NOT IN (SELECT person_id FROM excluded) ORDER BY person_id
"""


def said(site: Site) -> Iterator[Said]:
    """What people, or humans about them, said that counts as the outcome of an objective.

    Only what was said while it was watched: when an answer was given that was there before, nobody knows.
    """
    events = {each.key: each.event for each in site.config.objectives}
    for survey in site.config.surveys:
        if survey.label:
            kind = events[survey.label]
            yield from ((person, kind, at) for person, at in (_pinned if survey.by_hand else _changed)(site, survey))


def said_since(site: Site, now: int) -> dict[str, int]:
    """From when on (µs UTC) all answers that stand for a kind of activity are noticed; `now`, where not yet."""
    events = {each.key: each.event for each in site.config.objectives}
    found: dict[str, int] = {}
    for survey in site.config.surveys:
        if survey.label:
            since = _hand_since(site) if survey.by_hand else _watched_since(site, survey)
            start = now if since is None else since
            kind = events[survey.label]
            found[kind] = max(found.get(kind, start), start)
    return found


def _hand_since(site: Site) -> int | None:
    since: int | None = site.db.execute("SELECT min(at) FROM pin").fetchone()[0]
    return since


def _watched_since(site: Site, survey: Survey) -> int | None:
    since, waiting = site.db.execute(
        """SELECT max(since), coalesce(sum(since IS NULL), 0) FROM watched
        WHERE name = ? AND account IN (SELECT value FROM json_each(?))""",
        (survey.name, _accounts(site, survey)),
    ).fetchone()
    return None if waiting or since is None else int(since)


def _changed(site: Site, survey: Survey) -> Iterator[tuple[int, int]]:
    values = [row["after"] for row in site.db.execute(_VALUES, (survey.name,)) if survey.fits(row["after"])]
    wanted = (survey.name, _accounts(site, survey), json.dumps(values))
    yield from ((row["person_id"], row["at"]) for row in site.db.execute(_CHANGES, wanted))


def _pinned(site: Site, survey: Survey) -> Iterator[tuple[int, int]]:
    for row in site.db.execute(_PINS):
        if survey.fits(row["segment"]):
            yield row["person_id"], row["at"]


def _accounts(site: Site, survey: Survey) -> str:
    return json.dumps([each.name for each in site.config.accounts if survey.account in (each.name, each.kind)])
