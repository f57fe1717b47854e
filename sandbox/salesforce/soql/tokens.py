"""The words a SOQL text is made of."""

import re
from dataclasses import dataclass

from sandbox.salesforce.errors import RequestError, malformed

_TOKEN = re.compile(
    r"""
      (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d(?![\d:T]))
    | (?P<number>[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?![\w.]))
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<symbol><=|>=|!=|<>|[=<>(),])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_BLANK = re.compile(r"\s*")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word; `kind` is datetime, date, number, name, string, symbol or end."""

    kind: str
    text: str
    position: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "name" and self.text.upper() in words


def tokenize(text: str) -> list[Token]:
    """The words of `text`, closed by one of kind `end`; MALFORMED_QUERY at a character that starts none."""
    found: list[Token] = []
    position = _skip(text, 0)
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise at(malformed(f"unexpected token: '{text[position]}'"), text, position)
        found.append(Token(match.lastgroup, match.group(), position))
        position = _skip(text, match.end())
    return [*found, Token("end", "<EOF>", position)]


def _skip(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def unquote(quoted: str, *, pattern: bool = False) -> str:
    r"""What a quoted text stands for. In a LIKE pattern `\_` and `\%` are left for the pattern to read.

    ValueError at an escape SOQL does not have.
    """

    def replace(match: re.Match[str]) -> str:
        escape = match.group(1)
        if len(escape) > 1:
            return chr(int(escape[1:], 16))
        if pattern and escape in "_%\\":
            return match.group()
        return _ESCAPES[escape]

    try:
        return _ESCAPE.sub(replace, quoted[1:-1])
    except KeyError as escape:
        raise ValueError(f"Invalid string literal {quoted}. Illegal character sequence '\\{escape.args[0]}'") from None


def at(error: RequestError, text: str, position: int) -> RequestError:
    """`error` with the place in the query put before its message, as the real answer has it."""
    row = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    around = text[max(0, position - 50) : position + 50].replace("\n", " ")
    pointer = " " * min(position, 50) + "^"
    message = f"\n{around}\n{pointer}\nERROR at Row:{row}:Column:{column}\n{error.message}"
    return RequestError(error.status, error.code, message)
