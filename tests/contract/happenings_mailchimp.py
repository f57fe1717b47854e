"""Orders and campaigns as Mailchimp answers them, written by hand after its documents."""

import gzip
import io
import json
import tarfile
from datetime import datetime
from typing import Any

_DAY = datetime.fromisoformat("2017-05-01T12:00:00+00:00")


class Happenings:
    """An account with these orders in one shop, or these campaigns, by number."""

    base = "https://us6.api.mailchimp.com/3.0"
    token = f"{'0' * 32}-us6"
    page_sizes = ("connectors.mailchimp.orders.PAGE", "connectors.mailchimp.campaigns.CHUNK")

    def __init__(self) -> None:
        self.pages: list[list[int]] = [[]]
        self.news: dict[int, datetime] = {}
        self._batches: list[list[dict[str, Any]]] = []

    def who(self, stream: str, number: int) -> str:
        """Whom the activity of this number is about."""
        del stream
        return f"p{number}@post.example"

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        """JSON for one request, or the bytes of a file."""
        numbers = list(dict.fromkeys([*(n for page in self.pages for n in page), *self.news]))
        match method, path.removeprefix("/3.0"):
            case "GET", "/ecommerce/stores":
                return {"stores": [{"id": "shop"}], "total_items": 1}
            case "GET", "/ecommerce/stores/shop/orders":
                start = int(query.get("offset", 0))
                rows = [self._order(n) for n in numbers[start : start + int(query["count"])]]
                return {"orders": rows, "total_items": len(numbers)}
            case "GET", "/reports":
                since = datetime.fromisoformat(query.get("since_send_time", "2000-01-01T00:00:00+00:00"))
                sent = [n for n in numbers if self.news.get(n, _DAY) >= since]
                return {"reports": [self._report(n) for n in sent], "total_items": len(sent)}
            case "POST", "/batches":
                self._batches.append(body["operations"])
                return {"id": f"b{len(self._batches) - 1}", "status": "pending", "response_body_url": ""}
            case "GET", batch if batch.startswith("/batches/"):
                name = batch.rpartition("/")[2]
                url = f"https://us6.api.mailchimp.com/{name}.tar.gz?signed=1"
                return {"id": name, "status": "finished", "response_body_url": url}
        return self._archive(self._batches[int(path.removeprefix("/b").removesuffix(".tar.gz"))])

    def _order(self, number: int) -> dict[str, Any]:
        day = self.news.get(number, _DAY).isoformat()
        return {
            "id": f"o-{number}", "customer": {"email_address": f"p{number}@post.example"}, "campaign_id": "",
            "financial_status": "paid", "currency_code": "EUR", "order_total": 10.5, "processed_at_foreign": day,
            "cancelled_at_foreign": "", "updated_at_foreign": day,
        }  # fmt: skip

    def _report(self, number: int) -> dict[str, Any]:
        return {
            "id": f"k{number}", "list_id": "a1b2c3d4e5", "send_time": self.news.get(number, _DAY).isoformat(),
            "emails_sent": 1, "unsubscribed": 0, "bounces": {"hard_bounces": 0, "soft_bounces": 0},
            "clicks": {"clicks_total": 0}, "opens": {"opens_total": 0, "proxy_excluded_opens": 0},
        }  # fmt: skip

    def _archive(self, operations: list[dict[str, Any]]) -> bytes:
        answers = []
        for each in operations:
            number = int(each["operation_id"].removeprefix("k"))
            rows = [{"email_id": f"e{number}", "email_address": f"p{number}@post.example", "activity": []}]
            answers.append(
                {"operation_id": each["operation_id"], "status_code": 200, "response": json.dumps({"emails": rows})}
            )
        content, packed = json.dumps(answers).encode(), io.BytesIO()
        with gzip.open(packed, "wb") as zipped, tarfile.open(fileobj=zipped, mode="w|") as archive:
            info = tarfile.TarInfo("0/answers.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        return packed.getvalue()
