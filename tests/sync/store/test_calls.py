"""The calls of a day: kept over restarts, forgotten with the day."""

from datetime import UTC, date, datetime

import pytest

from connectors.budget import Budget
from sync.clock import FixedClock
from sync.config import Config
from sync.site import open_site
from sync.store.calls import CallBook
from sync.store.database import open_store


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "foretag.sqlite"
    open_store(path).close()
    return path


def test_no_more_is_taken_than_the_limit_leaves(store) -> None:
    book = CallBook(store, "hubspot", lambda: date(2026, 1, 5))
    assert (book.used, book.quota) == (0, None)
    assert [book.take(4, 10) for _ in range(4)] == [4, 4, 2, 0]
    book.give_back(3)
    assert (book.take(50, 10), book.used, book.take(50, None)) == (3, 10, 50)
    book.close()


def test_a_restart_keeps_them_and_the_next_day_begins_anew_with_the_quota_known(store) -> None:
    day = [date(2026, 1, 5)]
    first = CallBook(store, "hubspot", lambda: day[0])
    first.take(7, None)
    first.heard(250_000)
    first.close()
    again = CallBook(store, "hubspot", lambda: day[0])
    assert (again.used, again.quota) == (7, 250_000)
    day[0] = date(2026, 1, 6)
    assert (again.used, again.quota, again.take(2, 2), again.used) == (0, 250_000, 2, 2)
    again.close()


def test_accounts_are_counted_apart(store) -> None:
    books = [CallBook(store, name, lambda: date(2026, 1, 5)) for name in ("hubspot", "salesforce")]
    books[0].take(5, None)
    assert [book.used for book in books] == [5, 0]
    for book in books:
        book.close()


def test_the_day_is_that_of_the_configs_time_zone(tmp_path) -> None:
    """At 23:30 UTC it is tomorrow in Berlin."""
    config = Config.model_validate(
        {"timezone": "Europe/Berlin", "data_dir": str(tmp_path), "hubspot": [{"daily_calls": 3}]}
    )
    used = []
    for hour, minute in ((22, 30), (23, 30)):
        with open_site(config, FixedClock(datetime(2026, 1, 5, hour, minute, tzinfo=UTC))) as site:
            budget: Budget = site.budgets["hubspot"]
            used.append(budget.used)
            for _ in range(3):
                budget.spend()
            assert budget.limit == 3
    assert used == [0, 0]
