"""The same features on DuckDB and on Spark. Needs Java and foretag[spark]."""

import random
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from connectors.contract import Page
from connectors.records import Activity, ActivityKind, Consent, Contact
from scoring.snapshots import matrix
from sync.engine import tables
from sync.instants import micros
from sync.store import facts, people
from sync.store.database import open_store

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NOW = datetime(2017, 9, 30, tzinfo=UTC)
KINDS = [ActivityKind.ORDER] * 6 + [ActivityKind.SEND, ActivityKind.CLICK, ActivityKind.RESPONSE, ActivityKind.REFUND]


@pytest.fixture
def store(tmp_path):
    chance = random.Random(7)
    contacts = tuple(
        Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, created_at=NOW - timedelta(days=300))
        for n in range(40)
    )
    activities = tuple(
        Activity(
            f"a{n}",
            kind := chance.choice(KINDS),
            NOW - timedelta(minutes=chance.randrange(60 * 24 * 300)),
            str(chance.randrange(40)),
            amount=chance.randrange(100, 20_000) if kind is ActivityKind.ORDER else None,
            campaign=str(n % 5) if kind is not ActivityKind.ORDER else None,
        )
        for n in range(1500)
    )
    db = open_store(tmp_path / "foretag.sqlite")
    facts.save_page(db, "shop", Page("contacts", "c", contacts, activities), NOW)
    people.resolve(db)
    yield db
    db.close()


def test_spark_and_duckdb_give_the_same_features(store, monkeypatch, socket_enabled) -> None:
    pytest.importorskip("pyspark", reason="foretag[spark] is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    here = matrix(tables(store, "USD"), micros(NOW))
    there = matrix(tables(store, "USD", "local[1]"), micros(NOW))
    from pyspark.sql import SparkSession

    SparkSession.builder.getOrCreate().stop()
    assert here.person_ids.tolist() == there.person_ids.tolist()
    np.testing.assert_allclose(here.values, there.values, rtol=1e-9, atol=1e-8)
