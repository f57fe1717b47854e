"""The state of the installation in a few lines: last runs, freshness, what is on hand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

from sync.config_sections import Alerts
from sync.counted import counted
from sync.plan import TOO_OLD, too_old
from sync.site import Site
from sync.store import runs
from sync.store.facts import foreign_amounts
from sync.store.scores import all_scored, last_scored

Freshness = Literal["ok", "stale", "expired"]


def freshness(age: timedelta, limits: Alerts) -> Freshness:
    """`ok`, `stale` (a warning: deserves a look) or `expired` (an error: do not use them)."""
    if age <= limits.stale_after:
        return "ok"
    return "stale" if age <= limits.expired_after else "expired"


def scored(site: Site) -> tuple[datetime | None, str]:
    """When everyone was scored last, and how fresh that is; None and `none` before the first time."""
    at = all_scored(site.db)
    return at, "none" if at is None else freshness(site.clock.now() - at, site.config.alerts)


def as_data(site: Site) -> dict[str, Any]:
    """Everything `status` shows, as JSON-able data: counts and instants, no personal data."""
    (scored_at, fresh), newest = scored(site), last_scored(site.db)
    counts = {
        table: site.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names from this line
        for table in ("contact", "activity", "person", "prediction")
    }
    open_ = site.db.execute("SELECT account, count(*) FROM outbox WHERE state IN ('pending', 'sent') GROUP BY account")
    waiting = dict(open_.fetchall())
    return {
        "mode": site.config.boldest_mode,
        "accounts": {account.name: site.config.mode_of(account) for account in site.config.accounts},
        "scored": scored_at.isoformat() if scored_at else None,
        "freshness": fresh,
        "last_scored": newest.isoformat() if newest else None,
        "waiting": runs.waiting(site.db) if scored_at != newest else {},
        "emptied": scored_at is not None and too_old(site.config, scored_at, site.clock.now()),
        "stored": counts,
        "waiting_to_be_written": sum(
            waiting.get(account.name, 0) for account in site.config.accounts if site.config.mode_of(account) != "shadow"
        ),
        "currency": site.config.currency,
        "amounts_left_out": foreign_amounts(site.db, site.config.currency),
        "runs": [
            {
                "number": each.id,
                "as_of": each.as_of.isoformat(),
                "verdict": each.verdict or site.open_verdict(each.id, each.started),
                "written": {
                    account: written["contacts"] for account, written in each.summary.get("written", {}).items()
                },
                "objections": each.summary.get("objections", []),
            }
            for each in runs.last(site.db, 5)
        ],
    }


def as_lines(data: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    stored = data["stored"]
    own = sorted(set(data["accounts"].values()))
    told = "" if len(own) == 1 else f" ({', '.join(f'{name} {mode}' for name, mode in data['accounts'].items())})"
    yield f"mode     {data['mode'].upper()}{told}"
    yield f"scores   {data['freshness']}, of {data['scored'] or 'never: foretag run'}"
    if data["emptied"]:
        yield f"         {TOO_OLD}"
    for account, number in data["waiting"].items():
        yield (
            f"         waiting for {account}, which could not be read: {counted(number, 'person')}; the others are of "
            f"{data['last_scored']}"
        )
    yield (
        f"store    {counted(stored['contact'], 'contact')} of {counted(stored['person'], 'person')}, "
        f"{counted(stored['activity'], 'activity')}, {counted(stored['prediction'], 'prediction')} kept"
    )
    if data["waiting_to_be_written"]:
        yield f"waiting  {counted(data['waiting_to_be_written'], 'contact')} still to be written: foretag run"
    for currency, amounts in data["amounts_left_out"].items():
        left_out = counted(amounts, "amount")
        yield f"money    left out: {left_out} in {currency}; `currency` in the config is {data['currency']}"
    for each in data["runs"]:
        written = ", ".join(f"{account} {count:,}" for account, count in each["written"].items()) or "nothing"
        yield f"run {each['number']:<4} {each['as_of'][:16]}  {each['verdict']}; written: {written}"
        for objection in each["objections"]:
            yield f"         refused: {objection}"
