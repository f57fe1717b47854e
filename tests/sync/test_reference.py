"""The generated files are up to date, and the example config is a config."""

import re
from pathlib import Path

import pytest

from sync.config import Config
from sync.config_keys import blocks
from sync.configfile import parse
from sync.reference import example_config, generated

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", list(generated()), ids=str)
def test_the_committed_file_is_what_the_code_says(path):
    assert (ROOT / path).read_text(encoding="utf-8") == generated()[path], "run: make docs"


def test_the_example_is_valid_and_changes_nothing():
    made = parse(example_config(), Path("config.example.toml"))
    accounts = {kind: getattr(made, kind) for kind in ("hubspot", "mailchimp", "salesforce")}
    assert made == Config(timezone="Europe/Berlin", data_dir=made.data_dir, **accounts)
    assert [account.name for account in made.accounts] == ["hubspot", "mailchimp", "salesforce"]


def test_the_example_is_valid_with_every_line_switched_on():
    text = re.sub(r"(?m)^#(?! )", "", example_config())
    made = parse(text, Path("config.example.toml"))
    assert [objective.predict for objective in made.objectives] == ["repeat_purchase"]
    assert made.objectives[0].within is None
    assert [(rule.moved_from, rule.moved_to) for rule in made.alerts.rules] == [("Champions", "Cooling")]


def test_every_key_has_a_line_in_the_example():
    lines = example_config().splitlines()
    settings = [line.lstrip("#") for line in lines if re.match(r"#?\w+ = ", line)]
    assert len(settings) == sum(len(block.keys) for block in blocks())


def test_every_command_has_an_example():
    page = generated()[Path("docs/reference/cli.md")]
    parts = re.split(r"(?m)^#+ `(foretag[\w ]*)`$", page)[1:]
    helps = dict(zip(parts[::2], parts[1::2], strict=True))
    assert "foretag check" in helps
    assert [name for name, text in helps.items() if "Example:" not in text and "COMMAND [ARGS]" not in text] == []
