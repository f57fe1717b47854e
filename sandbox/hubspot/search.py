"""HubSpot's search: filter groups, one sort, pages within a window of 10,000."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.hubspot.errors import bad_request, refuse
from sandbox.hubspot.records import Record, Table
from sandbox.hubspot.values import instant, iso

WINDOW, MAX_PAGE, MAX_GROUPS, MAX_FILTERS, MAX_ALL_FILTERS, LONGEST = 10_000, 200, 5, 6, 18, 3_000
"""`LONGEST` is in characters of the question, without the names of properties: real portals take hundreds of those."""
_EARLIEST = iso(instant("1000"))
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda have, want: bool(have == want),
    "NEQ": lambda have, want: bool(have != want),
    "LT": lambda have, want: bool(have < want),
    "LTE": lambda have, want: bool(have <= want),
    "GT": lambda have, want: bool(have > want),
    "GTE": lambda have, want: bool(have >= want),
}
Test = Callable[[Record], bool]


class Search:
    """Searches one table; remembers the last result, since the next page asks the same again."""

    def __init__(
        self, table: Table, definitions: dict[str, dict[str, Any]], indexed_until: Callable[[], str | None]
    ) -> None:
        self._table, self._definitions, self._indexed_until = table, definitions, indexed_until
        self._asked: tuple[str, int, str | None] | None = None
        self._found: list[Record] = []

    def page(self, query: dict[str, Any]) -> tuple[int, list[Record], str | None]:
        """Number of hits, the asked-for page of them, the cursor of the next page. Raises ApiError."""
        limit, after = int(query.get("limit") or 10), _offset(query.get("after"))
        if not 1 <= limit <= MAX_PAGE:
            raise bad_request(f"The limit must be between 1 and {MAX_PAGE}")
        if after + limit > WINDOW:
            raise bad_request(f"Paging beyond {WINDOW} results is not possible: refine the search")
        question = {"groups": query.get("filterGroups") or [], "sorts": query.get("sorts") or []}
        text, end = json.dumps(question, sort_keys=True), self._indexed_until()
        if len(text) > LONGEST:
            raise bad_request(f"The request body is too long: at most {LONGEST} characters are allowed")
        asked = text, self._table.version, end
        if asked != self._asked:
            self._found, self._asked = self._search(question["groups"], question["sorts"], end), asked
        following = after + limit
        cursor = str(following) if following < len(self._found) else None
        return len(self._found), self._found[after:following], cursor

    def _search(self, groups: list[dict[str, Any]], sorts: list[Any], end: str | None) -> list[Record]:
        filters = [group.get("filters") or [] for group in groups]
        if len(groups) > MAX_GROUPS or any(len(each) > MAX_FILTERS for each in filters):
            raise bad_request(f"At most {MAX_GROUPS} filter groups of {MAX_FILTERS} filters are allowed")
        if sum(map(len, filters)) > MAX_ALL_FILTERS:
            raise bad_request(f"At most {MAX_ALL_FILTERS} filters are allowed")
        if len(sorts) > 1:
            raise bad_request("Only one sort is allowed")
        tests = [[self._test(each) for each in group] for group in filters]
        found = [
            record
            for record in self._table.live.values()
            if (end is None or str(record.properties[self._table.stamp]) < end)
            and (not tests or any(all(test(record) for test in group) for group in tests))
        ]
        return self._sorted(found, sorts[0] if sorts else "createdate")

    def _sorted(self, records: list[Record], sort: Any) -> list[Record]:
        if isinstance(sort, str):
            sort = {"propertyName": sort.lstrip("-"), "direction": "DESCENDING" if sort.startswith("-") else ""}
        name = sort.get("propertyName", "")
        convert = self._converter(name)
        records = sorted(records, key=lambda record: int(record.id))
        have = [record for record in records if record.properties.get(name) is not None]
        lack = [record for record in records if record.properties.get(name) is None]
        have.sort(key=lambda record: convert(record.properties[name]), reverse=sort.get("direction") == "DESCENDING")
        return have + lack

    def _test(self, asked: dict[str, Any]) -> Test:
        name, operator = asked.get("propertyName", ""), asked.get("operator", "")
        convert = self._converter(name)
        if operator == "HAS_PROPERTY":
            return lambda record: record.properties.get(name) is not None
        if operator == "NOT_HAS_PROPERTY":
            return lambda record: record.properties.get(name) is None
        if operator in ("IN", "NOT_IN"):
            # texts are compared as they are: HubSpot finds nothing for one that is not in lower case
            plain = str if convert is _as_text else convert
            wanted, inside = {plain(value) for value in asked.get("values") or []}, operator == "IN"
            return _having(name, convert, lambda have: (have in wanted) is inside)
        if operator == "BETWEEN":
            low, high = convert(asked.get("value")), convert(asked.get("highValue"))
            return _having(name, convert, lambda have: bool(low <= have <= high))
        if operator not in _COMPARE:
            raise bad_request(f"Invalid operator: {operator}")
        compare, want = _COMPARE[operator], convert(asked.get("value"))
        return _having(name, convert, lambda have: compare(have, want))

    def _converter(self, name: str) -> Callable[[Any], Any]:
        """How values of a property compare: numbers as numbers, times as ISO text, the rest in lower case."""
        definition = self._definitions.get(name)
        if definition is None:
            raise bad_request(f"There was a problem with the request: property {name} does not exist")
        kind = definition["type"]
        return _as_number if kind == "number" else _as_instant if kind == "datetime" else _as_text


def _having(name: str, convert: Callable[[Any], Any], test: Callable[[Any], bool]) -> Test:
    def holds(record: Record) -> bool:
        have = record.properties.get(name)
        return have is not None and test(convert(have))

    return holds


def _as_number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise bad_request(f"{value} is not a number") from None


def _as_instant(value: Any) -> str:
    text = str(value)
    if len(text) == 24 and text.endswith("Z"):
        return text
    try:
        at = iso(instant(text))
    except (ValueError, OverflowError):
        raise bad_request(f"{value} is not a date") from None
    if at < _EARLIEST:
        raise refuse(500, "internal error")
    return at


def _as_text(value: Any) -> str:
    return str(value).lower()


def _offset(after: Any) -> int:
    try:
        return int(after or 0)
    except (TypeError, ValueError):
        raise bad_request(f"Invalid paging cursor: {after}") from None
