"""An account that answers, but slowly: it makes room for the others after an hour, and goes on where it was."""

from datetime import timedelta

import pytest

from connectors.contract import Page
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync.clock import FixedClock
from sync.cycle import run
from sync.patience import LONGEST, TOO_LONG
from sync.progress import Silent
from sync.pull import pull
from sync.site import Site
from sync.store import facts


class SlowClock(FixedClock):
    """Time passes only when something takes it."""

    def __init__(self, at) -> None:
        super().__init__(at)
        self.passed = 0.0

    def monotonic(self) -> float:
        return self.passed


PAGE = 1500.0
"""Seconds that the slow platform takes for a page or a batch: 25 minutes."""


@pytest.fixture
def slow(site, helpers, tmp_path) -> Site:
    """Six contacts, each on a page of its own and written one by one, on a platform that is slow where it is told."""
    clock = SlowClock(helpers.now)

    class SlowPlatform(helpers.Platform):
        slow_at = ""

        def pull(self, stream, cursor, until):
            seen = [page.cursor for page in self.pages[stream]]
            for page in self.pages[stream][seen.index(cursor) + 1 if cursor in seen else 0 :]:
                clock.passed += PAGE * (self.slow_at == stream)
                yield page

        def write(self, changes):
            for change in changes:
                clock.passed += PAGE * (self.slow_at == "write")
                yield [self._write(change)]

        def held(self, changes):
            for batch in super().held(changes):
                clock.passed += 2 * PAGE * (self.slow_at == "held")
                yield batch

    site.config, site.clock = helpers.config(tmp_path, write={"hours": ""}), clock
    at = helpers.now - timedelta(days=3)
    people = [Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, at) for n in range(6)]
    orders = tuple(Activity(f"o{n}", ActivityKind.ORDER, at, str(n), amount=100) for n in range(6))
    pages = {
        "contacts": [Page("contacts", f"c{n}", (each,)) for n, each in enumerate(people)],
        "orders": [Page("orders", "o", (), orders)],
    }
    site.connectors["hubspot"] = SlowPlatform(pages=pages)
    return site


def test_a_slow_stream_stops_after_an_hour_and_goes_on_there(slow) -> None:
    slow.connectors["hubspot"].slow_at = "contacts"
    found = {each.stream: each for each in pull(slow, slow.clock.now())}
    assert (found["contacts"].contacts, found["contacts"].problem, found["contacts"].passing) == (3, TOO_LONG, True)
    assert (found["orders"].activities, found["orders"].problem) == (6, None)
    assert facts.cursor(slow.db, "hubspot", "contacts") == "c2"
    assert slow.clock.passed <= LONGEST + PAGE
    again = {each.stream: each for each in pull(slow, slow.clock.now())}
    assert again["contacts"].contacts == 3


def test_slow_writing_stops_after_an_hour_and_the_next_run_writes_the_rest(slow) -> None:
    slow.connectors["hubspot"].slow_at = "write"
    outcome = run(slow, Silent())
    assert [(each.written, each.problem) for each in outcome.applied] == [(3, TOO_LONG)]
    assert outcome.verdict == "partial"
    assert [(each.written, each.problem) for each in run(slow, Silent()).applied] == [(3, None)]


def test_a_slow_last_look_is_left_off(slow) -> None:
    slow.connectors["hubspot"].slow_at = "held"
    outcome = run(slow, Silent())
    assert outcome.plan.unread == {"hubspot": TOO_LONG}
    assert [(each.written, each.problem) for each in outcome.applied] == [(6, None)]
    assert slow.clock.passed <= LONGEST + 2 * PAGE
