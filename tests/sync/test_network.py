"""Which hosts may be contacted, by the config and the secrets."""

import json

import pytest
from click.testing import CliRunner

from sync import cli
from sync.config import Config
from sync.network import outbound

CONFIG = {
    "timezone": "UTC",
    "hubspot": [{}],
    "mailchimp": [{}],
    "salesforce": [{"instance_url": "https://a.my.sf.com"}],
}


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


def hosts(**more) -> list[str]:
    return [each.host for each in outbound(Config.model_validate({**CONFIG, **more}))]


def test_the_platforms_and_where_results_come_from(monkeypatch) -> None:
    monkeypatch.setenv("FORETAG_MAILCHIMP_TOKEN", "0123456789abcdef0123456789abcdef-us21")
    assert hosts() == [
        "api.hubapi.com", "us21.api.mailchimp.com", "mailchimp-api-batch.s3.amazonaws.com", "a.my.sf.com",
    ]  # fmt: skip


def test_what_a_secret_would_tell_is_said_to_be_missing() -> None:
    found = hosts(alerts={"to": ["team"], "ping": True})
    assert found[1].startswith("DC.api.mailchimp.com")
    assert [each for each in found if "secret set alerts.team" in each]
    assert [each for each in found if "secret set alerts.ping" in each]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("mailtos://me:word@smtp.shop.example:587", ["smtp.shop.example:587"]),
        ("mailtos://me:word@gmail.com", ["smtp.gmail.com:587"]),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general", ["hooks.slack.com", "slack.com"]),
        ("ntfy://my-topic", ["ntfy.sh"]),
        ("ntfys://ntfy.shop.example/my-topic", ["ntfy.shop.example"]),
        ("jsons://hooks.shop.example:8443/x", ["hooks.shop.example:8443"]),
        ("discord://1234567890/abcdefgh", ["discord.com"]),
    ],
)
def test_where_alerts_go_is_read_off_their_address(monkeypatch, address, expected) -> None:
    monkeypatch.setenv("FORETAG_ALERTS_TEAM", address)
    assert set(expected) <= set(hosts(alerts={"to": ["team"]})[4:])


def test_the_dead_mans_switch_and_spark_are_on_it_without_a_password(monkeypatch) -> None:
    monkeypatch.setenv("FORETAG_ALERTS_PING", "https://me:word@hc.shop.example/abc")
    found = hosts(alerts={"ping": True}, engine={"kind": "spark", "master": "sc://spark.shop.example:15002"})
    assert found[4:] == ["hc.shop.example", "spark.shop.example:15002"]
    assert hosts(engine={"kind": "spark", "master": "local[2]"})[4:] == []


def test_the_command_prints_them(tmp_path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('timezone = "UTC"\n[[hubspot]]\n', encoding="utf-8")
    line = ["--config", str(file), "doctor", "--network"]
    said = CliRunner().invoke(cli.main, line)
    assert said.exit_code == 0
    assert said.stdout.split()[0] == "api.hubapi.com"
    assert "No other host" in said.stdout
    found = json.loads(CliRunner().invoke(cli.main, [*line, "--json"]).stdout)
    assert found == [{"host": "api.hubapi.com", "why": "hubspot: reading, and writing our fields"}]
