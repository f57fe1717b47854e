"""The pictures: each is one inline drawing; the page prints the same numbers as a table below it."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sync.counted import counted
from sync.report.data import RealisedMonth, Segment
from sync.report.evaluation import GainsPoint, ReliabilityBin
from sync.report.numbers import FEWEST_FOR_PERCENT, money, percent, proportion_range, whole
from sync.report.svg import WIDTH, Drawing

_NICE_TOPS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class _Plot:
    """The square in which points live: both axes run from 0 to `top`."""

    top: float
    left: float = 40
    right: float = WIDTH - 12
    upper: float = 12
    lower: float = 218

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (
            self.left + (self.right - self.left) * x / self.top,
            self.lower - (self.lower - self.upper) * y / self.top,
        )

    def axes(self, drawing: Drawing, below: str) -> None:
        for step in range(5):
            value = self.top * step / 4
            drawing.line(self.at(0, value), self.at(self.top, value), "grid")
            _, y = self.at(0, value)
            drawing.text((self.left - 5, y + 3.5), percent(value), "muted", anchor="end")
            x, _ = self.at(value, 0)
            drawing.text((x, self.lower + 15), percent(value), "muted", anchor="end" if step == 4 else "middle")
        drawing.text(((self.left + self.right) / 2, self.lower + 31), below, "muted", anchor="middle")


def gains(key: str, noun: str, points: Sequence[GainsPoint], sentence: str) -> Markup:
    """Share of outcomes found when people are taken best score first, beside the rule of thumb and chance."""
    drawing = Drawing(key, 276, f"How many of the {noun} the best scores hold", sentence)
    plot = _Plot(1.0)
    plot.axes(drawing, "share of people, best score first")
    drawing.line(plot.at(0, 0), plot.at(1, 1), "random")
    drawing.path([plot.at(p.people, p.rule) for p in points], "rule")
    drawing.path([plot.at(p.people, p.outcomes) for p in points], "model")
    fifth = min(points, key=lambda p: abs(p.people - 0.2))
    drawing.line(plot.at(fifth.people, 0), plot.at(fifth.people, fifth.outcomes), "guide")
    drawing.dot(plot.at(fifth.people, fifth.outcomes), 4.5, "dot")
    for x, kind, word in ((44, "model", "our scores"), (140, "rule", "rule of thumb"), (256, "random", "random")):
        drawing.line((x, 265), (x + 20, 265), kind)
        drawing.text((x + 25, 268.5), word)
    return drawing.markup()


def reliability(key: str, bins: Sequence[ReliabilityBin], verb: str, sentence: str) -> Markup:
    """What was promised against what happened, with the likely range as whiskers."""
    highest = max(max(one.predicted, one.high) for one in bins)
    plot = _Plot(next((top for top in _NICE_TOPS if top >= highest), 1.0))
    drawing = Drawing(key, 276, "Do our percentages come true?", sentence)
    plot.axes(drawing, "the chance we gave")
    drawing.line(plot.at(0, 0), plot.at(plot.top, plot.top), "random")
    for one in bins:
        drawing.line(plot.at(one.predicted, one.low), plot.at(one.predicted, one.high), "whisker")
        drawing.dot(plot.at(one.predicted, one.observed), 4.5, "dot" if one.n >= FEWEST_FOR_PERCENT else "dot few")
    drawing.dot((50, 265), 4.5, "dot")
    drawing.text((60, 268.5), f"really {verb}")
    drawing.line((196, 265), (216, 265), "random")
    drawing.text((221, 268.5), "every promise kept")
    return drawing.markup()


def distribution(key: str, counts: Sequence[int]) -> Markup:
    """How many people have which score, in equal steps from 0 to 100."""
    drawing = Drawing(
        key, 112, "How the scores are spread", f"{counted(sum(counts), 'person')} by score from 0 to 100."
    )
    left, step, most = 40.0, (WIDTH - 52) / len(counts), max(max(counts), 1)
    for place, count in enumerate(counts):
        height = 66 * count / most
        drawing.bar((left + place * step + 1.5, 84 - height), step - 3, height, "bar")
        if count:
            drawing.text((left + (place + 0.5) * step, 80 - height), whole(count), "tiny muted", anchor="middle")
    drawing.line((left, 84), (WIDTH - 12, 84), "axis")
    for score in (0, 50, 100):
        drawing.text((left + (WIDTH - 52) * score / 100, 99), str(score), "muted", anchor="middle")
    return drawing.markup()


def segment_bars(key: str, segments: Sequence[Segment], currency: str, value_label: str) -> Markup:
    """People and expected money per segment, one pair of bars each, both as shares of the whole."""
    row = 46
    title = "People and expected money per segment"
    drawing = Drawing(key, 24 + row * len(segments), title, f"Expected value: {value_label}.")
    drawing.bar((0, 4), 12, 8, "bar")
    drawing.text((17, 12), "people")
    drawing.bar((70, 5), 12, 6, "bar money")
    drawing.text((87, 12), "expected money")
    most_people = max(max(one.people for one in segments), 1)
    most_money = max(max(one.value_cents for one in segments), 1)
    for place, one in enumerate(segments):
        y = 24 + row * place
        drawing.text((0, y + 14), one.name, "strong")
        drawing.text((WIDTH, y + 14), f"{whole(one.people)} · {money(one.value_cents, currency)}", anchor="end")
        drawing.bar((0, y + 20), WIDTH, 17, "track")
        drawing.bar((0, y + 20), WIDTH * one.people / most_people, 10, "bar")
        drawing.bar((0, y + 31), WIDTH * one.value_cents / most_money, 6, "bar money")
    return drawing.markup()


def months(key: str, rows: Sequence[RealisedMonth], sentence: str) -> Markup:
    """Predicted against realised share per month, with the likely range of what happened."""
    ranges = [proportion_range(row.realised, row.n) for row in rows]
    highest = max(max(row.predicted, seen.high) for row, seen in zip(rows, ranges, strict=True))
    top = next((value for value in _NICE_TOPS if value >= highest), 1.0)
    height = 40 + 30 * len(rows)
    drawing = Drawing(key, height, "Predicted and what happened, by month", sentence)
    left, right = 74.0, WIDTH - 14.0

    def x(share: float) -> float:
        return left + (right - left) * share / top

    for step in range(5):
        drawing.line((x(top * step / 4), 8), (x(top * step / 4), height - 40), "grid")
        drawing.text((x(top * step / 4), height - 26), percent(top * step / 4), "muted", anchor="middle")
    for place, (row, seen) in enumerate(zip(rows, ranges, strict=True)):
        y = 22.0 + 30 * place
        drawing.text((0, y + 4), f"{row.month:%b %Y}")
        drawing.line((x(seen.low), y), (x(seen.high), y), "whisker")
        drawing.dot((x(seen.value), y), 4.5, "dot" if row.n >= FEWEST_FOR_PERCENT else "dot few")
        drawing.line((x(row.predicted), y - 9), (x(row.predicted), y + 9), "promise")
    drawing.dot((80, height - 8), 4.5, "dot")
    drawing.text((90, height - 4), "happened")
    drawing.line((180, height - 15), (180, height - 1), "promise")
    drawing.text((188, height - 4), "predicted")
    return drawing.markup()
