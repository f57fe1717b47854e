"""One account on a sandbox of its own, and what a connector does there while things go wrong.

An act is what foretag does on a platform: pull, set up its fields, write. Each goes on, run after run, until it is
done, as foretag itself does: a pull from its last cursor, a write with what is not there yet.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from connectors import open_connector
from connectors.contract import Account, Change, Connector, FieldSpec, FieldType, Result
from connectors.errors import ConnectorError, Unavailable
from connectors.records import Activity, Contact
from sandbox.faults import Fault
from sandbox.people import Platform, World
from sandbox.salesforce import CLIENT_ID, CLIENT_SECRET
from sandbox.server import Sandbox

FIELDS = (
    FieldSpec("buy_score", "BUY", "Buy score", FieldType.NUMBER, "How likely the next order is."),
    FieldSpec("segment", "SEGMENT", "Segment", FieldType.CHOICE, "The one group.", ("Loyal", "New", "Lost")),
    FieldSpec("tags", "TAGS", "Tags", FieldType.TAGS, "What stands out.", ("Big", "Quiet", "Soon")),
    FieldSpec("scored_on", "ON", "Scored on", FieldType.DATE, "The day of the score."),
)
VALUES = {"buy_score": 41.37, "segment": "Loyal", "tags": ("Big", "Soon"), "scored_on": "2017-08-01"}
RUNS = 8
"""How often an act is begun at most until it is done."""

_BASES = {"hubspot": "/hubspot", "mailchimp": "/mailchimp/3.0", "salesforce": "/salesforce"}
_MOMENT = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"]*"')
_SALESFORCE_ID = re.compile(r"\w{3}5g0\w{9}[A-Z0-5]{3}")

Facts = dict[tuple[str, ...], Contact | Activity]


@dataclass
class Cost:
    """What acts took."""

    runs: int = 0
    """How often they were begun."""
    calls: int = 0
    waited: float = 0.0
    """Seconds that connectors asked to wait, all threads together."""
    seconds: float = 0.0
    """Real ones, from beginning to end."""


class Rehearsal:
    """A sandbox with one platform, and connectors to it. `sleep` takes the waiting; without one it is only added up."""

    def __init__(
        self,
        kind: Platform,
        world: World,
        date: datetime,
        *,
        latency: float = 0.0,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.kind = kind
        self.sandbox = Sandbox(world, date, platforms=[kind], latency=latency, limits=False)
        self._first_ids = set(_SALESFORCE_ID.findall(json.dumps(self.sandbox.snapshot())))
        self.spent = Cost()
        """What acts took since the start or the last reset; what was done between them is left out."""
        self._waited, self._sleep, self._counting = 0.0, sleep, Lock()

    def connect(self, *, provision: bool = False) -> Connector:
        """A new connector, as at the beginning of a run; one that may make our fields, for `provision`."""
        token = self.sandbox.platform(self.kind).token
        if self.kind == "salesforce":
            token = f"{CLIENT_ID}:{CLIENT_SECRET}"
        url = self.sandbox.url + _BASES[self.kind]
        account = Account(self.kind, "shop", token, url, fields=FIELDS, provision=provision)
        return open_connector(account, sleep=self._wait, monotonic=lambda: self._waited)

    def until_done(self, act: Callable[[], None], orders: Callable[[], list[Fault]] = list) -> None:
        """Begin `act` again until it ends without an error, at most `RUNS` times; then its last error is raised.

        `orders` are the faults meanwhile; afterwards there are none.
        """
        calls, waited, began = self._calls(), self._waited, time.monotonic()
        self.sandbox.inject(*orders())
        try:
            for run in range(1, RUNS + 1):
                self.spent.runs += 1
                try:
                    return act()
                except ConnectorError:
                    if run == RUNS:
                        raise
        finally:
            self.sandbox.clear_faults()
            self.spent.calls += self._calls() - calls
            self.spent.waited += self._waited - waited
            self.spent.seconds += time.monotonic() - began

    def pull(self, cursors: dict[str, str], facts: Facts) -> None:
        """Everything behind the cursors, which move with each page, into `facts`."""
        connector = self.connect()
        for stream in connector.streams:
            for page in connector.pull(stream, cursors.get(stream), self.sandbox.clock.date + timedelta(minutes=1)):
                facts |= {(contact.object, contact.id): contact for contact in page.contacts}
                facts |= {(stream, activity.id): activity for activity in page.activities}
                cursors[stream] = page.cursor

    def provision(self) -> None:
        """Our fields; Unavailable while something is still wrong with them."""
        self.connect(provision=True).provision(FIELDS)
        wrong = self.connect().drift(FIELDS)
        if wrong:
            raise Unavailable(wrong[0])

    def write(self, values: Mapping[str, Any]) -> None:
        """`values` for everybody who may be written to; Unavailable while the platform does not say that it is done."""
        facts: Facts = {}
        self.pull({}, facts)
        changes = self.changes(facts, values)
        outcomes = [outcome for batch in self.connect().write(changes) for outcome in batch]
        missing = len(changes) - sum(outcome.result is Result.WRITTEN for outcome in outcomes)
        if missing:
            raise Unavailable(f"{missing} contacts of {len(changes)} were not written")

    @staticmethod
    def changes(facts: Facts, values: Mapping[str, Any]) -> list[Change]:
        """What it takes to bring `values` to everybody who may be written to and has others."""
        people = [each for each in facts.values() if isinstance(each, Contact) and each.writable]
        return [
            Change(each.object, each.id, each.email, values, {key: each.owned.get(key) for key in values})
            for each in sorted(people, key=lambda each: (each.object, each.id))
            if any(each.owned.get(key) != values[key] for key in values)
        ]

    def state(self) -> dict[str, list[str]]:
        """All that is on the platform, kind by kind, but for moments, orders, and the ids Salesforce gave meanwhile.

        A fault costs time, a second try a number, and what runs side by side ends in any order.
        """
        snapshot = self.sandbox.snapshot()[self.kind]
        return {
            kind: sorted(self._timeless([key, row]) for key, row in rows.items()) for kind, rows in snapshot.items()
        }

    def _timeless(self, row: Any) -> str:
        text = _MOMENT.sub('"a moment"', json.dumps(_ordered(row), sort_keys=True))
        return _SALESFORCE_ID.sub(lambda id_: id_[0] if id_[0] in self._first_ids else "made since", text)

    def reset(self) -> None:
        """Everything as at the start."""
        self.sandbox.reset()
        self.spent = Cost()

    def _calls(self) -> int:
        return sum(self.sandbox.calls().values())

    def _wait(self, seconds: float) -> None:
        with self._counting:
            self._waited += seconds
        if self._sleep:
            self._sleep(seconds)


def _ordered(value: Any) -> Any:
    """The same with every list inside in one order."""
    if isinstance(value, dict):
        return {key: _ordered(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return sorted((_ordered(each) for each in value), key=json.dumps)
    return value


def facts_of(facts: Facts) -> Any:
    """What was read, but for when records were last changed."""
    return {
        key: {name: getattr(fact, name) for name in fact.__slots__ if name != "modified_at"}
        for key, fact in facts.items()
    }
