"""The demo: it runs to its end on a small world, and empties no folder but its own."""

import os

import pytest
from click.testing import CliRunner

from sync import cli
from sync.commands.demo import BEGINNING

SECTIONS = [
    "[1/6] made our fields",
    "[2/6] read in",
    "[3/6] learned and scored in",
    "[4/6] planned in",
    "[5/6] written in",
    "[6/6] reported:",
]


@pytest.fixture
def demo(tmp_path, monkeypatch):
    """Call the demo in an empty folder; the tokens it sets are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return lambda *words: CliRunner().invoke(cli.main, ["demo", "--small", *words], prog_name="foretag")


@pytest.mark.slow
def test_it_shows_everything_and_what_came_true_a_month_later_in_a_folder_of_its_own(demo, tmp_path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    (folder / "config.toml").write_text(f"{BEGINNING}# of an earlier demo")
    (folder / "left-over").write_text("")
    result = demo("--out", "tmp", "--months", "1")
    assert result.exit_code == 0, result.output
    first, second = result.output.split("30 October 2017: a month has passed")
    for told in (first, second):
        places = [told.index(section) for section in SECTIONS]
        assert places == sorted(places)
        assert "Planned once more: 0 contacts left to change." in told
        assert "some of the changes, before → after" in told
    assert "came true for" not in first
    assert "came true for" in second
    assert "people moved from" in second
    assert "explain ADDRESS" not in second
    assert not (folder / "left-over").exists()
    assert (folder / "report.html").exists()
    assert (folder / "config.toml").read_text().startswith(BEGINNING), "the next demo would refuse its folder"


@pytest.mark.parametrize(
    "files",
    [
        {"letter.txt": "to my mother"},
        {"config.toml": 'timezone = "Europe/Berlin"\n[[hubspot]]\n', "data.sqlite": "precious"},
        {"config.toml": "", "letter.txt": "to my mother"},
        {"config.toml": BEGINNING[:40]},
    ],
)
@pytest.mark.parametrize("out", ["mine", "."])
def test_it_refuses_a_folder_it_did_not_make(demo, tmp_path, monkeypatch, files, out) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    if out == ".":
        monkeypatch.chdir(folder)
    for name, text in files.items():
        (folder / name).write_text(text)
    result = demo("--out", out)
    assert result.exit_code == 1
    assert "was not made by the demo: choose another folder with --out" in result.output
    assert {path.name: path.read_text() for path in folder.iterdir()} == files


def test_it_refuses_a_file(demo, tmp_path) -> None:
    (tmp_path / "mine").write_text("to my mother")
    assert demo("--out", "mine").exit_code == 1
    assert (tmp_path / "mine").read_text() == "to my mother"
