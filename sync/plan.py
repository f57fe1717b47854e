"""Stage 3: what exactly would change on the platforms, and what it would cost. Nothing is written here."""

import functools
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from connectors.contract import Change, Connector, FieldSpec
from connectors.records import Value
from sync.config import Config
from sync.differences import differences, same, wanted_values
from sync.errors import ForetagError
from sync.fields import field_specs
from sync.plan_counts import counts
from sync.rollout import in_pilot
from sync.store import field_pins, outbox, pilots, rosters
from sync.store.facts import contact_counts, load_owned
from sync.store.outbox import COMPANIONS
from sync.store.scores import Standing, newest_standings

UNWRITABLE = "not writable there (archived, cleaned or converted)"
OBJECTS, OPTED_OUT = "objects to profiling", "opted out of marketing"
NOT_SCORED, OUTSIDE = "not scored yet", "outside the pilot"
WAITS = "waits: an account this person is on could not be read, so the scores stay as they were"
NOT_IN_QUESTION = (UNWRITABLE, OBJECTS, OPTED_OUT, NOT_SCORED, OUTSIDE)
LITTLE = "moved too little to be rewritten"
PINNED = "edited by hand over there: it stays for now"
PINNED_IN_PART = "written in part: other fields were edited by hand over there and stay for now"
"""Why contacts are left alone."""
TOO_OLD = "too old (write.blank_after): our values are emptied until everyone is scored again"
"""Said of scores."""


@dataclass
class Plan:
    """The changes not yet made, per account."""

    as_of: datetime
    mode: str
    changes: dict[str, list[Change]] = field(default_factory=dict)
    skipped: dict[str, Counter[str]] = field(default_factory=dict)
    """Contacts left alone, per account, by reason."""
    calls: dict[str, int] = field(default_factory=dict)
    """Calls that writing will cost, per account."""
    moved: dict[str, int] = field(default_factory=dict)
    """Contacts that held something else right now than was known, per account."""
    flips_held: int = 0
    """People who stay in their segment because of hysteresis, the minimum stay or a second look that is due."""
    unread: dict[str, str] = field(default_factory=dict)
    """Why the values there are right now could not be read, per account."""
    pilot: dict[str, int] = field(default_factory=dict)
    """Contacts that are in the pilot, for each account that is in one; beside them some are left outside of it."""
    unlisted: list[str] = field(default_factory=list)
    """Why lists and campaigns that the pilot is limited to let nobody in."""
    silent: list[str] = field(default_factory=list)
    """The accounts whose tags are set so that no automation starts by them."""
    blank: bool = False
    """Whether scores are too old, so that the values of ours that came of them are emptied."""

    @property
    def size(self) -> int:
        """Contacts that would change."""
        return sum(map(len, self.changes.values()))

    @property
    def id(self) -> str:
        """Names the plan by what it would do: the same changes give the same id."""
        return sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """The plan as text; `from_json` reads it."""
        changes = {account: [_as_dict(change) for change in changes] for account, changes in self.changes.items()}
        return json.dumps(
            {
                "as_of": self.as_of.isoformat(),
                "mode": self.mode,
                "calls": self.calls,
                "skipped": self.skipped,
                "moved": self.moved,
                "unread": self.unread,
                "blank": self.blank,
                "flips_held": self.flips_held,
                "pilot": self.pilot,
                "unlisted": self.unlisted,
                "silent": self.silent,
                "counts": {account: counts(changes) for account, changes in self.changes.items()},
                "changes": changes,
            },
            indent=1,
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "Plan":
        """The inverse of `to_json`; ForetagError for a text that is no plan."""
        try:
            data = json.loads(text)
            changes = {account: [_from_dict(row) for row in rows] for account, rows in data["changes"].items()}
            skipped = {account: Counter(reasons) for account, reasons in data["skipped"].items()}
            names = ("mode", "calls", "moved", "flips_held", "unread", "pilot", "unlisted", "silent", "blank")
            more = {name: data[name] for name in names}
            return cls(as_of=datetime.fromisoformat(data["as_of"]), changes=changes, skipped=skipped, **more)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ForetagError(f"this is not a plan of foretag ({error!r}): make one with foretag plan") from error


def make_plan(db: sqlite3.Connection, config: Config, connectors: Mapping[str, Connector], as_of: datetime) -> Plan:
    """Compare where everyone stands with what the platforms hold in our fields.

    ForetagError when nobody has been scored yet.
    """
    newest = newest_standings(db)
    if newest is None:
        raise ForetagError("nobody has been scored yet: foretag score")
    scored, standings = newest
    plan = Plan(
        as_of,
        config.boldest_mode,
        flips_held=sum(bool(each.membership.get("held_from")) for each in standings.values()),
        blank=any(
            too_old(config, at, as_of) for at in {scored, *(each.scored_at for each in standings.values())} if at
        ),
    )
    plan.unlisted = rosters.problems(db, config)
    plan.silent = [name for name, connector in connectors.items() if connector.capabilities.silent_tags]
    specs = field_specs(config)
    chosen, there = pilots.chosen(db, config, standings), contact_counts(db)
    refused = outbox.refusals(db)
    pins = field_pins.in_force(db, as_of - config.write.respect_manual)
    for account in config.accounts:
        skipped: Counter[str] = Counter()
        changes = plan.changes.setdefault(account.name, [])
        in_one = config.mode_of(account) == "pilot"
        invited = functools.partial(in_pilot, share=config.pilot.share, chosen=chosen) if in_one else _everybody
        for row in contacts(db, account.name):
            pinned = pins.get((account.name, row["id"]), frozenset())
            change = _change_of(row, scored, standings, specs, config, invited, plan, skipped, pinned)
            if change is None:
                continue
            refusal = refused.get((account.name, change.id))
            if refusal and _held_back(refusal, change, as_of):
                skipped[refusal.sentence] += 1
            else:
                changes.append(change)
        if in_one:
            plan.pilot[account.name] = there.get(account.name, 0) - sum(skipped[why] for why in NOT_IN_QUESTION)
        plan.skipped[account.name] = skipped
        plan.calls[account.name] = connectors[account.name].predict_calls(changes) if changes else 0
    return plan


def too_old(config: Config, scored: datetime, now: datetime) -> bool:
    """Whether scores of this instant are so old that our values should go."""
    return bool(config.write.blank_after) and now - scored > config.write.blank_after


def contacts(db: sqlite3.Connection, account: str) -> Iterator[sqlite3.Row]:
    """The contacts an account has: what they hold of ours (`owned`), whether they can and may be written to."""
    yield from db.execute(_CONTACTS, (account,))


def _change_of(
    row: sqlite3.Row,
    scored: datetime,
    standings: Mapping[int, Standing],
    specs: tuple[FieldSpec, ...],
    config: Config,
    invited: Callable[[int], bool],
    plan: Plan,
    skipped: Counter[str],
    pinned: Set[str],
) -> Change | None:
    owned = load_owned(row["owned"])
    standing = standings.get(row["person_id"])
    if not row["writable"]:
        skipped[UNWRITABLE] += 1
        return None
    shut_out = row["opted_out"] or row["excluded"]
    if shut_out:
        skipped[OPTED_OUT if row["opted_out"] else OBJECTS] += 1
        wanted: dict[str, Value] = {}
    elif plan.blank and too_old(config, (standing and standing.scored_at) or scored, plan.as_of):
        wanted = {}
    elif standing is None:
        skipped[NOT_SCORED] += 1
        return None
    elif standing.scored_at:
        skipped[WAITS] += 1
        return None
    elif not invited(row["person_id"]):
        skipped[OUTSIDE] += 1
        return None
    else:
        wanted = wanted_values(standing, specs, plan.as_of.astimezone(config.zone).date().isoformat())
    after = dict(differences(wanted, owned, specs, config.write.min_change_points))
    if not after:
        if not shut_out:
            skipped["unchanged" if same(wanted, owned) else LITTLE] += 1
        return None
    if not shut_out and after.keys() & pinned:
        after = {key: value for key, value in after.items() if key not in pinned}
        skipped[PINNED if after.keys() <= COMPANIONS else PINNED_IN_PART] += 1
        if after.keys() <= COMPANIONS:
            return None
    before = {key: owned[key] for key in after if key in owned}
    return Change(row["object"], row["id"], row["email"], after, before)


def _everybody(person_id: int) -> bool:  # noqa: ARG001 - in the place of `in_pilot`
    return True


def _held_back(refusal: outbox.Refusal, change: Change, at: datetime) -> bool:
    waits = refusal.next_try is None or at < refusal.next_try
    return waits and refusal.lasting == outbox.lasting(change.after)


def _as_dict(change: Change) -> dict[str, Any]:
    return {
        "object": change.object,
        "id": change.id,
        "email": change.email,
        "before": change.before,
        "after": change.after,
    }


def _from_dict(row: Mapping[str, Any]) -> Change:
    values = [
        {key: tuple(v) if isinstance(v, list) else v for key, v in row[part].items()} for part in ("after", "before")
    ]
    return Change(row["object"], row["id"], row["email"], *values)


# Consent is that of the person: the strictest of all their contacts, on any platform.
_CONTACTS = """
SELECT c.id, c.object, c.email, c.owned, c.writable, c.person_id,
    c.person_id IN (SELECT person_id FROM excluded) AS excluded,
    EXISTS (
        SELECT 1 FROM contact o WHERE o.person_id = c.person_id AND NOT o.deleted AND o.consent = 'opted_out'
    ) AS opted_out
FROM contact c WHERE c.account = ? AND NOT c.deleted ORDER BY c.id
"""
