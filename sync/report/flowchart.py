"""The migration picture: bands from the segments people left to those they entered."""

from collections.abc import Sequence

from markupsafe import Markup

from sync.report.data import Flow
from sync.report.numbers import whole
from sync.report.playbooks import direction
from sync.report.svg import WIDTH, Drawing

_UNSCORED = "Not scored"
_LABELS = 92.0
_TALLEST = 240.0
_GAP = 12.0
_THINNEST = 12.0


def flow_picture(key: str, moves: Sequence[Flow], labels: dict[str, str], sentence: str) -> Markup:
    """Who moved where, band width by people; those who stayed are left out.

    `labels` gives the shown name per segment key, best first. Colour and edge of a band tell its direction; the
    words stand in the table below it.
    """
    places = [*labels, None]
    scale = _TALLEST / max(sum(one.people for one in moves), 1)
    left = _stack([one.origin for one in moves], [one.people for one in moves], places, scale)
    right = _stack([one.target for one in moves], [one.people for one in moves], places, scale)
    height = max(_bottom(left), _bottom(right)) + 8
    drawing = Drawing(key, height, "Who moved from which segment to which", sentence)
    start, end = _LABELS, WIDTH - _LABELS
    from_used = dict.fromkeys(left, 0.0)
    to_used = dict.fromkeys(right, 0.0)
    for one in sorted(moves, key=lambda m: (places.index(m.origin), places.index(m.target))):
        thickness = one.people * scale
        upper_left = left[one.origin][0] + from_used[one.origin]
        upper_right = right[one.target][0] + to_used[one.target]
        from_used[one.origin] += thickness
        to_used[one.target] += thickness
        kind = f"ribbon {direction(one.origin, one.target)}"
        drawing.ribbon((start + 5, upper_left), (end - 5, upper_right), thickness, kind)
    for side, x, text_x, anchor in ((left, start, start - 6, "end"), (right, end - 5, end + 6, "start")):
        for segment, (y, tall, people) in side.items():
            drawing.bar((x, y), 5, tall, "node")
            name = _UNSCORED if segment is None else labels[segment]
            drawing.text((text_x, y + tall / 2 + 4), f"{name} {whole(people)}", anchor=anchor)
    return drawing.markup()


def _stack(
    ends: Sequence[str | None], people: Sequence[int], places: Sequence[str | None], scale: float
) -> dict[str | None, tuple[float, float, int]]:
    """Per segment that has people: upper edge, height and people, from top to bottom in the order of `places`."""
    totals = {place: sum(n for end, n in zip(ends, people, strict=True) if end == place) for place in places}
    stack: dict[str | None, tuple[float, float, int]] = {}
    y = 8.0
    for place, total in totals.items():
        if total:
            stack[place] = (y, total * scale, total)
            y += max(total * scale, _THINNEST) + _GAP
    return stack


def _bottom(stack: dict[str | None, tuple[float, float, int]]) -> float:
    return max((y + max(tall, _THINNEST) for y, tall, _ in stack.values()), default=0.0)
