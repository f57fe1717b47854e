"""From the words of a SOQL text to what it asks for."""

from dataclasses import dataclass

from sandbox.salesforce.errors import malformed
from sandbox.salesforce.soql.tokens import Token, at, tokenize

_COMPARISONS = {"=", "!=", "<>", "<", "<=", ">", ">="}
_RESERVED = {"AND", "OR", "NOT", "WHERE", "FROM", "ORDER", "LIMIT", "OFFSET", "GROUP", "HAVING", "SELECT", "LIKE", "IN"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`; IN, NOT IN, INCLUDES and EXCLUDES have several values, the others one."""

    field: Token
    operator: str
    values: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Junction:
    """All (AND) or any (OR) of the parts hold."""

    operator: str
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The part does not hold."""

    part: "Condition"


Condition = Comparison | Junction | Negation


@dataclass(frozen=True, slots=True)
class Ordering:
    """One field of ORDER BY."""

    field: Token
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. `fields` is empty for COUNT()."""

    text: str
    fields: tuple[Token, ...]
    source: Token
    where: Condition | None
    order: tuple[Ordering, ...]
    limit: int | None
    offset: int


def parse(text: str) -> Query:
    """Read a query; MALFORMED_QUERY when it is none."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._tokens, self._place = text, tokenize(text), 0

    def query(self) -> Query:
        self._word("SELECT")
        fields = self._fields()
        self._word("FROM")
        source = self._name()
        where = self._condition() if self._accept("WHERE") else None
        order = self._order() if self._accept("ORDER") else ()
        limit = self._whole_number() if self._accept("LIMIT") else None
        offset = self._whole_number() if self._accept("OFFSET") else 0
        if self._next.kind != "end":
            self._unexpected()
        return Query(self._text, fields, source, where, order, limit, offset)

    def _fields(self) -> tuple[Token, ...]:
        if self._next.is_word("COUNT") and self._tokens[self._place + 1].text == "(":
            self._place += 1
            self._symbol("(")
            self._symbol(")")
            return ()
        fields = [self._name()]
        while self._accept_symbol(","):
            fields.append(self._name())
        return tuple(fields)

    def _condition(self) -> Condition:
        parts = [self._term()]
        joint = self._next.text.upper()
        while self._next.is_word("AND", "OR"):
            if not self._next.is_word(joint):
                self._unexpected()  # AND and OR side by side need parentheses
            self._place += 1
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Junction(joint, tuple(parts))

    def _term(self) -> Condition:
        if self._accept("NOT"):
            return Negation(self._term())
        if self._accept_symbol("("):
            inner = self._condition()
            self._symbol(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        field = self._name()
        if self._next.text in _COMPARISONS:
            operator = self._take().text
            return Comparison(field, "!=" if operator == "<>" else operator, (self._value(),))
        if self._accept("LIKE"):
            return Comparison(field, "LIKE", (self._value(),))
        for word in ("IN", "INCLUDES", "EXCLUDES"):
            if self._accept(word):
                return Comparison(field, word, self._values())
        self._word("NOT")
        self._word("IN")
        return Comparison(field, "NOT IN", self._values())

    def _values(self) -> tuple[Token, ...]:
        self._symbol("(")
        values = [self._value()]
        while self._accept_symbol(","):
            values.append(self._value())
        self._symbol(")")
        return tuple(values)

    def _value(self) -> Token:
        if self._next.kind in ("string", "number", "date", "datetime") or self._next.is_word("NULL", "TRUE", "FALSE"):
            return self._take()
        return self._unexpected()

    def _order(self) -> tuple[Ordering, ...]:
        self._word("BY")
        order = [self._ordering()]
        while self._accept_symbol(","):
            order.append(self._ordering())
        return tuple(order)

    def _ordering(self) -> Ordering:
        field = self._name()
        descending = self._accept("DESC") or (self._accept("ASC") and False)
        nulls_last = False
        if self._accept("NULLS"):
            nulls_last = self._accept("LAST")
            if not nulls_last:
                self._word("FIRST")
        return Ordering(field, descending, nulls_last)

    def _whole_number(self) -> int:
        token = self._take() if self._next.kind == "number" else self._unexpected()
        if not token.text.isdigit():
            raise at(malformed(f"unexpected token: '{token.text}'"), self._text, token.position)
        return int(token.text)

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _name(self) -> Token:
        return self._take() if self._next.kind == "name" and not self._next.is_word(*_RESERVED) else self._unexpected()

    def _accept(self, word: str) -> bool:
        found = self._next.is_word(word)
        self._place += found
        return found

    def _accept_symbol(self, symbol: str) -> bool:
        found = self._next.kind == "symbol" and self._next.text == symbol
        self._place += found
        return found

    def _word(self, word: str) -> None:
        if not self._accept(word):
            self._unexpected()

    def _symbol(self, symbol: str) -> None:
        if not self._accept_symbol(symbol):
            self._unexpected()

    def _unexpected(self) -> Token:
        raise at(malformed(f"unexpected token: '{self._next.text}'"), self._text, self._next.position)
