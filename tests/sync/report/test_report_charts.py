"""Pictures say what the numbers say: geometry read back from the drawing."""

from datetime import date
from xml.etree import ElementTree as ET

import pytest

from sync.report import charts
from sync.report.data import Flow, RealisedMonth, Segment
from sync.report.evaluation import GainsPoint, ReliabilityBin
from sync.report.flowchart import flow_picture
from sync.report.svg import WIDTH, Drawing


def drawn(markup: str, kind: str) -> list[ET.Element]:
    return [element for element in ET.fromstring(markup) if element.get("class") == kind]


def number(element: ET.Element, name: str) -> float:
    return float(str(element.get(name)))


def test_a_better_curve_lies_above_the_rule() -> None:
    points = [GainsPoint(0, 0, 0), GainsPoint(0.2, 0.6, 0.4), GainsPoint(1, 1, 1)]
    picture = charts.gains("g", "later buyers", points, "sentence")

    def heights(kind: str) -> list[float]:
        line = drawn(picture, kind)[0]
        return [float(pair.split(",")[1]) for pair in str(line.get("points")).split()]

    model, rule = heights("model"), heights("rule")
    assert model[1] < rule[1]
    assert (model[0], model[2]) == (rule[0], rule[2])
    assert number(drawn(picture, "dot")[0], "cy") == model[1]


def test_whiskers_reach_from_low_to_high_around_the_dot() -> None:
    bins = [ReliabilityBin(0.1, 0.12, 0.08, 0.16, 100), ReliabilityBin(0.3, 0.2, 0.1, 0.39, 12)]
    picture = charts.reliability("r", bins, "bought", "sentence")
    for whisker, dot in zip(
        drawn(picture, "whisker"), [*drawn(picture, "dot")[:1], *drawn(picture, "dot few")], strict=True
    ):
        assert number(whisker, "y2") < number(dot, "cy") < number(whisker, "y1")
        assert number(whisker, "x1") == number(dot, "cx")
    assert "40\u00a0%" in picture
    assert "100\u00a0%" not in picture


def test_bars_are_as_long_as_people_and_money() -> None:
    rows = [Segment("Loyal", "Loyal", 50, None, 400), Segment("Lost", "Lost", 100, None, 100)]
    picture = charts.segment_bars("s", rows, "EUR", "soon")
    people, money = drawn(picture, "bar")[1:], drawn(picture, "bar money")[1:]
    assert [number(bar, "width") for bar in people] == [WIDTH / 2, WIDTH]
    assert [number(bar, "width") for bar in money] == [WIDTH, WIDTH / 4]


def test_the_highest_column_has_the_most_people() -> None:
    heights = [number(bar, "height") for bar in drawn(charts.distribution("d", (5, 0, 10)), "bar")]
    assert heights == [33, 0, 66]


def test_a_month_shows_promise_and_outcome_in_their_places() -> None:
    row = RealisedMonth("buying", date(2017, 8, 1), 0.2, 300, 1000)
    picture = charts.months("m", [row], "sentence")
    promise, dot = drawn(picture, "promise")[0], drawn(picture, "dot")[0]
    assert number(promise, "x1") < number(dot, "cx")
    assert "Aug 2017" in picture


def test_bands_keep_inside_the_picture_and_lose_nobody() -> None:
    moves = [Flow("A", "B", 30, 1), Flow("A", None, 10, 1), Flow(None, "B", 5, 1), Flow("B", "A", 1, 1)]
    picture = flow_picture("f", moves, {"A": "Alpha", "B": "Beta"}, "sentence")
    height = float(str(ET.fromstring(picture).get("viewBox")).split()[3])
    nodes = drawn(picture, "node")
    assert sum(number(node, "height") for node in nodes) == pytest.approx(2 * 240, abs=0.5)
    assert all(number(node, "y") + number(node, "height") <= height for node in nodes)
    texts = [element.text for element in ET.fromstring(picture) if element.tag == "text"]
    assert texts == ["Alpha 40", "Beta 1", "Not scored 5", "Alpha 1", "Beta 35", "Not scored 10"]


def test_a_drawing_survives_any_text() -> None:
    drawing = Drawing("k", 10, "<&\"'>\x00\ud800", "]]>")
    drawing.text((0, 0), "</svg><script>")
    root = ET.fromstring(drawing.markup())
    assert [element.text for element in root] == ["<&\"'>", "]]>", "</svg><script>"]
