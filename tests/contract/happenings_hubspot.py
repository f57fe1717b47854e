"""Deals and forms as HubSpot answers them, written by hand after its documents."""

import re
from datetime import datetime
from typing import Any

_DAY = "2017-05-01T12:00:00Z"


class Happenings:
    """A portal with these deals, or these submissions of one form, by number."""

    base = "https://api.hubapi.com"
    token = "a-token"
    page_sizes = ("connectors.hubspot.forms._SUBMISSIONS_PAGE",)

    def __init__(self) -> None:
        self.pages: list[list[int]] = [[]]
        self.news: dict[int, datetime] = {}

    def who(self, stream: str, number: int) -> str:
        """Whom the activity of this number is about."""
        return str(7_000 + number) if stream == "deals" else f"p{number}@post.example"

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        """JSON for one request."""
        match method, path:
            case "GET", "/crm/v3/objects/deals":
                return self._listed(query)
            case "POST", "/crm/v3/objects/deals/search":
                since = next(each["value"] for each in body["filterGroups"][0]["filters"] if each["operator"] == "GTE")
                found = [n for n, at in self.news.items() if at.timestamp() * 1000 >= int(since)]
                return {"total": len(found), "results": [self._deal(number) for number in found]}
            case "POST", "/crm/v4/associations/deals/contacts/batch/read":
                asked = [each["id"] for each in body["inputs"]]
                told = [{"from": {"id": id_}, "to": [{"toObjectId": int(id_) - 2_000}]} for id_ in asked]
                return {"status": "COMPLETE", "results": told}
            case "POST", "/crm/v3/objects/contacts/search":
                return {"total": len(self.news), "results": [{"id": str(n), "properties": {}} for n in self.news][:1]}
            case "GET", forms if forms.rstrip("/") == "/marketing/v3/forms":
                return {"results": [{"id": "f-1", "name": "Newsletter", "formType": "hubspot", "archived": False}]}
        assert re.fullmatch("/form-integrations/v1/submissions/forms/f-1", path), path
        return self._submitted(int(query.get("after", 0)), int(query["limit"]))

    def _listed(self, query: dict[str, str]) -> Any:
        if query.get("archived") == "true":
            return {"results": []}
        at = int(query.get("after") or 0)
        more = {"paging": {"next": {"after": str(at + 1)}}} if at + 1 < len(self.pages) else {}
        return {"results": [self._deal(number) for number in self.pages[at]], **more}

    def _deal(self, number: int) -> dict[str, Any]:
        changed = f"{self.news[number]:%Y-%m-%dT%H:%M:%SZ}" if number in self.news else _DAY
        told = {"amount": "10.50", "closedate": _DAY, "hs_is_closed": "true", "hs_is_closed_won": "true"}
        return {
            "id": str(9_000 + number),
            "properties": {**told, "hs_lastmodifieddate": changed},
            "associations": {"contacts": {"results": [{"id": str(7_000 + number), "type": "deal_to_contact"}]}},
            "createdAt": _DAY,
            "updatedAt": changed,
            "archived": False,
        }

    def _submitted(self, start: int, size: int) -> Any:
        """Newest first."""
        day = datetime.fromisoformat(_DAY)
        numbers = [*self.news, *(n for page in self.pages for n in page if n not in self.news)]
        rows = [
            {
                "conversionId": f"c-{n}",
                "submittedAt": int(self.news.get(n, day).timestamp() * 1000),
                "values": [{"name": "email", "value": f"p{n}@post.example", "objectTypeId": "0-1"}],
            }
            for n in numbers[start : start + size]
        ]
        more = {"paging": {"next": {"after": str(start + size)}}} if start + size < len(numbers) else {}
        return {"results": rows, **more}
