"""The schema as the Tooling API lets it be queried: CustomField, FieldDefinition, EntityDefinition."""

from collections.abc import Callable

from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Field, ObjectType, Record, Schema


def _table(name: str, *fields: Field) -> ObjectType:
    return ObjectType(name, name, f"{name}s", name[:3], {field.name: field for field in fields}, writable=False)


def _text(name: str) -> Field:
    return Field(name, name, "string", length=255, createable=False, updateable=False)


_ENTITY = Field(
    "EntityDefinitionId", "Entity", "string", reference_to=("EntityDefinition",), relationship="EntityDefinition"
)
_SCHEMA = Schema(
    [
        _table("EntityDefinition", *map(_text, ("DurableId", "QualifiedApiName", "Label", "KeyPrefix"))),
        _table(
            "FieldDefinition",
            *map(_text, ("DurableId", "QualifiedApiName", "DeveloperName", "Label", "DataType")),
            _ENTITY,
        ),
        _table(
            "CustomField",
            Field("Id", "Id", "id", length=18),
            *map(_text, ("DeveloperName", "TableEnumOrId", "NamespacePrefix", "ManageableState")),
            _ENTITY,
        ),
    ]
)


class ToolingCatalogue:
    """What a Tooling query runs against. Field-level security does not hide anything here."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def find(self, name: str) -> ObjectType | None:
        return _SCHEMA.find(name)

    def visible(self, object_type: ObjectType) -> dict[str, Field]:
        return {name.lower(): field for name, field in object_type.fields.items()}

    def rows(self, object_type: ObjectType, everything: bool) -> list[Record]:  # noqa: ARG002 - nothing is ever deleted
        if object_type.name == "EntityDefinition":
            return [_entity(each) for each in self._org.schema.objects]
        pairs = [(each, field) for each in self._org.schema.objects for field in each.fields.values()]
        if object_type.name == "FieldDefinition":
            return [definition(each, field) for each, field in pairs]
        return [_custom_field(each, field) for each, field in pairs if field.id is not None]

    def parent(self, field: Field) -> Callable[[str], Record | None]:  # noqa: ARG002 - only entities are pointed to
        return {each.name: _entity(each) for each in self._org.schema.objects}.get


def definition(object_type: ObjectType, field: Field) -> Record:
    """A row of FieldDefinition."""
    return {
        "DurableId": f"{object_type.name}.{field.id or field.name}",
        "QualifiedApiName": field.name,
        "DeveloperName": field.name.removesuffix("__c"),
        "Label": field.label,
        "DataType": field.type,
        "EntityDefinitionId": object_type.name,
    }


def _entity(object_type: ObjectType) -> Record:
    return {
        "DurableId": object_type.name,
        "QualifiedApiName": object_type.name,
        "Label": object_type.label,
        "KeyPrefix": object_type.prefix,
    }


def _custom_field(object_type: ObjectType, field: Field) -> Record:
    return {
        "Id": field.id,
        "DeveloperName": field.name.removesuffix("__c"),
        "TableEnumOrId": object_type.name,
        "NamespacePrefix": None,
        "ManageableState": "unmanaged",
        "EntityDefinitionId": object_type.name,
    }
