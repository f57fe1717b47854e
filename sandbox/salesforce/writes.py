"""Making, changing and deleting one record, with everything the platform does on the way."""

from typing import Any

from sandbox.salesforce.errors import RowError, no_such_column
from sandbox.salesforce.ids import full_id
from sandbox.salesforce.org import INTEGRATION_USER, RULE_OWNER, Org
from sandbox.salesforce.permissions import PERMISSION_OBJECTS
from sandbox.salesforce.schema import Field, ObjectType, Record
from sandbox.salesforce.setup_rules import cascade, check_setup
from sandbox.salesforce.values import check_value

Values = list[tuple[Field, Any]]


def named_fields(org: Org, object_type: ObjectType, names: list[str]) -> list[Field]:
    """The fields with these names (any case); INVALID_FIELD, for the whole request, at one the user does not see."""
    visible = org.visible(object_type)
    for name in names:
        if name.lower() not in visible:
            raise no_such_column(name, object_type.name)
    return [visible[name.lower()] for name in names]


def create(org: Org, object_type: ObjectType, values: Values, now: str, *, assign: bool) -> str:
    """Make a record and return its id; RowError when the platform refuses it."""
    if not object_type.writable:
        raise RowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {object_type.label}")
    closed = [field.name for field, _ in values if not org.permissions.may_create(object_type, field)]
    if closed:
        raise _not_writable(closed)
    given = {field.name: value for field, value in values if value is not None}
    defaults = {name: field.default for name, field in object_type.fields.items() if field.default is not None}
    owner = {"OwnerId": INTEGRATION_USER} if "OwnerId" in object_type.fields else {}
    record = {"Id": org.records.new_id(object_type), **defaults, **owner, **given}
    missing = [
        name
        for name, field in object_type.fields.items()
        if field.createable and not field.nillable and record.get(name) is None
    ]
    if missing:
        raise RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing)
    _check_values(org, values)
    check_setup(org, object_type, record)
    by = INTEGRATION_USER
    record |= {"CreatedDate": now, "CreatedById": by, "LastModifiedDate": now, "LastModifiedById": by}
    record |= {"SystemModstamp": now, **derived(object_type, record)}
    if assign and object_type.name == "Lead":
        record["OwnerId"] = RULE_OWNER
    org.records.add(object_type.name, record)
    _forget(org, object_type)
    return str(record["Id"])


def update(org: Org, object_type: ObjectType, raw_id: Any, values: Values, now: str, *, assign: bool) -> str:
    """Change a record and return its id; RowError when the platform refuses it."""
    record = existing(org, object_type, raw_id)
    if object_type.name == "Lead" and record["IsConverted"]:
        raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    closed = [
        field.name for field, _ in values if not (object_type.writable and org.permissions.may_edit(object_type, field))
    ]
    if closed:
        raise _not_writable(closed)
    _check_values(org, values)
    org.troubles.check(record["Id"])
    changed = {**record, **{field.name: value for field, value in values}}
    check_setup(org, object_type, changed)
    if assign and object_type.name == "Lead":
        changed["OwnerId"] = RULE_OWNER
    changed |= {"LastModifiedDate": now, "LastModifiedById": INTEGRATION_USER, "SystemModstamp": now}
    org.records.change(object_type.name, record["Id"], {**changed, **derived(object_type, changed)})
    _forget(org, object_type)
    return str(record["Id"])


def delete(org: Org, object_type: ObjectType, raw_id: Any, now: str) -> str:
    """Delete a record (into the recycle bin where there is one) and return its id; RowError when refused."""
    record = existing(org, object_type, raw_id)
    if not object_type.writable:
        raise RowError("INSUFFICIENT_ACCESS_OR_READONLY", f"entity type cannot be deleted: {object_type.label}")
    if object_type.recycled:
        marks = {"IsDeleted": True, "LastModifiedDate": now, "LastModifiedById": INTEGRATION_USER}
        org.records.change(object_type.name, record["Id"], {**marks, "SystemModstamp": now})
    else:
        cascade(org, object_type, record["Id"])
        org.records.drop(object_type.name, record["Id"])
    _forget(org, object_type)
    return str(record["Id"])


def existing(org: Org, object_type: ObjectType, raw_id: Any) -> Record:
    """The record with this 15- or 18-character id; RowError when there is none or it was deleted."""
    if raw_id is None:
        raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
    record_id = full_id(str(raw_id))
    if record_id is None or not record_id.startswith(object_type.prefix):
        raise RowError("MALFORMED_ID", f"{object_type.label} ID: id value of incorrect type: {raw_id}", "Id")
    record = org.records.tables[object_type.name].get(record_id)
    if record is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if record.get("IsDeleted"):
        raise RowError("ENTITY_IS_DELETED", "entity is deleted")
    return record


def derived(object_type: ObjectType, record: Record) -> Record:
    """Fields the platform computes from others."""
    if object_type.name in ("Contact", "Lead"):
        return {"Name": " ".join(filter(None, (record.get("FirstName"), record["LastName"])))}
    if object_type.name == "CampaignMember":
        return {"HasResponded": record["Status"] == "Responded"}
    if object_type.name == "Task":
        return {"IsClosed": record["Status"] == "Completed"}
    if object_type.name == "Opportunity":
        return {"IsClosed": record["StageName"].startswith("Closed"), "IsWon": record["StageName"] == "Closed Won"}
    return {}


def _check_values(org: Org, values: Values) -> None:
    for field, value in values:
        check_value(field, value)
        if field.type == "reference" and value is not None:
            target = org.schema.of_id(value)
            if target is None or target.name not in field.reference_to or value not in org.records.tables[target.name]:
                raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", field.name)


def _not_writable(names: list[str]) -> RowError:
    message = (
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field "
        "and verify that it is read/write for your profile or permission set."
    )
    return RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, *names)


def _forget(org: Org, object_type: ObjectType) -> None:
    if object_type.name in PERMISSION_OBJECTS:
        org.permissions.forget()
