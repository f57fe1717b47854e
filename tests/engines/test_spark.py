"""The same features, models, scores and reasons on DuckDB and on Spark. Needs Java and foretag[spark]."""

import random
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from connectors.contract import Page
from connectors.records import Activity, ActivityKind, Consent, Contact
from scoring.objectives import Objective
from scoring.snapshots import Snapshots
from scoring.train import train
from sync.engine import predict, tables
from sync.instants import micros
from sync.store import facts, people
from sync.store.database import open_store

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")]

NOW = datetime(2017, 9, 30, tzinfo=UTC)
KINDS = [ActivityKind.ORDER] * 6 + [ActivityKind.SEND, ActivityKind.CLICK, ActivityKind.RESPONSE, ActivityKind.REFUND]


@pytest.fixture
def store(tmp_path):
    chance = random.Random(7)
    contacts = tuple(
        Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED, created_at=NOW - timedelta(days=300))
        for n in range(150)
    )
    activities = tuple(
        Activity(
            f"a{n}",
            kind := chance.choice(KINDS),
            # Every other person has left long ago, so that there is something to learn.
            NOW - timedelta(days=150 * (person % 2), minutes=chance.randrange(60 * 24 * 150 * (2 - person % 2))),
            str(person),
            amount=chance.randrange(100, 20_000) if kind is ActivityKind.ORDER else None,
            campaign=str(n % 5) if kind is not ActivityKind.ORDER else None,
        )
        for n in range(2500)
        for person in [int(150 * chance.random() ** 2)]
    )
    db = open_store(tmp_path / "foretag.sqlite")
    facts.save_page(db, "shop", Page("contacts", "c", contacts, activities), NOW)
    people.resolve(db)
    yield db
    db.close()


@pytest.fixture
def spark(store, monkeypatch, socket_enabled):
    """The tables of the store on a local Spark."""
    pytest.importorskip("pyspark", reason="foretag[spark] is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    yield tables(store, "USD", "local[1]")
    from pyspark.sql import SparkSession

    SparkSession.builder.getOrCreate().stop()


def test_spark_and_duckdb_give_the_same_numbers(store, spark) -> None:
    here, there = Snapshots(tables(store, "USD"), micros(NOW)), Snapshots(spark, micros(NOW))
    one, other = here.matrix(here.as_of), there.matrix(there.as_of)
    assert one.person_ids.tolist() == other.person_ids.tolist()
    np.testing.assert_allclose(one.values, other.values, rtol=1e-9, atol=1e-8)

    own = Objective("x", "churn", 40, rhythm_days=10.0)
    for objective in (Objective("x", "repeat_purchase", 30), Objective("x", "value", 30), own):
        learned = [
            train(past.tables, objective, past.as_of, seed=3, candidates=("logistic",), snapshots=past)
            for past in (here, there)
        ]
        assert learned[0].why == learned[1].why
        assert learned[0].candidates == learned[1].candidates, "what is learned from stands on one engine"
        found, worked = predict(learned[0], here), predict(learned[1], there)
        assert found.prior_only.tolist() == worked.prior_only.tolist()
        np.testing.assert_allclose(found.values, worked.values, rtol=1e-7)
        assert any(found.reasons)
        for given, told in zip(found.reasons, worked.reasons, strict=True):
            assert [(each.family, each.text) for each in given] == [(each.family, each.text) for each in told]
            assert [each.contribution for each in given] == pytest.approx([each.contribution for each in told])
