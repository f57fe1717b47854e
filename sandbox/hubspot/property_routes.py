"""Property definitions and their groups: read, create, change, archive."""

import re
from typing import Any

from flask import Response, jsonify, request

from sandbox.hubspot.definitions import property_definition
from sandbox.hubspot.errors import ApiError, bad_request, not_found, refuse
from sandbox.hubspot.portal import ALIASES, CUSTOM_LIMIT, Portal
from sandbox.hubspot.router import DATED, Router, batch_answer, body, inputs

BATCH, UNIQUE_LIMIT = 100, 10
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_FIELD_TYPES = {
    "bool": {"booleancheckbox", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "enumeration": {"booleancheckbox", "checkbox", "radio", "select", "calculation_equation"},
    "number": {"number", "calculation_equation"},
    "phone_number": {"phonenumber"},
    "string": {"file", "html", "phonenumber", "text", "textarea", "calculation_equation"},
}
_CHANGEABLE = ("label", "description", "groupName", "fieldType", "displayOrder", "hidden", "formField")
_LATER = frozenset({"createdAt", "updatedAt", "createdUserId", "updatedUserId", "archived"})
"""What the answer to a batch leaves out of a definition."""
Definition = dict[str, Any]


class PropertyRoutes:
    """The views; `add` mounts them for contacts and deals."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def add(self, router: Router) -> None:
        for kind, names in ALIASES.items():
            read, write = f"crm.schemas.{kind}.read", f"crm.schemas.{kind}.write"
            for name in (names[0], names[2]):
                router.add("GET", _paths(name), self.all, read, kind=kind)
                router.add("POST", _paths(name), self.create, write, kind=kind)
                router.add("POST", _paths(f"{name}/batch/create"), self.create_batch, write, kind=kind)
                router.add("POST", _paths(f"{name}/batch/read"), self.read_batch, read, kind=kind)
                router.add("POST", _paths(f"{name}/batch/archive"), self.archive_batch, write, kind=kind)
                router.add("GET", _paths(f"{name}/groups"), self.groups, read, kind=kind)
                router.add("POST", _paths(f"{name}/groups"), self.create_group, write, kind=kind)
                router.add("GET", _paths(f"{name}/groups/<group>"), self.group, read, kind=kind)
                router.add("DELETE", _paths(f"{name}/groups/<group>"), self.archive_group, write, kind=kind)
                router.add("GET", _paths(f"{name}/<property_>"), self.one, read, kind=kind)
                router.add("PATCH", _paths(f"{name}/<property_>"), self.update, write, kind=kind)
                router.add("DELETE", _paths(f"{name}/<property_>"), self.archive, write, kind=kind)

    def all(self, kind: str) -> Response:
        archived = request.args.get("archived", "false").lower() == "true"
        source = self._portal.archived_properties if archived else self._portal.properties
        return jsonify({"results": list(source[kind].values())})

    def one(self, kind: str, property_: str) -> Response:
        return jsonify(self._find(kind, property_))

    def create(self, kind: str) -> tuple[Response, int]:
        return jsonify(self._create(kind, body())), 201

    def create_batch(self, kind: str) -> tuple[Response, int]:
        """Create several; those that exist already are listed as errors, the others are made."""
        started, made, errors = self._portal.now(), [], []
        for wanted in inputs(BATCH):
            try:
                made.append({key: value for key, value in self._create(kind, wanted).items() if key not in _LATER})
            except ApiError as error:
                if error.status != 409:
                    raise
                errors.append({key: value for key, value in error.body.items() if key != "correlationId"})
        return batch_answer(made, errors, started, self._portal.now(), 201)

    def read_batch(self, kind: str) -> tuple[Response, int]:
        started = self._portal.now()
        names = [str(row.get("name", "")) for row in inputs(BATCH)]
        found = [self._portal.properties[kind][name] for name in names if name in self._portal.properties[kind]]
        missing = [name for name in names if name not in self._portal.properties[kind]]
        errors = [
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "message": f"Property '{name}' does not exist",
                "context": {"name": [name]},
            }
            for name in missing
        ]
        return batch_answer(found, errors, started, self._portal.now())

    def update(self, kind: str, property_: str) -> Response:
        """Change a definition. A list of options replaces the one that was there."""
        definition, wanted = self._find(kind, property_), body()
        if definition["modificationMetadata"]["readOnlyDefinition"]:
            raise bad_request(f"The definition of {property_} cannot be changed")
        changed = {**definition, **{key: wanted[key] for key in _CHANGEABLE if key in wanted}}
        if "options" in wanted:
            changed["options"] = property_definition({**definition, "options": wanted["options"]}, "")["options"]
        self._check_shape(kind, changed)
        definition.update(changed, updatedAt=self._portal.now())
        return jsonify(definition)

    def archive(self, kind: str, property_: str) -> tuple[str, int]:
        self._archive(kind, property_)
        return "", 204

    def archive_batch(self, kind: str) -> tuple[str, int]:
        for row in inputs(BATCH):
            if row.get("name") in self._portal.properties[kind]:
                self._archive(kind, row["name"])
        return "", 204

    def groups(self, kind: str) -> Response:
        return jsonify({"results": list(self._portal.groups[kind].values())})

    def group(self, kind: str, group: str) -> Response:
        if group not in self._portal.groups[kind]:
            raise not_found(f"Property group '{group}' does not exist")
        return jsonify(self._portal.groups[kind][group])

    def create_group(self, kind: str) -> tuple[Response, int]:
        wanted, groups = body(), self._portal.groups[kind]
        _need(wanted, "name", "label")
        if wanted["name"] in groups:
            raise _exists(
                "PROPERTY_GROUP_WITH_NAME_EXISTS", f"A property group named '{wanted['name']}'", wanted["name"]
            )
        made = {
            "name": wanted["name"],
            "label": wanted["label"],
            "displayOrder": wanted.get("displayOrder", len(groups)),
            "archived": False,
        }
        groups[wanted["name"]] = made
        return jsonify(made), 201

    def archive_group(self, kind: str, group: str) -> tuple[str, int]:
        used = [each["name"] for each in self._portal.properties[kind].values() if each["groupName"] == group]
        if used:
            raise bad_request(f"Property group '{group}' still has properties: {', '.join(used)}")
        self._portal.groups[kind].pop(group, None)
        return "", 204

    def _find(self, kind: str, name: str) -> Definition:
        if name not in self._portal.properties[kind]:
            raise not_found(f"Property '{name}' does not exist")
        return self._portal.properties[kind][name]

    def _create(self, kind: str, wanted: Definition) -> Definition:
        """Make a property. Raises ApiError: 409 when the name is taken, 400 for what HubSpot does not know."""
        _need(wanted, "name", "label", "type", "fieldType", "groupName")
        name, properties = wanted["name"], self._portal.properties[kind]
        if name in properties:
            raise _exists("PROPERTY_WITH_NAME_EXISTS", f"A property named '{name}'", name)
        if not _NAME.fullmatch(name):
            raise bad_request(f"{name} is not a valid name: lower-case letters, digits and underscores only")
        custom = [each for each in properties.values() if not each.get("hubspotDefined")]
        if len(custom) >= CUSTOM_LIMIT:
            raise refuse(400, f"You have reached the limit of {CUSTOM_LIMIT} custom properties", "PROPERTY_LIMIT")
        if wanted.get("hasUniqueValue") and sum(each["hasUniqueValue"] for each in custom) >= UNIQUE_LIMIT:
            raise bad_request(f"You have reached the limit of {UNIQUE_LIMIT} properties with unique values")
        self._check_shape(kind, wanted)
        properties[name] = property_definition(wanted, self._portal.now())
        self._portal.archived_properties[kind].pop(name, None)
        return properties[name]

    def _check_shape(self, kind: str, wanted: Definition) -> None:
        """Whether type, field type, group and options go together. Raises ApiError."""
        type_, field_type = wanted["type"], wanted["fieldType"]
        if field_type not in _FIELD_TYPES.get(type_, ()):
            raise bad_request(f"Invalid combination of type '{type_}' and fieldType '{field_type}'")
        if wanted["groupName"] not in self._portal.groups[kind]:
            raise bad_request(f"Property group '{wanted['groupName']}' does not exist")
        options = wanted.get("options") or []
        for key in ("label", "value"):
            seen = [option.get(key) for option in options]
            if None in seen or len(set(seen)) < len(seen):
                raise bad_request(f"Every option needs a {key} of its own")
        if type_ == "bool" and {option["value"] for option in options} != {"true", "false"}:
            raise bad_request("A bool property needs the options true and false")

    def _archive(self, kind: str, name: str) -> None:
        """Put a property into the bin; the values it had are gone from every record."""
        definition = self._find(kind, name)
        if not definition["modificationMetadata"]["archivable"]:
            raise bad_request(f"{name} cannot be archived")
        archived = {**self._portal.properties[kind].pop(name), "archived": True, "archivedAt": self._portal.now()}
        self._portal.archived_properties[kind][name] = archived
        table = self._portal.tables[kind]
        for record in table.live.values():
            record.properties.pop(name, None)
            record.history.pop(name, None)
        table.version += 1


def _paths(rest: str) -> tuple[str, str]:
    return f"/crm/v3/properties/{rest}", f"/crm/properties/{DATED}/{rest}"


def _need(wanted: Definition, *keys: str) -> None:
    missing = [key for key in keys if not wanted.get(key)]
    if missing:
        raise bad_request(f"Some required fields were not set: [{', '.join(missing)}]")


def _exists(sub_category: str, what: str, name: str) -> ApiError:
    more = {"subCategory": f"Properties.{sub_category}", "context": {"name": [name]}}
    return refuse(409, f"{what} already exists.", "OBJECT_ALREADY_EXISTS", **more)
