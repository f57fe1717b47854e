"""`--account`: a command for some accounts only, the others as if they were not there."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from connectors.contract import Page
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync import accounts, cli

CONFIG = """\
timezone = "Europe/Berlin"
mode = "full"
data_dir = "data"
[write]
hours = ""
[[hubspot]]
name = "shop-de"
[[hubspot]]
name = "shop-us"
"""


@pytest.fixture
def platforms(helpers):
    """Two accounts with three contacts each, of whom one is on both."""
    found = {}
    for name, numbers in {"shop-de": (0, 1, 2), "shop-us": (2, 3, 4)}.items():
        at = helpers.now - timedelta(days=3)
        contacts = [Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, at) for n in numbers]
        orders = [Activity(f"o{n}", ActivityKind.ORDER, at, str(n), amount=100) for n in numbers]
        pages = {
            "contacts": [Page("contacts", "c", tuple(contacts))],
            "orders": [Page("orders", "o", (), tuple(orders))],
        }
        found[name] = helpers.Platform(pages=pages)
    return found


@pytest.fixture
def foretag(helpers, platforms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    monkeypatch.setattr(accounts, "connect", lambda account, *_args: platforms[account.name])
    (tmp_path / "config.toml").write_text(CONFIG)

    def call(*words: str, days: float = 0):
        at = (helpers.now + timedelta(days=days)).isoformat()
        return CliRunner().invoke(cli.main, ["--now", at, *words], prog_name="foretag")

    return call


def written(platforms) -> dict[str, set[str]]:
    return {name: set(platform.stored) for name, platform in platforms.items()}


@pytest.mark.parametrize("command", ["pull", "plan", "run"])
def test_an_unknown_name_is_told_with_the_nearest(foretag, platforms, command) -> None:
    result = foretag(command, "--account", "shop-ed")
    assert result.exit_code == 1
    assert "--account shop-ed: the config has no account of this name; did you mean shop-de?" in result.output
    assert "there is shop-de, shop-us" in foretag(command, "--account", "mailchimp").output
    assert [platform.asked for platform in platforms.values()] == [[], []]


def test_pull_reads_only_these(foretag, platforms) -> None:
    result = foretag("pull", "--account", "shop-us")
    assert result.exit_code == 0, result.output
    assert "shop-us" in result.output
    assert "shop-de" not in result.output
    assert platforms["shop-de"].asked == []


def test_plan_and_apply_are_for_these_only(foretag, platforms) -> None:
    foretag("pull")
    foretag("score")
    alone = foretag("plan", "--account", "shop-de", "--json")
    assert json.loads(alone.output)["changes"].keys() == {"shop-de"}
    assert foretag("plan", "--out", "plan.json").exit_code == 2
    done = foretag("apply", "plan.json", "--yes", "--account", "shop-us")
    assert done.exit_code == 0, done.output
    assert written(platforms) == {"shop-de": set(), "shop-us": {"2", "3", "4"}}
    assert foretag("apply", "plan.json", "--yes", "--account", "shop").exit_code == 1
    assert foretag("apply", "plan.json", "--yes").exit_code == 0
    assert written(platforms) == {"shop-de": {"0", "1", "2"}, "shop-us": {"2", "3", "4"}}


def test_a_run_for_one_account_has_the_people_of_the_others_wait(foretag, platforms) -> None:
    first = foretag("run", "--account", "shop-de")
    assert first.exit_code == 1
    assert "nobody is scored before everything was read once" in first.output
    assert foretag("run").exit_code == 0
    for platform in platforms.values():
        platform.stored = {}
    result = foretag("run", "--account", "shop-de", "--json", days=100)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert (found["people"], found["waiting"]) == (2, {"shop-us": 3})
    assert found["pulled"].keys() == {"shop-de"}
    assert written(platforms)["shop-us"] == set()
    told = foretag("run", "--account", "shop-de", days=101).output
    assert "waiting      3 people for shop-us: their scores stay as they were, on all platforms" in told
    assert "shop-us      not written: it was not read: left out by --account" in told
