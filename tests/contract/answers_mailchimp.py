"""What Mailchimp answers, written by hand after its documents; it keeps nothing, so that what was sent stands alone."""

import hashlib
import json
from datetime import datetime
from typing import Any, ClassVar

from connectors.errors import NotAuthorised, NotPermitted, Rejected, Throttled, Unavailable

_LIST = "a1b2c3d4e5"
_MOMENT = "2017-06-01T08:30:00+00:00"
_PROBLEM = {"Content-Type": "application/problem+json; charset=utf-8"}


def _problem(status: int, title: str, detail: str, **more: Any) -> tuple[int, dict[str, str], str]:
    body = {"type": "https://mailchimp.com/developer/marketing/docs/errors/", "title": title, "status": status}
    return status, _PROBLEM, json.dumps({**body, "detail": detail, "instance": "9f1c6c0e", **more})


class Answers:
    """An account with one audience, of which every answer is known beforehand."""

    kind, base = "mailchimp", "https://us6.api.mailchimp.com/3.0"
    options: ClassVar[dict[str, object]] = {}
    object = _LIST
    merges = False
    refusals: ClassVar = {
        "wrong token": (_problem(401, "API Key Invalid", "Your API key may be invalid."), NotAuthorised),
        "another data centre": (
            _problem(403, "Forbidden", "The API key provided is linked to datacenter 'us9'"),
            NotAuthorised,
        ),
        "missing role": (_problem(403, "Forbidden", "Your role may not do this."), NotPermitted),
        "too many calls": (_problem(429, "Too Many Requests", "You have exceeded the limit."), Throttled),
        "too many, without a word": ((429, {}, ""), Throttled),
        "blocked": ((403, {"Content-Type": "text/html"}, "<h1>Request Blocked</h1>"), Throttled),
        "a gateway": ((504, {"Content-Type": "text/html"}, "<html>upstream timed out</html>"), Unavailable),
        "malformed": (_problem(400, "Invalid Resource", "The resource submitted could not be validated."), Rejected),
    }

    def __init__(self) -> None:
        self.pages: list[list[Any]] = [[]]
        self.news: list[Any] = []
        self.replies: dict[str, str] = {}
        self.complete = True

    def id_of(self, number: int) -> str:
        return hashlib.sha256(str(number).encode()).hexdigest()[:32]

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status and JSON for one request."""
        audience = f"/lists/{_LIST}"
        match method, path.removeprefix("/3.0"):
            case "GET", "/lists":
                return 200, {"lists": [{"id": _LIST}], "total_items": 1}
            case "GET", "/lists/a1b2c3d4e5/members":
                return 200, self._members(query)
            case "GET", "/lists/a1b2c3d4e5/merge-fields":
                return 200, {"merge_fields": self._merge_fields(), "total_items": 4, "merge_field_limit": 30}
            case "GET", "/lists/a1b2c3d4e5/segments":
                names = ("FT: Big", "FT: Quiet", "ft: soon")
                rows = [
                    {"id": 70 + n, "name": name, "type": "static", "list_id": _LIST} for n, name in enumerate(names)
                ]
                return 200, {"segments": rows, "list_id": _LIST, "total_items": len(rows)}
            case "GET", member if member.startswith(f"{audience}/members/"):
                return 200, {"status": "subscribed"}
            case "POST", "/lists/a1b2c3d4e5":
                return 200, self._updated(body)
            case "POST", segment if segment.startswith(f"{audience}/segments/"):
                return 200, {
                    "members_added": [],
                    "members_removed": [],
                    "errors": [],
                    "total_added": 0,
                    "error_count": 0,
                }
        status, _, problem = _problem(404, "Resource Not Found", "The requested resource could not be found.")
        return status, json.loads(problem)

    def _members(self, query: dict[str, str]) -> Any:
        archived = query.get("status") == "archived"
        people = [each for page in self.pages for each in page if each.gone is archived]
        if "since_last_changed" in query:  # an unescaped + would have become a blank, which is no moment
            since = datetime.fromisoformat(query["since_last_changed"])
            people = [each for each in self.news if each.at > since and each.gone is archived]
        start, count = int(query.get("offset", 0)), min(int(query.get("count", 10)), 1000)
        rows = [self._row(each) for each in people[start : start + count]]
        return {"members": rows, "total_items": len(people)}

    def _row(self, person: Any) -> dict[str, Any]:
        statuses = {"granted": "subscribed", "opted_out": "unsubscribed", "unknown": "transactional"}
        return {
            "id": hashlib.md5(person.email.lower().encode()).hexdigest(),
            "contact_id": self.id_of(person.number),
            "email_address": person.email,
            "status": "archived" if person.gone else statuses[person.consent],
            "merge_fields": {
                "FNAME": person.first_name, "LNAME": "", "FT_BUY": 41.37, "FT_WHY": person.why, "FT_CTRL": ""
            },
            "source": "Import",
            "timestamp_signup": "",
            "timestamp_opt": _MOMENT,
            "last_changed": person.at.isoformat(),
            "tags_count": 2,
            "tags": [{"id": 70, "name": "FT: Big"}, {"id": 72, "name": "ft: soon"}],
        }  # fmt: skip

    def _updated(self, body: Any) -> Any:
        updated, errors = [], []
        for row in reversed(body["members"]):  # in any order
            id_ = self._ids()[row["email_address"]]
            reply = self.replies.get(id_, "written")
            error = {"email_address": row["email_address"], "error_code": "ERROR_GENERIC"}
            if reply == "written":
                shown = {"email_address": row["email_address"], "contact_id": id_, "status": "subscribed"}
                updated.append({**shown, "merge_fields": {"FNAME": "", **row["merge_fields"]}})
            elif reply == "refused":
                errors.append({**error, "error": "Value is too long", "field": "FT_WHY", "field_message": ""})
            elif reply == "gone":
                errors.append({**error, "error": "Please provide a status", "field": "status", "field_message": ""})
        counts = {"total_created": 0, "total_updated": len(updated), "error_count": len(errors)}
        return {"new_members": [], "updated_members": updated, "errors": errors, **counts}

    def _ids(self) -> dict[str, str]:
        return {each.email: self.id_of(each.number) for page in self.pages for each in page}

    def values_sent(self, body: Any) -> dict[str, Any]:
        """The text of `why` by id, in a write that was sent."""
        members = body.get("members", ()) if "update_existing" in body else ()
        return {self._ids()[row["email_address"]]: row["merge_fields"]["FT_WHY"] for row in members}

    def _merge_fields(self) -> list[dict[str, Any]]:
        kinds = {"FNAME": "text", "FT_BUY": "number", "FT_WHY": "text", "FT_CTRL": "text"}
        return [
            {"merge_id": n, "tag": tag, "name": tag, "type": type_, "required": False, "public": False}
            for n, (tag, type_) in enumerate(kinds.items(), 1)
            if self.complete or tag != "FT_WHY"
        ]
