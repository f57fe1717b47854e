"""The state of the installation, as data and as lines."""

import json
import os
from dataclasses import replace
from datetime import timedelta

import pytest

from sync import cycle
from sync.clock import FixedClock
from sync.config_sections import Alerts
from sync.lock import only_run
from sync.progress import Silent
from sync.status import as_data, as_lines, freshness
from sync.store import runs
from sync.store.database import transaction
from sync.store.scores import newest_standings, save_standings


@pytest.mark.parametrize(
    ("hours", "expected"), [(0, "ok"), (36, "ok"), (36.01, "stale"), (72, "stale"), (72.01, "expired")]
)
def test_freshness(hours, expected) -> None:
    assert freshness(timedelta(hours=hours), Alerts()) == expected


def test_a_new_installation(site) -> None:
    data = as_data(site)
    assert (data["scored"], data["freshness"], data["runs"]) == (None, "none", [])
    assert list(as_lines(data)) == [
        "mode     FULL",
        "scores   none, of never: foretag run",
        "store    0 contacts of 0 people, 0 activities, 0 predictions kept",
    ]


def test_after_a_run(shop) -> None:
    data = as_data(shop)
    json.dumps(data, allow_nan=False)
    assert data["freshness"] == "ok"
    assert (data["stored"]["contact"], data["stored"]["person"]) == (300, 300)
    assert data["waiting_to_be_written"] == 0
    assert data["runs"] == [
        {
            "number": 1,
            "as_of": "2017-09-30T12:00:00+00:00",
            "verdict": "ok",
            "written": {"hubspot": 300},
            "objections": [],
        }
    ]
    assert list(as_lines(data))[-1] == "run 1    2017-09-30T12:00  ok; written: hubspot 300"


def test_amounts_in_another_currency_are_left_out_and_said(shop, helpers, tmp_path, caplog) -> None:
    assert as_data(shop)["amounts_left_out"] == {}
    with transaction(shop.db):
        shop.db.execute("UPDATE activity SET currency = 'CHF' WHERE kind = 'order' AND amount > 5000")
    (found,) = as_data(shop)["amounts_left_out"].items()
    assert found[0] == "CHF"
    assert found[1] > 10
    said = f"left out: {found[1]:,} amounts in CHF; `currency` in the config is {shop.config.currency}"
    assert f"money    {said}" in list(as_lines(as_data(shop)))
    cycle.run(shop, Silent())
    assert f"{found[1]} amounts in CHF are left out" in caplog.text


def test_scores_grow_old_after_the_time_of_the_config(shop, helpers, tmp_path) -> None:
    shop.clock = FixedClock(helpers.now + timedelta(hours=5))
    assert as_data(shop)["freshness"] == "ok"
    shop.config = helpers.config(tmp_path, alerts={"stale_after": "4h"})
    assert as_data(shop)["freshness"] == "stale"


def test_what_waits_and_why_a_run_was_refused_are_told(shop, platform) -> None:
    shop.db.execute("UPDATE outbox SET state = 'pending' WHERE id <= 7")
    at, newest = newest_standings(shop.db)
    with transaction(shop.db):
        save_standings(shop.db, at, [replace(each, segment="New") for each in newest.values()])
    shop.clock = FixedClock(shop.clock.now() + timedelta(days=1))
    outcome = cycle.run(shop, Silent())
    lines = list(as_lines(as_data(shop)))
    assert "waiting  7 contacts still to be written: foretag run" in lines
    assert lines[4].endswith("refused; written: nothing")
    assert lines[5 : 5 + len(outcome.objections)] == [f"         refused: {text}" for text in outcome.objections]


def test_a_run_without_an_end_is_shown_as_such(shop, helpers) -> None:
    runs.begin(shop.db, helpers.now, helpers.now)
    assert as_data(shop)["runs"][0]["verdict"] == "cut off"
    with only_run(shop.config.data_dir, helpers.now - timedelta(minutes=1)) as hold:
        number = runs.begin(shop.db, helpers.now, helpers.now)
        hold.beat(helpers.now, number)
        going_on, cut_off = as_data(shop)["runs"][:2]
    told = f"going on since 13:59 (pid {os.getpid()}, last sign of life 2017-09-30 14:00)"
    assert (going_on["number"], going_on["verdict"]) == (number, told)
    assert cut_off["verdict"] == "cut off"
    assert as_data(shop)["runs"][0]["verdict"] == "cut off"


def test_only_the_last_five_runs_are_shown(shop, helpers) -> None:
    for _ in range(9):
        runs.begin(shop.db, helpers.now, helpers.now)
    assert [each["number"] for each in as_data(shop)["runs"]] == [10, 9, 8, 7, 6]
