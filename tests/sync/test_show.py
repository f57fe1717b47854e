"""What the commands print."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from connectors.contract import Change
from sync.apply import Applied
from sync.plan import Plan
from sync.provision import Provisioned
from sync.pull import Pulled
from sync.score import score
from sync.show import (
    applied_lines,
    budget_lines,
    detail_lines,
    example_lines,
    moved_lines,
    plan_lines,
    provisioned_lines,
    pulled_lines,
    scored_lines,
)


def change(number: int, **after) -> Change:
    return Change("contacts", str(number), None, after or {"buy_score": 50.0}, {"buy_score": 40.0})


def test_pulled_adds_up_the_streams_of_an_account_and_names_what_failed() -> None:
    pulled = [
        Pulled("hubspot", "contacts", 1200, 0, 30, 0),
        Pulled("hubspot", "deals", 0, 3400, 0, 5, "out of rights"),
        Pulled("news", "members", 7, 0, 7, 0),
    ]
    assert list(pulled_lines(pulled, {"hubspot": 1001})) == [
        "hubspot      1,200 contacts and 3,400 activities read, 35 of them new or changed, in 1,001 calls",
        "             FAILED deals: out of rights",
        "news         7 contacts and 0 activities read, 7 of them new or changed, in 0 calls",
    ]


def test_scored_shows_each_model_and_every_segment(shop, helpers) -> None:
    *models, last = scored_lines(score(shop, helpers.now))
    assert len(models) == 5
    own = "within the time in which they usually order again: 30 to 60 days, 38 for the one in the middle"
    ahead = [own if line.startswith("Stops buying") else "30 days ahead" for line in models]
    assert all(words in line and "rule of thumb" in line for words, line in zip(ahead, models, strict=True))
    assert ["GINI" in line for line in models] == [False, False, False, True, False]
    assert last.startswith("Segments               Champions ")
    counts = [int(part.split()[-1]) for part in last.split("|")]
    assert (len(counts), sum(counts)) == (9, 300)


def test_scored_says_why_there_is_no_model(site, helpers) -> None:
    lines = list(scored_lines(score(site, helpers.now)))
    assert all("no model yet: There is no activity yet" in line for line in lines[:5])


def test_plan_counts_fields_and_tag_sets_apart(helpers) -> None:
    plan = Plan(helpers.now, "full", {"hubspot": [change(1, buy_score=1.0, tags=("A",)), change(2)], "news": []})
    plan.calls = {"hubspot": 1}
    plan.skipped = {"hubspot": Counter({"unchanged": 1500, "opted out": 2})}
    assert list(plan_lines(plan))[:-1] == [
        "hubspot      ~ update 2 contacts (2 fields, 1 tag set) in 1 call",
        "             = leave 2 alone: opted out",
        "             = leave 1,500 alone: unchanged",
        "news         ~ update 0 contacts (0 fields, 0 tag sets) in 0 calls",
    ]


@pytest.mark.parametrize(("count", "shares"), [(3, (2, 1)), (2, (1, 1)), (1, (1, 0)), (10, (3, 4))])
def test_examples_are_spread_over_the_accounts(helpers, count, shares) -> None:
    changes = {
        "hubspot": [change(n) for n in range(3)],
        "idle": [],
        "news": [change(n) for n in range(4)],
    }
    lines = [line for line in example_lines(Plan(helpers.now, "full", changes), count) if not line.startswith(" ")]
    found = Counter(line.split()[0] for line in lines)
    assert (found["hubspot"], found["news"]) == shares


def test_examples_of_nothing_are_nothing(helpers) -> None:
    assert list(example_lines(Plan(helpers.now, "full", {"hubspot": []}))) == []


def test_values_are_shown_as_people_write_them(helpers) -> None:
    after = {"buy_score": 50.0, "tags": ("A", "B"), "control_group": True, "reasons": None, "segment": "Loyal"}
    before = {"control_group": False, "reasons": "because", "buy_score": 40.5}
    plan = Plan(helpers.now, "full", {"hubspot": [Change("contacts", "1", None, after, before)]})
    assert list(example_lines(plan)) == [
        "hubspot contacts 1",
        "    buy_score          40.5 → 50",
        "    tags               (empty) → A, B",
        "    control_group      no → yes",
        "    reasons            because → (empty)",
        "    segment            (empty) → Loyal",
    ]


def test_applied_names_what_was_made_what_failed_and_what_stopped() -> None:
    failed = Counter({"gone": 2, "no such option": 1})
    made = [Applied("hubspot", 1000, ["made a", "made b", "made c"], failed, 12), Applied("news", problem="no quota")]
    assert list(applied_lines(made)) == [
        "hubspot      1,000 contacts written, 3 failed, 12 calls",
        "             first made a, made b and 1 more",
        "             2 not written: gone",
        "             1 not written: no such option",
        "news         0 contacts written, 0 failed, 0 calls",
        "             STOPPED: no quota",
    ]


class Spent:
    """What is left of a budget, as far as it is shown."""

    def __init__(self, used: int, limit: int | None) -> None:
        self.used, self.limit = used, limit


def test_before_a_run_the_days_calls_are_told_beside_what_the_last_run_took() -> None:
    budgets = {"hubspot": Spent(1_200, 312_500), "mailchimp": Spent(0, None)}
    assert list(budget_lines(budgets, {"hubspot": 231})) == [
        "hubspot      1,200 calls made today of 312,500 a day; the last run took 231",
        "mailchimp    0 calls made today",
    ]


@pytest.mark.parametrize(
    ("used", "told"),
    [(0, "6 calls (6.0% of a day's; 100 are left today)"), (97, "3 are left today: the rest is written another day)")],
)
def test_what_a_plan_costs_is_told_beside_what_is_left_of_the_day(used, told) -> None:
    plan = Plan(datetime(2026, 1, 5, tzinfo=UTC), "full", {"hubspot": []}, calls={"hubspot": 6})
    assert told in next(plan_lines(plan, {"hubspot": Spent(used, 100)}))


def test_a_plan_of_a_pilot_says_how_many_it_may_write_to() -> None:
    plan = Plan(
        datetime(2026, 1, 5, tzinfo=UTC),
        "pilot",
        {"hubspot": [], "news": []},
        skipped={"hubspot": Counter({"outside the pilot": 9_970}), "news": Counter()},
        pilot={"hubspot": 2_438},
    )
    told = "PILOT 20%: 2,438 of 12,408 contacts may be written; 9,970 stay untouched"
    assert next(plan_lines(plan)) == told


def test_what_was_made_is_counted_and_what_is_in_the_way_is_said() -> None:
    made = [
        Provisioned("hubspot", ["a", "b", "c"]),
        Provisioned("mailchimp"),
        Provisioned("salesforce", [], "no right"),
    ]
    assert list(provisioned_lines(made)) == [
        "hubspot      3 made: a, b and 1 more",
        "mailchimp    all our fields and tags are in place",
        "salesforce   STOPPED: no right",
    ]


def test_details_say_what_the_changes_amount_to(helpers) -> None:
    first = Change("contacts", "1", None, {"segment": "Loyal", "tags": ("Control", "Loyal")})
    plan = Plan(helpers.now, "full", {"hubspot": [first, change(2)], "news": []}, flips_held=1200)
    *lines, held = detail_lines(plan)
    assert lines == [
        "hubspot      reasons   first values 1, the score moved 1",
        "hubspot      segments  Loyal 1",
        "hubspot      fields    segment 1, tags 1, buy_score 1",
        "hubspot      control   1 of them are marked as control group",
        "hubspot      automations on our tags can start for 1 contact",
        "hubspot      automations on our segment field can start for 1 contact: values cannot be set silently",
    ]
    plan.silent = ["hubspot"]
    assert (
        list(detail_lines(plan))[4]
        == "hubspot      0 automations start by the tags of 1 contact: they are set silently"
    )
    assert held.startswith(
        "kept in their segment although the numbers alone would move them: 1,200 people, by hysteresis"
    )


def test_what_moved_since_is_named_field_by_field(helpers) -> None:
    moved = {str(number): {"segment": ("Lost", "Loyal"), "buy_score": (40.0, None)} for number in range(12)}
    head, first, *others, last = moved_lines({"hubspot": moved, "news": {}})
    assert head == "hubspot      changed since this plan was made: 12"
    assert first == "             0: segment Lost → Loyal, buy_score 40 → (empty)"
    assert len(others) == 9
    assert last == "             and 2 more"
