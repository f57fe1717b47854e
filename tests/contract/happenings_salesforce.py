"""Leads, and what people did, as Salesforce answers them, written by hand after its documents."""

import re
from datetime import datetime
from typing import Any

_DATA = "/services/data/v62.0"
_DAY = "2017-05-01T12:00:00.000+0000"
_COMMON = ("Id", "IsDeleted", "CreatedDate", "SystemModstamp")
_FIELDS = {
    "Contact": (*_COMMON, "Email"),
    "Lead": (*_COMMON, "Email", "IsConverted", "ConvertedContactId", "HasOptedOutOfEmail"),
    "OpportunityContactRole": (*_COMMON, "ContactId", "OpportunityId"),
    "Opportunity": (*_COMMON, "IsWon", "IsClosed", "CloseDate", "Amount"),
    "CampaignMember": (*_COMMON, "CampaignId", "ContactId", "LeadId", "HasResponded", "FirstRespondedDate"),
    "Task": (*_COMMON, "WhoId", "ActivityDate", "IsClosed", "CompletedDateTime", "IsRecurrence"),
    "Event": (*_COMMON, "WhoId", "ActivityDate", "ActivityDateTime", "IsRecurrence"),
}


class Happenings:
    """An org with these records of each object, by number."""

    base = "https://acme.my.salesforce.com"
    token = "a-token"
    page_sizes = ()

    def __init__(self) -> None:
        self.pages: list[list[int]] = [[]]
        self.news: dict[int, datetime] = {}

    def who(self, stream: str, number: int) -> str:
        """Whom the activity of this number is about, or the address of the lead."""
        return f"p{number}@post.example" if stream == "leads" else f"0035g0000000{number:03}AAA"

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        """JSON for one request."""
        match method, path.removeprefix(_DATA):
            case "POST", "/composite/batch":
                return {"hasErrors": True, "results": [self._part(part["url"]) for part in body["batchRequests"]]}
            case "GET", "/query/" | "/queryAll/":
                return self._found(query["q"])
        locator = re.fullmatch(rf"{_DATA}/query(?:All)?/01g5g00000000Ab(\w+)-(\d+)", path)
        assert locator, path
        return self._page(locator[1], int(locator[2]))

    def _part(self, url: str) -> dict[str, Any]:
        if "/deleted/" in url:
            return {"statusCode": 200, "result": {"deletedRecords": [], "latestDateCovered": _DAY}}
        name = url.split("/")[-2]
        if name not in _FIELDS:
            return {"statusCode": 404, "result": [{"errorCode": "NOT_FOUND", "message": "not there"}]}
        fields = [{"name": field, "type": "string", "updateable": False} for field in _FIELDS[name]]
        return {"statusCode": 200, "result": {"name": name, "fields": fields}}

    def _found(self, soql: str) -> Any:
        found = re.search(r"FROM (\w+)", soql)
        behind, since = re.search(r"Id > '(\w+)'", soql), re.search(r"\(SystemModstamp >= (\S+) AND", soql)
        assert found, soql
        if since is None and behind is None:
            return self._page(found[1], 0)
        numbers = [n for page in self.pages for n in page]
        if since is not None:
            numbers = [n for n, at in self.news.items() if at >= datetime.fromisoformat(since[1])]
        rows = [self._row(found[1], number) for number in numbers]
        rows = [row for row in rows if behind is None or row["Id"] > behind[1]]
        return {"totalSize": len(rows), "done": True, "records": rows}

    def _page(self, object_: str, number: int) -> Any:
        rows = [self._row(object_, each) for each in self.pages[number]]
        answer = {"totalSize": sum(map(len, self.pages)), "records": rows}
        if number + 1 == len(self.pages):
            return {**answer, "done": True}
        return {**answer, "done": False, "nextRecordsUrl": f"{_DATA}/queryAll/01g5g00000000Ab{object_}-{number + 1}"}

    def _row(self, object_: str, number: int) -> dict[str, Any]:
        changed = f"{self.news[number]:%Y-%m-%dT%H:%M:%S}.000+0000" if number in self.news else _DAY
        prefix = {"Lead": "00Q", "Task": "00T", "Event": "00U", "CampaignMember": "00v"}.get(object_, "00K")
        contact = self.who("", number)
        deal = {"IsWon": True, "IsClosed": True, "CloseDate": "2017-05-01", "Amount": 10.5}
        parent = {"CreatedDate": _DAY, "SystemModstamp": _DAY, "IsDeleted": False, **deal}
        return {
            "attributes": {"type": object_}, "Id": f"{prefix}5g0000000{number:03}AAA", "IsDeleted": False,
            "CreatedDate": _DAY, "SystemModstamp": changed, "Email": f"p{number}@post.example",
            "HasOptedOutOfEmail": False, "IsConverted": False, "ConvertedContactId": None, "ContactId": contact,
            "LeadId": None, "Opportunity": {"attributes": {"type": "Opportunity"}, **parent}, "CampaignId": "701",
            "HasResponded": False, "WhoId": contact, "ActivityDate": "2017-05-01", "IsClosed": True,
            "IsRecurrence": False,
        }  # fmt: skip
