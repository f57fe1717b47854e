"""After a scoring: what is summed up for good, and what of the single rows may go."""

from datetime import datetime, timedelta

from sync.plan_files import delete_naming
from sync.site import Site
from sync.store import departed, runs
from sync.store.database import transaction
from sync.store.old_activities import drop_before
from sync.store.properties import thin_changes
from sync.store.scores import kept_at, last_flow, save_flows
from sync.store.thinning import reclaim, thin

PERIODS = (7, 28)
"""Days over which movements are summed up: a week, and four of them."""


def sum_up(site: Site, as_of: datetime) -> None:
    """Sum up the movements of each period that is over at `as_of`. Inside a transaction."""
    kept = kept_at(site.db)
    for days in PERIODS:
        length, last = timedelta(days=days), last_flow(site.db, days)
        starts = [at for at in kept if as_of - at >= length]
        if starts and (last is None or as_of - last >= length):
            save_flows(site.db, days, starts[-1], as_of)


def thin_out(site: Site, as_of: datetime) -> int:
    """Delete what [retention] says is over at `as_of`, and give back space worth it.

    That is old standings, predictions, changes of properties and activities, and people who have left all platforms.
    The last run that got through stays, since the guard measures by it. Returns how many instants went.
    """
    through = runs.last_through(site.db)
    protected = {through.as_of} if through else set()
    keep = site.config.retention
    with transaction(site.db):
        instants = thin(site.db, as_of, protected, daily=keep.daily, weekly=keep.weekly, total=keep.total)
        thin_changes(site.db, as_of - keep.total)
    activities = drop_before(site.db, as_of - keep.activities if keep.activities else None)
    people = _let_go(site, as_of)
    if instants or activities or people:
        reclaim(site.db)
    return instants


def _let_go(site: Site, as_of: datetime) -> int:
    """Delete who left long enough ago, batch by batch: what is left when it is cut off goes the next time.

    Returns how many people that were.
    """
    gone = 0
    for people in departed.left_before(site.db, as_of - site.config.retention.deleted):
        delete_naming(site.config.data_dir / "plans", departed.contacts_of(site.db, people))
        with transaction(site.db):
            departed.let_go(site.db, people, as_of)
        gone += len(people)
    return gone
