from datetime import timedelta
from types import SimpleNamespace

import pytest

from sync.clock import FixedClock
from sync.cycle import run
from sync.doubts import doubts, judged
from sync.plan import Plan
from sync.progress import Silent
from sync.score import score


@pytest.fixture
def judged_shop(shop, helpers):
    """The shop 31 days later: its first predictions of buying again have been judged."""
    shop.__dict__["clock"] = FixedClock(helpers.now + timedelta(days=31))
    score(shop, helpers.now + timedelta(days=31))
    return shop


def said(site, settled=None, **calls: int) -> list[str]:
    return list(doubts(site, Plan(site.clock.now(), "full", calls=calls), settled or {}))


def alter(site, path: str, value: str) -> None:
    site.db.execute(
        f"UPDATE realised SET found = json_set(found, '{path}', {value}) WHERE objective = 'repeat_purchase'"
    )


def test_before_a_month_was_judged_there_is_nothing_to_doubt(shop):
    assert judged(shop) == {}
    assert said(shop) == []


def test_predictions_that_came_true_are_not_doubted(judged_shop, helpers):
    alter(judged_shop, "$.predicted_mean", "found ->> '$.observed_mean' + 0.099")
    assert judged(judged_shop)["repeat_purchase"] == helpers.now.isoformat()
    assert [text for text in said(judged_shop) if text.startswith("Buys again")] == []


def test_a_month_that_was_off_by_more_than_ten_points_is_doubted_until_it_is_settled(judged_shop):
    alter(judged_shop, "$.predicted_mean", "found ->> '$.observed_mean' + 0.101")
    (text,) = [each for each in said(judged_shop) if each.startswith("Buys again")]
    assert "10 points off, limit 10" in text
    assert "foretag feedback; if it is right: foretag run --accept-large-change" in text
    assert said(judged_shop, judged(judged_shop)) == []
    judged_shop.db.execute("DELETE FROM promotion WHERE objective = 'repeat_purchase'")
    assert [each for each in said(judged_shop) if each.startswith("Buys again")] == []


def test_a_model_that_is_surely_worse_than_the_rule_of_thumb_is_doubted(judged_shop):
    alter(judged_shop, "$.model.metrics.auc.high", "0.6")
    alter(judged_shop, "$.rule.metrics.auc.value", "0.61")
    (text,) = [each for each in said(judged_shop) if each.startswith("Buys again")]
    assert "the rule of thumb had 0.610" in text


@pytest.mark.parametrize(("calls", "limit", "found"), [(70, 10, 0), (71, 10, 1), (10_000, None, 0)])
def test_more_calls_than_seven_days_have_are_doubted(site, calls, limit, found):
    site.__dict__["budgets"] = {"hubspot": SimpleNamespace(limit=limit, used=0)}
    texts = said(site, hubspot=calls)
    assert len(texts) == found
    assert all("71 calls, more than 7 days of the 10" in text for text in texts)


def test_a_doubt_refuses_the_run_and_a_human_settles_it(judged_shop, helpers, platform):
    alter(judged_shop, "$.predicted_mean", "found ->> '$.observed_mean' + 0.2")
    judged_shop.__dict__["clock"] = FixedClock(helpers.now + timedelta(days=32))
    refused = run(judged_shop, Silent())
    assert refused.verdict == "refused"
    assert any("points off" in each for each in refused.objections)
    assert platform.calls["write"] == 0
    judged_shop.__dict__["clock"] = FixedClock(helpers.now + timedelta(days=33))
    assert run(judged_shop, Silent(), accept_large_change=True).verdict == "ok"
    judged_shop.__dict__["clock"] = FixedClock(helpers.now + timedelta(days=34))
    assert not any("points off" in each for each in run(judged_shop, Silent()).objections)
