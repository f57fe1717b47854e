"""Every request the adapter sends. No other leaves the machine."""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from connectors.allowlist import BodyCheck, Rule, anything, not_ours, unexpected
from connectors.hubspot.sdk import versioned

GROUP = "foretag"
"""The property group our fields stand in."""
WRITE_BATCH = 100
"""Contacts per batch/update or batch/read call."""

_PROPERTY_KEYS = ("name", "label", "description", "groupName", "type", "fieldType", "options", "formField")


def rules(prefix: str, version: str, removable: Collection[str] = (), *, provision: bool = False) -> Iterable[Rule]:
    """The allow-list for fields that begin with `prefix`, in API version `version`.

    Properties are made with `provision` only. `removable` names those that may be removed: none, but for a cleanup.
    Raises ValueError for a prefix under which the platform has fields of its own.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*_", prefix) or prefix in ("hs_", "hubspot_"):
        raise ValueError(f"{prefix!r} cannot be the beginning of our HubSpot fields; take something like 'ft_'")
    ours = re.escape(prefix) + "[a-z0-9_]+"

    def rule(name: str, method: str, path: str, body: BodyCheck | None = None, group: str = "default") -> Rule:
        return Rule(name, method, versioned(path, version), body, group=group)

    listed = _Listed(removable)
    contacts, deals, properties = "/crm/v3/objects/contacts", "/crm/v3/objects/deals", "/crm/v3/properties/contacts"
    yield rule("contacts list", "GET", contacts)
    yield rule("contacts search", "POST", f"{contacts}/search", anything, "search")
    yield rule("contacts read", "POST", f"{contacts}/batch/read", anything)
    yield rule("contacts update", "POST", f"{contacts}/batch/update", _update(ours))
    yield rule("deals list", "GET", deals)
    yield rule("deals search", "POST", f"{deals}/search", anything, "search")
    yield rule("deal contacts", "POST", "/crm/v4/associations/deals/contacts/batch/read", anything, "associations")
    yield rule("lists search", "POST", "/crm/v3/lists/search", _lists)
    yield rule("list members", "GET", "/crm/v3/lists/[0-9]+/memberships")
    yield rule("forms list", "GET", "/marketing/v3/forms/?")
    yield rule("form submissions", "GET", "/form-integrations/v1/submissions/forms/[0-9A-Za-z-]+")
    yield replace(rule("properties list", "GET", properties), learn=listed.learn)
    yield rule("property groups", "GET", f"{properties}/groups")
    yield rule("property limits", "GET", "/crm/v3/limits/custom-properties")
    yield rule("account details", "GET", "/account-info/v3/details")
    yield rule("daily usage", "GET", "/account-info/v3/api-usage/daily/private-apps")
    if provision:
        yield rule("properties create", "POST", f"{properties}/batch/create", _create(ours))
        yield rule("property options", "PATCH", f"{properties}/{ours}", _options)
        yield rule("property group create", "POST", f"{properties}/groups", _group)
    if removable:
        yield replace(rule("property remove", "DELETE", f"{properties}/{ours}"), place=listed.place)
        yield replace(rule("property group remove", "DELETE", f"{properties}/groups/{GROUP}"), place=listed.group)


class _Listed:
    """What HubSpot listed in our property group: nothing else is removed, and the group only when it is empty."""

    def __init__(self, removable: Collection[str]) -> None:
        self._removable = removable
        self._grouped: set[str] | None = None

    def learn(self, answer: Any) -> None:
        rows = [row for row in answer.get("results", ()) if not row.get("archived")]
        if rows:  # else it was the list of archived ones: contacts always have properties
            self._grouped = {row["name"] for row in rows if row.get("groupName") == GROUP}

    def place(self, path: str) -> str | None:
        name = path.rpartition("/")[2]
        ours = name in self._removable and name in (self._grouped or ())
        return None if ours else "HubSpot did not list it as one of our properties"

    def group(self, path: str) -> str | None:
        del path
        return None if self._grouped == set() else "the property group is not known to be empty"


def _update(ours: str) -> BodyCheck:
    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("inputs",))
        inputs = [] if problem else body.get("inputs", [])
        if not 0 < len(inputs) <= WRITE_BATCH:
            return problem or f"it is about {len(inputs)} contacts"
        for row in inputs:
            problem = unexpected("a contact", row, ("id", "properties", "objectWriteTraceId"))
            problem = problem or _update_row(row, ours)
            if problem:
                return problem
        return None

    return check


def _update_row(row: dict[str, Any], ours: str) -> str | None:
    if not re.fullmatch("[0-9]+", str(row.get("id", ""))):
        return "a contact is not named by its record id"
    properties = row.get("properties")
    if not isinstance(properties, dict) or not properties:
        return "a contact has no properties"
    if not all(isinstance(value, str) for value in properties.values()):
        return "a value is not text"
    return not_ours("the property", properties, ours)


def _create(ours: str) -> BodyCheck:
    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("inputs",))
        for row in [] if problem else body.get("inputs", []):
            problem = unexpected("a property", row, _PROPERTY_KEYS) or not_ours("the property", [row["name"]], ours)
            problem = problem or (None if row.get("groupName") == GROUP else "a property is not in our group")
            if problem:
                break
        return problem

    return check


def _lists(body: Any) -> str | None:
    return unexpected("the body", body, ("query", "offset", "count"))


def _options(body: Any) -> str | None:
    return unexpected("the body", body, ("options",))


def _group(body: Any) -> str | None:
    problem = unexpected("the body", body, ("name", "label"))
    return problem or not_ours("the property group", [body.get("name", "")], GROUP)
