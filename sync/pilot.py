"""Whether a pilot is ready to grow: a checklist over the runs, what came true, and what acting on it brought."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sync.config_values import duration_text
from sync.effect import effects, sentences
from sync.feedback import findings, months
from sync.site import Site
from sync.store import runs

STEPS = (0.2, 0.5, 1.0)
"""The shares a pilot grows through; the choice is sticky, so that a larger share keeps everybody of a smaller one."""
TRIPS_COUNT_FOR = timedelta(days=14)
"""How long a refusal of the guard speaks against growing."""


@dataclass(frozen=True)
class Point:
    """One line of the checklist."""

    ready: bool
    text: str


def next_share(share: float) -> float | None:
    """The step after `share`; None when everybody is in."""
    return next((step for step in STEPS if step > share), None)


def checklist(site: Site) -> Iterator[Point]:
    """What has to be so before a pilot grows."""
    now, after = site.clock.now(), site.config.alerts.stale_after
    through = runs.last_through(site.db)
    fresh = through is not None and now - through.as_of <= after
    age = "there was none" if through is None else f"run {through.id} at {through.as_of:%Y-%m-%d %H:%M} UTC"
    yield Point(fresh, f"the last run that got through is not older than {duration_text(after)}: {age}")
    recent = [each for each in runs.last(site.db, 1000) if now - each.as_of <= TRIPS_COUNT_FOR]
    tripped = [each.id for each in recent if each.verdict == "refused"]
    said = f": run {', '.join(map(str, tripped))}; foretag runs show {tripped[0]}" if tripped else ""
    yield Point(not tripped, f"the guard refused no run in the last {TRIPS_COUNT_FOR.days} days{said}")
    wrong = [each.text for each in findings(site) if not each.hint and each.kind in ("calibration", "ranking")]
    judged = any(months(site, each) for each in site.config.objectives)
    said = f": {wrong[0]}" if wrong else "" if judged else ": none of them can be judged yet"
    yield Point(not wrong, f"predictions came true as they were made{said}")
    yield from _uplift(site)


def _uplift(site: Site) -> Iterator[Point]:
    found = effects(site)
    harmed = [each for each in found if each.found.verdict == "harms"]
    helped = any(each.found.verdict == "helps" for each in found)
    said = f": {sentences(harmed[0], site.config.currency)[0]}" if harmed else "" if helped else ": too early to tell"
    yield Point(not harmed, f"acting on the scores did no harm that can be seen{said}")
