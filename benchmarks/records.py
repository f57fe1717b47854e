"""The records of the pretended platforms as one flat table, for comparing: what differs, and whether it may."""

import re
from collections.abc import Mapping
from typing import Any

Place = tuple[str, ...]
"""Platform, kind of record, id, field."""
Values = Mapping[Place, Any]

TELLING = {
    "segments": "name",
    "PermissionSet": "Name",
    "FieldPermissions": "Field",
    "PermissionSetAssignment": "AssigneeId",
}
"""Records that are told apart by a field other than their number: kind, field."""
NUMBERS = frozenset(
    {
        ("FieldDefinition", "DurableId"),
        ("PermissionSet", "Id"),
        ("FieldPermissions", "Id"),
        ("FieldPermissions", "ParentId"),
        ("PermissionSetAssignment", "Id"),
        ("PermissionSetAssignment", "PermissionSetId"),
    }
)
"""Numbers that are given out on the way: kind, field."""
MAY_CHANGE = {
    "hubspot": (r"contacts/\d+/(ft_\w+|(hs_)?lastmodifieddate)",),
    "mailchimp": (
        r"members/\w+/(merge FT_\w+|tags|tags_count|last_changed)",
        r"segments/FT: .+/(member_count|updated_at)",
    ),
    "salesforce": (r"(Contact|Lead)/\w+/(FT_\w+__c|LastModifiedDate|LastModifiedById|SystemModstamp)",),
}
"""The only values of records there are that may change: kind of record / id / field, tags by their name."""
MAY_APPEAR = {
    "hubspot": (r"contacts properties/ft_\w+", r"contacts groups/foretag"),
    "mailchimp": (r"merge_fields/FT_\w+", r"segments/FT: .+"),
    "salesforce": (
        r"FieldDefinition/(Contact|Lead)\.FT_\w+__c",
        r"(PermissionSet/foretag|FieldPermissions/(Contact|Lead)\.FT_\w+__c|PermissionSetAssignment/\w+)",
    ),
}
"""The only records that may be new: kind of record / id."""
CONSENT = re.compile(r"opt_?(ed)?_?(out|in)|status|consent|marketing_permissions|unsub|solicit|profiling|legal", re.I)
"""Fields that say what somebody has agreed to."""

_EMPTY = (None, "", False)


def values_of(snapshot: Mapping[str, Any]) -> dict[Place, Any]:
    """A snapshot as one flat table: (platform, object, id, field) → value.

    Mailchimp's columns are fields of their own, a member's tags are sorted; tags and rights go by what they are about.
    """
    flat: dict[Place, Any] = {}
    for platform, objects in snapshot.items():
        for kind, rows in objects.items():
            for key, row in rows.items():
                id_ = row[TELLING[kind]] if kind in TELLING else key
                for field, value in row.items():
                    if field == "merge_fields":
                        flat |= {(platform, kind, id_, f"merge {tag}"): column for tag, column in value.items()}
                    elif field == "tags" and isinstance(value, list):
                        flat[platform, kind, id_, field] = tuple(sorted(value))
                    else:
                        flat[platform, kind, id_, field] = value
    return flat


def timeless(values: Values, since: str) -> dict[Place, Any]:
    """The values but for numbers given out on the way; a moment of `since` (a day) or later stands for "then"."""
    return {place: _timeless(value, since) for place, value in values.items() if place[1:4:2] not in NUMBERS}


def _timeless(value: Any, since: str) -> Any:
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) and value >= since:
        return "then"
    return value


def rows(snapshot: Mapping[str, Any]) -> dict[Place, int]:
    """How many records there are of each kind."""
    return {(name, kind): len(found) for name, kinds in snapshot.items() for kind, found in kinds.items()}


def differences(old: Values, new: Values) -> set[Place]:
    """The places of all values that are not what they were; a column that is there but empty counts as not there."""
    return {
        place
        for place in old.keys() | new.keys()
        if old.get(place) != new.get(place) and not (place not in old and new[place] in _EMPTY)
    }


def foreign(old: Values, new: Values) -> set[Place]:
    """The places of values that differ although they are not ours; also where a tag of somebody else came or went."""
    known = {place[:3] for place in old}
    return {place for place in differences(old, new) if not _is_ours(place, known) or _tags_of_others(place, old, new)}


def _tags_of_others(place: Place, old: Values, new: Values) -> bool:
    if place[-1] != "tags" or place not in old:
        return False
    return any(not tag.startswith("FT: ") for tag in {*old[place]} ^ {*(new.get(place) or ())})


def _is_ours(place: Place, known: set[Place]) -> bool:
    platform, *record, field = place
    is_new = (platform, *record) not in known
    patterns, what = (MAY_APPEAR, record) if is_new else (MAY_CHANGE, [*record, field])
    return any(re.fullmatch(pattern, "/".join(what)) for pattern in patterns[platform])
