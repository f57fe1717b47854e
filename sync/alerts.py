"""Tells a webhook when something is wrong, once when it begins and once when it is over; no personal data."""

import json
import logging
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from connectors.allowlist import AllowList, Rule, unexpected
from connectors.errors import ConnectorError
from connectors.pacing import Pacer
from connectors.transport import Transport
from sync import secrets
from sync.cycle import Outcome
from sync.errors import ForetagError
from sync.fields import score_key
from sync.redact import redact
from sync.site import Site
from sync.store.database import transaction
from sync.store.scores import newest_standings

log = logging.getLogger(__name__)

ATTEMPTS = 3


def after_run(site: Site, outcome: Outcome) -> None:
    """Alert on what this run found, and on the movements the config asks for. A failing alert is only logged."""
    states = {key: text for key, text in _known(site).items() if key not in ("scores", "run")}
    if _stale(site):
        states["scores"] = f"Scores are older than {site.config.alerts.stale_after}."
    if outcome.verdict != "ok":
        problems = [each.problem for each in outcome.pulled] + [each.problem for each in outcome.applied]
        reasons = [*outcome.objections, *filter(None, problems)] or ["some contacts were refused by the platform"]
        states["run"] = f"Run {outcome.number} ended {outcome.verdict.upper()}: {reasons[0]} More: foretag status"
    _tell(site, states, list(_movements(site)))


def watch(site: Site) -> None:
    """Alert when the scores have become old, although no run failed: for the daemon, between runs."""
    old = f"Scores are older than {site.config.alerts.stale_after}: foretag status"
    note(site, "scores", old if _stale(site) else "")


def note(site: Site, key: str, text: str) -> None:
    """Alert that the state `key` is there, in the words of `text`, or that it is over ("")."""
    states = {each: known for each, known in _known(site).items() if each != key}
    _tell(site, states | {key: text} if text else states, [])


def _stale(site: Site) -> bool:
    newest = newest_standings(site.db)
    return newest is not None and site.clock.now() - newest[0] > site.config.alerts.stale_after


def _movements(site: Site) -> Iterator[str]:
    newest = newest_standings(site.db)
    earlier = newest_standings(site.db, before=newest[0]) if newest else None
    if newest is None or earlier is None:
        return
    for rule in site.config.alerts.rules:
        moved = [
            before
            for person, before in earlier[1].items()
            if before.segment == rule.moved_from and person in newest[1] and newest[1][person].segment == rule.moved_to
        ]
        value = sum(each.fields.get(score_key("value")) or 0 for each in moved)
        if len(moved) >= rule.min_people and value >= rule.min_value:
            yield (
                f"{len(moved):,} people moved from {rule.moved_from} to {rule.moved_to}, "
                f"{value:,.0f} {site.config.currency} expected from them. More: foretag report"
            )


def _tell(site: Site, states: Mapping[str, str], events: list[str]) -> None:
    """Send what began, what is over, and every event; remember what is going on."""
    before = _known(site)
    texts = [text for key, text in states.items() if key not in before]
    texts += [f"Over: {text}" for key, text in before.items() if key not in states]
    with transaction(site.db):
        site.db.execute(
            "INSERT INTO setting VALUES ('alerts', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (json.dumps(states),),
        )
    for text in texts + events:
        log.warning("alert: %s", text)
        if site.config.alerts.webhook:
            _post(site, f"foretag: {redact(text)}")


def _known(site: Site) -> dict[str, str]:
    row = site.db.execute("SELECT value FROM setting WHERE name = 'alerts'").fetchone()
    return dict(json.loads(row["value"])) if row else {}


def _post(site: Site, text: str) -> None:
    try:
        address = urlsplit(secrets.find(secrets.WEBHOOK).value)
        if address.scheme != "https" and address.hostname not in ("127.0.0.1", "localhost"):
            raise ForetagError(f"{secrets.WEBHOOK} is not an https address")
        rule = Rule(
            "alert", "POST", ".*", lambda body: unexpected("it", body, {"text"}), repeatable=False, private=True
        )
        base = f"{address.scheme}://{address.netloc}"
        pacer = Pacer({}, monotonic=site.clock.monotonic, sleep=site.clock.sleep)
        with Transport(base, AllowList([rule]), pacer, sleep=site.clock.sleep, attempts=ATTEMPTS) as transport:
            transport.post(address.geturl(), json={"text": text})
    except (ConnectorError, ForetagError) as error:
        log.warning("the alert could not be sent: %s", error)
