"""init, check, doctor and secret, as an admin uses them."""

import json
from datetime import UTC, datetime

import keyring
import keyring.backends.fail
import pytest
from click.testing import CliRunner

import connectors
from connectors.contract import Finding
from connectors.errors import NotAuthorised, NotPermitted
from sync import cli, doctor, secrets
from sync.accounts import connect
from sync.clock import FixedClock
from sync.configfile import load
from sync.errors import ForetagError

TOKEN = "pat-na1-12345678-abcd"
NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def empty_machine(monkeypatch, tmp_path):
    """A folder to work in, no secret anywhere, no keyring, and nobody's settings."""
    for name in ("FORETAG_HUBSPOT_TOKEN", "FORETAG_MAILCHIMP_TOKEN", "CREDENTIALS_DIRECTORY", "FORETAG_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nobody"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('timezone = "Europe/Berlin"\n[[hubspot]]\n[[mailchimp]]\nname = "news"\n')
    return path


def run(*words, **options):
    return CliRunner().invoke(cli.main, words, prog_name="foretag", **options)


def test_init_without_questions(tmp_path):
    words = ["--platform", "hubspot", "--platform", "salesforce", "--instance-url", "https://acme.my.salesforce.com"]
    result = run("init", *words, "--timezone", "Europe/Berlin", "--size", "solo", "--no-ask")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "Wrote config.toml.",
        "Next: foretag secret set hubspot",
        "Next: foretag secret set salesforce",
        "Next: foretag doctor",
    ]
    made = load(tmp_path / "config.toml")
    assert (made.preset, made.timezone, made.mode) == ("solo", "Europe/Berlin", "shadow")
    assert len((tmp_path / "config.toml").read_text().splitlines()) < 20


def test_init_asks_for_what_is_not_given(tmp_path, monkeypatch):
    stored = {}
    monkeypatch.setattr(secrets, "store", lambda name, value: stored.setdefault(name, value) and "keyring")
    typed = ["hubspot, mailchimp", "mid", "Europe/Vienna", "EUR", "", "", TOKEN, ""]
    result = run("init", "--ask", input="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    made = load(tmp_path / "config.toml")
    assert (made.preset, made.timezone, made.currency, made.mode) == ("mid", "Europe/Vienna", "EUR", "shadow")
    assert stored == {"hubspot.token": TOKEN}
    assert TOKEN not in result.output + (tmp_path / "config.toml").read_text()
    assert "Next: foretag secret set mailchimp" in result.output


def test_init_without_a_keyring_shows_the_other_ways():
    result = run("init", "--ask", "--platform", "hubspot", input="\n\n\n\n\n" + TOKEN + "\n")
    assert result.exit_code == 0, result.output
    assert "systemd-creds encrypt" in result.output
    assert TOKEN not in result.output


def test_init_never_overwrites(config_file):
    before = config_file.read_text()
    result = run("init", "--platform", "hubspot", "--no-ask")
    assert result.exit_code == 1
    assert "left as it is" in result.stderr
    assert config_file.read_text() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--platform", "hubspot", "--timezone", "Berlin"], "did you mean Europe/Berlin?"),
        (["--platform", "salesforce"], "instance_url: is missing"),
        (["--platform", "hubspot", "--currency", "euro"], "currency"),
    ],
)
def test_init_writes_nothing_that_check_would_refuse(tmp_path, words, said):
    result = run("init", *words, "--no-ask")
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (tmp_path / "config.toml").exists()


def test_init_makes_the_folder_of_the_file(tmp_path):
    assert run("--config", "etc/foretag/config.toml", "init", "--platform", "mailchimp", "--no-ask").exit_code == 0
    assert (tmp_path / "etc/foretag/config.toml").is_file()


def test_check_says_fine(config_file):
    result = run("check")
    assert result.exit_code == 0
    assert "config.toml is fine: mode shadow, accounts hubspot, news" in result.output


def test_check_shows_all_problems(config_file):
    config_file.write_text('timezone = "Berlin"\nmode = "ful"\n[[hubspot]]\n')
    result = run("check")
    assert result.exit_code == 1
    assert "config.toml:1: timezone" in result.stderr
    assert "config.toml:2: mode" in result.stderr
    as_json = run("check", "--json")
    assert as_json.exit_code == 1
    assert [problem["line"] for problem in json.loads(as_json.stdout)["problems"]] == [1, 2]


def test_check_without_a_file():
    result = run("check")
    assert result.exit_code == 1
    assert "Make one: foretag init" in result.stderr


def test_doctor_shows_what_is_missing_and_ends_with_1(config_file):
    result = run("doctor")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].startswith("ok    config")
    assert "Europe/Berlin, where it is" in lines[1]
    assert any(line.startswith("FAIL  hubspot") for line in lines)
    assert "-> foretag secret set news" in result.output
    assert lines[-1] == "0 to look at, 2 failed. Next: repair what FAILed, then foretag doctor"


def test_doctor_says_where_alerts_go_and_where_they_would_not_arrive(config_file, monkeypatch):
    with config_file.open("a") as file:
        file.write('[alerts]\nto = ["team", "mail"]\nping = true\n')
    monkeypatch.setenv("FORETAG_ALERTS_TEAM", "jsons://hooks.example/secret")
    monkeypatch.setenv("FORETAG_ALERTS_MAIL", "nonsense://token-of-mine")
    shown = run("doctor").output
    assert "ok    alerts        team is told at hooks.example" in shown
    assert "WARN  alerts        nobody hears of trouble: alerts.mail is no address that apprise knows" in shown
    assert "-> foretag secret set alerts.mail" in shown
    assert "WARN  alerts        nobody hears of trouble: no secret alerts.ping" in shown
    assert "-> foretag secret set alerts.ping" in shown
    assert "token-of-mine" not in shown


def test_doctor_as_json_with_a_broken_config(config_file):
    config_file.write_text("timezone = 1\n")
    result = run("doctor", "--json")
    assert result.exit_code == 1
    (finding,) = json.loads(result.stdout)
    assert (finding["what"], finding["level"]) == ("config", "fail")
    assert "config.toml:1: timezone" in finding["text"]


class FakeConnector:
    def __init__(self, findings):
        self.findings = findings

    def check(self):
        if isinstance(self.findings, Exception):
            raise self.findings
        return self.findings

    def members(self, name):
        if name != "Spring":
            raise NotPermitted(f"{name}: ask anna@shop.example for crm.lists.read")
        yield from ("1", "2", "1")


def examined(path, findings):
    return list(doctor.examine(path, lambda _account, _config: FakeConnector(findings), NOW))


def test_doctor_looks_for_each_list_of_a_pilot(config_file, monkeypatch):
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", TOKEN)
    pilot = '[pilot]\nonly = ["hubspot:list:Autumn", "hubspot:tag:x", "hubspot:list:Spring"]\n'
    config_file.write_text(config_file.read_text() + pilot)
    _secret, autumn, spring = (finding for what, finding in examined(config_file, []) if what == "hubspot")
    assert spring == Finding("ok", 'the pilot may be of "Spring": 2 contacts')
    assert (autumn.level, "anna" in autumn.text, "crm.lists.read" in autumn.text) == ("fail", False, True)
    assert autumn.fix == "until then it lets nobody into the pilot ([pilot] only)"


def test_doctor_asks_every_account_that_has_its_secret(config_file, monkeypatch):
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", TOKEN)
    found = examined(config_file, [Finding("ok", "1,204 contacts"), Finding("warn", "no deals", "add the scope")])
    assert [(what, finding.level) for what, finding in found] == [
        ("config", "ok"), ("time zone", "ok"), ("data_dir", "ok"),
        ("hubspot", "ok"), ("hubspot", "ok"), ("hubspot", "warn"), ("news", "fail"),
    ]  # fmt: skip
    assert found[1][1].text == "Europe/Berlin, where it is 2026-11-22 15:00"
    assert found[3][1].text == "secret from environment variable FORETAG_HUBSPOT_TOKEN"
    assert TOKEN not in str(found)


@pytest.mark.parametrize("error", [NotAuthorised("token expired"), ForetagError("account hubspot: no such prefix")])
def test_doctor_takes_an_error_of_an_account_as_a_finding(config_file, monkeypatch, error):
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", TOKEN)
    assert ("hubspot", Finding("fail", str(error))) in examined(config_file, error)


@pytest.mark.parametrize("shape", [lambda text: [Finding("fail", text)], NotAuthorised])
def test_doctor_shows_no_address_and_no_token_that_a_platform_quotes(config_file, monkeypatch, shape):
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", TOKEN)
    (_, finding) = next(
        each for each in examined(config_file, shape(f"{TOKEN} of ada@post.example?")) if each[1].level == "fail"
    )
    assert finding.text.startswith("*** of <email ")


def test_an_account_is_opened_with_its_secret_its_address_and_its_settings(config_file, monkeypatch):
    opened = []
    monkeypatch.setattr(connectors, "open_connector", lambda account, **_clock: opened.append(account))
    monkeypatch.setenv("FORETAG_MAILCHIMP_NEWS_TOKEN", TOKEN)
    config_file.write_text(config_file.read_text() + 'server = "us6"\naudiences = ["a1"]\n')
    config = load(config_file)
    connect(config.mailchimp[0], config, FixedClock(NOW))
    (account,) = opened
    assert (account.kind, account.name, account.token) == ("mailchimp", "news", TOKEN)
    assert account.base_url == "https://us6.api.mailchimp.com/3.0"
    assert account.options["audiences"] == ["a1"]
    assert account.prefix == "ft_"
    assert "segment" in {spec.key for spec in account.fields}
    with pytest.raises(secrets.MissingSecret):
        connect(config.hubspot[0], config, FixedClock(NOW))


def test_settings_an_adapter_refuses_are_an_error_for_the_admin(config_file, monkeypatch):
    def refuse(_account, **_clock):
        raise ValueError("the key has no data centre")

    monkeypatch.setattr(connectors, "open_connector", refuse)
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", TOKEN)
    config = load(config_file)
    with pytest.raises(ForetagError, match="account hubspot: the key has no data centre"):
        connect(config.hubspot[0], config, FixedClock(NOW))


def test_doctor_looks_at_the_folder(config_file, tmp_path, monkeypatch):
    def data_dir():
        return dict(examined(config_file, []))["data_dir"]

    assert data_dir().level == "ok"
    (tmp_path / "foretag-data").mkdir(mode=0o755)
    assert data_dir().level == "warn"
    assert data_dir().fix == f"chmod o-rwx {tmp_path / 'foretag-data'}"
    (tmp_path / "foretag-data").chmod(0o750)
    assert data_dir().level == "ok"
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 10**18)
    assert data_dir().level == "warn"
    (tmp_path / "file").touch()
    config_file.write_text(f'data_dir = "{tmp_path}/file/data"\n' + config_file.read_text())
    assert data_dir().level == "fail"


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("hubspot", "hubspot.token"),
        ("news", "mailchimp-news.token"),
        ("alerts.team", "alerts.team"),
        ("mailchimp-news", "mailchimp-news.token"),
    ],
)
def test_secret_set_reads_standard_input(config_file, monkeypatch, account, name):
    stored = {}
    monkeypatch.setattr(secrets, "store", lambda name, value: stored.setdefault(name, value) and "keyring")
    result = run("secret", "set", account, input=f"{TOKEN}\n")
    assert result.exit_code == 0, result.output
    assert stored == {name: TOKEN}
    assert TOKEN not in result.output


def test_secret_set_without_a_keyring_without_a_value_and_for_nobody(config_file):
    assert "systemd-creds" in run("secret", "set", "hubspot", input=TOKEN).stderr
    assert "nothing is stored" in run("secret", "set", "hubspot", input="\n").stderr
    assert "it has hubspot, news" in run("secret", "set", "shop", input=TOKEN).stderr


def test_secret_list_shows_places_and_never_values(config_file, monkeypatch):
    config_file.write_text(config_file.read_text() + '[alerts]\nto = ["team"]\n')
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", TOKEN)
    result = run("secret", "list")
    assert result.exit_code == 1
    assert [line.split("  ")[0] for line in result.output.splitlines()] == [
        "hubspot.token", "mailchimp-news.token", "alerts.team",
    ]  # fmt: skip
    assert "MISSING: foretag secret set mailchimp-news.token" in result.output
    assert json.loads(run("secret", "list", "--json").stdout)["alerts.team"] is None
    monkeypatch.setenv("FORETAG_MAILCHIMP_NEWS_TOKEN", TOKEN)
    monkeypatch.setenv("FORETAG_ALERTS_TEAM", TOKEN)
    result = run("secret", "list")
    assert result.exit_code == 0
    assert TOKEN not in result.output
