"""The commands that do the work, as an admin calls them: output, exit codes, and errors that say what to do."""

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from connectors.contract import Outcome, Page, Result
from connectors.errors import NotAuthorised, NotPermitted
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync import accounts, cli
from sync.lock import only_run
from sync.store.database import transaction
from sync.store.scores import newest_standings, save_standings

CONFIG = 'timezone = "Europe/Berlin"\nmode = "full"\ndata_dir = "data"\n[[hubspot]]\n[schedule]\ntrain = "0 3 1 1 *"\n'


@pytest.fixture
def config_file(tmp_path, monkeypatch, platform):
    """A config file whose account is the platform in memory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    monkeypatch.setattr(accounts, "connect", lambda *_args: platform)
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def people(platform, helpers, config_file):
    """Four contacts with an order each on the platform."""
    at = helpers.now - timedelta(days=3)
    contacts = [Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, at) for n in range(4)]
    orders = [Activity(f"o{n}", ActivityKind.ORDER, at, str(n), amount=100) for n in range(4)]
    platform.pages = {
        "contacts": [Page("contacts", "c", tuple(contacts))],
        "orders": [Page("orders", "o", (), tuple(orders))],
    }


@pytest.fixture
def foretag(helpers, config_file):
    def call(*words: str, days: float = 0, **options):
        at = (helpers.now + timedelta(days=days)).isoformat()
        return CliRunner().invoke(cli.main, ["--now", at, *words], prog_name="foretag", **options)

    return call


def ended(result, code: int, *texts: str) -> None:
    assert result.exit_code == code, result.output
    for text in texts:
        assert text in result.output


def test_step_by_step(foretag, platform, people, tmp_path) -> None:
    ended(foretag("pull"), 0, "hubspot      4 contacts and 4 activities read, 8 of them new or changed, in 2 calls")
    ended(foretag("score"), 0, "Buys again             no model yet: Only 3 days of history", "Segments ")
    planned = foretag("plan", "--out", "plan.json")
    ended(planned, 2, "update 4 contacts", "Some of the changes, before → after", "Next: foretag apply plan.json")
    assert {each.stat().st_mode & 0o077 for each in (tmp_path / "plan.json", *tmp_path.glob("data/plans/*"))} == {0}
    assert planned.output.count("hubspot contacts ") == 4
    assert platform.stored == {}
    ended(foretag("apply", "plan.json", "--yes"), 0, "4 contacts written, 0 failed")
    assert platform.stored.keys() == {"0", "1", "2", "3"}
    ended(foretag("plan"), 0, "update 0 contacts", "leave 4 alone: unchanged")
    ended(foretag("apply", "plan.json", "--yes"), 0, "all of this plan was written already")
    ended(foretag("explain", "p1@shop.example"), 0, "hubspot contacts 1: consent granted", "no prediction yet")
    ended(foretag("status"), 0, "store    4 contacts of 4 people, 4 activities")
    ended(foretag("report", "--out", "page.html"), 0, "Wrote page.html")
    assert "<html" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_json_is_json_and_nothing_else(foretag, people) -> None:
    def told(*words: str, code: int = 0):
        result = foretag(*words, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout, parse_constant=pytest.fail)

    assert [(each["stream"], each["contacts"]) for each in told("pull")] == [("contacts", 4), ("orders", 0)]
    scored = told("score")
    assert scored["people"] == sum(scored["segments"].values()) == 4
    assert all("history" in each["refused"] for each in scored["models"])
    planned = told("plan", code=2)
    assert len(planned["changes"]["hubspot"]) == 4
    done = told("run")
    assert (done["verdict"], done["people"], done["run"]) == ("ok", 4, 1)
    assert done["written"]["hubspot"]["contacts"] == 4
    assert told("status")["runs"][0]["number"] == 1
    assert told("explain", "p1@shop.example")["records"][0]["id"] == "1"


def test_run_does_everything_and_names_the_report(foretag, platform, people, tmp_path) -> None:
    ended(foretag("run"), 0, "4 contacts written", "Run 1: ok. Report: ", "report.html")
    assert len(platform.stored) == 4
    assert (tmp_path / "data" / "report.html").exists()


def test_run_in_shadow_mode_says_why_nothing_was_written(foretag, platform, people, config_file) -> None:
    config_file.write_text(CONFIG.replace('"full"', '"shadow"'))
    ended(foretag("run"), 0, "update 4 contacts", "Nothing written: the mode is shadow")
    assert platform.stored == {}


def test_run_on_empty_platforms_is_no_error(foretag) -> None:
    ended(foretag("run"), 0, "Nothing written: nobody is in the store yet")


def test_run_ends_with_1_when_something_failed(foretag, platform, people) -> None:
    platform.pages["orders"] = []
    platform.fail_stream["orders"] = NotPermitted("the token may not read orders")
    platform.outcomes["2"] = Outcome("contacts", "2", Result.REJECTED, "no such option")
    result = foretag("run")
    ended(result, 1, "FAILED orders: the token may not read orders", "1 not written: no such option")
    assert result.stderr.startswith("Error: run 1 ended partial: foretag runs show 1")


@pytest.fixture
def upset(shop):
    """The store of 300 shoppers, as if everyone had stood elsewhere at the last run."""
    at, newest = newest_standings(shop.db)
    with transaction(shop.db):
        save_standings(shop.db, at, [replace(each, segment="New") for each in newest.values()])


def test_run_ends_with_3_when_the_guard_refuses(upset, foretag, platform) -> None:
    result = foretag("run", days=1)
    ended(result, 3, "Run 2: refused")
    assert result.stderr.startswith("Error: the guard refused, nothing was written:\n  ")
    assert "if it is right: foretag run --accept-large-change" in result.stderr
    assert platform.stored == {}
    refused = foretag("run", "--json", days=1)
    assert refused.exit_code == 3
    assert json.loads(refused.stdout)["verdict"] == "refused"
    ended(foretag("run", "--accept-large-change", days=1), 0, "Run 4: ok")
    assert platform.stored


@pytest.mark.parametrize("words", [["pull"], ["score"], ["plan"], ["run"]])
def test_beside_an_active_run_they_end_with_75(foretag, tmp_path, helpers, words) -> None:
    with only_run(tmp_path / "data", helpers.now):
        result = foretag(*words)
        ended(foretag("status"), 0, "mode     FULL")
    ended(result, 75, "another run is active since 2017-09-30 14:00 (pid ")


def test_what_a_run_leaves_is_closed_to_others(foretag, people, tmp_path) -> None:
    foretag("run")
    with sqlite3.connect(tmp_path / "data" / "foretag.sqlite") as reader:
        reader.execute("SELECT count(*) FROM contact").fetchone()  # so that the log stays when the run ends
        ended(foretag("run", days=1), 0)
        ended(foretag("report", "--out", "page.html"), 0)
        files = [*(tmp_path / "data").rglob("*.*"), tmp_path / "page.html"]
        rights = {file.name: file.stat().st_mode & 0o777 for file in files if file.name != "foretag.lock"}
    reader.close()
    assert rights == dict.fromkeys(rights, 0o600)
    assert rights.keys() >= {"page.html", "report.html", *(f"foretag.sqlite{end}" for end in ("", "-wal", "-shm"))}


def test_apply_asks_first_and_takes_no_for_an_answer(foretag, platform, people, monkeypatch) -> None:
    foretag("pull")
    foretag("score")
    foretag("plan", "--out", "plan.json")
    ended(foretag("apply", "plan.json", input="y\n"), 1, "Nobody can answer here", "--yes")
    assert platform.stored == {}
    monkeypatch.setattr("sync.commands.asking.in_terminal", lambda: True)
    ended(foretag("apply", "plan.json", input="n\n"), 1, "Update 4 contacts on hubspot? [y/N]")
    assert platform.stored == {}
    ended(foretag("apply", "plan.json", input="y\n"), 0)
    assert len(platform.stored) == 4


def test_apply_refuses_in_shadow_mode(foretag, platform, people, config_file) -> None:
    foretag("pull")
    foretag("score")
    foretag("plan", "--out", "plan.json")
    config_file.write_text(CONFIG.replace('"full"', '"shadow"'))
    ended(foretag("apply", "plan.json", "--yes"), 3, "the mode is shadow")
    assert platform.stored == {}


def test_apply_ends_with_1_until_everything_is_written(foretag, platform, people) -> None:
    foretag("pull")
    foretag("score")
    foretag("plan", "--out", "plan.json")
    platform.fail_write_after = 2
    ended(foretag("apply", "plan.json", "--yes"), 1, "STOPPED: the platform is on fire", "goes on where it stopped")
    assert len(platform.stored) == 2
    platform.fail_write_after = None
    ended(foretag("apply", "plan.json", "--yes"), 0, "2 contacts written")
    assert len(platform.stored) == 4


@pytest.mark.parametrize("content", [b"{}", b"[]", b"no json", b"\xff\xfe\x00", b'{"changes": {"hubspot": [{}]}}'])
def test_apply_refuses_what_is_no_plan(foretag, tmp_path, content) -> None:
    (tmp_path / "plan.json").write_bytes(content)
    ended(foretag("apply", "plan.json", "--yes"), 1, "not a plan of foretag", "make one with foretag plan")


def test_apply_refuses_a_plan_for_an_account_it_does_not_know(foretag, platform, people, tmp_path) -> None:
    foretag("pull")
    foretag("score")
    foretag("plan", "--out", "plan.json")
    plan = tmp_path / "plan.json"
    plan.write_text(plan.read_text().replace('"hubspot"', '"other"'))
    ended(foretag("apply", "plan.json", "--yes"), 1, "the plan is for other, which the config does not have")
    assert platform.stored == {}


def test_an_empty_plan_is_nothing_to_write(foretag, people) -> None:
    foretag("run")
    result = foretag("plan", "--out", "plan.json", "--json")
    assert json.loads(result.stdout)["changes"] == {"hubspot": []}
    ended(foretag("apply", "plan.json", "--yes"), 0, "Nothing to write.")


def test_plan_before_score_says_what_to_do(foretag) -> None:
    ended(foretag("plan"), 1, "nobody has been scored yet: foretag score")


def test_pull_ends_with_1_and_keeps_what_came(foretag, platform, people) -> None:
    platform.fail_stream["orders"] = NotAuthorised("the token has expired")
    ended(foretag("pull"), 1, "FAILED orders: the token has expired", "foretag pull goes on from there")
    ended(foretag("status"), 0, "4 contacts of 4 people")


@pytest.mark.slow
def test_score_with_train_makes_new_models(shop, foretag) -> None:
    before = shop.db.execute("SELECT count(*) FROM model").fetchone()[0]
    foretag("score", days=1)
    assert shop.db.execute("SELECT count(*) FROM model").fetchone()[0] == before
    foretag("score", "--train", days=1)
    assert shop.db.execute("SELECT count(*) FROM model").fetchone()[0] == before + 5


def test_an_altered_model_is_an_error_with_its_way_out(shop, foretag) -> None:
    shop.db.execute("UPDATE model SET artefact = x'00'")
    result = foretag("score")
    ended(result, 1, "was altered and is not loaded: train again, foretag score --train")
    assert "unexpected" not in result.output


def test_explain_says_what_to_do_for_an_unknown_address(foretag) -> None:
    ended(foretag("explain", "ghost@shop.example"), 1, "nobody in the store has this address", "foretag pull")


def test_the_daemon_wants_the_real_time(foretag) -> None:
    ended(foretag("daemon"), 1, "the daemon needs the real time: leave --now out")


def test_a_store_that_is_none_is_an_error_that_names_it(foretag, tmp_path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "foretag.sqlite").write_text("this is not a database, it only looks like a file of one")
    result = foretag("status")
    ended(result, 1, "foretag.sqlite", "the store is damaged", "foretag backup restore")
    assert "unexpected" not in result.output


@pytest.mark.parametrize("words", ["pull", "score", "plan", "apply", "run", "status", "explain", "report", "daemon"])
def test_every_command_has_help_with_an_example(words) -> None:
    result = CliRunner().invoke(cli.main, [words, "--help"], prog_name="foretag")
    assert result.exit_code == 0
    assert f"foretag {words}" in result.output.split("Example")[1]


def test_commands_load_no_heavy_library_for_their_help() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from sync.cli import main;"
        "assert CliRunner().invoke(main, ['run', '--help']).exit_code == 0;"
        "print(sorted({'sklearn', 'duckdb', 'pyarrow', 'narwhals', 'numpy', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout == "[]\n"
