"""Scores that grow old: a warning, an error, and at last our values go, until there are scores again."""

from datetime import timedelta

import pytest

from connectors.errors import NotAuthorised, Unavailable
from sync import alerts
from sync.clock import FixedClock
from sync.config import Config
from sync.cycle import carry_out, run, write
from sync.progress import Silent
from sync.reporting import write_report
from sync.runbook import one, run_lines
from sync.status import as_data, as_lines
from sync.store import runs
from sync.undo import undo_plan

DOWN = Unavailable("the platform is down")
REVOKED = NotAuthorised("the token is wrong")


@pytest.fixture
def written(site, platform, helpers, tmp_path):
    """Four shoppers who hold our values, and scores that should go after 14 days."""
    site.config = helpers.config(tmp_path, write={"hours": "", "blank_after": "14d"})
    platform.pages = helpers.shoppers(count=4)
    run(site, Silent())
    assert held(platform) == {"1", "2", "3", "4"}
    return site


def held(platform) -> set[str]:
    """Who holds anything of ours."""
    empty = (None, "", (), False)
    return {number for number, held in platform.stored.items() if any(each not in empty for each in held.values())}


def later(site, **ago) -> None:
    site.clock = FixedClock(site.clock.now() + timedelta(**ago))


def test_our_values_stay_until_the_scores_are_too_old_and_then_go(written, platform) -> None:
    later(written, days=14)
    write(written, Silent())
    assert len(held(platform)) == 4
    later(written, hours=1)
    outcome = write(written, Silent())
    assert held(platform) == set()
    assert (outcome.verdict, outcome.plan.blank) == ("ok", True)
    assert "emptied" in "\n".join(run_lines(one(written, outcome.number)))


def test_without_the_setting_old_values_stay(written, platform, helpers, tmp_path) -> None:
    written.config = helpers.config(tmp_path, write={"hours": ""})
    later(written, days=400)
    write(written, Silent())
    assert len(held(platform)) == 4


def test_a_run_that_cannot_read_everything_empties_all_the_same(written, platform) -> None:
    later(written, days=15)
    platform.pages = {"contacts": [], "orders": []}
    platform.fail_stream = dict.fromkeys(platform.pages, REVOKED)
    outcome = run(written, Silent())
    assert outcome.scored is None
    assert held(platform) == set()
    assert outcome.verdict == "partial", "read nothing, but emptied"


def test_a_platform_that_cannot_be_reached_is_left_alone_until_it_can(written, platform, monkeypatch) -> None:
    later(written, days=15)

    def fails(changes):
        raise DOWN
        yield

    with monkeypatch.context() as patch:
        patch.setattr(platform, "held", fails)
        outcome = write(written, Silent())
    assert len(held(platform)) == 4
    assert (outcome.applied, outcome.shut) == ([], {"hubspot": str(DOWN)})
    write(written, Silent())
    assert held(platform) == set()


def test_it_can_be_undone_by_the_values_from_before(written, platform) -> None:
    before = {number: dict(values) for number, values in platform.stored.items()}
    later(written, days=15)
    number = write(written, Silent()).number
    carry_out(written, undo_plan(written, number), (), undoes=number)
    without_date = [{key: value for key, value in each.items() if key != "scored_on"} for each in before.values()]
    assert [
        {key: value for key, value in each.items() if key != "scored_on"} for each in platform.stored.values()
    ] == without_date


def test_the_next_good_run_brings_them_back(written, platform) -> None:
    later(written, days=15)
    write(written, Silent())
    later(written, hours=1)
    outcome = run(written, Silent())
    assert (outcome.verdict, outcome.objections, outcome.plan.blank) == ("ok", [], False)
    assert len(held(platform)) == 4


def test_in_shadow_mode_nothing_is_emptied(written, platform, helpers, tmp_path) -> None:
    written.config = helpers.config(tmp_path, mode="shadow", write={"hours": "", "blank_after": "14d"})
    later(written, days=15)
    assert "shadow" in write(written, Silent()).withheld
    assert len(held(platform)) == 4


def test_each_step_is_told_once_and_that_it_is_over(written, caplog) -> None:
    told = {}
    for hours in (30, 40, 80, 15 * 24, 16 * 24):
        caplog.clear()
        written.clock = FixedClock(runs.last(written.db)[-1].as_of + timedelta(hours=hours))
        alerts.watch(written)
        told[hours] = [" ".join(record.getMessage().split()[1:6]) for record in caplog.records]
    assert told == {
        30: [],
        40: ["WARNING: scores are older than"],
        80: ["ERROR: scores are older than"],
        360: ["Scores are older than 14d:"],
        384: [],
    }
    caplog.clear()
    alerts.after_run(written, run(written, Silent()))
    assert sum("alert: Over" in record.getMessage() for record in caplog.records) == 3


def test_status_and_report_say_it(written) -> None:
    assert as_data(written)["emptied"] is False
    later(written, days=15)
    assert as_data(written)["emptied"] is True
    assert any("our values are emptied" in line for line in as_lines(as_data(written)))
    assert "our values are emptied" in write_report(written, written.clock.now()).read_text(encoding="utf-8")


def test_the_error_comes_after_the_warning(helpers, tmp_path) -> None:
    with pytest.raises(ValueError, match="first a warning"):
        Config.model_validate(
            {"timezone": "UTC", "hubspot": [{}], "alerts": {"stale_after": "4d", "expired_after": "3d"}}
        )
