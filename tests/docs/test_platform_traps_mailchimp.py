"""Every test that the list of Mailchimp's traps names exists, and every test named after a trap is on the list."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^def (test_\w+)", re.MULTILINE)


def listed() -> set[str]:
    text = (ROOT / "docs/explain/platforms.md").read_text()
    return set(NAME.findall(re.split(r"^##+ |^\*\*Salesforce", text.partition("### Mailchimp\n")[2], flags=re.M)[0]))


def defined(folder: str) -> set[str]:
    return {name for file in (ROOT / folder).rglob("test_*.py") for name in DEFINED.findall(file.read_text())}


def test_every_test_on_the_list_is_there() -> None:
    assert len(listed()) > 60
    assert listed() - defined("tests") == set()


def test_every_test_named_after_a_trap_is_on_the_list() -> None:
    traps = {name for name in defined("tests/connectors/mailchimp") if name.startswith("test_trap_")}
    assert len(traps) > 20
    assert traps - listed() == set()
