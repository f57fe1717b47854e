"""What came of earlier predictions, on the terminal, as JSON, as an alert and in the report."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from sync import cli
from sync.clock import FixedClock
from sync.conditions import of_run
from sync.instants import micros
from sync.outcome import Outcome
from sync.report.render import render
from sync.reporting import report_data
from sync.score import score


@pytest.fixture
def later(shop, helpers):
    """The shop after a month whose orders stopped coming in its last week."""
    at = helpers.now + timedelta(days=31)
    shop.db.execute("DELETE FROM activity WHERE kind = 'order' AND at >= ?", (micros(at - timedelta(days=7)),))
    score(shop, at)
    shop.clock = FixedClock(at)
    return shop


@pytest.fixture
def foretag(tmp_path, monkeypatch, helpers):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    (tmp_path / "config.toml").write_text('timezone = "Europe/Berlin"\ndata_dir = "data"\n[[hubspot]]\n')

    def call(*words: str):
        now = (helpers.now + timedelta(days=31)).isoformat()
        return CliRunner().invoke(cli.main, ["--now", now, "feedback", *words], prog_name="foretag")

    return call


def test_all_of_it_is_told_everywhere(later, foretag) -> None:
    text = foretag().output
    assert "order: 0 in the last 7 days" in text
    assert "Buys again: 2" in text
    assert "2017-09  Buys again" in text
    assert "Cannot tell yet" in text
    found = json.loads(foretag("--json").output)
    assert found["findings"][0]["kind"] == "data"
    realised = {each["objective"]: each for each in found["realised"]}
    assert realised["Buys again"]["measures"]["auc"]["low"] < realised["Buys again"]["measures"]["auc"]["high"]
    assert realised["Expected spend"]["measures"]["gini"]
    assert {each["objective"] for each in found["effects"]} == {"Buys again", "Expected spend"}
    outcome = Outcome(3, later.clock.now())
    assert "0 in the last 7 days" in of_run(later, outcome)["data order"]
    page = render(report_data(later, later.clock.now()))
    for words in ("What looks wrong?", "0 in the last 7 days", "Does acting on the scores help?", "Cannot tell yet"):
        assert words in page


def test_before_anything_has_matured_nothing_is_claimed(shop, foretag) -> None:
    text = foretag().output
    assert "No prediction has come to its end yet." in text
    assert "Nothing can be compared yet" in text
