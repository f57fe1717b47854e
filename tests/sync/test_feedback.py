"""Matured predictions: joined, judged by month, and what is told of it."""

from datetime import UTC, datetime, timedelta

import pytest

from scoring import monitor
from scoring.monitor import Finding
from sync.feedback import findings, first_of_months, months
from sync.instants import micros
from sync.score import score
from sync.store.ledger import matured, realised_rows, waves


@pytest.fixture
def matured_shop(shop, helpers):
    score(shop, helpers.now + timedelta(days=31))
    return shop


def test_every_prediction_carries_its_arm(shop, helpers, tmp_path) -> None:
    (wave,) = waves(shop.db)
    assert (wave.as_of, wave.mode, wave.holdout) == (helpers.now, "full", shop.config.holdout.share)
    rows = shop.db.execute("SELECT DISTINCT person_id, arm FROM prediction").fetchall()
    assert {row["arm"] for row in rows} == {"act", "control"}
    controls = {row["person_id"] for row in rows if row["arm"] == "control"}
    marked = shop.db.execute("SELECT person_id FROM standing WHERE json_extract(fields, '$.control_group')").fetchall()
    assert controls <= {row["person_id"] for row in marked}
    shop.config = helpers.config(tmp_path, mode="shadow", schedule={"train": "0 3 1 1 *"})
    score(shop, helpers.now + timedelta(days=1))
    later = micros(helpers.now + timedelta(days=1))
    arms = shop.db.execute("SELECT DISTINCT arm FROM prediction WHERE as_of = ?", (later,)).fetchall()
    assert [row["arm"] for row in arms] == ["none"]


def test_a_month_is_judged_once_and_stays(matured_shop, helpers) -> None:
    (row,) = realised_rows(matured_shop.db, "repeat_purchase")
    assert row.as_of == helpers.now
    (objective,) = [each for each in matured_shop.config.objectives if each.predict == "repeat_purchase"]
    ((at, found),) = months(matured_shop, objective)
    rows = matured(matured_shop.db, "repeat_purchase", helpers.now)
    assert at == helpers.now
    assert found.model.n == len(rows)
    assert found.observed_mean == pytest.approx(sum(each.outcome for each in rows) / len(rows))
    assert found.model.metrics["auc"].low < found.model.metrics["auc"].value
    assert found.line.slope.low < found.line.slope.high
    assert found.gain is not None
    assert len(found.model.reliability) == 10
    matured_shop.db.execute("UPDATE prediction SET outcome = 0 WHERE as_of = ?", (micros(helpers.now),))
    score(matured_shop, helpers.now + timedelta(days=32))
    assert realised_rows(matured_shop.db, "repeat_purchase") == [row]


def test_nothing_is_judged_before_its_horizon_has_passed(shop, helpers) -> None:
    score(shop, helpers.now + timedelta(days=29))
    assert realised_rows(shop.db, "repeat_purchase") == []
    assert shop.db.execute("SELECT count(*) FROM prediction WHERE outcome IS NOT NULL").fetchone()[0] == 0


def test_the_first_instant_of_each_month_counts() -> None:
    days = [datetime(2017, *each, tzinfo=UTC) for each in ((1, 31), (1, 5), (2, 1), (2, 28))]
    assert first_of_months(days) == [days[1], days[2]]


def test_orders_that_stop_coming_are_told_first(matured_shop, helpers) -> None:
    assert [each.kind for each in findings(matured_shop) if not each.hint] == []
    until = helpers.now + timedelta(days=31)
    matured_shop.db.execute(
        "DELETE FROM activity WHERE kind = 'order' AND at >= ?", (micros(until - timedelta(days=7)),)
    )
    (found, *_) = findings(matured_shop)
    assert (found.kind, found.about) == ("data", "order")
    assert "0 in the last 7 days" in found.numbers


def test_what_to_believe_first_comes_first(matured_shop, monkeypatch) -> None:
    """Whatever objective it is about: the level of the last one before the ranking of the first."""

    def found(kind, about):
        return Finding(kind, about, "numbers", "cause", "next")

    monkeypatch.setattr(monitor, "data_findings", lambda _: iter([found("data", "order")]))
    monkeypatch.setattr(monitor, "calibration_finding", lambda about, _: found("calibration", about))
    monkeypatch.setattr(monitor, "ranking_finding", lambda about, _: found("ranking", about))
    monkeypatch.setattr(monitor, "drift_hint", lambda about, *_: found("drift", about))
    kinds = [each.kind for each in findings(matured_shop)]
    assert kinds == sorted(kinds, key=monitor.ORDER.index)
    assert kinds.count("calibration") == kinds.count("ranking") > 1


def test_nothing_is_told_of_an_empty_store(site) -> None:
    assert findings(site) == []
