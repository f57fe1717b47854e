"""The Tooling API as far as custom fields go: make, change, remove and look up."""

from typing import Any

from sandbox.salesforce.api import Call, Reply, Route
from sandbox.salesforce.custom_fields import field_from, metadata_of
from sandbox.salesforce.errors import RequestError, not_found, unparsable
from sandbox.salesforce.org import Org
from sandbox.salesforce.queries import run_query
from sandbox.salesforce.schema import Field, ObjectType
from sandbox.salesforce.tooling_catalogue import ToolingCatalogue


def _query(call: Call) -> Reply:
    return run_query(ToolingCatalogue(call.org), call, everything=True)


def _create(call: Call) -> Reply:
    asked, org = call.json(), call.org
    object_name, _, name = str(asked.get("FullName", "")).partition(".")
    object_type = org.find(object_name)
    if object_type is None or not object_type.customisable:
        raise _refuse("INVALID_FIELD", f"Entity is not available for a custom field: {object_name}", "FullName")
    field = field_from(name, _metadata(asked))
    if any(known.lower() == name.lower() for known in object_type.fields):
        message = f"There is already a field named {name.removesuffix('__c')} on {object_type.name}."
        raise _refuse("DUPLICATE_DEVELOPER_NAME", message, "DeveloperName")
    field.id = org.next_id("00N")
    object_type.fields[field.name] = field
    if field.type == "boolean":
        for record in org.records.tables[object_type.name].values():
            record[field.name] = field.default
    org.permissions.forget()
    return Reply(201, {"id": field.id, "success": True, "errors": [], "warnings": [], "infos": []})


def _get(call: Call, field_id: str) -> Reply:
    object_type, field = _find(call.org, field_id)
    attributes = {"type": "CustomField", "url": f"{call.base}/tooling/sobjects/CustomField/{field_id}"}
    return Reply(
        200,
        {
            "attributes": attributes,
            "Id": field.id,
            "TableEnumOrId": object_type.name,
            "DeveloperName": field.name.removesuffix("__c"),
            "FullName": f"{object_type.name}.{field.name}",
            "Metadata": metadata_of(field),
        },
    )


def _change(call: Call, field_id: str) -> Reply:
    object_type, field = _find(call.org, field_id)
    changed = field_from(field.name, _metadata(call.json()))
    if changed.type != field.type:
        raise _refuse("FIELD_INTEGRITY_EXCEPTION", "The type of a field cannot be changed here", "Metadata")
    changed.id, changed.open = field.id, field.open
    object_type.fields[field.name] = changed
    call.org.permissions.forget()
    return Reply(204, None)


def _delete(call: Call, field_id: str) -> Reply:
    object_type, field = _find(call.org, field_id)
    org, full_name = call.org, f"{object_type.name}.{field.name}"
    del object_type.fields[field.name]
    for record in org.records.tables[object_type.name].values():
        record.pop(field.name, None)
    for row in [row for row in org.records.tables["FieldPermissions"].values() if row["Field"] == full_name]:
        org.records.drop("FieldPermissions", row["Id"])
    org.permissions.forget()
    return Reply(204, None)


def _find(org: Org, field_id: str) -> tuple[ObjectType, Field]:
    for object_type in org.schema.objects:
        for field in object_type.fields.values():
            if field.id is not None and field_id in (field.id, field.id[:15]):
                return object_type, field
    raise not_found()


def _metadata(asked: dict[str, Any]) -> dict[str, Any]:
    metadata = asked.get("Metadata")
    if not isinstance(metadata, dict):
        raise unparsable("Metadata is not an object")
    return metadata


def _refuse(code: str, message: str, field: str) -> RequestError:
    return RequestError(400, code, message, [field])


_FIELD = "tooling/sobjects/CustomField/<field_id>"
ROUTES: list[Route] = [
    ("GET", "tooling/query", _query),
    ("POST", "tooling/sobjects/CustomField", _create),
    ("GET", _FIELD, _get),
    ("PATCH", _FIELD, _change),
    ("DELETE", _FIELD, _delete),
]
