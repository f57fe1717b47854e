"""On which line of a TOML file a setting stands (tomllib reads values only)."""

import re
from collections.abc import Sequence

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TEXT = re.compile(
    r'''
      """ (?:[^\\]|\\.)*? "{3,5}  |  '{3} .*? '{3,5}    # over several lines
    | " (?:[^"\\\n]|\\.)* "     |  ' [^'\n]* '
    ''',
    re.DOTALL | re.VERBOSE,
)
_PLAIN = re.compile(r"[^,\]}#\n]+")


def line_of(lines: dict[Path, int], path: Sequence[str | int]) -> int:
    """The line of `path`, or of the nearest thing around it that is in the file; 1 for nothing at all."""
    for length in range(len(path), 0, -1):
        if line := lines.get(tuple(path[:length])):
            return line
    return 1


def find_lines(text: str) -> dict[Path, int]:
    """The line of every table, key and array element of valid TOML, by path: `("hubspot", 0, "name")` → 7."""
    return _Reader(text).read()


class _Reader:
    """Walks over the text once; knows just enough TOML to tell where a value ends."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.elements: dict[Path, int] = {}
        """How many `[[tables]]` of this path there are so far."""

    def read(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._setting(table)
            self._skip(_BLANK)
        return self.lines

    def _header(self) -> Path:
        is_array = self.text.startswith("[[", self.at)
        line = self._line()
        self.at += 2 if is_array else 1
        keys = self._dotted_key()
        self.at += 2 if is_array else 1
        path = self._inside_arrays(keys[:-1], line)
        last = (*path, keys[-1])
        self.lines.setdefault(last, line)
        if not is_array:
            return last
        index = self.elements.get(last, 0)
        self.elements[last] = index + 1
        self.lines[(*last, index)] = line
        return (*last, index)

    def _inside_arrays(self, keys: Sequence[str], line: int) -> Path:
        """`[hubspot.x]` after a `[[hubspot]]` belongs to the latest element."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            self.lines.setdefault(path, line)
            if count := self.elements.get(path):
                path = (*path, count - 1)
        return path

    def _setting(self, table: Path) -> None:
        line = self._line()
        keys = self._dotted_key()
        for length in range(1, len(keys) + 1):
            self.lines.setdefault((*table, *keys[:length]), line)
        self.at += 1  # the equals sign
        self._value((*table, *keys))

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        opening = self.text[self.at]
        if opening in "[{":
            self._elements(path, "]" if opening == "[" else "}")
        else:
            self._skip(_TEXT if opening in "\"'" else _PLAIN)

    def _elements(self, path: Path, closing: str) -> None:
        """What is between the brackets of an array or an inline table."""
        self.at += 1
        index = 0
        self._skip(_BLANK)
        while self.text[self.at] != closing:
            if closing == "]":
                self.lines[(*path, index)] = self._line()
                self._value((*path, index))
                index += 1
            else:
                self._setting(path)
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
                self._skip(_BLANK)
        self.at += 1

    def _dotted_key(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            key = self._skip(_KEY)
            keys.append(key[1:-1] if key[0] in "\"'" else key)
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise ValueError(f"line {self._line()}: not the TOML this reader knows")
        self.at = found.end()
        return found[0]

    def _line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1
