"""What Salesforce answers, by hand after its documents; it keeps nothing, so that what was sent stands alone."""

import json
import re
from datetime import datetime
from typing import Any, ClassVar

from connectors.errors import NotAuthorised, NotPermitted, QuotaSpent, Rejected, SchemaDrift, Throttled, Unavailable

_MOMENT = "2017-06-01T08:30:00.000+0000"
_DATA = "/services/data/v62.0"
_TYPES = {
    "Id": "id", "IsDeleted": "boolean", "MasterRecordId": "reference", "Email": "email", "FirstName": "string",
    "CreatedDate": "datetime", "SystemModstamp": "datetime", "HasOptedOutOfEmail": "boolean",
    "FT_Buy_Score__c": "double", "FT_Tags__c": "multipicklist", "FT_Why__c": "string", "FT_Control__c": "boolean",
}  # fmt: skip


def _error(status: int, code: str, message: str, **more: Any) -> tuple[int, dict[str, str], str]:
    return status, {}, json.dumps([{"message": message, "errorCode": code, **more}])


class Answers:
    """An org of which every answer is known beforehand."""

    kind, base = "salesforce", "https://acme.my.salesforce.com"
    options: ClassVar[dict[str, object]] = {"objects": ("Contact",)}
    object = "Contact"
    merges = True
    refusals: ClassVar = {
        "wrong token": (_error(401, "INVALID_SESSION_ID", "Session expired or invalid"), NotAuthorised),
        "a day's calls": (_error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), QuotaSpent),
        "too many at once": (
            _error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
            Throttled,
        ),
        "a hidden field": (
            _error(400, "INVALID_FIELD", "No such column 'FT_Why__c' on entity 'Contact'."),
            SchemaDrift,
        ),
        "an object out of reach": (
            _error(400, "INVALID_TYPE", "sObject type 'Contact' is not supported."),
            NotPermitted,
        ),
        "a web page": ((200, {"Content-Type": "text/html"}, "<html>Down for maintenance</html>"), Unavailable),
        "a gateway": ((503, {"Content-Type": "text/html"}, "<h1>503 Service Unavailable</h1>"), Unavailable),
        "malformed": (_error(400, "MALFORMED_QUERY", "unexpected token: FROM"), Rejected),
    }

    def __init__(self) -> None:
        self.pages: list[list[Any]] = [[]]
        self.news: list[Any] = []
        self.replies: dict[str, str] = {}
        self.complete = True

    def id_of(self, number: int) -> str:
        return f"0035g0000000{number:03}AAA"

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status and JSON for one request."""
        match method, path.removeprefix(_DATA):
            case "POST", "/composite/batch":
                parts = [self._part(part["url"]) for part in body["batchRequests"]]
                return 200, {"hasErrors": any(part["statusCode"] >= 400 for part in parts), "results": parts}
            case "GET", "/query/" | "/queryAll/":
                return 200, self._found(query["q"])
            case "GET", more if more.startswith(("/query/01g", "/queryAll/01g")):
                return 200, self._page(int(more.rpartition("-")[2]))
            case "PATCH", "/composite/sobjects":
                return 200, self._updated(body["records"])
        return 404, [{"errorCode": "NOT_FOUND", "message": f"The requested resource does not exist: {method} {path}"}]

    def _part(self, url: str) -> dict[str, Any]:
        if "/deleted/" in url:
            log = {"deletedRecords": [], "earliestDateAvailable": _MOMENT, "latestDateCovered": _MOMENT}
            return {"statusCode": 200, "result": log}
        if url.endswith("/sobjects/Contact/describe"):
            fields = [self._described(name) for name in _TYPES if self.complete or name != "FT_Why__c"]
            return {"statusCode": 200, "result": {"name": "Contact", "label": "Contact", "fields": fields}}
        error = {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}
        return {"statusCode": 404, "result": [error]}

    def _described(self, name: str) -> dict[str, Any]:
        ours = name.startswith("FT_")
        values = [{"value": each, "label": each, "active": True} for each in ("Big", "Quiet", "Soon")]
        return {
            "name": name,
            "type": _TYPES[name],
            "updateable": ours,
            "length": 255 if _TYPES[name] == "string" else 0,
            "restrictedPicklist": False,
            "picklistValues": values if name == "FT_Tags__c" else [],
        }

    def _found(self, soql: str) -> Any:
        behind, since = re.search(r"Id > '(\w+)'", soql), re.search(r"\(SystemModstamp >= (\S+) AND", soql)
        if since is not None:
            rows = [self._row(each) for each in self.news if each.at >= datetime.fromisoformat(since[1])]
            return {"totalSize": len(rows), "done": True, "records": rows}
        if behind is None:
            return self._page(0)
        rows = [self._row(each) for page in self.pages for each in page if self.id_of(each.number) > behind[1]]
        return {"totalSize": len(rows), "done": True, "records": rows}

    def _page(self, number: int) -> Any:
        answer = {"totalSize": sum(map(len, self.pages)), "records": [self._row(each) for each in self.pages[number]]}
        if number + 1 == len(self.pages):
            return {**answer, "done": True}
        return {**answer, "done": False, "nextRecordsUrl": f"{_DATA}/queryAll/01g5g00000000AbAAI-{number + 1}"}

    def _row(self, person: Any) -> dict[str, Any]:
        id_ = self.id_of(person.number)
        return {
            "attributes": {"type": "Contact", "url": f"{_DATA}/sobjects/Contact/{id_}"},
            "Id": id_,
            "IsDeleted": person.gone or person.merged_into is not None,
            "MasterRecordId": None if person.merged_into is None else self.id_of(person.merged_into),
            "Email": person.email,
            "FirstName": person.first_name,
            "CreatedDate": _MOMENT,
            "SystemModstamp": f"{person.at:%Y-%m-%dT%H:%M:%S}.000+0000",
            "HasOptedOutOfEmail": {"granted": False, "opted_out": True, "unknown": None}[person.consent],
            "FT_Buy_Score__c": 41.37,
            "FT_Tags__c": "Big;Soon",
            "FT_Why__c": person.why,
            "FT_Control__c": False,
        }

    def _updated(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        codes = {"refused": ("STRING_TOO_LONG", "Reasons: data value too large"), "gone": ("ENTITY_IS_DELETED", "gone")}
        answer: list[dict[str, Any]] = []
        for record in records:
            reply = self.replies.get(record["id"], "written")
            if reply == "written":
                answer.append({"id": record["id"], "success": True, "errors": []})
            elif reply in codes:
                code, message = codes[reply]
                answer.append({"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]})
        return answer

    def values_sent(self, body: Any) -> dict[str, Any]:
        """The text of `why` by id, in a write that was sent."""
        return {row["id"]: row["FT_Why__c"] for row in body.get("records", ())}
