"""Custom fields as their metadata describes them."""

import re
from typing import Any

from sandbox.salesforce.errors import RequestError
from sandbox.salesforce.schema import Field

_TYPES = {
    "Text": "string",
    "LongTextArea": "textarea",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "DateTime": "datetime",
    "Date": "date",
    "Checkbox": "boolean",
    "Email": "email",
}
_NAMES = {ours: theirs for theirs, ours in _TYPES.items()}
_NEEDED = {
    "Text": ("length",),
    "LongTextArea": ("length", "visibleLines"),
    "Number": ("precision", "scale"),
    "Currency": ("precision", "scale"),
    "Percent": ("precision", "scale"),
    "Picklist": ("valueSet",),
    "MultiselectPicklist": ("valueSet", "visibleLines"),
    "Checkbox": ("defaultValue",),
}
_LONGEST = {"string": 255, "textarea": 131_072}
_WIDEST = 18
_PICKLIST_LENGTHS = {"picklist": 255, "multipicklist": 4099, "email": 80}


def field_from(name: str, metadata: dict[str, Any]) -> Field:
    """The field these metadata describe, closed to everyone; FIELD_INTEGRITY_EXCEPTION when they are not enough."""
    if not re.fullmatch(r"[A-Za-z](?:_?[A-Za-z0-9]){0,39}__c", name):
        raise _refuse(f"The Field Name {name} can only contain underscores and alphanumeric characters", "FullName")
    kind = metadata.get("type")
    if kind not in _TYPES:
        raise _refuse(f"Field type {kind} cannot be made here", "type")
    if not metadata.get("label"):
        raise _refuse("Required field is missing: label", "label")
    for needed in _NEEDED.get(kind, ()):
        if metadata.get(needed) is None:
            raise _refuse(f"Must specify {needed} for a CustomField of type {kind}", needed)
    field = Field(name, metadata["label"], _TYPES[kind], open=False)
    field.nillable = field.type != "boolean" and not metadata.get("required", False)
    _size(field, metadata)
    if field.type == "boolean":
        field.default = str(metadata["defaultValue"]).lower() == "true"
    if "valueSet" in metadata:
        field.restricted = metadata["valueSet"].get("restricted") is True
        entries = metadata["valueSet"].get("valueSetDefinition", {}).get("value", [])
        field.values = tuple(entry.get("fullName") or entry.get("valueName") for entry in entries)
    return field


def metadata_of(field: Field) -> dict[str, Any]:
    """The metadata `field_from` would make this field of."""
    found: dict[str, Any] = {"type": _NAMES[field.type], "label": field.label}
    if field.type in _LONGEST:
        found["length"] = field.length
    elif field.precision:
        found |= {"precision": field.precision, "scale": field.scale}
    elif field.type == "boolean":
        found["defaultValue"] = field.default
    elif field.values:
        entries = [{"fullName": value, "default": False, "label": value} for value in field.values]
        found["valueSet"] = {
            "restricted": field.restricted,
            "valueSetDefinition": {"sorted": False, "value": entries},
        }
    if field.type in ("textarea", "multipicklist"):
        found["visibleLines"] = 4
    return {**found, "required": not field.nillable and field.type != "boolean"}


def _size(field: Field, metadata: dict[str, Any]) -> None:
    if field.type in _LONGEST:
        field.length = int(metadata["length"])
        if not 0 < field.length <= _LONGEST[field.type]:
            raise _refuse(f"Length can not exceed {_LONGEST[field.type]}", "length")
        field.filterable = field.type != "textarea"
    elif field.type in ("double", "currency", "percent"):
        field.precision, field.scale = int(metadata["precision"]), int(metadata["scale"])
        if not 0 <= field.scale <= field.precision <= _WIDEST or field.precision == 0:
            raise _refuse(f"Precision can not exceed {_WIDEST} nor be below the scale", "precision")
    else:
        field.length = _PICKLIST_LENGTHS.get(field.type, 0)


def _refuse(message: str, field: str) -> RequestError:
    return RequestError(400, "FIELD_INTEGRITY_EXCEPTION", message, [field])
