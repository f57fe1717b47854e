"""Documents that name tests name tests there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
}
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if "`test_" in page.read_text(encoding="utf-8"))


def test_there_are_such_documents() -> None:
    assert ROOT / "docs" / "explain" / "bad-worlds.md" in PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_a_document_names_exists(page: Path) -> None:
    named = set(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")))
    assert named - TESTS == set()
