"""Movements over weeks, from the standings that were kept."""

from datetime import timedelta
from itertools import pairwise

import pytest

from sync.conditions import movements
from sync.movement import movement, movement_lines, new_surges
from sync.report.render import render
from sync.reporting import report_data
from sync.store.database import transaction
from sync.store.scores import Move, flows, kept_at, save_moves, save_standings
from sync.upkeep import sum_up, thin_out


@pytest.fixture
def weeks(site, helpers):
    """Ten weeks of 400 people; each week ten of the Loyal cool off and come back, in the last one 120."""
    begin = helpers.now - timedelta(days=70)
    for week in range(11):
        at = begin + timedelta(days=7 * week)
        cooling = 120 if week == 10 else 10
        first = 10 * (week % 2)
        placed = [
            helpers.standing(person, "Cooling" if first <= person < first + cooling else "Loyal", expected_value=12.5)
            for person in range(400)
        ]
        with transaction(site.db):
            save_standings(site.db, at, placed)
            save_moves(site.db, at, [Move(person, at, "Loyal", "Cooling", "decay", 1250) for person in range(5)])
            sum_up(site, at)
    return site


def test_weeks_are_summed_up_one_after_the_other(weeks) -> None:
    periods = list(flows(weeks.db, 7))
    assert len(periods) == 10
    assert all(before[1] == after[0] for before, after in pairwise(periods))
    assert [(end - start).days for start, end in flows(weeks.db, 28)] == [28, 28]
    people = sum(each.people for each in flows(weeks.db, 7)[periods[-1]])
    assert people == 400


def test_an_unusual_week_is_told_with_its_money_once(weeks, helpers) -> None:
    (text,) = new_surges(weeks)
    assert "110 people moved from Loyal to Cooling within a week, usually 10" in text
    assert "1,375 USD" in text
    assert text in list(movements(weeks))
    with transaction(weeks.db):
        save_standings(weeks.db, weeks.clock.now() + timedelta(days=1), [helpers.standing(1)])
    assert list(new_surges(weeks)) == []


def test_the_whole_of_it_adds_up(weeks) -> None:
    found = movement(weeks)
    assert found["periods"] == 2
    assert found["causes"] == {"decay": 20}
    loyal = [cell for cell in found["matrix"] if cell["origin"] == "Loyal"]
    assert sum(cell["people"] for cell in loyal) == sum(
        each.people for period in flows(weeks.db, 28).values() for each in period if each.origin == "Loyal"
    )
    assert found["expected_days"]["Loyal"]["low"] < found["expected_days"]["Loyal"]["value"]
    page = render(report_data(weeks, weeks.clock.now()))
    for words in ("Out of the ordinary:", "by cause: decay 20", "How long people stay"):
        assert words in page


def test_how_far_movements_are_a_chain_is_told(site, helpers) -> None:
    """Six times four weeks: of 400 people those below 200 go to and fro, the others stay; in between all look alike."""
    begin = helpers.now - timedelta(days=28 * 6)
    for month in range(7):
        at = begin + timedelta(days=28 * month)
        placed = [
            helpers.standing(
                person, "Cooling" if (month + person) % 2 and person < 200 else "Loyal", expected_value=1.0
            )
            for person in range(400)
        ]
        with transaction(site.db):
            save_standings(site.db, at, placed)
            sum_up(site, at)
    found = movement(site)
    second = found["order"][1]
    assert second["needed"]
    assert found["backtest"]["observed"]["Cooling"] == 100
    assert found["backtest"]["predicted"]["Cooling"] == pytest.approx(100, abs=2)
    data = report_data(site, site.clock.now())
    assert data.migration.sizes["Loyal"] == (found["backtest"]["predicted"]["Loyal"], 300)
    page = render(data)
    for words in (
        "Of second order against first: clearly better",
        "The last 12 weeks by the matrix",
        "take these days as rough",
    ):
        assert words in page
    assert any("take these days as rough" in line for line in movement_lines(site, found))


def test_thinning_keeps_what_was_summed_up(weeks, helpers, tmp_path) -> None:
    weeks.config = helpers.config(tmp_path, retention={"daily": "2d", "weekly": "15d", "total": "40d"})
    before = flows(weeks.db, 7)
    assert thin_out(weeks, weeks.clock.now()) > 0
    assert len(kept_at(weeks.db)) < 6
    assert flows(weeks.db, 7) == before


def test_without_history_nothing_is_claimed(shop) -> None:
    found = movement(shop)
    assert (found["periods"], found["unusual"], found["causes"]) == (0, [], {})
