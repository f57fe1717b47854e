"""A tiny made-up town on the pretended Mailchimp, served over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from sandbox.people import Campaign, Order, Person, Redemption, Send, World
from sandbox.server import Sandbox


def day(month: int, number: int, hour: int = 9) -> datetime:
    return datetime(2017, month, number, hour, tzinfo=UTC)


def _person(household: int, first: str, last: str, email: str, joined: datetime, **more: Any) -> Person:
    home = more.pop("home", "mailchimp")
    emails = {"mailchimp": email} | ({home: email} if home != "mailchimp" else {})
    return Person(household, first, last, joined, home, "mailchimp", emails, **more)


TOWN = World(
    people=(
        _person(1, "Ada", "Åberg", "Ada@Post.example", day(1, 2), demographics={"age": "35-44", "income": "50-74K"}),
        _person(2, "Ben", "O'Neil", "ben@post.example", day(1, 3), opted_out={"mailchimp": day(6, 5)}),
        _person(3, "Cyd", "Berg", "cyd@old.example", day(1, 4), moved=(day(7, 1), "cyd@new.example")),
        _person(4, "Dee", "Ray", "dee@post.example", day(2, 1), home="hubspot"),
        _person(5, "Eli", "Late", "eli@post.example", day(11, 1)),
    ),
    orders=(
        Order(101, 1, day(1, 2, 10), 12.35, 3),
        Order(102, 3, day(1, 4, 10), 8.0, 1),
        Order(103, 4, day(2, 1, 10), 99.0, 5),
        Order(104, 1, day(6, 8, 10), 40.01, 2),
        Order(105, 3, day(8, 1, 10), 5.0, 1),
        Order(106, 5, day(11, 1, 10), 7.0, 1),
    ),
    campaigns=(
        Campaign(1, "Spring", day(6, 1), day(7, 1)),
        Campaign(2, "Summer", day(8, 1), day(9, 1)),
        Campaign(3, "Winter", day(12, 1), day(12, 24)),
    ),
    sends=tuple(
        Send(campaign, household, at)
        for campaign, at, households in ((1, day(6, 1), (1, 2, 3, 4)), (2, day(8, 1), (1, 2, 3)), (3, day(12, 1), (5,)))
        for household in households
    ),
    redemptions=(Redemption(1, 1, day(6, 5, 12)),),
)


@dataclass
class Api:
    """The API of a running sandbox with its one audience."""

    sandbox: Sandbox
    session: requests.Session
    base: str
    list_id: str = ""

    def call(self, method: str, path: str, json: Any = None, **params: Any) -> requests.Response:
        return self.session.request(
            method, self.base + path.replace("{list}", f"lists/{self.list_id}"), params, json=json
        )

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        answer = self.call("GET", path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def member(self, key: str) -> dict[str, Any]:
        return self.get(f"/{{list}}/members/{key}")

    def batch(self, *members: dict[str, Any], update: bool = True, **more: Any) -> dict[str, Any]:
        params = {name: more.pop(name) for name in ("skip_merge_validation", "skip_duplicate_check") if name in more}
        body = {"members": list(members), "update_existing": update, **more}
        answer = self.call("POST", "/{list}", body, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add_field(self, tag: str, kind: str, **more: Any) -> dict[str, Any]:
        answer = self.call("POST", "/{list}/merge-fields", {"tag": tag, "name": tag.title(), "type": kind, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def problem(self, method: str, path: str, json: Any = None, **params: Any) -> dict[str, Any]:
        answer = self.call(method, path, json, **params)
        assert answer.status_code >= 400, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"
        assert answer.json()["status"] == answer.status_code
        return answer.json()


@pytest.fixture
def api() -> Iterator[Api]:
    """The town on the last day of September."""
    with Sandbox(TOWN, day(9, 30), platforms=["mailchimp"]) as sandbox, requests.Session() as session:
        session.auth = ("anybody", sandbox.platform("mailchimp").token)
        api = Api(sandbox, session, f"{sandbox.url}/mailchimp/3.0")
        api.list_id = api.get("/lists")["lists"][0]["id"]
        yield api
