"""Making our fields: by a human where a run may not, and the files for an administrator."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from connectors.contract import Capabilities
from connectors.errors import NotPermitted
from sync import accounts, cli, cycle
from sync.progress import Silent
from sync.provision import provision


@pytest.fixture
def shop(site, platform, helpers):
    """A site with shoppers whose platform has none of our fields yet."""
    platform.pages = helpers.shoppers()
    platform.provisioned = False
    return site


def may_not_provision(platform) -> None:
    platform.capabilities = replace(platform.capabilities, provision_in_runs=False)


def test_a_run_makes_what_is_missing_where_it_may(shop, platform) -> None:
    outcome = cycle.run(shop, Silent())
    assert outcome.verdict == "ok"
    assert outcome.applied[0].created == ["ft_segment"]


def test_a_run_that_may_not_stops_before_the_first_write_and_names_the_repair(shop, platform) -> None:
    may_not_provision(platform)
    outcome = cycle.run(shop, Silent())
    (applied,) = outcome.applied
    assert platform.stored == {}
    assert applied.written == 0
    assert "foretag provision makes it" in applied.problem
    assert "foretag provision --print" in applied.problem
    (made,) = provision(shop, ["hubspot"])
    assert made.created == ["ft_segment"]
    assert cycle.run(shop, Silent()).verdict == "ok"
    assert platform.stored


def test_what_stays_wrong_is_a_problem_of_that_account_alone(shop, platform) -> None:
    platform.provision_works = False
    (made,) = provision(shop, ["hubspot"])
    assert made.problem == "the field ft_segment is missing: foretag provision makes it"


@pytest.fixture
def foretag(tmp_path, monkeypatch, platform):
    """Call foretag on a config with one account, which opens `platform`; what it was opened with is kept."""
    (tmp_path / "config.toml").write_text(f'timezone = "UTC"\ndata_dir = "{tmp_path}/data"\n[[hubspot]]\n')
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", "pat-usual")
    opened = []

    def open_connector(account, **_):
        opened.append(account)
        return platform

    monkeypatch.setattr(accounts.connectors, "open_connector", open_connector)

    def call(*words):
        result = CliRunner().invoke(cli.main, ["--config", str(tmp_path / "config.toml"), "provision", *words])
        result.opened = opened
        return result

    return call


def test_the_command_says_what_it_made_and_then_that_all_is_there(foretag, platform) -> None:
    platform.provisioned = False
    platform.provision = lambda fields: [] if platform.provisioned else setattr(platform, "provisioned", True) or ["x"]
    done = foretag()
    assert (done.exit_code, done.output) == (0, "hubspot      x\nhubspot      1 made: x\n")
    assert "all our fields and tags are in place" in foretag("hubspot").output
    assert [(account.provision, account.token) for account in done.opened][:2] == [
        (True, "pat-usual"),
        (False, "pat-usual"),
    ]


def test_a_secret_of_its_own_is_used_for_it_alone(foretag, monkeypatch) -> None:
    monkeypatch.setenv("FORETAG_HUBSPOT_PROVISION", "pat-admin")
    opened = foretag().opened
    assert {account.provision: account.token for account in opened} == {True: "pat-admin", False: "pat-usual"}


def test_a_missing_right_ends_with_1_and_is_told(foretag, platform) -> None:
    def refuse(fields):
        raise NotPermitted("crm.schemas.contacts.write is missing")

    platform.provision = refuse
    done = foretag()
    assert done.exit_code == 1
    assert "STOPPED: crm.schemas.contacts.write is missing" in done.output


def test_an_unknown_account_is_named(foretag) -> None:
    done = foretag("mailchimp")
    assert done.exit_code == 1
    assert "there is no account mailchimp" in done.output


@pytest.mark.parametrize("where", ["-", "here"])
def test_printing_makes_nothing(foretag, platform, tmp_path, where) -> None:
    platform.provisioned = False
    done = foretag("--print", where if where == "-" else str(tmp_path / where))
    assert done.exit_code == 0
    assert not platform.provisioned
    assert [account.provision for account in done.opened] == [False]
    text = done.output if where == "-" else (tmp_path / "here" / "hubspot" / "README.txt").read_text()
    assert "segment" in text


def test_fields_may_be_made_in_runs_unless_an_adapter_says_otherwise() -> None:
    assert Capabilities(write_batch=1, read_batch=1).provision_in_runs
