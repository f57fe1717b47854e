"""Looking into the book of runs: all of them in short, one in full, and the contacts it could not write."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sync.counted import counted
from sync.errors import ForetagError
from sync.plan import TOO_OLD
from sync.redact import redact
from sync.site import Site
from sync.store import outbox, runs
from sync.store.runs import Run
from sync.unread import waiting_lines

_STATES = {
    "failed": "refused by the platform",
    "sent": "sent, but the answer never came",
    "pending": "never sent",
    "superseded": "left to a later run",
}
"""Why a contact was not written, where the platform gave no reason."""


def listed(site: Site, count: int) -> list[dict[str, Any]]:
    """The newest runs in short, newest first, as JSON-able data."""
    return [_heading(site, run) for run in runs.last(site.db, count)]


def one(site: Site, number: int) -> dict[str, Any]:
    """Everything the book says of run `number`: counts and instants, no personal data. ForetagError without one."""
    run = _find(site, number)
    return {**_heading(site, run), "undone_by": runs.undone_by(site.db, number), **run.summary}


def failed(site: Site, number: int) -> list[dict[str, Any]]:
    """The contacts run `number` was to write and did not, told by their ids. ForetagError without such a run."""
    plan, refused = _find(site, number).summary.get("plan"), outbox.refusals(site.db)
    return [
        {
            "account": row["account"],
            "object": row["object"],
            "id": row["id"],
            "reason": redact(row["reason"]) or _STATES[row["state"]],
            "attempts": row["attempts"],
            "next": _next(refused.get((row["account"], row["id"])), since=bool(row["written_since"])),
        }
        for row in (runs.not_written(site.db, plan) if plan else ())
    ]


def _next(refusal: outbox.Refusal | None, *, since: bool) -> str:
    """What comes of a contact that was not written; `since`: whether a later run wrote to it."""
    if refusal is None:
        return "written since, by a later run" if since else "is written by the next run, if it is still to be"
    if refusal.next_try is None:
        tried = counted(refusal.attempts, "attempt")
        return f"given up after {tried}, until it changes on the platform or its segment changes"
    return f"is tried again from {refusal.next_try:%Y-%m-%d %H:%M} UTC on"


def _find(site: Site, number: int) -> Run:
    run = runs.find(site.db, number)
    if run is None:
        raise ForetagError(f"there is no run {number}: foretag runs list shows them")
    return run


def _heading(site: Site, run: Run) -> dict[str, Any]:
    written = run.summary.get("written", {})
    return {
        "number": run.id,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "verdict": run.verdict or site.open_verdict(run.id, run.started),
        "contacts_written": sum(each["contacts"] for each in written.values()),
        "contacts_failed": sum(sum(each["failed"].values()) for each in written.values()),
    }


def list_lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The list for people."""
    if not found:
        yield "There was no run yet: foretag run"
    for run in found:
        yield (
            f"run {run['number']:<5} {run['started'][:16]}  {run['verdict']:<8}  "
            f"{counted(run['contacts_written'], 'contact')} written, {run['contacts_failed']:,} not"
        )


def run_lines(run: Mapping[str, Any]) -> Iterator[str]:
    """One run for people."""
    yield f"run {run['number']}: {run['verdict']}"
    yield f"from         {run['started'][:19]} to {(run['ended'] or 'an unknown end')[:19]}"
    yield from _pulled_lines(run.get("pulled", {}))
    if run.get("segments"):
        yield f"{'scored':<12} {counted(run['people'], 'person')}"
        yield f"{'segments':<12} {' | '.join(f'{name} {count:,}' for name, count in run['segments'].items())}"
    yield from waiting_lines(run.get("waiting", {}))
    for title, why in run.get("trained", {}).items():
        yield f"{'trained':<12} {title}: {why}"
    yield from _planned_lines(run)
    yield from _written_lines(run)
    for what in ("withheld", "error"):
        if run.get(what):
            yield f"{what:<12} {run[what]}"
    for account, why in run.get("shut", {}).items():
        yield f"{'withheld':<12} {account}: {why}"
    for objection in run.get("objections", ()):
        yield f"{'refused':<12} {objection}"
    if run.get("undoes"):
        yield f"{'undoes':<12} run {run['undoes']}"
    if run["undone_by"]:
        yield f"{'undone by':<12} run {run['undone_by']}"


def _pulled_lines(pulled: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for account, streams in pulled.items():
        for stream, each in streams.items():
            yield f"{'read':<12} {account} {stream}: {counted(each['rows'], 'row')}, {each['new']:,} new or changed"
            if each["problem"]:
                yield f"{'':<12} FAILED: {each['problem']}"


def _planned_lines(run: Mapping[str, Any]) -> Iterator[str]:
    if run.get("blank"):
        yield f"{'scores':<12} {TOO_OLD}"
    for each in run.get("unlisted", ()):
        yield f"{'pilot':<12} {each}"
    for account, each in run.get("planned", {}).items():
        yield f"{'planned':<12} {account}: {counted(each['contacts'], 'contact')}"
        for reason, count in run["skipped"].get(account, {}).items():
            yield f"{'':<12} left alone: {count:,} {reason}"


def _written_lines(run: Mapping[str, Any]) -> Iterator[str]:
    for account, each in run.get("written", {}).items():
        yield f"{'written':<12} {account}: {counted(each['contacts'], 'contact')} in {counted(each['calls'], 'call')}"
        for reason, count in each["failed"].items():
            yield f"{'':<12} not written: {count:,} {reason}"
        if each["problem"]:
            yield f"{'':<12} STOPPED: {each['problem']}"
    if run["contacts_failed"]:
        yield f"{'':<12} which ones: foretag runs show {run['number']} --failed"


def failed_lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The contacts that were not written, for people."""
    if not found:
        yield "Nothing that was to be written is missing."
    for each in found:
        attempts = counted(each["attempts"], "attempt")
        yield f"{each['account']} {each['object']} {each['id']}: {each['reason']} ({attempts}; {each['next']})"
