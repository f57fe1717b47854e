"""A report as a small shop would see it, and an empty one."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from sync.report.data import (
    Account,
    Flow,
    Headline,
    LogLine,
    Migration,
    Mover,
    Movers,
    Objective,
    RealisedMonth,
    ReportData,
    Segment,
    Skipped,
    ValueRange,
    Written,
)
from sync.report.evaluation import Candidate, Evaluation, GainsPoint, Interval, Metrics, ReliabilityBin
from sync.report.render import render

NOW = datetime(2017, 12, 1, 7, 14, tzinfo=UTC)


def metrics(auc: float, capture: float) -> Metrics:
    def near(value: float) -> Interval:
        return Interval(value, value - 0.021, value + 0.023)

    return Metrics(
        auc=near(auc),
        lift_20=near(capture * 5),
        capture_20=near(capture),
        precision=near(0.74),
        recall=near(capture),
        f1=near(0.53),
        brier=near(0.121),
        log_loss=near(0.377),
        ece=near(0.022),
    )


def money_metrics() -> Metrics:
    return Metrics(
        capture_20=Interval(0.61, 0.57, 0.64), gini=Interval(0.555, 0.5, 0.6), mae=Interval(3120, 3000, 3300)
    )


def curve() -> tuple[GainsPoint, ...]:
    return tuple(GainsPoint(s / 20, 1 - (1 - s / 20) ** 2.364, 1 - (1 - s / 20) ** 2.142) for s in range(21))


def evaluation() -> Evaluation:
    bins = (
        ReliabilityBin(0.03, 0.04, 0.02, 0.07, 402),
        ReliabilityBin(0.14, 0.13, 0.10, 0.17, 388),
        ReliabilityBin(0.31, 0.28, 0.22, 0.35, 240),
        ReliabilityBin(0.52, 0.41, 0.35, 0.48, 196),
        ReliabilityBin(0.74, 0.76, 0.69, 0.82, 171),
        ReliabilityBin(0.91, 0.8947, 0.69, 0.97, 19),
    )
    tried = (
        Candidate("logistic", metrics(0.871, 0.41), chosen=True),
        Candidate("boosting", metrics(0.873, 0.412)),
        Candidate("forest", metrics(0.866, 0.405)),
    )
    return Evaluation(
        tested_on=(date(2017, 11, 1),),
        rows=2312,
        outcomes=844,
        base_rate=0.365,
        metrics=metrics(0.871, 0.41),
        rule=metrics(0.842, 0.38),
        gains=curve(),
        reliability=bins,
        candidates=tried,
    )


def objectives() -> tuple[Objective, ...]:
    first = Objective(
        name="second_order",
        title="chance to buy again in 30 days",
        noun="later buyers",
        verb="bought",
        horizon_days=30,
        ahead="30 days ahead",
        rung="logistic",
        why="Simplest within noise of the best: log-loss 0.377 against 0.376 for boosting.",
        evaluation=evaluation(),
        score_counts=(620, 410, 300, 240, 180, 150, 130, 120, 102, 60),
        features=("recency_days", "orders_90d", "spend_90d"),
        card={"model": "logistic", "training": {"cuts": 6, "rows": 13402}},
    )
    money = replace(
        first,
        name="value",
        title="spending in the next 30 days",
        noun="later spending",
        verb="spent",
        measures="money",
        ranges=(ValueRange(40, 31_240, 0, 64_000), ValueRange(210, 2_050, 0, 9_900)),
        evaluation=replace(evaluation(), reliability=(), metrics=money_metrics(), candidates=()),
        score_counts=(),
    )
    refused = Objective(
        name="response",
        title="chance to answer a campaign in 30 days",
        noun="people who answer",
        verb="answered",
        horizon_days=30,
        ahead="30 days ahead",
        rung="none",
        why="",
        refused="38 more answers are needed; at the present pace that is in March.",
    )
    return (first, money, refused)


def segments() -> tuple[Segment, ...]:
    rows = (
        ("Champions", 402, 396, 6_412_000),
        ("Loyal", 520, 541, 4_120_000),
        ("Rising", 118, 96, 610_000),
        ("Promising", 255, 260, 702_000),
        ("New", 132, 140, 122_000),
        ("Steady", 404, 404, 1_480_000),
        ("Cooling", 171, 149, 806_000),
        ("At risk", 190, 186, 1_230_000),
        ("Lost", 120, 140, 31_000),
    )
    return tuple(Segment(name, name, people, before, cents) for name, people, before, cents in rows)


def movers() -> Movers:
    up = tuple(
        Mover(f"Lena {letter}.", f"HubSpot {51200 + place}", 21 + place, 64 - place, "2 orders in the last 30 days")
        for place, letter in enumerate("KABCDEFG")
    )
    down = (
        Mover("Jonas W.", "Mailchimp 9a1f", 83, 41, "last order 94 days ago, usually every 41 days"),
        Mover("m…@….de", "Salesforce 003", 60, 33, "no click for 60 days", url="https://example.test/003"),
    )
    return Movers("chance to buy again in 30 days", up, down)


def migration() -> Migration:
    return Migration(
        since=datetime(2017, 11, 24, 7, 12, tzinfo=UTC),
        flows=(
            Flow("Champions", "Champions", 378, 6_001_000),
            Flow("Champions", "Cooling", 18, 940_000),
            Flow("Loyal", "Champions", 24, 402_000),
            Flow("Loyal", "At risk", 9, 101_000),
            Flow("Steady", "Cooling", 21, 96_000),
            Flow("New", "Rising", 22, 61_000),
            Flow("Lost", "Steady", 20, 30_000),
            Flow("At risk", "Lost", 6, 12_000),
            Flow(None, "New", 14, 0),
        ),
    )


def written() -> tuple[Written, ...]:
    skipped = (Skipped("opted out of profiling", 218), Skipped("score moved less than 5 points", 1420))
    return (
        Written("hubspot", "shop-de", 402, 1608, 0, 5, 0, skipped),
        Written("mailchimp", "newsletter", 377, 754, 52, 2, 3),
    )


@pytest.fixture
def empty() -> ReportData:
    return ReportData(
        generated_at=NOW,
        as_of=NOW,
        mode="shadow",
        currency="EUR",
        headline=Headline("degraded", ("No scores yet",)),
        value_label="in the next 12 months",
        seed=7,
    )


@pytest.fixture
def sample(empty: ReportData) -> ReportData:
    months = ((8, 0.36, 812, 2201), (9, 0.37, 790, 2260), (10, 0.41, 806, 2290), (11, 0.32, 7, 19))
    return replace(
        empty,
        mode="pilot",
        headline=Headline(
            "ok",
            ("Scores are fresh (07:14 today)", "logistic model on 844 buyers", "mode pilot 20 %"),
            ("18 Champions are cooling", "3 contacts could not be written", "October was over-predicted"),
        ),
        accounts=(Account("hubspot", "shop-de", 2312, 212, 9), Account("mailchimp", "newsletter", 1990, 1203, 14)),
        objectives=objectives(),
        realised=tuple(
            RealisedMonth(
                "chance to buy again in 30 days", date(2017, month, 1), p, hits, n, Interval(0.86, 0.84, 0.88)
            )
            for month, p, hits, n in months
        ),
        segments=segments(),
        migration=migration(),
        movers=movers(),
        written=written(),
        run_log=(LogLine(NOW, "pull", "hubspot: 212 rows in 9 calls"), LogLine(NOW, "apply", "779 contacts written")),
        versions={"foretag": "0.1.0", "scikit-learn": "1.9.1"},
        control_group=True,
    )


@dataclass
class Page:
    """A page taken apart: elements in order with their attributes, and text per section."""

    html: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    text: dict[str, str] = field(default_factory=dict)

    def has(self, tag: str) -> bool:
        return any(name == tag for name, _ in self.elements)

    def drawings(self) -> list[ET.Element]:
        return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", self.html, re.DOTALL)]

    def sections(self) -> list[str]:
        return [str(attributes["id"]) for tag, attributes in self.elements if tag == "section"]


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page, self.open, self.section = page, list[str](), "top"
        self.feed(page.html)
        self.close()
        page.unbalanced += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, dict(attrs)))
        if tag == "section":
            self.section = str(dict(attrs)["id"])
        self.handle_data(" ")
        if tag not in {"meta", "br", "img", "link", "hr", "input"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.page.unbalanced.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.page.text[self.section] = self.page.text.get(self.section, "") + data


@pytest.fixture
def read() -> Callable[[ReportData], Page]:
    """Render a report and take the page apart."""

    def rendered(data: ReportData) -> Page:
        page = Page(render(data))
        _Reader(page)
        page.text = {name: " ".join(text.replace("\u00a0", " ").split()) for name, text in page.text.items()}
        return page

    return rendered
