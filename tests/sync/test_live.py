import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from connectors.contract import Page
from connectors.errors import Throttled
from connectors.records import Consent, Contact
from sync.clock import FixedClock
from sync.live import GONE, live_plan, look
from sync.plan import Plan, make_plan
from sync.store import facts, people
from sync.store.database import transaction
from sync.store.exclusion import exclude
from sync.store.scores import save_standings

NOW = datetime(2017, 9, 30, 12, tzinfo=UTC)
TODAY = {"segment": "Loyal", "tags": ("Loyal",), "buy_score": 50.0, "control_group": False}


def fill(site, helpers, count: int = 3) -> None:
    contacts = tuple(Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED) for n in range(1, count + 1))
    facts.save_page(site.db, "hubspot", Page("contacts", "c", contacts), NOW)
    people.resolve(site.db)
    exclude(site.db, site.config)
    with transaction(site.db):
        save_standings(site.db, NOW, [helpers.standing(n) for n in range(1, count + 1)])


def stored_plan(site) -> Plan:
    return make_plan(site.db, site.config, site.connectors, NOW)


def test_nothing_is_read_when_there_is_nothing_to_write(site, platform, helpers):
    fill(site, helpers, count=0)
    with transaction(site.db):
        save_standings(site.db, NOW, [helpers.standing(1)])
    assert live_plan(site, stored_plan(site)).size == 0
    assert platform.calls["held"] == 0


def test_before_values_are_those_there_are_right_now(site, platform, helpers):
    fill(site, helpers)
    platform.live["2"] = {"segment": "Lost", "buy_score": 3.0}
    plan = live_plan(site, stored_plan(site))
    first, second, third = plan.changes["hubspot"]
    assert (first.before, third.before) == ({}, {})
    assert second.before == {"segment": "Lost", "buy_score": 3.0}
    assert plan.moved == {"hubspot": 1}
    assert platform.calls["held"] == 2  # two contacts a call


def test_who_holds_the_values_already_is_not_written_to(site, platform, helpers):
    fill(site, helpers)
    platform.live["2"] = TODAY
    plan = live_plan(site, stored_plan(site))
    assert [change.id for change in plan.changes["hubspot"]] == ["1", "3"]
    assert (plan.moved, plan.calls, plan.skipped["hubspot"]["unchanged"]) == ({}, {"hubspot": 1}, 1)


def test_who_is_gone_is_left_out(site, platform, helpers):
    fill(site, helpers)
    platform.gone = {"1", "3"}
    plan = live_plan(site, stored_plan(site))
    assert [change.id for change in plan.changes["hubspot"]] == ["2"]
    assert (plan.skipped["hubspot"], plan.calls) == ({GONE: 2}, {"hubspot": 1})


def test_an_account_that_cannot_be_read_is_planned_by_what_is_known(site, platform, helpers, monkeypatch):
    fill(site, helpers)

    def refuse(changes):
        raise Throttled("too many calls about p1@shop.example")

    monkeypatch.setattr(platform, "held", refuse)
    plan = live_plan(site, stored_plan(site))
    assert plan.size == 3
    assert "too many calls" in plan.unread["hubspot"]
    assert "p1@shop.example" not in plan.unread["hubspot"]


def test_a_plan_that_is_half_carried_out_is_still_so(site, platform, helpers):
    fill(site, helpers)
    plan = stored_plan(site)
    platform.live["1"] = plan.changes["hubspot"][0].after
    assert look(site, "hubspot", plan.changes["hubspot"]).moved == []
    platform.live["2"] = {"segment": "Lost"}
    assert look(site, "hubspot", plan.changes["hubspot"]).moved == ["2"]


def test_a_plan_tells_what_moved_also_from_its_file(site, platform, helpers):
    fill(site, helpers)
    platform.live["2"] = {"segment": "Lost"}
    plan = live_plan(site, stored_plan(site))
    assert Plan.from_json(plan.to_json()) == plan
    assert json.loads(plan.to_json())["moved"] == {"hubspot": 1}


@pytest.fixture
def command(site, platform, monkeypatch):
    """Runs `apply` on a plan's file, on the site of the test."""
    from contextlib import contextmanager

    from sync.cli import App
    from sync.commands.run import apply

    @contextmanager
    def opened(config, clock):
        yield site

    monkeypatch.setattr("sync.site.open_site", opened)
    app = App.__new__(App)
    app.__dict__ |= {"config": site.config, "clock": FixedClock(NOW)}

    def run(plan: Plan, *options: str):
        path = site.config.data_dir / "agreed.json"
        path.write_text(plan.to_json())
        return CliRunner().invoke(apply, [str(path), *options], obj=app)

    return run


def test_apply_carries_out_exactly_the_plan(command, site, platform, helpers):
    fill(site, helpers)
    plan = live_plan(site, stored_plan(site))
    result = command(plan, "--yes")
    assert result.exit_code == 0, result.output
    assert platform.stored == {change.id: dict(change.after) for change in plan.changes["hubspot"]}


def test_a_plan_that_was_written_already_costs_no_call(command, site, platform, helpers):
    fill(site, helpers)
    plan = live_plan(site, stored_plan(site))
    command(plan, "--yes")
    platform.calls.clear()
    result = command(plan, "--yes")
    assert (result.exit_code, result.output) == (0, "Nothing to write: all of this plan was written already.\n")
    assert not platform.calls


def test_apply_says_what_moved_and_plans_again(command, site, platform, helpers):
    fill(site, helpers)
    plan = live_plan(site, stored_plan(site))
    platform.live["2"] = {"segment": "Lost"}
    result = command(plan, "--yes")
    assert result.exit_code == 2
    assert platform.stored == {}
    assert "1 contacts were changed since: 2" in result.output
    assert "Planned anew" in result.output
    (anew,) = (site.config.data_dir / "plans").glob("plan-*.json")
    assert Plan.from_json(anew.read_text()).changes["hubspot"][1].before == {"segment": "Lost"}
