"""Our fields as a metadata package, for an administrator who makes them without giving us the right to."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from connectors.contract import FieldSpec
from connectors.salesforce.fields import metadata
from connectors.salesforce.names import field_name
from connectors.salesforce.setup_rules import PERMISSION_SET, PERMISSION_SET_LABEL, PERMISSION_SET_TEXT

_FOLDER = "metadata"
"""What is deployed has a folder to itself: Salesforce may refuse files that the manifest does not name."""
_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_README = f"""\
The fields that foretag writes
==============================

Deploy the folder {_FOLDER} with   sf project deploy start --metadata-dir {_FOLDER}
or zip what is in it and deploy it in Workbench (Migration, Deploy).

Then give the permission set "{PERMISSION_SET_LABEL}" to the user foretag signs in as:
  sf org assign permset --name {PERMISSION_SET} --on-behalf-of USER

foretag doctor says whether anything is missing.
"""


def package(fields: Sequence[FieldSpec], prefix: str, objects: Sequence[str], version: str) -> dict[str, str]:
    """File name to text: the fields on each of `objects`, and a permission set that lets them be read and edited."""
    names = [f"{object_}.{field_name(prefix, spec.key)}" for object_ in objects for spec in fields]
    permissions = [{"editable": True, "field": name, "readable": True} for name in names]
    rights = {
        "description": PERMISSION_SET_TEXT,
        "fieldPermissions": permissions,
        "hasActivationRequired": False,
        "label": PERMISSION_SET_LABEL,
    }
    described = [{"fullName": field_name(prefix, spec.key), **_as_xml(metadata(spec))} for spec in fields]
    members = [
        {"members": names, "name": "CustomField"},
        {"members": [PERMISSION_SET], "name": "PermissionSet"},
    ]
    return {
        "README.txt": _README,
        f"{_FOLDER}/package.xml": _document("Package", {"types": members, "version": version}),
        **{
            f"{_FOLDER}/objects/{object_}.object": _document("CustomObject", {"fields": described})
            for object_ in objects
        },
        f"{_FOLDER}/permissionsets/{PERMISSION_SET}.permissionset": _document("PermissionSet", rights),
    }


def _as_xml(field: Mapping[str, Any]) -> dict[str, Any]:
    """In files the name of a value is its `fullName`; over the Tooling API it is `valueName`."""
    if "valueSet" not in field:
        return dict(field)
    definition = field["valueSet"]["valueSetDefinition"]
    values = [
        {"fullName": value["valueName"], "default": value["default"], "label": value["label"]}
        for value in definition["value"]
    ]
    return {**field, "valueSet": {**field["valueSet"], "valueSetDefinition": {**definition, "value": values}}}


def _document(root: str, content: Mapping[str, Any]) -> str:
    element = ElementTree.Element(root, xmlns=_NAMESPACE)
    _fill(element, content)
    ElementTree.indent(element, "    ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(element, encoding="unicode")}\n'


def _fill(element: ElementTree.Element, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        for each in value if isinstance(value, list) else [value]:
            child = ElementTree.SubElement(element, name)
            if isinstance(each, Mapping):
                _fill(child, each)
            else:
                child.text = str(each).lower() if isinstance(each, bool) else str(each)
