from datetime import timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from scoring.monitor import Finding
from sync.cli import App
from sync.clock import FixedClock
from sync.commands.pilot import pilot
from sync.pilot import checklist, next_share
from sync.store import runs


@pytest.fixture
def advance(shop, helpers, tmp_path, monkeypatch):
    """Runs the command on the shop after its first run, `after` it."""
    from contextlib import nullcontext

    monkeypatch.setattr("sync.site.open_site", lambda *_, **__: nullcontext(shop))

    def run(after=timedelta(hours=1), **config):
        shop.__dict__["clock"] = FixedClock(helpers.now + after)
        app = App.__new__(App)
        app.__dict__ |= {"config": helpers.config(tmp_path, **{"mode": "pilot", **config}), "clock": shop.clock}
        return CliRunner().invoke(pilot, ["advance"], obj=app)

    return run


def test_a_pilot_that_is_ready_is_told_its_next_share(advance):
    result = advance()
    assert result.exit_code == 0, result.output
    assert result.output.count("[x] ") == 4
    assert "not older than 36h: run 1 at " in result.output
    assert "predictions came true as they were made: none of them can be judged yet" in result.output
    assert "acting on the scores did no harm that can be seen: too early to tell" in result.output
    assert "[pilot] share = 0.5" in result.output
    assert 'mode = "full"' in advance(pilot={"share": 0.5}).output


def test_old_runs_refuse_it(advance):
    result = advance(after=timedelta(hours=37))
    assert result.exception is not None
    assert "the pilot stays at 20%" in str(result.exception)
    assert "[ ] the last run that got through is not older than" in result.output


def test_a_refusal_of_the_guard_speaks_against_it_for_two_weeks(advance, shop, helpers):
    number = runs.begin(shop.db, helpers.now, helpers.now)
    runs.end(shop.db, number, helpers.now, "refused", {})
    assert f"foretag runs show {number}" in str(advance().exception)
    shop.__dict__["clock"] = FixedClock(helpers.now + timedelta(days=15))
    assert [point.ready for point in checklist(shop)][1]


def test_without_a_pilot_there_is_nothing_to_grow(advance):
    assert "there is no pilot" in str(advance(mode="full").exception)


@pytest.mark.parametrize(("share", "then"), [(0.05, 0.2), (0.2, 0.5), (0.5, 1.0), (0.7, 1.0), (1.0, None)])
def test_the_steps(share, then):
    assert next_share(share) == then


def test_percentages_that_did_not_come_true_refuse_it(advance, monkeypatch):
    off = Finding("calibration", "Buys again", "30 % were predicted and 12 % came true", "a season", "foretag feedback")
    monkeypatch.setattr("sync.pilot.findings", lambda site: [off])
    refused = advance()
    assert refused.exit_code == 1
    assert "[ ] predictions came true as they were made: " in refused.output
    assert "30 % were predicted and 12 % came true" in str(refused.exception)


def test_harm_done_refuses_it(advance, monkeypatch):
    monkeypatch.setattr("sync.pilot.effects", lambda site: [SimpleNamespace(found=SimpleNamespace(verdict="harms"))])
    monkeypatch.setattr("sync.pilot.sentences", lambda effect, currency: ["Fewer of them bought."])
    refused = advance()
    assert "[ ] acting on the scores did no harm that can be seen: Fewer of them bought." in refused.output
    assert "the pilot stays at 20%" in str(refused.exception)
