"""`foretag runs`: the book of runs, and the contacts a run could not write."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from connectors.contract import Outcome, Result
from connectors.errors import ConnectorError
from sync import accounts, cli, cycle
from sync.clock import FixedClock
from sync.progress import Silent
from sync.store import runs
from sync.store.database import transaction
from sync.store.scores import save_standings

CONFIG = 'timezone = "Europe/Berlin"\nmode = "full"\ndata_dir = "data"\n[[hubspot]]\n'


@pytest.fixture
def foretag(helpers, platform, tmp_path, monkeypatch):
    """The command, on the store of `site`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    monkeypatch.setattr(accounts, "connect", lambda *_args, **_options: platform)
    (tmp_path / "config.toml").write_text(CONFIG)
    return lambda *words: CliRunner().invoke(
        cli.main, ["--now", helpers.now.isoformat(), "runs", *words], prog_name="foretag"
    )


@pytest.fixture
def write(site, helpers):
    """A run that writes the same score to four people; returns its number."""
    helpers.fill(site, helpers.shoppers(4))

    def write(score: float = 50.0) -> int:
        with transaction(site.db):
            save_standings(site.db, helpers.now, [helpers.standing(n, score=score) for n in (1, 2, 3, 4)])
        return cycle.write(site, Silent()).number

    return write


def test_the_list_begins_with_the_newest_run(foretag, write, platform) -> None:
    write(10.0)
    platform.outcomes["2"] = Outcome("contacts", "2", Result.REJECTED, "no such option")
    write(90.0)
    found = foretag("list")
    assert found.exit_code == 0
    first, second = found.output.splitlines()
    assert first == "run 2     2017-09-30T12:00  partial   3 contacts written, 1 not"
    assert second == "run 1     2017-09-30T12:00  ok        4 contacts written, 0 not"
    assert [run["number"] for run in json.loads(foretag("list", "--json", "--count", "1").stdout)] == [2]


def test_an_empty_book_says_how_it_is_filled(foretag) -> None:
    assert foretag("list").output == "There was no run yet: foretag run\n"


def test_one_run_is_shown_in_full(foretag, write, platform) -> None:
    platform.outcomes["2"] = Outcome("contacts", "2", Result.REJECTED, "no such option")
    number = write()
    shown = foretag("show", str(number)).output
    for text in (
        "run 1: partial",
        "planned      hubspot: 4 contacts",
        "written      hubspot: 3 contacts in 2 calls",
        "not written: 1 no such option",
        "which ones: foretag runs show 1 --failed",
    ):
        assert text in shown
    told = json.loads(foretag("show", str(number), "--json").stdout)
    assert (told["number"], told["verdict"], told["written"]["hubspot"]["contacts"]) == (1, "partial", 3)


def test_the_failed_contacts_are_told_by_id_and_never_by_address(foretag, write, platform) -> None:
    platform.outcomes["2"] = Outcome("contacts", "2", Result.REJECTED, "p2@shop.example is no good")
    platform.outcomes["3"] = Outcome("contacts", "3", Result.UNKNOWN, "")
    number = write()
    shown = foretag("show", str(number), "--failed")
    assert "hubspot contacts 3: sent, but the answer never came (1 attempt; " in shown.output
    assert "shop.example" not in shown.output
    told = json.loads(foretag("show", str(number), "--failed", "--json").stdout)
    assert [(each["account"], each["object"], each["id"], each["attempts"]) for each in told] == [
        ("hubspot", "contacts", "2", 1),
        ("hubspot", "contacts", "3", 1),
    ]
    assert told[0]["reason"].startswith("<email ")
    assert "is no good" in told[0]["reason"]


def test_what_a_later_run_wrote_is_told_so(foretag, site, write, platform, helpers) -> None:
    platform.outcomes["2"] = Outcome("contacts", "2", Result.REJECTED, "no such option")
    number = write(10.0)
    assert "is tried again from 2017-09-30 13:00 UTC on" in foretag("show", str(number), "--failed").output
    platform.outcomes.clear()
    site.__dict__["clock"] = FixedClock(helpers.now + timedelta(hours=2))
    cycle.write(site, Silent())
    shown = foretag("show", str(number), "--failed").output
    assert "no such option (1 attempt; written since, by a later run)" in shown


def test_what_a_stop_left_over_is_listed_too(foretag, write, platform) -> None:
    platform.fail_write_after = 2
    number = write()
    assert "STOPPED: the platform is on fire" in foretag("show", str(number)).output
    left = json.loads(foretag("show", str(number), "--failed", "--json").stdout)
    assert [each["id"] for each in left] == ["3", "4"]


def test_where_all_was_written_nothing_is_missing(foretag, write) -> None:
    number = write()
    assert foretag("show", str(number), "--failed").output == "Nothing that was to be written is missing.\n"


def test_a_whole_run_shows_what_it_read_and_scored(shop, foretag) -> None:
    """The store of 300 shoppers lies where the command looks."""
    shown = foretag("show", "1").output
    assert "read         hubspot contacts: 300 rows, 300 new or changed" in shown
    assert "scored       300 people" in shown
    assert "segments     Champions " in shown


def test_a_run_that_was_cut_off_or_undone_says_so(foretag, site, write, helpers) -> None:
    first = write()
    undoing = runs.begin(site.db, helpers.now, helpers.now)
    runs.end(site.db, undoing, helpers.now, "ok", {"undoes": first})
    cut_off = runs.begin(site.db, helpers.now, helpers.now)
    assert "undone by    run 2" in foretag("show", str(first)).output
    assert "undoes       run 1" in foretag("show", str(undoing)).output
    assert "run 3: cut off\n" in foretag("show", str(cut_off)).output


def test_a_failed_read_is_shown_with_its_problem(foretag, site, platform) -> None:
    platform.fail_stream["contacts"] = ConnectorError("the token may not read")
    cycle.run(site, Silent())
    assert "FAILED: the token may not read" in foretag("show", "1").output


def test_a_run_that_never_was_is_an_error(foretag) -> None:
    for words in (["show", "7"], ["show", "7", "--failed"]):
        result = foretag(*words)
        assert result.exit_code == 1
        assert "there is no run 7: foretag runs list" in result.output
