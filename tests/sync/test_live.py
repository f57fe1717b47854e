import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from connectors.contract import Outcome, Page, Result
from connectors.errors import Throttled
from connectors.records import Consent, Contact
from sync.apply import apply
from sync.clock import FixedClock
from sync.fields import field_specs
from sync.live import GONE, live_plan, look
from sync.plan import PINNED, PINNED_IN_PART, Plan, make_plan
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
    assert look(site, "hubspot", plan.changes["hubspot"]).moved == {}
    platform.live["2"] = {"segment": "Lost"}
    assert look(site, "hubspot", plan.changes["hubspot"]).moved == {"2": {"segment": (None, "Lost")}}


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
    assert "changed since this plan was made: 1\n             2: segment" in result.output
    assert "Planned anew" in result.output
    (anew,) = (site.config.data_dir / "plans").glob("plan-*.json")
    assert Plan.from_json(anew.read_text()).changes["hubspot"][1].before == {"segment": "Lost"}


@pytest.fixture
def written(site, platform, helpers):
    """Three people hold what we wrote; all have other scores now."""
    fill(site, helpers)
    apply(site, stored_plan(site), field_specs(site.config))
    score_anew(site, helpers, 90.0)
    return site


def score_anew(site, helpers, score: float, at: datetime = NOW) -> None:
    with transaction(site.db):
        save_standings(site.db, at, [helpers.standing(n, "Champions", score) for n in (1, 2, 3)])


def plan_at(site, at: datetime) -> Plan:
    site.__dict__["clock"] = FixedClock(at)
    return live_plan(site, make_plan(site.db, site.config, site.connectors, at))


def edit(platform, contact: str, **values) -> None:
    platform.live[contact] = {**platform.stored[contact], **values}


def test_what_nobody_edited_is_written(written, platform):
    assert plan_at(written, NOW).size == 3


def test_an_edit_by_hand_stays_for_thirty_days(written, platform):
    edit(platform, "2", segment="VIP")
    first, second, third = plan_at(written, NOW).changes["hubspot"]
    assert (set(first.after), set(third.after)) == ({"segment", "tags", "buy_score", "reasons"},) * 2
    assert set(second.after) == {"tags", "buy_score", "reasons"}
    for days, stays in ((29, True), (31, False)):
        plan = plan_at(written, NOW + timedelta(days=days))
        (again,) = [change for change in plan.changes["hubspot"] if change.id == "2"]
        assert ("segment" in again.after) is not stays
        assert plan.skipped["hubspot"][PINNED_IN_PART] == stays
    assert again.before["segment"] == "VIP"


def test_a_tag_that_somebody_took_off_stays_off(written, platform):
    edit(platform, "2", tags=None, segment="VIP", buy_score=1.0)
    plan = plan_at(written, NOW)
    assert [change.id for change in plan.changes["hubspot"]] == ["1", "3"]
    assert plan.skipped["hubspot"] == {PINNED: 1}


def test_another_edit_counts_from_its_own_day(written, platform):
    edit(platform, "2", segment="VIP")
    plan_at(written, NOW)
    edit(platform, "2", segment="Press")
    late = NOW + timedelta(days=20)
    plan_at(written, late)
    plan = plan_at(written, late + timedelta(days=29))
    assert plan.skipped["hubspot"] == {PINNED_IN_PART: 1}


def test_zero_days_put_right_at_once(tmp_path, platform, helpers):
    site = helpers.site(tmp_path / "other", platform, write={"respect_manual": "0d"})
    fill(site, helpers)
    apply(site, stored_plan(site), field_specs(site.config))
    edit(platform, "2", segment="VIP")
    score_anew(site, helpers, 90.0)
    assert plan_at(site, NOW + timedelta(hours=1)).changes["hubspot"][1].after["segment"] == "Champions"
    site.db.close()


def test_a_value_of_ours_whose_answer_was_lost_is_nobodys_edit(written, platform):
    platform.outcomes["2"] = Outcome("contacts", "2", Result.UNKNOWN, "no answer")
    apply(written, plan_at(written, NOW), field_specs(written.config))
    edit(platform, "2", segment="Champions", tags=("Champions",), buy_score=90.0)
    plan = plan_at(written, NOW + timedelta(hours=1))
    assert not plan.skipped["hubspot"][PINNED] + plan.skipped["hubspot"][PINNED_IN_PART]


def test_fields_that_were_made_anew_hold_nobodys_edits(written, platform):
    edit(platform, "2", segment=None)
    plan = plan_at(written, NOW)
    assert plan.skipped["hubspot"] == {PINNED_IN_PART: 1}
    platform.provisioned = False
    apply(written, plan, field_specs(written.config))
    platform.live.clear()
    platform.stored["2"].pop("segment")
    facts.note_owned(written.db, "hubspot", "2", platform.stored["2"])
    (change,) = plan_at(written, NOW).changes["hubspot"]
    assert change.after["segment"] == "Champions"


def test_too_many_edits_at_once_are_no_humans_hand(site, platform, helpers):
    fill(site, helpers, count=60)
    apply(site, stored_plan(site), field_specs(site.config))
    with transaction(site.db):
        save_standings(site.db, NOW, [helpers.standing(n, "Champions", 90.0) for n in range(1, 61)])
    for number in range(1, 42):
        edit(platform, str(number), segment=None)
    assert plan_at(site, NOW).skipped["hubspot"] == {}
    for number in range(1, 42):
        edit(platform, str(number), segment="VIP" if number < 20 else "Loyal")
    assert plan_at(site, NOW).skipped["hubspot"] == {PINNED_IN_PART: 19}
