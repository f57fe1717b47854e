"""Copies of the store: whole, of one instant, closed to others; checked, and put back beside the present one."""

import fcntl
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from sync import backup, cli
from sync.clock import FixedClock
from sync.errors import ForetagError, RunActive
from sync.lock import only_run
from sync.site import open_site
from sync.store.copies import NoStore, copy, examine
from sync.store.database import StoreError, open_store, transaction
from sync.store.migrations import MIGRATIONS

CONFIG = 'timezone = "Europe/Berlin"\ndata_dir = "data"\n[[hubspot]]\n'


def rights(path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def filled(site, helpers):
    """A store with five people."""
    helpers.fill(site, helpers.shoppers(5))
    return site


@pytest.fixture
def foretag(helpers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "setup", lambda *_args, **_options: None)
    (tmp_path / "config.toml").write_text(CONFIG)

    def call(*words: str, **options):
        now = helpers.now.isoformat()
        return CliRunner().invoke(cli.main, ["--now", now, "backup", *words], prog_name="foretag", **options)

    return call


@pytest.fixture
def old_store(tmp_path, monkeypatch):
    """A store as the first version made it."""
    path = tmp_path / "old" / "foretag.sqlite"
    with monkeypatch.context() as patch:
        patch.setattr("sync.store.database.MIGRATIONS", MIGRATIONS[:1])
        with closing(open_store(path)) as db:
            db.execute("INSERT INTO setting VALUES ('a', '1')")
    return path


def contacts(path) -> int:
    return examine(path).counts["contact"]


def test_a_backup_holds_everything_in_one_closed_file(filled, tmp_path) -> None:
    made = backup.create(filled)
    assert made == tmp_path / "data" / "backups" / "foretag-20170930-120000.sqlite"
    assert rights(made) == 0o600
    assert rights(made.parent) == 0o700
    assert [file.name for file in made.parent.iterdir()] == [made.name]
    found = examine(made)
    assert (found.schema, found.counts["contact"], found.counts["person"]) == (len(MIGRATIONS), 5, 5)
    assert found.counts["activity"] == filled.db.execute("SELECT count(*) FROM activity").fetchone()[0] > 0


def test_what_a_process_left_that_died_while_saving_goes_with_the_next_copy(filled, tmp_path) -> None:
    folder = tmp_path / "data" / "backups"
    folder.mkdir()
    (folder / "foretag-20170930-110000.sqlite.part").write_bytes(b"half of it")
    (folder / "mine.part").write_bytes(b"not ours")
    made = backup.create(filled)
    assert {file.name for file in folder.iterdir()} == {made.name, "mine.part"}


def test_a_copy_waits_for_one_that_is_being_made(filled, tmp_path) -> None:
    folder = tmp_path / "data" / "backups"
    folder.mkdir()
    part = folder / "foretag-20170930-110000.sqlite.part"
    part.write_bytes(b"half of it")
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with closing(sqlite3.connect(filled.store, check_same_thread=False)) as db, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(backup.create, replace(filled, db=db))
        with pytest.raises(TimeoutError):
            waiting.result(0.1)
        assert part.exists()
        os.close(handle)
        assert waiting.result(10).exists()
    assert not part.exists()


def test_a_backup_is_of_one_instant_while_somebody_writes(filled, tmp_path) -> None:
    with closing(sqlite3.connect(filled.store, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM activity")
        writer.execute("DELETE FROM contact")
        made = backup.create(filled)
        writer.execute("COMMIT")
    assert contacts(made) == 5
    assert contacts(filled.store) == 0


def test_an_existing_file_is_never_overwritten(filled, tmp_path) -> None:
    mine = tmp_path / "mine.sqlite"
    mine.write_text("mine")
    with pytest.raises(ForetagError, match="is there already"):
        backup.create(filled, mine)
    assert mine.read_text() == "mine"


def test_where_nothing_can_be_written_it_says_so_and_leaves_nothing(filled, tmp_path) -> None:
    with pytest.raises(ForetagError, match="cannot be written"):
        backup.create(filled, tmp_path / "nowhere" / "b.sqlite")
    assert not (tmp_path / "nowhere").exists()


def test_a_copy_that_breaks_off_leaves_the_one_before(filled, tmp_path, monkeypatch) -> None:
    target = tmp_path / "copy.sqlite"
    copy(filled.db, target)
    before = target.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("sync.files.os.fsync", full)
    filled.db.execute("DELETE FROM activity")
    with pytest.raises(OSError, match="no space left"):
        copy(filled.db, target)
    assert target.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.sqlite", "data"]


def test_a_damaged_copy_is_found(filled, tmp_path) -> None:
    made = backup.create(filled, tmp_path / "b.sqlite")
    content = bytearray(made.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4096] = b"\xff" * 4096
    made.write_bytes(content)
    with pytest.raises(NoStore, match=r"b\.sqlite"):
        examine(made)


@pytest.mark.parametrize("content", [b"", b"a text that is no database at all, however long it may go on" * 20])
def test_a_file_of_something_else_is_no_copy(tmp_path, content) -> None:
    (tmp_path / "b.sqlite").write_bytes(content)
    with pytest.raises(NoStore, match="not a store of foretag"):
        examine(tmp_path / "b.sqlite")


def test_a_copy_of_a_newer_foretag_is_not_taken(filled, tmp_path) -> None:
    made = backup.create(filled, tmp_path / "b.sqlite")
    with closing(sqlite3.connect(made)) as db:
        db.execute("PRAGMA user_version = 999")
    with pytest.raises(NoStore, match="install the newer foretag"):
        backup.restore(filled.config, filled.clock.now(), made)


def test_a_restore_puts_the_copy_in_place_and_keeps_the_present_store(filled, tmp_path) -> None:
    made = backup.create(filled, tmp_path / "b.sqlite")
    filled.db.execute("DELETE FROM contact WHERE id != '1'")
    filled.db.close()
    kept = backup.restore(filled.config, filled.clock.now(), made)
    assert kept == tmp_path / "data" / "foretag.sqlite.before-restore-20170930-120000"
    assert (contacts(filled.store), contacts(kept), contacts(made)) == (5, 1, 5)
    assert rights(filled.store) == rights(kept) == 0o600
    assert {file.name for file in filled.store.parent.iterdir()} == {filled.store.name, kept.name, "foretag.lock"}


_DIES = """
import os, sys
from sync.cli import main
rename = os.replace
os.replace = lambda old, new: os._exit(9) if str(new).endswith(sys.argv[1]) else rename(old, new)
main(sys.argv[2:])
"""


@pytest.mark.parametrize("at", [".restoring", ".sqlite"])
def test_what_a_killed_restore_leaves_goes_with_the_next_run(foretag, filled, tmp_path, helpers, caplog, at) -> None:
    made = backup.create(filled, tmp_path / "b.sqlite")
    filled.db.execute("DELETE FROM contact WHERE id != '1'")
    filled.db.close()
    command = [sys.executable, "-c", _DIES, at, "--now", helpers.now.isoformat(), "backup", "restore", made, "--yes"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 9
    (left,) = filled.store.parent.glob("*.restoring*")
    assert rights(left) == 0o600
    with open_site(filled.config, filled.clock, alone=False):  # a restore might be under way
        assert left.exists()
    with open_site(filled.config, filled.clock) as site:
        assert contacts(site.store) == 1
    assert not left.exists()
    assert f"removed {left}" in caplog.text


def test_a_restore_waits_for_no_run(filled, tmp_path, helpers) -> None:
    made = backup.create(filled, tmp_path / "b.sqlite")
    filled.db.close()
    with only_run(filled.config.data_dir, helpers.now), pytest.raises(RunActive):
        backup.restore(filled.config, helpers.now, made)


def test_a_restore_under_the_eyes_of_a_reader_is_refused(filled, tmp_path, monkeypatch) -> None:
    made = backup.create(filled, tmp_path / "b.sqlite")
    filled.db.execute("DELETE FROM contact WHERE id != '1'")
    monkeypatch.setattr(backup, "WAIT_SECONDS", 0.01)
    with pytest.raises(ForetagError, match="somebody is looking at the store"):
        backup.restore(filled.config, filled.clock.now(), made)
    filled.db.close()
    assert contacts(filled.store) == 1
    assert [file.name for file in filled.store.parent.glob("*restor*")] == []


def test_a_damaged_store_is_moved_away_as_it_is(filled, tmp_path) -> None:
    made = backup.create(filled, tmp_path / "b.sqlite")
    filled.db.close()
    filled.store.write_bytes(b"spoilt" * 1000)
    kept = backup.restore(filled.config, filled.clock.now(), made)
    assert kept.read_bytes() == b"spoilt" * 1000
    assert contacts(filled.store) == 5


def test_a_restore_without_a_store_makes_one(helpers, filled, tmp_path) -> None:
    made = backup.create(filled, tmp_path / "b.sqlite")
    config = helpers.config(tmp_path / "elsewhere")
    assert backup.restore(config, helpers.now, made) is None
    assert contacts(config.data_dir / "foretag.sqlite") == 5


def test_a_copy_of_an_older_foretag_is_brought_up_to_date(helpers, old_store, tmp_path) -> None:
    config = helpers.config(tmp_path)
    backup.restore(config, helpers.now, old_store)
    with closing(open_store(config.data_dir / "foretag.sqlite")) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        assert db.execute("SELECT value FROM setting").fetchone()[0] == "1"
    assert examine(old_store).schema == 1


def test_an_older_store_is_copied_before_it_changes(old_store) -> None:
    with closing(open_store(old_store)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        db.execute("DELETE FROM setting")
    before = old_store.with_name("foretag.sqlite.before-2")
    assert (examine(before).schema, rights(before)) == (1, 0o600)
    with closing(sqlite3.connect(before)) as db:
        assert db.execute("SELECT value FROM setting").fetchone() == ("1",)


def test_two_processes_may_bring_a_store_up_to_date_at_the_same_time(old_store, monkeypatch) -> None:
    def late(db):
        monkeypatch.undo()
        open_store(old_store).close()
        return transaction(db)

    monkeypatch.setattr("sync.store.database.transaction", late)
    with closing(open_store(old_store)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert examine(old_store.with_name("foretag.sqlite.before-2")).schema == 1


def test_a_store_that_is_new_or_up_to_date_is_not_copied(filled) -> None:
    open_store(filled.store).close()
    assert list(filled.store.parent.glob("*.before-*")) == []


def test_without_room_for_the_copy_the_store_is_not_changed(old_store, monkeypatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("sync.files.os.fsync", full)
        with pytest.raises(StoreError, match="no space left"):
            open_store(old_store)
    assert examine(old_store).schema == 1


def test_the_store_is_closed_to_others_also_when_it_was_open(tmp_path) -> None:
    path = tmp_path / "foretag.sqlite"
    open_store(path).close()
    assert rights(path) == 0o600
    path.chmod(0o644)
    with closing(open_store(path)):
        assert {rights(file) for file in tmp_path.iterdir()} == {0o600}
        beside = [path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm")]
        for file in beside:
            file.chmod(0o644)
        with closing(open_store(path)):
            assert [rights(file) for file in beside] == [0o600, 0o600]


def test_the_commands(filled, foretag, monkeypatch) -> None:
    monkeypatch.setattr("sync.commands.asking.in_terminal", lambda: True)
    assert foretag("create").output.startswith("Wrote ")
    made = "data/backups/foretag-20170930-120000.sqlite"
    checked = foretag("check", made)
    assert (checked.exit_code, "is whole, schema" in checked.output, "5 contact" in checked.output) == (0, True, True)
    filled.db.execute("DELETE FROM activity")
    filled.db.close()
    refused = foretag("restore", made, input="n\n")
    assert (refused.exit_code, "one with 5 contacts? [y/N]" in refused.output) == (1, True)
    assert examine(filled.store).counts["activity"] == 0
    restored = foretag("restore", made, "--yes")
    assert restored.exit_code == 0
    assert "The store from before is kept: " in restored.output
    assert examine(filled.store).counts["activity"] > 0


def test_a_wrong_file_ends_the_commands_with_1(foretag, tmp_path) -> None:
    (tmp_path / "b.sqlite").write_text("no store")
    for words in (["check", "b.sqlite"], ["restore", "b.sqlite", "--yes"]):
        result = foretag(*words)
        assert result.exit_code == 1
        assert "b.sqlite is not a store of foretag" in result.output


def test_the_daemons_copies_are_rotated_and_nothing_else_is_deleted(tmp_path, helpers, platform) -> None:
    site = helpers.site(tmp_path, platform, backup={"keep": 2})
    folder = tmp_path / "data" / "backups"
    folder.mkdir()
    (folder / "mine.sqlite").touch()
    for day in range(4):
        site.clock = FixedClock(helpers.now + timedelta(days=day))
        backup.rotate(site)
    site.db.close()
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["foretag-20171002-120000.sqlite", "foretag-20171003-120000.sqlite", "mine.sqlite"]


def test_no_old_copy_goes_before_the_new_one_is_whole(tmp_path, helpers, platform, monkeypatch) -> None:
    site = helpers.site(tmp_path, platform, backup={"keep": 1})
    kept = backup.rotate(site)

    def full(*_args) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "copy", full)
    site.clock = FixedClock(helpers.now + timedelta(days=1))
    with pytest.raises(ForetagError, match="No space left"):
        backup.rotate(site)
    site.db.close()
    assert examine(kept).counts["run"] == 0
