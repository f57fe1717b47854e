"""Fewer activities than ever: noticed where there were enough, told once, and settled by a human."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Page
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync import cycle, inflow
from sync.progress import Silent

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def filled(site, helpers):
    """Store so many activities of a kind in each span of two weeks, the newest first."""

    def fill(*counts: int, kind: ActivityKind = ActivityKind.ORDER):
        rows = [
            Activity(f"{ago}-{n}", kind, NOW - ago * inflow.SPAN - timedelta(hours=n + 1), "1")
            for ago, count in enumerate(counts)
            for n in range(count)
        ]
        who = Contact("contacts", "1", "p1@shop.example", Consent.GRANTED)
        helpers.fill(site, {"contacts": [Page("contacts", "c", (who,), tuple(rows))]})
        return site.db

    return fill


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ((20, 50, 41, 60, 70, 80, 90), {"hubspot order": (20, 41)}),
        ((21, 50, 41, 60, 70, 80, 90), {}),
        ((0, 30, 30, 30, 30, 30, 30), {"hubspot order": (0, 30)}),
        ((0, 30, 30, 29, 30, 30, 30), {}),
        ((0, 300, 300, 300, 300, 300), {}),
        ((0,), {}),
    ],
)
def test_the_newest_span_is_measured_by_the_least_before_it(filled, counts, found) -> None:
    assert inflow.thin(filled(*counts), NOW, 0.5) == found


def test_what_the_shop_mails_itself_comes_and_goes(filled) -> None:
    assert inflow.thin(filled(0, *[100] * 6, kind=ActivityKind.CLICK), NOW, 0.5) == {}


def test_the_objection_has_its_numbers_the_cause_and_what_to_do() -> None:
    (text,) = inflow.objections({"shop-de order": (3, 41)}, (), 0.5)
    assert text.startswith("shop-de brought 3 activities of the kind order in the last 14 days, never fewer than 41")
    assert "Most likely a missing right" in text
    assert text.endswith("foretag run --accept-large-change")
    assert list(inflow.objections({"shop-de order": (3, 41)}, ["shop-de order"], 0.5)) == []


def test_a_run_is_refused_until_a_human_accepts_it_once(shop, monkeypatch) -> None:
    """`shop` has had a run that got through."""
    monkeypatch.setattr(inflow, "thin", lambda *_: {"hubspot order": (0, 40)})
    refused = cycle.run(shop, Silent())
    assert refused.verdict == "refused"
    assert any("hubspot brought 0 activities of the kind order" in each for each in refused.objections)
    assert cycle.run(shop, Silent()).verdict == "refused"
    assert cycle.run(shop, Silent(), accept_large_change=True).verdict != "refused"
    assert not any("brought" in each for each in cycle.run(shop, Silent()).objections)
