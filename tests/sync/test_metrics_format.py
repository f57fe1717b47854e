"""What /metrics answers, read by Prometheus' own parser."""

import re
from datetime import timedelta

import pytest

from sync.clock import FixedClock
from sync.configfile import ConfigError, parse
from sync.health import METRICS, VERDICTS, Health, metrics
from sync.status import as_data

parser = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed: make setup")


@pytest.fixture
def families(shop):
    """The metrics of a shop an hour after its run, by name."""
    clock = FixedClock(shop.clock.now() + timedelta(hours=1))
    status, kind, text = Health(shop.config, clock, lambda: True).answer("/metrics")
    assert (status, kind) == (200, METRICS)
    return {family.name: family for family in parser.text_string_to_metric_families(text)}


def test_every_metric_has_its_meaning_and_type_and_is_ours(families) -> None:
    assert len(families) >= 10
    for name, family in families.items():
        assert re.fullmatch(r"foretag_[a-z_]*[a-z]", name)
        assert family.documentation.endswith(".")
        assert family.type == "gauge"  # all of them may fall: by convention a counter would end in _total
        assert not name.endswith(("_total", "_count", "_sum", "_bucket"))
        assert family.samples
        assert {sample.name for sample in family.samples} == {name}


def test_the_numbers_come_through_as_they_are(families, shop, helpers) -> None:
    found = {(each.name, *each.labels.values()): each.value for one in families.values() for each in one.samples}
    assert len(found) == sum(len(one.samples) for one in families.values())
    assert found["foretag_stored_rows", "contact"] == 300
    assert found["foretag_last_run_written_contacts", "hubspot"] == 300
    assert [found["foretag_last_run_verdict", each] for each in VERDICTS] == [1, 0, 0, 0]
    assert {sample.timestamp for one in families.values() for sample in one.samples} == {None}
    instants = {name: value for (name, *_), value in found.items() if "timestamp" in name}
    assert instants == dict.fromkeys(instants, helpers.now.timestamp())  # in seconds, not in milliseconds
    assert {*instants} == {"foretag_scores_timestamp_seconds", "foretag_last_run_timestamp_seconds"}


def test_labels_name_accounts_and_states_and_nobody(families, shop) -> None:
    labels = {(key, text) for one in families.values() for each in one.samples for key, text in each.labels.items()}
    assert {key for key, _ in labels} == {"mode", "what", "verdict", "account"}
    emails = {row["email"] for row in shop.db.execute("SELECT email FROM contact")}
    ids = {row["id"] for row in shop.db.execute("SELECT id FROM contact")}
    assert len(emails) == len(ids) == 300
    assert {text for _, text in labels} & (emails | ids) == set()


@pytest.mark.parametrize("character", ['\\"', "\\\\", "\\n", "{", ","])
def test_an_account_has_no_name_that_a_label_would_have_to_escape(character, tmp_path) -> None:
    with pytest.raises(ConfigError, match="name"):
        parse(f'timezone = "UTC"\n[[hubspot]]\nname = "shop{character}de"\n', tmp_path / "config.toml")


def test_a_new_installation_is_read_too(site) -> None:
    found = {family.name for family in parser.text_string_to_metric_families(metrics(as_data(site)))}
    assert {"foretag_mode", "foretag_scores_expired", "foretag_waiting_contacts"} <= found
    assert "foretag_scores_timestamp_seconds" not in found
