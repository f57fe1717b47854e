"""Why a model is trained anew: it was asked for, it is time, or much more has happened than it has learned from."""

from typing import TYPE_CHECKING

from cronsim import CronSim

from sync.config_sections import Objective
from sync.instants import instant
from sync.site import Site
from sync.store.models import newest_model

if TYPE_CHECKING:
    from scoring.snapshots import Snapshots

KNOWN = "outcomes_known"
"""Where a model's card says how many outcomes there were when it was trained."""


def outcomes_known(past: "Snapshots", kind: str) -> int:
    """How often what is predicted (activities of this kind) had happened by `past.as_of`, to anybody."""
    import narwhals.stable.v2 as nw

    rows = past.tables.until(past.as_of).activities.filter(nw.col("kind") == kind).select(nw.len()).collect()
    return int(rows.item())


def reason(site: Site, past: "Snapshots", objective: Objective, kind: str, asked_for: bool) -> str:
    """Why to train now; "" when there is no reason. `kind` is the activity that is predicted."""
    if asked_for:
        return "it was asked for"
    last = newest_model(site.db, objective.key, instant(past.as_of))
    if last is None:
        return "it is the first one"
    due = next(CronSim(site.config.schedule.train, last.trained_at.astimezone(site.config.zone)))
    if due <= instant(past.as_of):
        return f"it was due on {due:%Y-%m-%d} (schedule.train)"
    share, before = site.config.model.train_on_growth, last.card.get(KNOWN, 0)
    if not (share and before):
        return ""
    now = outcomes_known(past, kind)
    grown = now / before - 1
    return f"outcomes grew by {grown:.0%} ({before:,} to {now:,}) since the last training" if grown >= share else ""
