"""Our fields on Contact and Lead: what is wrong with them, and what they are in Salesforce's own words."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.contract import FieldSpec, FieldType
from connectors.salesforce.names import by_name
from connectors.salesforce.schema import describe
from connectors.salesforce.setup_rules import PERMISSION_SET_LABEL

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

_DESCRIBED = {
    FieldType.NUMBER: "double",
    FieldType.TEXT: "string",
    FieldType.CHOICE: "picklist",
    FieldType.TAGS: "multipicklist",
    FieldType.DATE: "date",
    FieldType.YES_NO: "boolean",
}
_TEXT_LENGTH = 255
_DIGITS, _DECIMALS = 10, 2
_LABEL_LENGTH = 40
_HELP_LENGTH = 510


def drift(sf: "Salesforce", fields: Sequence[FieldSpec], prefix: str, objects: Sequence[str]) -> list[str]:
    """What is missing, hidden, read-only, of another type or too small: one sentence with its repair each."""
    schema = describe(sf, objects)
    sentences = []
    for object_ in objects:
        described = schema.get(object_, {})
        names = by_name(prefix, fields)
        missing = [name for name in names if name not in described]
        if missing:
            sentences.append(
                f"{object_}: {', '.join(missing)} missing, or hidden from foretag's user: foretag provision makes them"
            )
        wrong = (_wrong(described[name], f"{object_}.{name}", names[name]) for name in names if name in described)
        sentences += [sentence for sentence in wrong if sentence]
    return sentences


def soql(query: str, *values: object) -> str:
    """The query with these values put in, escaped."""
    from simple_salesforce.format import format_soql

    return str(format_soql(query, *values))


def metadata(spec: FieldSpec) -> dict[str, Any]:
    """A field of ours in the words of Salesforce's Metadata API, without its name."""
    common = {
        "label": spec.label[:_LABEL_LENGTH],
        "description": spec.description,
        "inlineHelpText": spec.description[:_HELP_LENGTH],
    }
    match spec.type:
        case FieldType.NUMBER:
            return {"type": "Number", "precision": _DIGITS, "scale": _DECIMALS, **common}
        case FieldType.TEXT:
            return {"type": "Text", "length": _TEXT_LENGTH, **common}
        case FieldType.CHOICE:
            return {"type": "Picklist", "valueSet": _values(spec.options), **common}
        case FieldType.TAGS:
            values = _values(spec.options)
            return {"type": "MultiselectPicklist", "visibleLines": 5, "valueSet": values, **common}
        case FieldType.DATE:
            return {"type": "Date", **common}
        case FieldType.YES_NO:
            return {"type": "Checkbox", "defaultValue": "false", **common}


def _values(options: Sequence[str]) -> dict[str, Any]:
    """Unrestricted, so that a segment that is renamed later is never refused."""
    values = [{"valueName": option, "label": option, "default": False} for option in options]
    return {"restricted": False, "valueSetDefinition": {"sorted": False, "value": values}}


def _wrong(field: Mapping[str, Any], name: str, spec: FieldSpec) -> str | None:
    """What is wrong with a field that is there; `field` is what describe says of it."""
    if field["type"] != _DESCRIBED[spec.type]:
        return (
            f"{name} has the type {field['type']} instead of {_DESCRIBED[spec.type]}: "
            "delete it in Salesforce's setup, then foretag provision"
        )
    if not field["updateable"]:
        return (
            f"{name} may not be edited by foretag's user: foretag provision lets it; where the permission set "
            f"{PERMISSION_SET_LABEL!r} shows the field already, tick Edit Access there"
        )
    whole = field.get("precision", _DIGITS) - field.get("scale", _DECIMALS)
    if spec.type is FieldType.NUMBER and (field.get("scale", _DECIMALS) < _DECIMALS or whole < _DIGITS - _DECIMALS):
        return (
            f"{name} cuts numbers off, so that every run would write them again: "
            f"set its length to {_DIGITS - _DECIMALS} and its decimal places to {_DECIMALS} in setup"
        )
    if spec.type is FieldType.TEXT and field["length"] < _TEXT_LENGTH:
        return f"{name} holds {field['length']} characters only: set its length to {_TEXT_LENGTH} in setup"
    options = {value["value"] for value in field["picklistValues"] if value["active"]}
    refused = sorted(set(spec.options) - options) if field["restrictedPicklist"] else []
    if refused:
        return f"{name} does not accept {', '.join(refused)}: add these values, or unrestrict the field, in setup"
    return None
