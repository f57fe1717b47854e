"""Month after month: only what changed is read, predictions meet what came true, everyone is in one segment."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from sandbox.server import Sandbox
from sync import plan as planning
from sync.fields import SEGMENTS
from sync.site import open_site

pytestmark = pytest.mark.slow  # five objectives, over and over
MONTHS = [datetime(2017, month, day, tzinfo=UTC) for month, day in ((7, 31), (8, 31), (9, 30), (10, 31))]


SCORED = """SELECT DISTINCT person_id FROM contact
    WHERE NOT deleted AND person_id NOT IN (SELECT person_id FROM excluded)"""


class Month:
    """What one run brought, and what is planned right behind it."""

    def __init__(self, loop: Any, clock: Any) -> None:
        self.outcome = loop.run(accept_large_change=True)  # in a shop of 200, a month moves more than a fifth of them
        self.calls = sum(loop.reads().values())
        with open_site(loop.config, clock(loop.now)) as site:
            self.plan_behind = planning.make_plan(site.db, site.config, site.connectors, site.clock.now())
        self.people = {row[0] for row in loop.ask(SCORED)}
        self.standings = loop.ask(
            "SELECT person_id, segment FROM standing WHERE as_of = (SELECT max(as_of) FROM standing)"
        )


@pytest.fixture(scope="module")
def year(small_world, tmp_path_factory, install_in, loops) -> Iterator[tuple[Any, list[Month]]]:
    with Sandbox(small_world, MONTHS[0], limits=False) as sandbox:
        loop = install_in(sandbox, tmp_path_factory.mktemp("months"), objective="")
        months = [Month(loop, loops.Clock)]
        for date in MONTHS[1:]:
            sandbox.advance(date)
            months.append(Month(loop, loops.Clock))
        yield loop, months


def test_every_run_gets_through(year):
    assert [month.outcome.verdict for month in year[1]] == ["ok"] * 4


def test_a_later_month_reads_only_what_changed(year):
    """But for Mailchimp's orders and HubSpot's deals, read anew every week: only so a cancelled one shows."""
    _, (first, *later) = year

    def read(month: Month) -> int:
        anew = {("mailchimp", "orders"), ("hubspot", "deals")}
        return sum(each.activities for each in month.outcome.pulled if (each.account, each.stream) not in anew)

    for month in later:
        assert read(month) < read(first) / 3
        assert month.calls < first.calls
        assert sum(each.activities_new for each in month.outcome.pulled) > 50


def test_every_order_of_the_platforms_is_known_once(year):
    loop, _ = year
    snapshot = loop.sandbox.snapshot()
    orders = len(snapshot["hubspot"]["deals"]) + len(snapshot["mailchimp"]["orders"])
    orders += sum(row["StageName"] == "Closed Won" for row in snapshot["salesforce"]["Opportunity"].values())
    assert loop.ask("SELECT count(*) FROM activity WHERE kind = 'order'") == [(orders,)]


def test_everyone_is_in_exactly_one_of_the_nine_segments(year):
    """But those who have opted out, who are not scored."""
    for month in year[1]:
        assert {person for person, _ in month.standings} == month.people
        assert len(month.standings) == len(month.people)
        assert {segment for _, segment in month.standings} <= set(SEGMENTS)


def test_predictions_whose_time_has_passed_know_what_came_true(year):
    loop, _ = year
    day = 86_400_000_000
    now = int(loop.now.timestamp()) * 1_000_000
    open_, closed = (
        loop.ask(f"SELECT count(*) FROM prediction WHERE as_of + horizon_days * {day} {side} ?", now) for side in "><"
    )
    assert open_[0][0]
    assert closed[0][0]
    due = f"as_of + horizon_days * {day} <= ?"
    assert loop.ask(f"SELECT count(*) FROM prediction WHERE {due} AND outcome IS NULL", now) == [(0,)]
    assert loop.ask(f"SELECT count(*) FROM prediction WHERE NOT ({due}) AND outcome IS NOT NULL", now) == [(0,)]
    joined = loop.ask(f"SELECT DISTINCT objective FROM prediction WHERE {due}", now)
    assert {objective for (objective,) in joined} >= {"repeat_purchase", "churn", "value"}


def test_what_came_true_is_what_the_orders_say(year):
    loop, _ = year
    rows = loop.ask(
        """SELECT p.outcome, EXISTS (
            SELECT 1 FROM person_activity a WHERE a.person_id = p.person_id AND a.kind = 'order'
            AND a.at >= p.as_of AND a.at < p.as_of + p.horizon_days * 86400000000
        ) FROM prediction p WHERE p.objective = 'repeat_purchase' AND p.outcome IS NOT NULL"""
    )
    assert {came for came, _ in rows} == {0.0, 1.0}
    assert all(came == bought for came, bought in rows)


def test_after_every_run_there_is_nothing_left_to_write(year):
    for month in year[1]:
        assert month.outcome.plan.size > 0
        assert month.plan_behind.size == 0


def test_people_move_but_not_all_at_once(year):
    standings = [dict(month.standings) for month in year[1]]
    for before, after in pairwise(standings):
        both = before.keys() & after.keys()
        moved = sum(before[person] != after[person] for person in both)
        assert 0 < moved < len(both) / 2
