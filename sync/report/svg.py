"""A drawing with a title, built as an XML tree so that any text in it is escaped and it is always well-formed."""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from markupsafe import Markup

WIDTH = 360


def clean(text: str) -> str:
    """Without control characters and lone surrogates, which neither XML nor a file can hold."""
    return "".join(
        c for c in text if c in "\n\t" or not (ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000)
    )


class Drawing:
    """An inline `<svg>`, 360 units wide, that scales with the page; `key` must be unique on it.

    Colours come from CSS classes, so that light, dark and print need one drawing.
    """

    def __init__(self, key: str, height: float, title: str, description: str) -> None:
        self._root = ET.Element(
            "svg",
            {
                "viewBox": f"0 0 {WIDTH} {height:g}",
                "role": "img",
                "class": "chart",
                "aria-labelledby": f"{key}-title {key}-text",
            },
        )
        for tag, ident, text in (("title", "title", title), ("desc", "text", description)):
            ET.SubElement(self._root, tag, {"id": f"{key}-{ident}"}).text = clean(text)

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """A straight line between two points."""
        ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
        self._add("line", kind, ends)

    def path(self, points: Iterable[tuple[float, float]], kind: str) -> None:
        """Points joined by straight lines."""
        steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        ET.SubElement(self._root, "polyline", {"points": steps, "class": kind})

    def ribbon(self, start: tuple[float, float], end: tuple[float, float], thickness: float, kind: str) -> None:
        """A smooth band from left to right; the points are its upper corners."""
        (x0, y0), (x1, y1), middle = start, end, (start[0] + end[0]) / 2
        upper = f"M{x0:.1f},{y0:.1f} C{middle:.1f},{y0:.1f} {middle:.1f},{y1:.1f} {x1:.1f},{y1:.1f}"
        y0, y1 = y0 + thickness, y1 + thickness
        lower = f"L{x1:.1f},{y1:.1f} C{middle:.1f},{y1:.1f} {middle:.1f},{y0:.1f} {x0:.1f},{y0:.1f} Z"
        ET.SubElement(self._root, "path", {"d": f"{upper} {lower}", "class": kind})

    def bar(self, corner: tuple[float, float], width: float, height: float, kind: str) -> None:
        """A rectangle with slightly round corners; `corner` is the upper left."""
        size = {"x": corner[0], "y": corner[1], "width": max(width, 0.0), "height": max(height, 0.0), "rx": 2}
        self._add("rect", kind, size)

    def dot(self, centre: tuple[float, float], radius: float, kind: str) -> None:
        """A circle."""
        self._add("circle", kind, {"cx": centre[0], "cy": centre[1], "r": radius})

    def text(self, at: tuple[float, float], words: str, kind: str = "", *, anchor: str = "start") -> None:
        """Words at a base point; `anchor` is start, middle or end."""
        place = {"x": f"{at[0]:.1f}", "y": f"{at[1]:.1f}", "text-anchor": anchor, "class": f"text {kind}".strip()}
        ET.SubElement(self._root, "text", place).text = clean(words)

    def markup(self) -> Markup:
        """The finished drawing, safe to place in a page."""
        return Markup(ET.tostring(self._root, encoding="unicode"))  # noqa: S704 - built by ElementTree, which escapes

    def _add(self, tag: str, kind: str, numbers: dict[str, float]) -> None:
        ET.SubElement(self._root, tag, {name: f"{value:.1f}" for name, value in numbers.items()} | {"class": kind})
