"""What an object and a field are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

Record = dict[str, Any]
"""One record: field → value. A field that is absent is null."""

NUMBERS = frozenset({"double", "currency", "percent", "int"})
TEXTS = frozenset({"string", "textarea", "email", "picklist", "multipicklist", "phone", "combobox", "id", "reference"})


@dataclass(slots=True)
class Field:
    """One field of an object, with what describe tells about it."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    values: tuple[str, ...] = ()
    restricted: bool = False
    default: Any = None
    id: str | None = None
    """Of a custom field: its id in the Tooling API."""
    open: bool = True
    """Everyone may see and edit it; otherwise a permission set has to grant it (field-level security)."""

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")


@dataclass(slots=True)
class ObjectType:
    """One object (table). `recycled` says that deleted records stay, marked, in the recycle bin."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: dict[str, Field]
    writable: bool = True
    recycled: bool = True
    customisable: bool = True


@dataclass
class Schema:
    """All objects, found by name in any case."""

    objects: list[ObjectType]
    _by_name: dict[str, ObjectType] = field(init=False)
    _by_prefix: dict[str, ObjectType] = field(init=False)

    def __post_init__(self) -> None:
        self._by_name = {each.name.lower(): each for each in self.objects}
        self._by_prefix = {each.prefix: each for each in self.objects}

    def find(self, name: str) -> ObjectType | None:
        return self._by_name.get(name.lower())

    def of_id(self, record_id: str) -> ObjectType | None:
        return self._by_prefix.get(record_id[:3])


class Catalogue(Protocol):
    """What a query is run against: the data, or the Tooling API's view of the schema."""

    def find(self, name: str) -> ObjectType | None:
        """The object with this name (any case)."""

    def visible(self, object_type: ObjectType) -> dict[str, Field]:
        """The fields the user may read, by lower-case name."""

    def rows(self, object_type: ObjectType, everything: bool) -> list[Record]:
        """All records; with `everything` the deleted and archived ones too."""

    def parent(self, field: Field) -> Callable[[str], Record | None]:
        """How to look up the record a reference field names."""
