import pytest

from sync.store.database import open_store


@pytest.fixture
def db(tmp_path):
    db = open_store(tmp_path / "foretag.sqlite")
    yield db
    db.close()
