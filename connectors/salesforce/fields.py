"""Our fields on Contact and Lead: what is wrong with them, and making the ones that are missing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.contract import FieldSpec, FieldType
from connectors.salesforce.names import field_name
from connectors.salesforce.schema import Schema, describe
from connectors.salesforce.setup_rules import PERMISSION_SET, PERMISSION_SET_LABEL, PERMISSION_SET_TEXT

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
        names = {field_name(prefix, spec.key): spec for spec in fields}
        missing = [name for name in names if name not in described]
        if missing:
            sentences.append(
                f"{object_}: {', '.join(missing)} missing, or hidden from foretag's user: foretag provision makes them"
            )
        wrong = (_wrong(described[name], f"{object_}.{name}", names[name]) for name in names if name in described)
        sentences += [sentence for sentence in wrong if sentence]
    return sentences


def provision(sf: "Salesforce", fields: Sequence[FieldSpec], prefix: str, objects: Sequence[str]) -> list[str]:
    """Make the missing fields, and let the token's own user read and edit them; says what was done.

    Changes nothing that is there. The user must be allowed to customise the application.
    """
    schema = describe(sf, objects)
    wanted = {f"{object_}.{field_name(prefix, spec.key)}": spec for object_ in objects for spec in fields}
    unusable = {name: spec for name, spec in wanted.items() if not _usable(schema, name)}
    if not unusable:
        return []
    there = _existing(sf, unusable)
    done = []
    for name, spec in unusable.items():
        if name not in there:
            sf.toolingexecute("sobjects/CustomField", "POST", {"FullName": name, "Metadata": metadata(spec)})
            done.append(f"created the field {name}")
    return [*done, *_make_visible(sf, list(unusable))]


def _usable(schema: Schema, full_name: str) -> bool:
    object_, _, name = full_name.partition(".")
    field = schema.get(object_, {}).get(name)
    return field is not None and bool(field["updateable"])


def _existing(sf: "Salesforce", full_names: Mapping[str, FieldSpec]) -> set[str]:
    """Those that exist, also where nobody may see them: describe would not show these."""
    names = sorted({name.partition(".")[2].removesuffix("__c") for name in full_names})
    query = soql("SELECT DeveloperName,TableEnumOrId FROM CustomField WHERE DeveloperName IN {}", names)
    answer = sf.toolingexecute("query", params={"q": query})
    return {f"{row['TableEnumOrId']}.{row['DeveloperName']}__c" for row in answer["records"]}


def _make_visible(sf: "Salesforce", full_names: Sequence[str]) -> Iterator[str]:
    permission_set = _permission_set(sf)
    permissions = sf.query(soql("SELECT Id,Field FROM FieldPermissions WHERE ParentId = {}", permission_set))
    visible = {row["Field"] for row in permissions["records"]}
    for name in full_names:
        if name not in visible:
            may = {"PermissionsRead": True, "PermissionsEdit": True}
            _create(sf, "FieldPermissions", ParentId=permission_set, SobjectType=name.split(".")[0], Field=name, **may)
            yield f"made {name} visible to the permission set {PERMISSION_SET}"
    user = sf.oauth2("userinfo") or {}
    query = "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = {} AND PermissionSetId = {}"
    if not sf.query(soql(query, user["user_id"], permission_set))["records"]:
        _create(sf, "PermissionSetAssignment", AssigneeId=user["user_id"], PermissionSetId=permission_set)
        yield f"gave the permission set {PERMISSION_SET} to {user.get('preferred_username', 'the user of the token')}"


def _permission_set(sf: "Salesforce") -> str:
    found = sf.query(soql("SELECT Id,Name FROM PermissionSet WHERE Name = {}", PERMISSION_SET))["records"]
    if found:
        return str(found[0]["Id"])
    texts = {"Label": PERMISSION_SET_LABEL, "Description": PERMISSION_SET_TEXT}
    return _create(sf, "PermissionSet", Name=PERMISSION_SET, **texts)


def soql(query: str, *values: object) -> str:
    """The query with these values put in, escaped."""
    from simple_salesforce.format import format_soql

    return str(format_soql(query, *values))


def _create(sf: "Salesforce", object_: str, **values: object) -> str:
    answer = sf.restful(f"sobjects/{object_}", method="POST", json=values) or {}
    return str(answer["id"])


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
