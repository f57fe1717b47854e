"""What foretag's fields are called on Salesforce, and how their values are written there and read back."""

import re
from collections.abc import Mapping, Sequence

from connectors.contract import FieldSpec, FieldType
from connectors.records import Value

PEOPLE = ("Contact", "Lead")
"""The objects that hold people."""


def field_name(prefix: str, key: str) -> str:
    """`FT_Buy_Score__c` for the prefix `ft_` and the key `buy_score`."""
    return prefix.upper() + "_".join(part.capitalize() for part in key.split("_")) + "__c"


def by_name(prefix: str, fields: Sequence[FieldSpec]) -> dict[str, FieldSpec]:
    """Our fields by their names on Salesforce."""
    return {field_name(prefix, spec.key): spec for spec in fields}


def full_names(prefix: str, fields: Sequence[FieldSpec]) -> list[str]:
    """`Contact.FT_Buy_Score__c` and the like: these fields on every object that holds people."""
    return [f"{object_}.{field_name(prefix, spec.key)}" for object_ in PEOPLE for spec in fields]


def ours(prefix: str) -> str:
    """Regular expression that every field name of ours matches as a whole, and nobody else's does."""
    return re.escape(prefix.upper()) + r"[A-Za-z0-9_]+__c"


def to_salesforce(spec: FieldSpec, value: Value) -> str | float | bool | None:
    """The JSON value to send. An empty checkbox does not exist on Salesforce: it is unticked instead."""
    if spec.type is FieldType.YES_NO:
        return bool(value)
    if value is None or value in ("", ()):
        return None
    if isinstance(value, tuple):
        return ";".join(sorted(value))
    if isinstance(value, float | int):
        return round(float(value), 2)
    return value


def from_salesforce(spec: FieldSpec, value: object) -> Value:
    """The value as `Change.after` gives it; None for an empty field."""
    if value is None or value == "":
        return None
    match spec.type:
        case FieldType.NUMBER:
            return round(float(str(value)), 2)
        case FieldType.YES_NO:
            return bool(value)
        case FieldType.TAGS:
            return tuple(sorted(str(value).split(";")))
        case _:
            return str(value)


def owned(ours: Mapping[str, FieldSpec], row: Mapping[str, object]) -> dict[str, Value]:
    """Of our fields, given by name, those in a row, by key; empty ones are left out."""
    values = {spec.key: from_salesforce(spec, row.get(name)) for name, spec in ours.items()}
    return {key: value for key, value in values.items() if value is not None}
