"""Field names in a query: which field they mean, how it is read, how a row of them is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.errors import RequestError
from sandbox.salesforce.schema import Catalogue, Field, ObjectType, Record
from sandbox.salesforce.soql.tokens import Token, at

_HINT = "Please reference your WSDL or the describe call for the appropriate names."


@dataclass(frozen=True, slots=True)
class Column:
    """One field, of the queried object or of one it points to, and how to read it from a queried record."""

    field: Field
    read: Callable[[Record], Any]


class Selection:
    """The fields shown of one object, and the selections of the objects it points to."""

    def __init__(self, object_type: ObjectType) -> None:
        self._type = object_type.name
        self._names: list[str] = []
        self._parents: dict[str, tuple[Callable[[Record], Record | None], Selection]] = {}

    def add(self, name: str) -> None:
        if name not in self._names:
            self._names.append(name)

    def parent(self, relationship: str, find: Callable[[Record], Record | None], target: ObjectType) -> "Selection":
        return self._parents.setdefault(relationship, (find, Selection(target)))[1]

    def show(self, record: Record, base: str) -> Record:
        """The record as JSON; `base` is `/services/data/vXX.0/sobjects`."""
        get = record.get
        shown: Record = {"attributes": {"type": self._type, "url": f"{base}/{self._type}/{get('Id')}"}}
        for name in self._names:
            shown[name] = get(name)
        for relationship, (find, selection) in self._parents.items():
            found = find(record)
            shown[relationship] = None if found is None else selection.show(found, base)
        return shown


def column(name: Token, source: ObjectType, catalogue: Catalogue, text: str) -> Column:
    """The field `name` means, e.g. `Amount` or `Opportunity.Amount`; INVALID_FIELD when the user sees none."""
    chain, target = _walk(name, source, catalogue, text)
    field = _field(name, target, catalogue, text)
    key = field.name
    if not chain:
        return Column(field, lambda record: record.get(key))

    def read(record: Record) -> Any:
        found: Record | None = record
        for step in chain:
            found = None if found is None else step.find(found)
        return None if found is None else found.get(key)

    return Column(field, read)


def select(names: tuple[Token, ...], source: ObjectType, catalogue: Catalogue, text: str) -> Selection:
    """What SELECT shows; INVALID_FIELD naming the first field the user does not see."""
    selection = Selection(source)
    for name in names:
        chain, target = _walk(name, source, catalogue, text)
        shown = selection
        for step in chain:
            shown = shown.parent(step.relationship, step.find, step.target)
        shown.add(_field(name, target, catalogue, text).name)
    return selection


@dataclass(frozen=True, slots=True)
class _Step:
    relationship: str
    find: Callable[[Record], Record | None]
    target: ObjectType


def _walk(name: Token, source: ObjectType, catalogue: Catalogue, text: str) -> tuple[list[_Step], ObjectType]:
    parts = name.text.split(".")[:-1]
    if parts and parts[0].lower() == source.name.lower() and _reference(parts[0], source, catalogue) is None:
        parts = parts[1:]  # the object's own name may stand before a field
    chain: list[_Step] = []
    for part in parts:
        field = _reference(part, source, catalogue)
        target = catalogue.find(field.reference_to[0]) if field else None
        if field is None or field.relationship is None or target is None:
            message = f"Didn't understand relationship '{part}' in field path. {_HINT}"
            raise at(RequestError(400, "INVALID_FIELD", message), text, name.position)
        chain.append(_Step(field.relationship, _finder(field, catalogue), target))
        source = target
    return chain, source


def _reference(part: str, source: ObjectType, catalogue: Catalogue) -> Field | None:
    for field in catalogue.visible(source).values():
        if field.relationship and field.relationship.lower() == part.lower():
            return field
    return None


def _finder(field: Field, catalogue: Catalogue) -> Callable[[Record], Record | None]:
    key, lookup = field.name, catalogue.parent(field)

    def find(record: Record) -> Record | None:
        parent_id = record.get(key)
        return None if parent_id is None else lookup(parent_id)

    return find


def _field(name: Token, target: ObjectType, catalogue: Catalogue, text: str) -> Field:
    last = name.text.rsplit(".", 1)[-1]
    field = catalogue.visible(target).get(last.lower())
    if field is None:
        message = (
            f"No such column '{last}' on entity '{target.name}'. If you are attempting to use a custom field, "
            f"be sure to append the '__c' after the custom field name. {_HINT}"
        )
        raise at(RequestError(400, "INVALID_FIELD", message), text, name.position)
    return field
