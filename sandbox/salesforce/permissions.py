"""Field-level security: what the permission sets assigned to the user allow."""

from sandbox.salesforce.records import Records
from sandbox.salesforce.schema import Field, ObjectType

PERMISSION_OBJECTS = ("PermissionSet", "FieldPermissions", "PermissionSetAssignment")


class Permissions:
    """What one user may read and edit. `forget` after the permission tables or the schema changed."""

    def __init__(self, records: Records, user: str) -> None:
        self._records, self._user = records, user
        self._grants: dict[str, bool] | None = None
        self._visible: dict[str, dict[str, Field]] = {}

    def forget(self) -> None:
        self._grants = None
        self._visible.clear()

    def visible(self, object_type: ObjectType) -> dict[str, Field]:
        """The fields the user may read, by lower-case name."""
        known = self._visible.get(object_type.name)
        if known is None:
            known = {
                name.lower(): field
                for name, field in object_type.fields.items()
                if field.open or f"{object_type.name}.{name}" in self.grants()
            }
            self._visible[object_type.name] = known
        return known

    def may_edit(self, object_type: ObjectType, field: Field) -> bool:
        return field.updateable and self._granted(object_type, field)

    def may_create(self, object_type: ObjectType, field: Field) -> bool:
        return field.createable and self._granted(object_type, field)

    def grants(self) -> dict[str, bool]:
        """`Object.Field` → may also be edited, from every permission set assigned to the user."""
        if self._grants is None:
            tables = self._records.tables
            mine = {
                row["PermissionSetId"]
                for row in tables["PermissionSetAssignment"].values()
                if row["AssigneeId"] == self._user
            }
            self._grants = {}
            for row in tables["FieldPermissions"].values():
                if row["ParentId"] in mine and row["PermissionsRead"]:
                    self._grants[row["Field"]] = self._grants.get(row["Field"], False) or row["PermissionsEdit"]
        return self._grants

    def _granted(self, object_type: ObjectType, field: Field) -> bool:
        return field.open or self.grants().get(f"{object_type.name}.{field.name}", False)
