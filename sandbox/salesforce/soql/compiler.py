"""From a parsed query to plain functions: is this record wanted, what is its sort key, what is shown of it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.errors import RequestError, malformed
from sandbox.salesforce.schema import TEXTS, Catalogue, ObjectType, Record
from sandbox.salesforce.soql.columns import Selection, column, select
from sandbox.salesforce.soql.literals import read_literal
from sandbox.salesforce.soql.parser import Comparison, Condition, Junction, Negation, Ordering, Query, parse
from sandbox.salesforce.soql.tokens import Token, at, unquote

Test = Callable[[Record], bool]
Order = tuple[tuple[Callable[[Record], Any], Ordering], ...]
_DEEPEST_OFFSET = 2000


@dataclass(frozen=True, slots=True)
class Plan:
    """A query ready to run. `selection` is None for COUNT()."""

    source: ObjectType
    selection: Selection | None
    where: Test | None
    order: Order
    limit: int | None
    offset: int

    def run(self, records: Iterable[Record]) -> list[Record]:
        """The records wanted, in the order asked for."""
        found = list(records) if self.where is None else list(filter(self.where, records))
        found = _ordered(found, self.order)
        return found[self.offset : None if self.limit is None else self.offset + self.limit]


def compile_query(text: str, catalogue: Catalogue) -> Plan:
    """Read a query and check every name and value in it; raises the error the real one answers."""
    query = parse(text)
    source = catalogue.find(query.source.text)
    if source is None:
        message = (
            f"sObject type '{query.source.text}' is not supported. If you are attempting to use a custom object, "
            "be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call "
            "for the appropriate names."
        )
        raise at(RequestError(400, "INVALID_TYPE", message), text, query.source.position)
    if query.offset > _DEEPEST_OFFSET:
        raise RequestError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_DEEPEST_OFFSET}")
    compiler = _Compiler(query, source, catalogue)
    return Plan(
        source,
        select(query.fields, source, catalogue, text) if query.fields else None,
        compiler.test(query.where) if query.where else None,
        tuple((compiler.sortable(each), each) for each in query.order),
        query.limit,
        query.offset,
    )


class _Compiler:
    def __init__(self, query: Query, source: ObjectType, catalogue: Catalogue) -> None:
        self._text, self._source, self._catalogue = query.text, source, catalogue

    def test(self, condition: Condition) -> Test:
        match condition:
            case Junction("AND", parts):
                return _all(tuple(self.test(part) for part in parts))
            case Junction(_, parts):
                return _any(tuple(self.test(part) for part in parts))
            case Negation(part):
                inner = self.test(part)
                return lambda record: not inner(record)
            case Comparison():
                return self._comparison(condition)

    def sortable(self, ordering: Ordering) -> Callable[[Record], Any]:
        found = column(ordering.field, self._source, self._catalogue, self._text)
        if not found.field.filterable or found.field.type == "multipicklist":
            raise self._refuse(f"field '{found.field.name}' can not be sorted in a query call", ordering.field)
        return found.read

    def _comparison(self, condition: Comparison) -> Test:
        found = column(condition.field, self._source, self._catalogue, self._text)
        field, read = found.field, found.read
        if not field.filterable:
            raise self._refuse(f"field '{field.name}' can not be filtered in a query call", condition.field)
        if condition.operator == "LIKE":
            return self._like(condition, read)
        if (condition.operator in ("INCLUDES", "EXCLUDES")) != (field.type == "multipicklist") and (
            condition.operator not in ("=", "!=")
        ):
            raise self._refuse(f"invalid operator on {field.type} field '{field.name}'", condition.field)
        try:
            values = tuple(read_literal(token, field) for token in condition.values)
        except RequestError as error:
            raise at(error, self._text, condition.field.position) from None
        if field.type in TEXTS and field.type not in ("id", "reference"):
            return _comparator(
                condition.operator, tuple(map(_casefold, values)), lambda record: _casefold(read(record))
            )
        return _comparator(condition.operator, values, read)

    def _like(self, condition: Comparison, read: Callable[[Record], Any]) -> Test:
        token = condition.values[0]
        if token.kind != "string":
            raise at(malformed(f"unexpected token: '{token.text}'"), self._text, token.position)
        try:
            pattern = _like_pattern(unquote(token.text, pattern=True))
        except ValueError as error:
            raise at(malformed(str(error)), self._text, token.position) from None
        return lambda record: isinstance(value := read(record), str) and pattern.fullmatch(value) is not None

    def _refuse(self, message: str, token: Token) -> RequestError:
        return at(RequestError(400, "INVALID_FIELD", message), self._text, token.position)


def _casefold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _comparator(operator: str, values: tuple[Any, ...], read: Callable[[Record], Any]) -> Test:
    first, several = values[0], frozenset(values)
    match operator:
        case "=":
            return lambda record: read(record) == first
        case "!=":
            return lambda record: read(record) != first
        case "IN":
            return lambda record: read(record) in several
        case "NOT IN":
            return lambda record: read(record) not in several
        case "INCLUDES" | "EXCLUDES":
            groups = [frozenset((value or "").split(";")) for value in values]
            wanted = operator == "INCLUDES"
            return lambda record: wanted == any(group <= set((read(record) or "").split(";")) for group in groups)
    return _nothing if first is None else _order_test(operator, first, read)


def _nothing(_: Record) -> bool:
    return False


def _order_test(operator: str, bound: Any, read: Callable[[Record], Any]) -> Test:
    if operator == "<":
        return lambda record: (value := read(record)) is not None and value < bound
    if operator == "<=":
        return lambda record: (value := read(record)) is not None and value <= bound
    if operator == ">":
        return lambda record: (value := read(record)) is not None and value > bound
    return lambda record: (value := read(record)) is not None and value >= bound


def _all(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda record: first(record) and second(record)
    return lambda record: all(test(record) for test in tests)


def _any(tests: tuple[Test, ...]) -> Test:
    return lambda record: any(test(record) for test in tests)


def _like_pattern(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|%|_|[^\\%_]+", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(_literal(part)) for part in parts), re.DOTALL | re.IGNORECASE)


def _literal(part: str) -> str:
    return part[1:] if part.startswith("\\") else part


def _ordered(records: list[Record], order: Order) -> list[Record]:
    """Sorted by the first field of `order`, and runs of one value by the rest."""
    if not order or len(records) < 2:
        return records
    (read, ordering), rest = order[0], order[1:]
    keys = list(map(read, records))
    if None in keys:
        pairs = list(zip(keys, records, strict=True))
        empty = _ordered([record for key, record in pairs if key is None], rest)
        filled = _ordered([record for key, record in pairs if key is not None], order)
        return filled + empty if ordering.nulls_last else empty + filled
    places = sorted(range(len(keys)), key=keys.__getitem__, reverse=ordering.descending)
    found = [records[place] for place in places]
    return _ordered_within(found, [keys[place] for place in places], rest) if rest else found


def _ordered_within(records: list[Record], keys: list[Any], order: Order) -> list[Record]:
    """Runs of equal keys put in order among themselves."""
    found: list[Record] = []
    start = 0
    for end in range(1, len(keys) + 1):
        if end == len(keys) or keys[end] != keys[start]:
            found += _ordered(records[start:end], order)
            start = end
    return found
