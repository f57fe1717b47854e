"""Old instants: which go, which stay, and what the ledger knows of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.instants import micros
from sync.store.database import open_store, transaction
from sync.store.ledger import matured_at, objectives, predicted_at
from sync.store.scores import Standing, kept_at, save_standings
from sync.store.thinning import reclaim, thin, thinned

NOW = datetime(2020, 6, 30, 6, tzinfo=UTC)
LIMITS = {"daily": timedelta(days=14), "weekly": timedelta(days=100), "total": timedelta(days=400)}


def test_a_year_and_a_half_of_days_shrinks_to_days_weeks_and_months():
    days = [NOW - timedelta(days=age) for age in range(540)]
    kept = sorted(set(days) - thinned(days, NOW, **LIMITS))
    ages = [(NOW - at).days for at in kept]
    assert sum(age < 14 for age in ages) == 14
    assert 12 <= sum(14 <= age < 100 for age in ages) <= 16
    assert 9 <= sum(age >= 100 for age in ages) <= 11
    assert max(ages) < 400
    assert all(at.isoweekday() == 1 or at.day == 1 for at in kept if 14 <= (NOW - at).days < 100)
    assert all(at.day == 1 for at in kept if (NOW - at).days >= 100)


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(0, 3000))
def test_thinning_again_or_later_only_takes_more(ages, later):
    instants = [NOW - timedelta(hours=7 * age) for age in ages]
    gone = thinned(instants, NOW, **LIMITS)
    kept = [at for at in instants if at not in gone]
    assert thinned(kept, NOW, **LIMITS) == set()
    assert (max(instants) in kept) if instants else not kept
    assert thinned(instants, NOW + timedelta(hours=later), **LIMITS) >= gone


@pytest.fixture
def db(tmp_path):
    db = open_store(tmp_path / "foretag.sqlite")
    db.execute("INSERT INTO model VALUES (1, 'churn', 1, '', x'', '{}', '')")
    with transaction(db):
        for age in range(60):
            at = NOW - timedelta(days=age)
            save_standings(db, at, [Standing(1, "Loyal", {}, {"text": "x" * 100}, {})])
            for objective in ("churn", "value"):
                outcome = None if age < 30 else 1.0
                row = (objective, micros(at), 1, 1, 30, 0.5, 0.5, outcome, "act")
                db.execute("INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    yield db
    db.close()


def test_the_instants_are_found_without_reading_every_row(db):
    days = [NOW - timedelta(days=age) for age in reversed(range(60))]
    assert kept_at(db) == predicted_at(db, "value") == days
    assert objectives(db) == ["churn", "value"]
    assert matured_at(db, "churn") == [at for at in days if (NOW - at).days >= 30]
    assert predicted_at(db, "churn", 2) == []
    plan = db.execute("EXPLAIN QUERY PLAN SELECT min(as_of) FROM prediction WHERE objective = 'churn' AND as_of > 5")
    assert "SEARCH" in plan.fetchone()["detail"]


def test_standings_and_predictions_go_together_but_for_protected_ones(db):
    protected = NOW - timedelta(days=17)
    with transaction(db):
        gone = thin(db, NOW, {protected}, **LIMITS)
    assert kept_at(db) == predicted_at(db, "churn") == predicted_at(db, "value")
    assert protected in kept_at(db)
    assert 14 + 7 <= len(kept_at(db)) <= 14 + 11
    assert gone == 3 * (60 - len(kept_at(db)))


def test_free_space_is_given_back_only_where_there_is_much(db, monkeypatch):
    assert not reclaim(db)
    monkeypatch.setattr("sync.store.thinning.LEAST_BYTES", 1)
    assert not reclaim(db)
    db.execute("DELETE FROM standing")
    db.execute("DELETE FROM prediction")
    monkeypatch.setattr("sync.store.thinning.MOST_FREE", 0.01)
    assert reclaim(db)
    assert db.execute("PRAGMA freelist_count").fetchone()[0] == 0
