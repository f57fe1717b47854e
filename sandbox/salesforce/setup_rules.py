"""What the platform checks and cascades for permission sets."""

from sandbox.salesforce.errors import RowError
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import ObjectType, Record

_CHILDREN = {"PermissionSet": (("FieldPermissions", "ParentId"), ("PermissionSetAssignment", "PermissionSetId"))}
_UNIQUE = {
    "PermissionSet": (("Name",), "DUPLICATE_DEVELOPER_NAME"),
    "FieldPermissions": (("ParentId", "Field"), "DUPLICATE_VALUE"),
    "PermissionSetAssignment": (("AssigneeId", "PermissionSetId"), "DUPLICATE_VALUE"),
    "CampaignMember": (("CampaignId", "ContactId", "LeadId"), "DUPLICATE_VALUE"),
}


def check_setup(org: Org, object_type: ObjectType, record: Record) -> None:
    """RowError when a record exists already under another id, or a field permission makes no sense."""
    if object_type.name == "FieldPermissions":
        _check_field_permission(org, record)
    if object_type.name not in _UNIQUE:
        return
    keys, code = _UNIQUE[object_type.name]
    for other in org.records.tables[object_type.name].values():
        same = all(other.get(key) == record.get(key) for key in keys)
        if same and other["Id"] != record["Id"] and not other.get("IsDeleted"):
            message = f"duplicate value found: {keys[-1]} duplicates value on record with id: {other['Id']}"
            raise RowError(code, message, *keys)


def cascade(org: Org, object_type: ObjectType, record_id: str) -> None:
    """Take away what belongs to a record that is about to go."""
    for child, reference in _CHILDREN.get(object_type.name, ()):
        for row in [row for row in org.records.tables[child].values() if row[reference] == record_id]:
            org.records.drop(child, row["Id"])


def _check_field_permission(org: Org, record: Record) -> None:
    object_name, _, field_name = record["Field"].partition(".")
    object_type = org.find(object_name)
    if object_type is None or object_name != record["SobjectType"] or field_name not in object_type.fields:
        message = f"Field Name: bad value for restricted picklist field: {record['Field']}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, "Field")
    if record["PermissionsEdit"] and not record["PermissionsRead"]:
        raise RowError("FIELD_INTEGRITY_EXCEPTION", "Permission Edit Field depends on permission(s): Read Field")
