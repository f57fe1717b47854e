"""What the user may see of the schema: the list of objects and each one's fields."""

from typing import Any

from sandbox.salesforce.api import Call, Reply, Route
from sandbox.salesforce.errors import not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import NUMBERS, Field, ObjectType

_SOAP_TYPES = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double",
    "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
}  # fmt: skip
_SET_BY_THE_PLATFORM = {
    "Id", "OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp",
}  # fmt: skip
_NEVER = {
    "aiPredictionField", "autoNumber", "calculated", "cascadeDelete", "caseSensitive", "dependentPicklist",
    "deprecatedAndHidden", "displayLocationInDecimal", "encrypted", "externalId", "formulaTreatNullNumberAsZero",
    "highScaleNumber", "htmlFormatted", "queryByDistance", "restrictedDelete", "searchPrefilterable", "unique",
    "writeRequiresMasterRead",
}  # fmt: skip
_NOTHING = {
    "calculatedFormula", "compoundFieldName", "controllerName", "defaultValueFormula", "extraTypeInfo",
    "filteredLookupInfo", "inlineHelpText", "mask", "maskType", "referenceTargetField", "relationshipOrder",
}  # fmt: skip


def describe_field(org: Org, object_type: ObjectType, field: Field) -> dict[str, Any]:
    """One field with every property the real describe has."""
    text = field.type not in NUMBERS and field.length > 0
    return {
        **dict.fromkeys(_NEVER, False),
        **dict.fromkeys(_NOTHING),
        "aggregatable": field.filterable and field.type != "boolean",
        "byteLength": field.length if field.type in ("id", "reference") else field.length * 3,
        "createable": org.permissions.may_create(object_type, field),
        "custom": field.custom,
        "defaultValue": field.default,
        "defaultedOnCreate": field.default is not None or field.name in _SET_BY_THE_PLATFORM,
        "digits": 9 if field.type == "int" else 0,
        "filterable": field.filterable,
        "groupable": field.filterable and field.type not in ("datetime", "double", "currency", "percent"),
        "idLookup": field.type in ("id", "email"),
        "label": field.label,
        "length": field.length if text else 0,
        "name": field.name,
        "nameField": field.name == "Name",
        "namePointing": len(field.reference_to) > 1,
        "nillable": field.nillable,
        "permissionable": field.custom or (field.nillable and (field.createable or field.updateable)),
        "picklistValues": [
            {"active": True, "defaultValue": value == field.default, "label": value, "validFor": None, "value": value}
            for value in field.values
        ],
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "precision": field.precision,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.filterable and field.type != "multipicklist",
        "type": field.type,
        "updateable": org.permissions.may_edit(object_type, field),
    }


def describe_object(object_type: ObjectType, base: str) -> dict[str, Any]:
    """What the list of objects says of one of them."""
    url = f"{base}/sobjects/{object_type.name}"
    return {
        **dict.fromkeys(("activateable", "custom", "customSetting", "deepCloneable", "deprecatedAndHidden"), False),
        **dict.fromkeys(("hasSubtypes", "isInterface", "isSubtype"), False),
        **dict.fromkeys(("associateEntityType", "associateParentEntity"), None),
        **dict.fromkeys(("createable", "deletable", "updateable"), object_type.writable),
        **dict.fromkeys(("queryable", "replicateable", "retrieveable", "searchable"), True),
        **dict.fromkeys(("feedEnabled", "layoutable", "mruEnabled", "triggerable"), object_type.customisable),
        "mergeable": object_type.name in ("Account", "Contact", "Lead"),
        "undeletable": object_type.recycled,
        "keyPrefix": object_type.prefix,
        "label": object_type.label,
        "labelPlural": object_type.plural,
        "name": object_type.name,
        "urls": {"describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}", "sobject": url},
    }


def _list(call: Call) -> Reply:
    objects = [describe_object(each, call.base) for each in call.org.schema.objects if call.org.find(each.name)]
    return Reply(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})


def _basic(call: Call, name: str) -> Reply:
    object_type = call.org.find(name)
    if object_type is None:
        raise not_found()
    return Reply(200, {"objectDescribe": describe_object(object_type, call.base), "recentItems": []})


def _one(call: Call, name: str) -> Reply:
    object_type = call.org.find(name)
    if object_type is None:
        raise not_found()
    fields = [describe_field(call.org, object_type, field) for field in call.org.visible(object_type).values()]
    more: dict[str, Any] = {
        **{name: [] for name in ("actionOverrides", "childRelationships", "namedLayoutInfos", "recordTypeInfos")},
        **dict.fromkeys(("defaultImplementation", "extendedBy", "extendsInterfaces", "implementedBy"), None),
        **dict.fromkeys(("implementsInterfaces", "listviewable", "lookupLayoutable", "networkScopeFieldName"), None),
        "compactLayoutable": object_type.customisable,
        "searchLayoutable": object_type.customisable,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {object_type.plural.lower()}", "name": "everything"}],
    }
    return Reply(200, {**describe_object(object_type, call.base), **more, "fields": fields})


ROUTES: list[Route] = [
    ("GET", "sobjects", _list),
    ("GET", "sobjects/<name>", _basic),
    ("GET", "sobjects/<name>/describe", _one),
]
