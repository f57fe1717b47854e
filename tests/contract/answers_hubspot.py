"""What HubSpot answers, written by hand after its documents; it keeps nothing, so that what was sent stands alone."""

import json
import re
from typing import Any, ClassVar

from connectors.errors import NotAuthorised, NotPermitted, QuotaSpent, Rejected, Throttled, Unavailable

_MOMENT = "2017-06-01T08:30:00.120Z"


def _error(status: int, category: str, message: str, **more: Any) -> tuple[int, dict[str, str], str]:
    body = {"status": "error", "message": message, "correlationId": "b3f0c1d2", "category": category, **more}
    return status, {}, json.dumps(body)


def _limit(policy: str) -> tuple[int, dict[str, str], str]:
    message = f"You have reached your {policy.lower()} limit."
    body = {"status": "error", "message": message, "errorType": "RATE_LIMIT", "policyName": policy, "groupName": "app"}
    return 429, {}, json.dumps(body)


class Answers:
    """A portal of which every answer is known beforehand."""

    kind, base = "hubspot", "https://api.hubapi.com"
    object = "contacts"
    merges = True
    refusals: ClassVar = {
        "wrong token": (_error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found."), NotAuthorised),
        "malformed token": ((530, {}, "error code: 1016"), NotAuthorised),
        "missing scope": (
            _error(403, "MISSING_SCOPES", "Not allowed", context={"requiredGranularScopes": ["crm.objects"]}),
            NotPermitted,
        ),
        "a day's calls": (_limit("DAILY"), QuotaSpent),
        "too many calls": (_limit("TEN_SECONDLY_ROLLING"), Throttled),
        "locked": (_error(423, "LOCKED", "The record is locked."), Unavailable),
        "a gateway": ((502, {}, "<html><h1>502 Bad Gateway</h1></html>"), Unavailable),
        "malformed": (_error(400, "VALIDATION_ERROR", "Invalid input JSON"), Rejected),
    }

    def __init__(self, version: str = "v3") -> None:
        self._version = version
        self.options = {"api_version": version}
        self.pages: list[list[Any]] = [[]]
        self.news: list[Any] = []
        self.replies: dict[str, str] = {}
        self.complete = True

    def id_of(self, number: int) -> str:
        return str(7_000_000_000 + number)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status and JSON for one request."""
        match method, re.sub(r"^/crm", "", path).replace(f"/{self._version}/", "/"):
            case "GET", "/objects/contacts":
                return 200, self._listed(query)
            case "POST", "/objects/contacts/search":
                return 200, self._changed(body)
            case "POST", "/objects/contacts/batch/read":
                return 200, self._read(body)
            case "POST", "/objects/contacts/batch/update":
                return self._updated(body)
            case "GET", "/properties/contacts":
                return 200, {"results": [] if query.get("archived") == "true" else self._definitions()}
            case "GET", "/properties/contacts/groups":
                return 200, {
                    "results": [{"name": "foretag", "label": "foretag", "displayOrder": -1, "archived": False}]
                }
        return 404, {"status": "error", "message": f"no such resource: {method} {path}", "correlationId": "1"}

    def _listed(self, query: dict[str, str]) -> Any:
        if query.get("archived") == "true":
            return {"results": [self._row(each) for page in self.pages for each in page if each.gone]}
        number = int(query.get("after") or 0)
        rows = [self._row(each) for each in self.pages[number] if not each.gone and not each.merged_into]
        if number + 1 == len(self.pages):
            return {"results": rows}
        link = f"https://api.hubapi.com/crm/v3/objects/contacts?after={number + 1}"
        return {"results": rows, "paging": {"next": {"after": str(number + 1), "link": link}}}

    def _changed(self, body: Any) -> Any:
        """What was changed since the moment that is asked for, which has to be epoch milliseconds, ascending."""
        [group], [order] = body["filterGroups"], body["sorts"]
        since = {each["operator"]: each["value"] for each in group["filters"]}["GTE"]
        assert (order["direction"], since.isdigit()) == ("ASCENDING", True)
        rows = [self._row(each) for each in self.news if each.at.timestamp() * 1000 >= int(since)]
        return {"total": len(rows), "results": rows}

    def _row(self, person: Any) -> dict[str, Any]:
        changed = f"{person.at:%Y-%m-%dT%H:%M:%S}.120Z"
        merged = [self.id_of(each.number) for page in self.pages for each in page if each.merged_into == person.number]
        properties = {
            "hs_object_id": self.id_of(person.number),
            "email": person.email,
            "firstname": person.first_name,
            "createdate": _MOMENT,
            "lastmodifieddate": changed,
            "hs_email_optout": {"granted": "false", "opted_out": "true", "unknown": None}[person.consent],
            "hs_merged_object_ids": ";".join(merged) or None,
            "ft_buy_score": "41.3700000000000000477",
            "ft_why": person.why,
            "ft_tags": "Soon;Big",
            "ft_control": "",
        }
        row = {"id": self.id_of(person.number), "properties": properties, "createdAt": _MOMENT, "updatedAt": changed}
        return {**row, "archived": True, "archivedAt": _MOMENT} if person.gone else {**row, "archived": False}

    def _read(self, body: Any) -> Any:
        """No property with history, and nobody of those who were passed over."""
        del body
        return {"status": "COMPLETE", "results": [], "startedAt": _MOMENT, "completedAt": _MOMENT}

    def _updated(self, body: Any) -> tuple[int, Any]:
        results, errors = [], []
        for row in reversed(body["inputs"]):  # in any order
            id_, reply = row["id"], self.replies.get(row["id"], "written")
            if reply == "written":
                shown = {"id": id_, "properties": {"hs_object_id": id_}, "createdAt": _MOMENT, "updatedAt": _MOMENT}
                results.append({**shown, "archived": False})
            elif reply == "refused":
                context = {"objectWriteTraceId": [id_], "propertyName": ["ft_why"]}
                error = {"category": "VALIDATION_ERROR", "message": f"Property values were not valid: {id_}"}
                errors.append({"status": "error", **error, "context": context})
            elif reply == "gone":
                error = {"category": "OBJECT_NOT_FOUND", "message": "Could not get some CONTACT objects"}
                errors.append({"status": "error", **error, "context": {"ids": [id_]}})
        answer = {"status": "COMPLETE", "results": results, "startedAt": _MOMENT, "completedAt": _MOMENT}
        if not errors:
            return 200, answer
        partly = 207 if self._version == "v3" else 200  # dated versions tell it in the body alone
        return partly, {**answer, "numErrors": len(errors), "errors": errors}

    def values_sent(self, body: Any) -> dict[str, Any]:
        """The text of `why` by id, in a write that was sent."""
        return {row["id"]: row["properties"]["ft_why"] for row in body.get("inputs", ()) if "properties" in row}

    def _definitions(self) -> list[dict[str, Any]]:
        kinds = {
            "ft_buy_score": ("number", "number", ()),
            "ft_tags": ("enumeration", "checkbox", ("Big", "Quiet", "Soon")),
            "ft_why": ("string", "text", ()),
            "ft_control": ("bool", "booleancheckbox", ("true", "false")),
        }
        return [
            {
                "name": name,
                "label": name,
                "type": type_,
                "fieldType": shown_as,
                "groupName": "foretag",
                "options": [
                    {"label": value, "value": value, "displayOrder": n, "hidden": False}
                    for n, value in enumerate(options)
                ],
                "archived": False,
            }
            for name, (type_, shown_as, options) in kinds.items()
            if self.complete or name != "ft_why"
        ]
