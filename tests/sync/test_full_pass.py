"""All contacts are read anew now and then, and who does not come any more is gone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.contract import Page
from connectors.errors import NotPermitted, Unavailable
from connectors.records import Consent, Contact
from sync import cycle
from sync.clock import FixedClock
from sync.progress import Silent
from sync.pull import pull


def page(cursor, *numbers) -> Page:
    contacts = tuple(Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED) for n in numbers)
    return Page("contacts", cursor, contacts)


@pytest.fixture
def shop(site, platform):
    platform.pages = {"contacts": [page("c1", 1, 2), page("c2", 3)], "deals": [Page("deals", "d1")]}
    return site


def read(shop, helpers, days: float, **options):
    shop.clock = FixedClock(helpers.now + timedelta(days=days))
    return pull(shop, shop.clock.now(), **options)


def present(shop) -> list[str]:
    return [row["id"] for row in shop.db.execute("SELECT id FROM contact WHERE NOT deleted ORDER BY id")]


def test_it_comes_round_every_seven_days_for_streams_with_contacts_alone(shop, platform, helpers) -> None:
    for days in (0, 3, 6.9, 7, 8):
        read(shop, helpers, days)
    assert [cursor for stream, cursor in platform.asked if stream == "contacts"] == [None, "c2", "c2", None, "c2"]
    assert [cursor for stream, cursor in platform.asked if stream == "deals"] == [None, "d1", "d1", "d1", "d1"]


def test_nothing_is_new_when_nothing_changed(shop, helpers) -> None:
    read(shop, helpers, 0)
    before = [tuple(row) for row in shop.db.execute("SELECT * FROM contact")]
    results = read(shop, helpers, 7)
    assert sum(each.contacts for each in results) == 3
    assert sum(each.contacts_changed for each in results) == 0
    assert [tuple(row) for row in shop.db.execute("SELECT * FROM contact")] == before


def test_who_does_not_come_any_more_is_gone_and_may_come_back(shop, platform, helpers) -> None:
    read(shop, helpers, 0)
    platform.pages["contacts"] = [page("c3", 1, 3, 4)]
    read(shop, helpers, 1)
    assert present(shop) == ["1", "2", "3", "4"], "a pull of what is new tells nothing of the others"
    read(shop, helpers, 7)
    platform.pages["contacts"] = [page("c4")]
    results = read(shop, helpers, 7.1)
    assert present(shop) == ["1", "3", "4"]
    assert sum(each.contacts_changed for each in results) == 1
    platform.pages["contacts"] = [page("c5", 2)]
    read(shop, helpers, 8)
    assert present(shop) == ["1", "2", "3", "4"]


def test_who_changes_while_a_pass_is_under_way_comes_with_the_next_pull_and_is_not_gone(
    shop, platform, helpers
) -> None:
    read(shop, helpers, 0)
    whole = platform.pages["contacts"]
    platform.pages["contacts"] = whole[:1]
    read(shop, helpers, 7)
    platform.pages["contacts"] = [page("c4", 3)]
    read(shop, helpers, 7.1)
    assert present(shop) == ["1", "2", "3"]


def test_that_most_are_gone_at_once_is_not_believed(shop, platform, helpers, caplog) -> None:
    read(shop, helpers, 0)
    platform.pages["contacts"] = [page("c3")]
    read(shop, helpers, 7)
    results = read(shop, helpers, 7.1)
    assert present(shop) == ["1", "2", "3"]
    assert sum(each.contacts_changed for each in results) == 0
    assert "3 contacts did not come, too many to believe it" in caplog.text


def test_a_store_from_before_there_were_passes_waits_for_its_first_one(shop, platform, helpers) -> None:
    read(shop, helpers, 0)
    shop.db.execute("DELETE FROM full_pass")
    for days in (1, 7, 8):
        read(shop, helpers, days)
    assert [cursor for stream, cursor in platform.asked if stream == "contacts"] == [None, "c2", "c2", None]


def test_a_pass_that_breaks_off_goes_on_where_it_stopped_and_misses_nobody(shop, platform, helpers) -> None:
    read(shop, helpers, 0)
    whole = platform.pages["contacts"]
    platform.pages["contacts"] = whole[:1]
    platform.fail_stream = {"contacts": Unavailable("HTTP 503")}
    read(shop, helpers, 7)
    assert present(shop) == ["1", "2", "3"], "nobody is gone before the pass has ended"
    platform.pages["contacts"], platform.fail_stream = whole[1:], {}
    read(shop, helpers, 7.1)
    assert platform.asked[-2:] in ([("contacts", "c1"), ("deals", "d1")], [("deals", "d1"), ("contacts", "c1")])
    assert present(shop) == ["1", "2", "3"]
    read(shop, helpers, 7.2)
    assert ("contacts", "c2") in platform.asked[-2:]


def test_a_stream_that_cannot_be_read_any_more_is_waited_for_in_a_pass_too(site, platform, helpers) -> None:
    """Its cursor is forgotten, but it could be read before: people must not be judged without it."""
    platform.pages = helpers.shoppers()
    cycle.run(site, Silent())
    site.clock = FixedClock(helpers.now + timedelta(days=8))
    platform.pages = {stream: [] for stream in platform.pages}
    platform.fail_stream = {"contacts": NotPermitted("the right was taken away")}
    outcome = cycle.run(site, Silent())
    assert "the right was taken away" in outcome.withheld


def test_how_often_is_a_setting(shop, platform, helpers) -> None:
    account = shop.config.hubspot[0].model_copy(update={"full_pull": timedelta(days=1)})
    shop.config = shop.config.model_copy(update={"hubspot": [account]})
    for days in (0, 1):
        read(shop, helpers, days)
    assert [cursor for stream, cursor in platform.asked if stream == "contacts"] == [None, None]


def test_a_reading_of_contacts_alone_counts_as_well(shop, platform, helpers) -> None:
    read(shop, helpers, 0)
    platform.pages["contacts"] = [replace(platform.pages["contacts"][0])]
    for days in (7, 7.1):
        read(shop, helpers, days, contacts_only=True)
    assert present(shop) == ["1", "2"]
