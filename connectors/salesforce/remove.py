"""Takes our fields off Contact and Lead, and then the permission set that showed them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from connectors.contract import FieldSpec
from connectors.removal import remove_each
from connectors.salesforce.fields import soql
from connectors.salesforce.names import full_names
from connectors.salesforce.setup_rules import PERMISSION_SET, PERMISSION_SET_LABEL

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

Things = list[tuple[str, Callable[[], object]]]


def remove(sf: "Salesforce", fields: Sequence[FieldSpec], prefix: str, *, dry_run: bool) -> list[str]:
    """What went, or would go. The permission set goes last: without it nobody could see a field that is left."""
    if dry_run:
        return [what for what, _ in (*_fields(sf, fields, prefix), *_permission_set(sf))]
    return [*remove_each(_fields(sf, fields, prefix)), *remove_each(_permission_set(sf))]


def _fields(sf: "Salesforce", fields: Sequence[FieldSpec], prefix: str) -> Things:
    wanted = full_names(prefix, fields)
    names = sorted({name.partition(".")[2].removesuffix("__c") for name in wanted})
    query = "SELECT Id,DeveloperName,TableEnumOrId,NamespacePrefix FROM CustomField WHERE DeveloperName IN {}"
    rows = sf.toolingexecute("query", params={"q": soql(query, names)})["records"]
    there = {
        f"{row['TableEnumOrId']}.{row['DeveloperName']}__c": row["Id"] for row in rows if not row["NamespacePrefix"]
    }
    return [
        (
            f"the field {name}",
            partial(sf.toolingexecute, f"sobjects/CustomField/{there[name]}", method="DELETE"),
        )
        for name in wanted
        if name in there
    ]


def _permission_set(sf: "Salesforce") -> Things:
    """The set itself behind its assignments: Salesforce keeps a set that someone still has."""
    things: Things = []
    for row in sf.query(soql("SELECT Id,Name,Label FROM PermissionSet WHERE Name = {}", PERMISSION_SET))["records"]:
        if row["Label"] != PERMISSION_SET_LABEL:
            continue
        query = soql("SELECT Id,PermissionSetId FROM PermissionSetAssignment WHERE PermissionSetId = {}", row["Id"])
        things += [
            (f"an assignment of the permission set {PERMISSION_SET}", _deletion(sf, "PermissionSetAssignment", each))
            for each in sf.query(query)["records"]
        ]
        things.append((f"the permission set {PERMISSION_SET}", _deletion(sf, "PermissionSet", row)))
    return things


def _deletion(sf: "Salesforce", object_: str, row: dict[str, str]) -> Callable[[], object]:
    return partial(sf.restful, f"sobjects/{object_}/{row['Id']}", method="DELETE")
