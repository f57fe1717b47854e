"""Files of ours are there whole, or as they were."""

import ast
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sync import plan_files
from sync.files import OWNER_ONLY, draft_of, write_whole
from sync.plan import Plan

_DIES = """
import os, sys
from pathlib import Path
from sync.files import write_whole
os.replace = lambda *names: os._exit(9)
write_whole(Path(sys.argv[1]), "new")
"""


def dies_while_writing(path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", _DIES, path], check=False).returncode == 9


def test_who_dies_while_writing_leaves_the_old_file_and_the_next_one_clears_up(tmp_path) -> None:
    path = tmp_path / "report.html"
    write_whole(path, "old")
    dies_while_writing(path)
    assert (path.read_text(), draft_of(path).exists()) == ("old", True)
    write_whole(path, "newer")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"report.html": "newer"}


def test_an_error_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch) -> None:
    path = tmp_path / "report.html"
    write_whole(path, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"report.html": "old"}


def test_what_names_people_is_closed_to_others_also_where_an_open_file_was(tmp_path) -> None:
    path = tmp_path / "plan.json"
    path.touch(mode=0o644)
    write_whole(path, "{}", OWNER_ONLY)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_one_and_a_pipe_is_written_to(tmp_path) -> None:
    (tmp_path / "there").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("there")
    write_whole(link, "new")
    assert (link.is_symlink(), (tmp_path / "there").read_text()) == (True, "new")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, "told")
    reader.join()
    assert (heard, pipe.is_fifo()) == (["told"], True)


@pytest.fixture
def half(tmp_path, helpers) -> tuple[Plan, Path]:
    """A plan, and the draft that a process left which died while it saved another one."""
    left = draft_of(tmp_path / "plan-20170930-1200-abcdef.json")
    left.write_text('{"changes": {"hubspot": [{"email": "anna@sh')
    return Plan(helpers.now, "full"), left


def test_half_a_plan_goes_with_the_next_one(half, tmp_path) -> None:
    made, left = half
    path = plan_files.save(made, tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert not left.exists()


def test_half_a_plan_goes_when_somebody_is_forgotten(half, tmp_path) -> None:
    assert plan_files.delete_naming(tmp_path, {("hubspot", "1")}) == []
    assert list(tmp_path.iterdir()) == []


def test_only_the_newest_plans_stay(half, tmp_path, helpers) -> None:
    for number in range(plan_files.KEPT + 2):
        saved = plan_files.save(Plan(helpers.now, "full", calls={"hubspot": number}), tmp_path)
        os.utime(saved, (number, number))
    assert len(list(tmp_path.iterdir())) == plan_files.KEPT
    assert saved.exists()


def test_nobody_else_writes_files() -> None:
    """But for the lock, which lasts no longer than its process."""
    found = set()
    for path in Path("sync").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute | ast.Name):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
                modes = [each.value for each in call.args if isinstance(each, ast.Constant)]
                writes = name == "open" and any(str(each)[:1] in {"w", "x", "a"} for each in modes)
                if name in {"write_text", "write_bytes"} or writes:
                    found.add(str(path))
    assert found == {"sync/files.py", "sync/lock.py"}
