"""The documents of the repository, as text."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root():
    return ROOT


@pytest.fixture
def documents():
    """Every Markdown file by its path from the root."""
    paths = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in paths}
