"""Our fields on HubSpot: their names, their values both ways, creating them, and noticing when someone changed them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.contract import FieldSpec, FieldType
from connectors.errors import Rejected, SchemaDrift
from connectors.hubspot.answers import instant, parts
from connectors.hubspot.rules import GROUP
from connectors.hubspot.sdk import RAW, Api
from connectors.records import Value

_TYPES: Mapping[FieldType, tuple[str, tuple[str, ...]]] = {
    FieldType.NUMBER: ("number", ("number",)),
    FieldType.TEXT: ("string", ("text", "textarea")),
    FieldType.CHOICE: ("enumeration", ("select", "radio")),
    FieldType.TAGS: ("enumeration", ("checkbox",)),
    FieldType.DATE: ("date", ("date",)),
    FieldType.YES_NO: ("bool", ("booleancheckbox",)),
}
"""HubSpot's type, and the ways of showing it that take the same values; the first is the one we create."""
_CREATE_BATCH = 100


class Fields:
    """The fields of one account."""

    def __init__(self, prefix: str, specs: Iterable[FieldSpec]) -> None:
        self._prefix = prefix
        self._specs = {self.name(spec.key): spec for spec in specs}

    def name(self, key: str) -> str:
        """HubSpot's name for the field `key`."""
        return self._prefix + key

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all fields."""
        return frozenset(spec.key for spec in self._specs.values())

    @property
    def names(self) -> list[str]:
        """HubSpot's names for all fields."""
        return list(self._specs)

    def read(self, properties: Mapping[str, Any]) -> dict[str, Value]:
        """Our values among a contact's properties, by key; empty ones and unreadable ones are left out."""
        values = {spec.key: from_platform(spec.type, properties.get(name)) for name, spec in self._specs.items()}
        return {key: value for key, value in values.items() if value is not None}

    def drift(self, api: Api, fields: Sequence[FieldSpec]) -> list[str]:
        """What is wrong with our fields, one sentence with its repair each."""
        live = definitions(api)
        findings = []
        archived = definitions(api, archived=True) if any(self.name(spec.key) not in live for spec in fields) else {}
        for spec in fields:
            name = self.name(spec.key)
            if name in live:
                findings += _differences(name, spec, live[name])
            elif name in archived:
                findings.append(f"the property {name} is archived: restore it in HubSpot's property settings")
            else:
                findings.append(f"the property {name} is missing: foretag provision creates it")
        return findings

    def provision(self, api: Api, fields: Sequence[FieldSpec]) -> list[str]:
        """Create missing properties and add missing options to ours; says what was done.

        Raises SchemaDrift where a property cannot be brought to what we need.
        """
        live = definitions(api)
        missing = [spec for spec in fields if self.name(spec.key) not in live]
        done = self._create(api, missing) if missing else []
        if missing:
            live = definitions(api)
        for spec in fields:
            name = self.name(spec.key)
            if name not in live:
                raise SchemaDrift(f"HubSpot did not create {name}. If it is archived, restore it in the settings.")
            definition = live[name]
            lacking = _lacking(spec, definition)
            if lacking and not _retyped(spec, definition):
                options = [*definition["options"], *_options(lacking, first=len(definition["options"]))]
                api.properties.update("contacts", name, {"options": options}, **RAW)
                done.append(f"{name}: added the options {', '.join(lacking)}")
        return done

    def _create(self, api: Api, missing: Sequence[FieldSpec]) -> list[str]:
        groups = api.property_groups.get_all("contacts", **RAW)["results"]
        done = []
        if all(group["name"] != GROUP for group in groups):
            self._create_group(api)
            done.append(f"created the property group {GROUP}")
        for start in range(0, len(missing), _CREATE_BATCH):
            inputs = self.definitions(missing[start : start + _CREATE_BATCH])
            answer = api.property_batch.create("contacts", {"inputs": inputs}, **RAW)
            for error in answer.get("errors") or []:
                if error.get("category") != "OBJECT_ALREADY_EXISTS":
                    raise SchemaDrift(f"HubSpot did not create a property of ours: {error.get('message')}")
            done += [f"created the property {row['name']}" for row in answer["results"]]
        return done

    @staticmethod
    def _create_group(api: Api) -> None:
        try:
            api.property_groups.create("contacts", {"name": GROUP, "label": GROUP}, **RAW)
        except Rejected as error:
            if error.status != 409:  # an answer was lost, and the second try finds the group there
                raise

    def definitions(self, fields: Iterable[FieldSpec]) -> list[dict[str, Any]]:
        """What HubSpot is told to make `fields`."""
        return [self._definition(spec) for spec in fields]

    def _definition(self, spec: FieldSpec) -> dict[str, Any]:
        type_, shown_as = _TYPES[spec.type]
        options = _options(spec.options)
        if spec.type is FieldType.YES_NO:
            options = [{**option, "value": option["value"].lower()} for option in _options(("True", "False"))]
        return {
            "name": self.name(spec.key),
            "label": spec.label,
            "description": spec.description,
            "groupName": GROUP,
            "type": type_,
            "fieldType": shown_as[0],
            "options": options,
            "formField": False,
        }


def to_platform(value: Value) -> str:
    """A value as HubSpot takes it. Tags are the whole set, which replaces what is there; empty clears."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ";".join(sorted(value))
    if isinstance(value, str):
        return value
    number = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if number == "-0" else number


def from_platform(type_: FieldType, value: object) -> Value:
    """A value as `Change.after` has it; None for an empty or unreadable one."""
    text = "" if value is None else str(value)
    if not text:
        return None
    match type_:
        case FieldType.NUMBER:
            return _number(text)
        case FieldType.TAGS:
            return tuple(sorted(parts(text))) or None
        case FieldType.YES_NO:
            return text.lower() in ("true", "yes")
        case FieldType.DATE:
            at = instant(text)
            return f"{at:%Y-%m-%d}" if at else None
    return text


def _number(text: str) -> float | None:
    try:
        return round(float(text), 2)
    except ValueError:
        return None


def definitions(api: Api, *, archived: bool = False) -> dict[str, dict[str, Any]]:
    """What HubSpot says of each contact property, by name; of those in the bin for `archived`."""
    rows = api.properties.get_all("contacts", archived=archived, **RAW)["results"]
    return {row["name"]: row for row in rows}


def _differences(name: str, spec: FieldSpec, definition: Mapping[str, Any]) -> list[str]:
    if _retyped(spec, definition):
        type_, shown_as = _TYPES[spec.type]
        found = f"{definition['type']}/{definition['fieldType']} instead of {type_}/{shown_as[0]}"
        return [f"the property {name} is {found}: change it back in HubSpot's property settings, or delete it there"]
    if (definition.get("modificationMetadata") or {}).get("readOnlyValue"):
        return [f"the property {name} is read-only: allow changes by integrations in HubSpot's property settings"]
    if definition.get("hasUniqueValue"):
        return [f"the property {name} takes no value twice: delete it in HubSpot's property settings, it is made anew"]
    lacking = _lacking(spec, definition)
    if lacking:
        return [
            f"the property {name} lacks the options {', '.join(lacking)}: they are added when the fields are set up"
        ]
    return []


def _retyped(spec: FieldSpec, definition: Mapping[str, Any]) -> bool:
    type_, shown_as = _TYPES[spec.type]
    return bool(definition["type"] != type_ or definition["fieldType"] not in shown_as)


def _lacking(spec: FieldSpec, definition: Mapping[str, Any]) -> list[str]:
    there = {option["value"] for option in definition.get("options") or []}
    return [option for option in spec.options if option not in there]


def _options(values: Iterable[str], first: int = 0) -> list[dict[str, Any]]:
    return [
        {"label": value, "value": value, "displayOrder": position, "hidden": False}
        for position, value in enumerate(values, first)
    ]
