"""From the store to the report's data and its page."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from connectors.contract import Page
from connectors.errors import NotPermitted
from sync import cycle
from sync.clock import FixedClock
from sync.config_sections import TITLES
from sync.fields import SEGMENTS
from sync.instants import micros
from sync.progress import Silent
from sync.report.render import render
from sync.reporting import report_data, write_report
from sync.store import runs
from sync.store.database import transaction
from sync.store.scores import newest_standings, save_standings


@pytest.fixture
def month_later(shop, helpers):
    """The shop after a second run, 31 days after the first."""
    shop.clock = FixedClock(helpers.now + timedelta(days=31))
    assert cycle.run(shop, Silent(), accept_large_change=True).verdict == "ok"
    return shop


def everyone_elsewhere(site) -> None:
    at, newest = newest_standings(site.db)
    with transaction(site.db):
        save_standings(site.db, at, [replace(each, segment="New") for each in newest.values()])


def test_every_number_adds_up_to_everyone(month_later) -> None:
    data = report_data(month_later, month_later.clock.now())
    assert [each.key for each in data.segments] == list(SEGMENTS)
    assert sum(each.people for each in data.segments) == 300
    assert sum(each.people_before for each in data.segments) == 300
    assert sum(flow.people for flow in data.migration.flows) == 300
    arriving, leaving = Counter(), Counter()
    for flow in data.migration.flows:
        leaving[flow.origin] += flow.people
        arriving[flow.target] += flow.people
    assert {each.key: each.people for each in data.segments if each.people} == arriving
    assert {each.key: each.people_before for each in data.segments if each.people_before} == leaving
    values = [each.fields["expected_value"] for each in newest_standings(month_later.db)[1].values()]
    assert sum(each.value_cents for each in data.segments) == pytest.approx(100 * sum(values))


def test_the_first_report_compares_with_nothing(shop, helpers) -> None:
    data = report_data(shop, helpers.now)
    assert data.migration is None
    assert data.movers is None
    assert data.realised == ()
    assert {each.people_before for each in data.segments} == {None}
    assert data.headline.status == "ok"
    assert data.headline.parts == ("Scores are fresh (30 September 2017)", "300 people scored")


def test_all_five_models_are_shown(shop, helpers) -> None:
    data = report_data(shop, helpers.now)
    assert [each.name for each in data.objectives] == list(TITLES.values())
    for each in data.objectives:
        assert each.refused is None
        assert each.evaluation.rows > 100
        assert any(candidate.chosen for candidate in each.evaluation.candidates)
        assert (each.measures == "money") == (not each.score_counts)
        assert each.measures == "money" or sum(each.score_counts) == 300
        assert "{" not in each.title
        assert (each.measures == "money") == bool(each.ranges)
    (money,) = [each for each in data.objectives if each.measures == "money"]
    assert sum(each.people for each in money.ranges) == 300
    expected = [each.expected for each in money.ranges]
    assert expected == sorted(expected, reverse=True)
    assert all(each.low <= each.expected <= each.high for each in money.ranges)
    assert any(each.low < each.high for each in money.ranges)
    assert "How far off an expected amount may be" in render(data)


def test_movers_moved_in_the_direction_they_are_shown_under(month_later) -> None:
    movers = report_data(month_later, month_later.clock.now()).movers
    assert movers.title == "Buys again"
    assert movers.up
    assert movers.down
    assert all(each.new_score > each.old_score for each in movers.up)
    assert all(each.new_score < each.old_score for each in movers.down)
    rises = [each.new_score - each.old_score for each in movers.up]
    assert all(first >= second - 1 for first, second in pairwise(rises))
    for each in (*movers.up, *movers.down):
        assert each.name == "p…@….example"
        assert each.record.startswith("hubspot contacts ")
        assert each.reason


def test_an_objective_taken_out_of_the_config_does_not_break_the_report(month_later, helpers, tmp_path) -> None:
    month_later.config = helpers.config(tmp_path, objectives=[{"predict": "churn"}])
    data = report_data(month_later, month_later.clock.now())
    assert data.movers.title == "Buys again"
    assert [each.name for each in data.objectives] == ["Stops buying"]


def test_realised_months_are_what_happened(month_later, helpers) -> None:
    data = report_data(month_later, month_later.clock.now())
    assert {each.objective for each in data.realised} == set(TITLES.values()) - {"Expected spend", "Stops buying"}
    bought = month_later.db.execute(
        "SELECT count(DISTINCT person_id) FROM person_activity WHERE kind = 'order' AND at >= ? AND at < ?",
        (micros(helpers.now), micros(helpers.now + timedelta(days=30))),
    ).fetchone()[0]
    again = next(each for each in data.realised if each.objective == "Buys again")
    assert again.month == helpers.now.date()
    assert 0 <= bought - again.realised <= 5  # first purchases are nobody's second one
    assert 0 < again.predicted < 1
    assert again.auc.value > 0.6


def test_what_was_written_is_told_per_account(shop, helpers) -> None:
    (written,) = report_data(shop, helpers.now).written
    assert (written.account, written.contacts, written.failed) == ("hubspot", 300, 0)
    assert written.tags == 300
    assert written.calls == 150


def test_an_empty_store_has_a_page_too(site, helpers) -> None:
    data = report_data(site, helpers.now)
    assert data.headline.status == "stale"
    assert data.headline.parts == ("Nobody has been scored yet",)
    assert sum(each.people for each in data.segments) == 0
    assert "Nobody has been scored yet" in write_report(site, helpers.now).read_text(encoding="utf-8")


def test_before_anyone_is_scored_the_page_says_what_went_wrong(site, platform, helpers) -> None:
    platform.fail_stream["contacts"] = NotPermitted("the token may not read contacts")
    cycle.run(site, Silent())
    headline = report_data(site, helpers.now).headline
    assert headline.things == ("hubspot: contacts could not be read to the end",)


def test_a_refused_run_is_the_headline_and_counts_as_nothing_written(shop) -> None:
    everyone_elsewhere(shop)
    shop.clock = FixedClock(shop.clock.now() + timedelta(days=1))
    outcome = cycle.run(shop, Silent())
    data = report_data(shop, shop.clock.now())
    assert outcome.plan.size > 0
    assert data.headline.status == "refused"
    assert data.headline.things[0] == outcome.objections[0]
    assert [(each.contacts, each.fields, each.tags) for each in data.written] == [(0, 0, 0)]
    assert "Refused: nothing was written" in write_report(shop, shop.clock.now()).read_text(encoding="utf-8")


def test_shadow_mode_shows_what_would_have_been_written(shop, helpers, tmp_path) -> None:
    shop.db.execute("UPDATE contact SET owned = '{}'")
    shop.config = helpers.config(tmp_path, mode="shadow", schedule={"train": "0 3 1 1 *"})
    cycle.run(shop, Silent())
    data = report_data(shop, helpers.now)
    assert [each.contacts for each in data.written] == [300]
    assert "nothing was written by the last run" in data.headline.parts


@pytest.mark.parametrize(
    ("hours", "status", "word"), [(35, "ok", "fresh"), (37, "stale", "old, please look"), (73, "stale", "too old")]
)
def test_old_scores_are_called_old(shop, helpers, hours, status, word) -> None:
    headline = report_data(shop, helpers.now + timedelta(hours=hours)).headline
    assert headline.status == status
    assert word in headline.parts[0]


def test_a_run_that_broke_off_is_told_and_the_people_stay_counted(shop, platform, helpers) -> None:
    platform.fail_stream["contacts"] = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        cycle.run(shop, Silent())
    headline = report_data(shop, helpers.now).headline
    assert headline.status == "degraded"
    assert headline.things == ("the last run ended with an error (ZeroDivisionError)",)
    assert "300 people scored" in headline.parts


def test_a_run_that_is_going_on_does_not_empty_the_page(shop, helpers) -> None:
    before = report_data(shop, helpers.now)
    runs.begin(shop.db, helpers.now, helpers.now)
    after = report_data(shop, helpers.now)
    assert (after.headline, after.accounts, after.written) == (before.headline, before.accounts, before.written)
    assert "cut off" in after.run_log[0].text


def test_writing_later_is_entered_into_the_run_that_scored(shop, platform, helpers, tmp_path) -> None:
    shop.db.execute("UPDATE contact SET owned = '{}'")
    shop.config = helpers.config(tmp_path, write={"hours": "15:00-16:00"}, schedule={"train": "0 3 1 1 *"})
    platform.pages["orders"] = [Page("orders", "o9")]
    assert cycle.run(shop, Silent()).withheld
    assert "nothing was written by the last run" in report_data(shop, helpers.now).headline.parts
    shop.clock = FixedClock(helpers.now + timedelta(hours=1))
    assert cycle.write(shop, Silent()).applied
    data = report_data(shop, shop.clock.now())
    assert [each.contacts for each in data.written] == [300]
    assert [each.contacts for each in data.accounts] == [300]
    assert data.headline.things == ()
    assert "nothing was written by the last run" not in data.headline.parts
    assert [each.text.split(",")[0] for each in data.run_log[:2]] == ["run 3: ok", "run 2: ok"]


def test_the_page_is_replaced_as_a_whole(shop, helpers, monkeypatch, tmp_path) -> None:
    path = write_report(shop, helpers.now)
    assert path == shop.config.data_dir / "report.html"
    before = path.read_text(encoding="utf-8")
    monkeypatch.setattr("sync.reporting.render", lambda data: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        write_report(shop, helpers.now)
    assert path.read_text(encoding="utf-8") == before
    monkeypatch.setattr("sync.reporting.render", lambda data: "new")
    held = path.open(encoding="utf-8")
    write_report(shop, helpers.now)
    with held:
        assert held.read() == before
    assert path.read_text(encoding="utf-8") == "new"
    assert write_report(shop, helpers.now, tmp_path / "deep" / "page.html").read_text(encoding="utf-8") == "new"
    assert {each.name for each in path.parent.glob("*report*")} == {"report.html"}


def test_marks_of_top_spenders_are_told_without_causes(shop, helpers) -> None:
    data = report_data(shop, helpers.now)
    assert data.marks
    for mark in data.marks:
        assert "became top spenders, of the others" in mark
    assert "had in common" in write_report(shop, helpers.now).read_text()
