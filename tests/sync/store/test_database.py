import sqlite3

import pytest

from sync.store.database import StoreError, migrate, open_store, transaction
from sync.store.migrations import MIGRATIONS


def test_a_new_store_has_the_newest_schema(db) -> None:
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_opening_again_changes_nothing(tmp_path) -> None:
    open_store(tmp_path / "s.sqlite").close()
    db = open_store(tmp_path / "s.sqlite")
    before = db.total_changes
    migrate(db)
    assert db.total_changes == before
    db.close()


def test_a_newer_store_is_refused_with_what_to_do(tmp_path) -> None:
    db = open_store(tmp_path / "s.sqlite")
    db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(StoreError, match="newer foretag"):
        open_store(tmp_path / "s.sqlite")


def test_a_damaged_file_is_named(tmp_path) -> None:
    (tmp_path / "s.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"s\.sqlite"):
        open_store(tmp_path / "s.sqlite")


def test_a_failed_transaction_leaves_nothing(db) -> None:
    with pytest.raises(ZeroDivisionError), transaction(db):
        db.execute("INSERT INTO setting VALUES ('a', '1')")
        raise ZeroDivisionError
    assert db.execute("SELECT count(*) FROM setting").fetchone()[0] == 0


def test_a_reader_sees_the_store_while_it_is_written(tmp_path) -> None:
    writer = open_store(tmp_path / "s.sqlite")
    reader = sqlite3.connect(tmp_path / "s.sqlite")
    with transaction(writer):
        writer.execute("INSERT INTO setting VALUES ('a', '1')")
        assert reader.execute("SELECT count(*) FROM setting").fetchone()[0] == 0
    assert reader.execute("SELECT count(*) FROM setting").fetchone()[0] == 1
    reader.close()
    writer.close()
