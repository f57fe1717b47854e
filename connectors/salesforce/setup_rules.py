"""The requests that make our fields and show them to foretag's user, and those that take them off again."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from connectors.allowlist import BodyCheck, Rule, not_ours, unexpected

PERMISSION_SET = "foretag"
"""API name of the permission set that makes our fields visible."""
PERMISSION_SET_LABEL = "foretag fields"
PERMISSION_SET_TEXT = "Read and edit the fields that foretag writes, and nothing else"

_REMOVABLE = ("CustomField", "PermissionSet", "PermissionSetAssignment")
_METADATA = (
    "type", "label", "description", "inlineHelpText", "precision", "scale", "length", "visibleLines", "valueSet",
    "defaultValue", "required",
)  # fmt: skip


def setup_rules(
    data: str, pattern: str, removable: Collection[str], *, provision: bool
) -> tuple[list[Rule], Callable[[Any], None]]:
    """The rules below the path `data`, for fields that match `pattern`, and what has to hear the answers of queries."""
    known, removals = _Known(), _Removals(removable)

    def learn(answer: Any) -> None:
        known.learn_permission_sets(answer)
        removals.learn(answer)

    rules = [
        Rule("who am I", "GET", "/services/oauth2/userinfo", learn=known.learn_user),
        Rule("fields there are", "GET", f"{data}/tooling/query/?", learn=removals.learn),
        *(_creates(data, pattern, known) if provision else ()),
        *(_deletes(data, removals) if removable else ()),
    ]
    return rules, learn


def _creates(data: str, pattern: str, known: "_Known") -> Iterator[Rule]:
    yield _create("create field", f"{data}/tooling/sobjects/CustomField", _new_field(pattern))
    yield _create("create permission set", f"{data}/sobjects/PermissionSet", _new_set, known.learn_new_set)
    yield _create("make field visible", f"{data}/sobjects/FieldPermissions", known.new_permission(pattern))
    yield _create("assign permission set", f"{data}/sobjects/PermissionSetAssignment", known.new_assignment)


def _deletes(data: str, removals: "_Removals") -> Iterator[Rule]:
    yield Rule("remove field", "DELETE", rf"{data}/tooling/sobjects/CustomField/\w+", place=removals.place)
    yield Rule("take permission set", "DELETE", rf"{data}/sobjects/PermissionSetAssignment/\w+", place=removals.place)
    yield Rule("remove permission set", "DELETE", rf"{data}/sobjects/PermissionSet/\w+", place=removals.place)


def _create(name: str, path: str, body: BodyCheck, learn: Callable[[Any], None] | None = None) -> Rule:
    return Rule(name, "POST", path, body, repeatable=False, learn=learn)


def _new_field(pattern: str) -> BodyCheck:
    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("FullName", "Metadata"))
        return (
            problem
            or not_ours("the field", [str(body.get("FullName"))], rf"(Contact|Lead)\.{pattern}")
            or unexpected("the field's metadata", body.get("Metadata"), _METADATA)
        )

    return check


def _new_set(body: Any) -> str | None:
    problem = unexpected("the body", body, ("Name", "Label", "Description"))
    return problem or not_ours("the permission set", [str(body.get("Name"))], PERMISSION_SET)


class _Known:
    """What Salesforce said of itself: which permission set is ours, and who we are. Rights are given to no one else."""

    def __init__(self) -> None:
        self._sets: set[str] = set()
        self._user: str | None = None

    def learn_user(self, answer: Any) -> None:
        self._user = answer.get("user_id")

    def learn_permission_sets(self, answer: Any) -> None:
        for row in answer.get("records", ()):
            if row["attributes"].get("type") == "PermissionSet" and row.get("Name") == PERMISSION_SET:
                self._sets.add(row["Id"])

    def learn_new_set(self, answer: Any) -> None:
        self._sets.add(answer["id"])

    def new_permission(self, pattern: str) -> BodyCheck:
        def check(body: Any) -> str | None:
            names = ("ParentId", "SobjectType", "Field", "PermissionsRead", "PermissionsEdit")
            return (
                unexpected("the body", body, names)
                or not_ours("the field", [str(body.get("Field"))], rf"(Contact|Lead)\.{pattern}")
                or self._our_set(body, "ParentId")
            )

        return check

    def new_assignment(self, body: Any) -> str | None:
        problem = unexpected("the body", body, ("AssigneeId", "PermissionSetId")) or self._our_set(
            body, "PermissionSetId"
        )
        if problem is None and body.get("AssigneeId") != self._user:
            return "rights are given to nobody but foretag's own user"
        return problem

    def _our_set(self, body: Mapping[str, Any], name: str) -> str | None:
        return None if body.get(name) in self._sets else "the permission set is not ours"


class _Removals:
    """The records that stand for our fields and our permission set, as Salesforce listed them in its answers."""

    def __init__(self, fields: Collection[str]) -> None:
        self._fields = fields
        self._known: set[tuple[str, str]] = set()

    def learn(self, answer: Any) -> None:
        for row in answer.get("records", ()):
            kind = row.get("attributes", {}).get("type")
            if kind in _REMOVABLE and row.get("Id") and self._is_ours(kind, row):
                self._known.add((kind, row["Id"]))

    def _is_ours(self, kind: str, row: Mapping[str, Any]) -> bool:
        if kind == "CustomField":
            name = f"{row.get('TableEnumOrId')}.{row.get('DeveloperName')}__c"
            return row.get("NamespacePrefix", "unknown") is None and name in self._fields
        if kind == "PermissionSet":
            return row.get("Name") == PERMISSION_SET and row.get("Label") == PERMISSION_SET_LABEL
        return ("PermissionSet", row.get("PermissionSetId")) in self._known

    def place(self, path: str) -> str | None:
        kind, id_ = path.rsplit("/", 2)[1:]
        return None if (kind, id_) in self._known else f"Salesforce did not list it as a {kind} of ours"
