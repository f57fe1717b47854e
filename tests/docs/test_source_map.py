"""The source map names what there is, and leaves nothing out."""

import re

import pytest

PACKAGES = ("connectors", "scoring", "sync", "sandbox")


@pytest.fixture
def lines(root):
    """Path → when to come there."""
    text = (root / "docs/source-map.md").read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^- `([^`]+)`: (.+)$", text))


def test_everything_it_names_is_there(lines, root):
    text = (root / "docs/source-map.md").read_text(encoding="utf-8")
    named = set(lines) | {name for name in re.findall(r"`([^`\s]+)`", text) if name.split("/")[0] in PACKAGES}
    assert [name for name in sorted(named) if not (root / name).exists()] == []


def test_every_python_file_has_a_line_or_its_folder_has(lines, root):
    files = [path.relative_to(root) for package in PACKAGES for path in (root / package).rglob("*.py")]
    folders = {name.rstrip("/") for name in lines if name.endswith("/")}
    forgotten = [
        path.as_posix()
        for path in sorted(files)
        if path.as_posix() not in lines and not folders & {parent.as_posix() for parent in path.parents}
    ]
    assert len(files) > 100
    assert forgotten == []


def test_a_whole_package_is_never_one_line(lines):
    assert not {f"{package}/" for package in PACKAGES} & set(lines)
