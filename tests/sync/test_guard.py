"""Each objection of the guard, at its limit and just beyond it."""

import pytest

from connectors.contract import Page
from connectors.records import Consent, Contact
from sync.config_sections import Guard
from sync.guard import objections
from sync.store import facts

LIMITS = Guard()


def standings(helpers, **segments: int) -> dict:
    """So many people per segment, numbered through."""
    names = [name.replace("_", " ") for name, count in segments.items() for _ in range(count)]
    return {person: helpers.standing(person, segment) for person, segment in enumerate(names)}


def moved(before: dict, helpers, count: int, to: str = "Lost") -> dict:
    """The same people, the first `count` of them in another segment."""
    return {**before, **{person: helpers.standing(person, to) for person in range(count)}}


@pytest.fixture
def connected(site, helpers):
    """Store so many contacts of an account, `deleted` of them no longer there."""

    def store(count: int, deleted: int = 0):
        rows = [
            Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, deleted=n < deleted)
            for n in range(count)
        ]
        helpers.fill(site, {"contacts": [Page("contacts", "c", tuple(rows))]})
        return facts.contact_counts(site.db)

    return store


def test_a_first_run_meets_no_objection(connected, helpers) -> None:
    assert objections(connected(10), LIMITS, None, standings(helpers, Loyal=10), {}) == []
    assert objections(connected(10), LIMITS, {}, standings(helpers, Loyal=10), {}) == []


def test_nothing_changed_nothing_to_object(connected, helpers) -> None:
    same = standings(helpers, Loyal=300, Lost=700)
    assert objections(connected(10), LIMITS, same, same, {"hubspot": 10}) == []


def test_an_account_may_lose_half_of_its_contacts_and_not_one_more(connected, helpers) -> None:
    nobody = standings(helpers)
    assert objections(connected(1000, deleted=500), LIMITS, nobody, nobody, {"hubspot": 1000}) == []
    (text,) = objections(connected(1000, deleted=501), LIMITS, nobody, nobody, {"hubspot": 1000})
    assert text.startswith("hubspot shows 499 contacts, 1000 at the last run (limit: 50% fewer)")
    assert text.endswith("foretag doctor; if it is right: foretag run --accept-large-change")


def test_an_account_that_shows_nobody_at_all_is_noticed(connected, helpers) -> None:
    (text,) = objections(connected(3), LIMITS, None, {}, {"hubspot": 3, "news": 400})
    assert text.startswith("news shows 0 contacts, 400 at the last run")


def test_a_fifth_of_the_people_may_move_and_not_one_more(connected, helpers) -> None:
    # Spread over two targets, so that no single segment grows beyond its own limit.
    before = standings(helpers, Loyal=450, Steady=300, Lost=250)
    spread = moved(before, helpers, 200), moved(before, helpers, 201)
    fifth, more = (moved(after, helpers, 80, "Steady") for after in spread)
    assert objections(connected(1), LIMITS, before, fifth, {}) == []
    (text,) = objections(connected(1), LIMITS, before, more, {})
    assert text.startswith("20% of 1,000 people would change segment (limit 20%)")
    assert text.endswith("foretag run --accept-large-change")


def test_only_people_seen_both_times_are_counted(connected, helpers) -> None:
    before = standings(helpers, Loyal=400, Lost=400)
    after = {person + 300: each for person, each in before.items()}
    after = {person: helpers.standing(person, before[person].segment if person < 800 else "New") for person in after}
    assert objections(connected(1), LIMITS, before, after, {}) == []


def test_a_small_shop_may_move_altogether(connected, helpers) -> None:
    before = standings(helpers, Loyal=50)
    assert objections(connected(1), LIMITS, before, moved(before, helpers, 50), {}) == []
    before = standings(helpers, Loyal=51)
    found = objections(connected(1), LIMITS, before, moved(before, helpers, 51), {})
    assert len(found) == 3
    assert "100% of 51 people" in found[0]


def test_one_segment_may_grow_by_half_and_not_one_more(connected, helpers) -> None:
    before = standings(helpers, Steady=2000, Champions=120)
    assert objections(connected(1), LIMITS, before, moved(before, helpers, 60, "Champions"), {}) == []
    (text,) = objections(connected(1), LIMITS, before, moved(before, helpers, 61, "Champions"), {})
    assert text.startswith("segment Champions would go from 120 to 181 people (limit 50%)")


def test_one_segment_may_shrink_by_half_and_not_one_more(connected, helpers) -> None:
    before = standings(helpers, Champions=120, Steady=2000)
    assert objections(connected(1), LIMITS, before, moved(before, helpers, 60, "Steady"), {}) == []
    (text,) = objections(connected(1), LIMITS, before, moved(before, helpers, 61, "Steady"), {})
    assert text.startswith("segment Champions would go from 120 to 59 people")


def test_a_segment_that_was_empty_may_fill_up_to_the_least_number(connected, helpers) -> None:
    before = standings(helpers, Steady=2000)
    assert objections(connected(1), LIMITS, before, moved(before, helpers, 50, "Cooling"), {}) == []
    (text,) = objections(connected(1), LIMITS, before, moved(before, helpers, 51, "Cooling"), {})
    assert text.startswith("segment Cooling would go from 0 to 51 people")


def test_the_limits_are_those_of_the_config(connected, helpers) -> None:
    limits = Guard(max_segment_change_share=1, max_one_segment_change_share=1, max_input_drop_share=0.1)
    before = standings(helpers, Loyal=500, Lost=1000)
    after = moved(before, helpers, 500)
    assert objections(connected(90), limits, before, after, {"hubspot": 100}) == []
    assert len(objections(connected(90), limits, before, after, {"hubspot": 101})) == 1
    strict = Guard(one_segment_min_people=1)
    assert objections(connected(90), strict, standings(helpers, Loyal=4), standings(helpers, Loyal=2, Lost=2), {}) != []
