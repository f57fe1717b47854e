"""Tells the admin's services when something is wrong, once when it begins and once when it is over; no personal data.

What could not be sent is kept and sent with the next alert: a service that is down loses none of them.
"""

import json
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sync.conditions import BETWEEN_RUNS, between_runs, movements, of_exception, of_pull, of_run, told_by_pull
from sync.messages import OVER, deliver, ping
from sync.outcome import Outcome
from sync.pull import Pulled
from sync.redact import redact
from sync.site import Site
from sync.store.database import transaction

log = logging.getLogger(__name__)

MOST_UNSENT = 50
"""Alerts kept for services that do not answer; older ones are dropped, the log has them."""
NOT_A_RUN = "config"
"""The state that no run can tell anything about."""


@dataclass(frozen=True, slots=True)
class State:
    """Something that goes on: what it is, and since when (ISO 8601, in the shop's time zone)."""

    text: str
    since: str


def after_run(site: Site, outcome: Outcome) -> None:
    """Alert on what this run found, and on the movements the config asks for. A failing alert is only logged.

    Of an account that is waited for and was not tried to read now, nothing can be said to be over. The dead man's
    switch is called when nothing at all is wrong with the run.
    """
    untold = {NOT_A_RUN} | (outcome.waiting.keys() - {each.account for each in outcome.pulled})
    _tell(site, of_run(site, outcome), lambda key: key.split()[0] not in untold, tuple(movements(site)))
    if outcome.verdict == "ok" and site.config.alerts.ping:
        ping(site.clock)


def after_pull(site: Site, pulled: Sequence[Pulled]) -> None:
    """Alert on accounts that could not be read between two runs, and that they can be again."""
    known = told_by_pull({each.account for each in pulled})
    _tell(site, of_pull(pulled), lambda key: key in known)


def after_exception(site: Site, error: Exception) -> None:
    """Alert on a run that ended in `error`; the next run that ends is what ends the alert."""
    found = of_exception(error)
    _tell(site, found, lambda key: key in found)


def watch(site: Site) -> None:
    """Alert on what can go wrong although no run fails: for the daemon, between runs."""
    _tell(site, between_runs(site), lambda key: key in BETWEEN_RUNS)


def note(site: Site, key: str, text: str) -> None:
    """Alert that the state `key` is there, in the words of `text`, or that it is over ("")."""
    _tell(site, {key: text} if text else {}, lambda each: each == key)


def going_on(db: sqlite3.Connection) -> dict[str, State]:
    """What was alerted on and is not over yet, by its key."""
    return {key: State(**state) for key, state in _remembered(db, "alerts", {}).items()}


def _tell(site: Site, found: Mapping[str, str], judged: Callable[[str], bool], events: Sequence[str] = ()) -> None:
    """Send what began, what is over, and every event; remember what goes on. Keys not `judged` stay as they were."""
    before = going_on(site.db)
    now = site.clock.now().astimezone(site.config.zone).isoformat(timespec="minutes")
    kept = {key: state for key, state in before.items() if not judged(key)}
    since = {key: state.since for key, state in before.items()}
    after = kept | {key: State(redact(text), since.get(key, now)) for key, text in found.items()}
    texts = [state.text for key, state in after.items() if key not in before]
    texts += [f"{OVER} (since {state.since}): {state.text}" for key, state in before.items() if key not in after]
    texts += map(redact, events)
    for text in texts:
        log.warning("alert: %s", text)
    unsent = _remembered(site.db, "alerts unsent", [])
    unsent += [[place, text] for text in texts for place in site.config.alerts.to]
    try:
        with transaction(site.db):
            _remember(site.db, "alerts", {key: asdict(state) for key, state in after.items()})
            _remember(site.db, "alerts unsent", unsent[-MOST_UNSENT:])
    except sqlite3.Error as error:  # a full disk is worth an alert more than anything
        log.error("alerts cannot be remembered: %s", error)
        for place, text in unsent:
            deliver(place, text)
        return
    _send(site, unsent[-MOST_UNSENT:])


def _send(site: Site, unsent: Sequence[Sequence[str]]) -> None:
    """Deliver what waits, oldest first; a service that fails is not tried again with the rest."""
    left: list[Sequence[str]] = []
    failing: set[str] = set()
    for place, text in unsent:
        if place not in site.config.alerts.to:
            continue
        if place in failing or not deliver(place, text):
            failing.add(place)
            left.append([place, text])
    if len(left) < len(unsent):
        with transaction(site.db):
            _remember(site.db, "alerts unsent", left)


def _remembered(db: sqlite3.Connection, name: str, otherwise: Any) -> Any:
    row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return json.loads(row["value"]) if row else otherwise


def _remember(db: sqlite3.Connection, name: str, value: object) -> None:
    db.execute(
        "INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, json.dumps(value))
    )
