"""Every test named after a platform's trap is on the list of its traps; that listed tests exist, another test sees."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^def (test_trap_\w+)", re.MULTILINE)


@pytest.mark.parametrize(("platform", "at_least"), [("HubSpot", 50), ("Mailchimp", 60), ("Salesforce", 50)])
def test_every_test_named_after_a_trap_is_on_the_list(platform: str, at_least: int) -> None:
    text = (ROOT / "docs/explain/platforms.md").read_text()
    listed = set(NAME.findall(re.split(r"^##+ ", text.partition(f"### {platform}\n")[2], flags=re.MULTILINE)[0]))
    files = (ROOT / "tests/connectors" / platform.lower()).rglob("test_*.py")
    traps = {name for file in files for name in DEFINED.findall(file.read_text())}
    assert len(listed) > at_least
    assert len(traps) > 10
    assert traps - listed == set()
