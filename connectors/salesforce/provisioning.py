"""Makes our fields and lets foretag's own user see them.

Salesforce keeps each of these things once by its name. So an answer that is lost needs no guess: whether the thing is
there is looked up, and it is made again where it is not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from connectors.contract import FieldSpec
from connectors.errors import NotKnown, Rejected
from connectors.salesforce.fields import metadata, soql
from connectors.salesforce.names import field_name
from connectors.salesforce.schema import Schema, describe
from connectors.salesforce.setup_rules import PERMISSION_SET, PERMISSION_SET_LABEL, PERMISSION_SET_TEXT

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

TRIES = 8
"""How often one thing is made at most while the answers are lost."""


def provision(sf: "Salesforce", fields: Sequence[FieldSpec], prefix: str, objects: Sequence[str]) -> list[str]:
    """Make the missing fields, and let the token's own user read and edit them; says what was done.

    Changes nothing that is there. The user must be allowed to customise the application.
    """
    schema = describe(sf, objects)
    wanted = {f"{object_}.{field_name(prefix, spec.key)}": spec for object_ in objects for spec in fields}
    unusable = {name: spec for name, spec in wanted.items() if not _usable(schema, name)}
    if not unusable:
        return []
    there = _existing(sf, list(unusable))
    done = []
    for name, spec in unusable.items():
        if name not in there:
            body = {"FullName": name, "Metadata": metadata(spec)}
            _made(partial(sf.toolingexecute, "sobjects/CustomField", "POST", body), partial(_existing, sf, [name]))
            done.append(f"created the field {name}")
    return [*done, *_make_visible(sf, list(unusable))]


def _usable(schema: Schema, full_name: str) -> bool:
    object_, _, name = full_name.partition(".")
    field = schema.get(object_, {}).get(name)
    return field is not None and bool(field["updateable"])


def _existing(sf: "Salesforce", full_names: Sequence[str]) -> set[str]:
    """Those that exist, also where nobody may see them: describe would not show these."""
    names = sorted({name.partition(".")[2].removesuffix("__c") for name in full_names})
    query = soql("SELECT DeveloperName,TableEnumOrId FROM CustomField WHERE DeveloperName IN {}", names)
    answer = sf.toolingexecute("query", params={"q": query})
    return {f"{row['TableEnumOrId']}.{row['DeveloperName']}__c" for row in answer["records"]} & set(full_names)


def _make_visible(sf: "Salesforce", full_names: Sequence[str]) -> Iterator[str]:
    permission_set = _permission_set(sf) or str(_made(partial(_create_set, sf), partial(_permission_set, sf)))
    visible = _visible(sf, permission_set, full_names)
    for name in full_names:
        if name not in visible:
            may = {"PermissionsRead": True, "PermissionsEdit": True}
            names = {"ParentId": permission_set, "SobjectType": name.split(".")[0], "Field": name}
            _made(
                partial(_create, sf, "FieldPermissions", **names, **may), partial(_visible, sf, permission_set, [name])
            )
            yield f"made {name} visible to the permission set {PERMISSION_SET}"
    user = sf.oauth2("userinfo") or {}
    holder = {"AssigneeId": user["user_id"], "PermissionSetId": permission_set}
    assigned = partial(_assigned, sf, holder)
    if not assigned():
        _made(partial(_create, sf, "PermissionSetAssignment", **holder), assigned)
        yield f"gave the permission set {PERMISSION_SET} to {user.get('preferred_username', 'the user of the token')}"


def _permission_set(sf: "Salesforce") -> str | None:
    """The id of ours, where it is there."""
    found = sf.query(soql("SELECT Id,Name FROM PermissionSet WHERE Name = {}", PERMISSION_SET))["records"]
    return str(found[0]["Id"]) if found else None


def _visible(sf: "Salesforce", permission_set: str, full_names: Sequence[str]) -> set[str]:
    """Those that the permission set shows."""
    rows = sf.query_all(soql("SELECT Id,Field FROM FieldPermissions WHERE ParentId = {}", permission_set))["records"]
    return {row["Field"] for row in rows} & set(full_names)


def _assigned(sf: "Salesforce", holder: Mapping[str, str]) -> bool:
    query = "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = {} AND PermissionSetId = {}"
    return bool(sf.query(soql(query, holder["AssigneeId"], holder["PermissionSetId"]))["records"])


def _create_set(sf: "Salesforce") -> str:
    return _create(
        sf, "PermissionSet", Name=PERMISSION_SET, Label=PERMISSION_SET_LABEL, Description=PERMISSION_SET_TEXT
    )


def _create(sf: "Salesforce", object_: str, **values: object) -> str:
    answer = sf.restful(f"sobjects/{object_}", method="POST", json=values) or {}
    return str(answer["id"])


def _made(make: Callable[[], object], there: Callable[[], object]) -> object:
    """What `make` answers; where the answer is lost, what `there` finds of it, or another try while it finds nothing.

    A refusal is no failure either where the thing is there by now: what was lost can take effect late.
    """
    tries = 1
    while True:
        try:
            return make()
        except (NotKnown, Rejected) as error:
            found = there()
            if found:
                return found
            if tries == TRIES or isinstance(error, Rejected):
                raise
            tries += 1
