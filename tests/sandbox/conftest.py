"""A small running sandbox, and a client for its HubSpot."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from sandbox.hubspot import TOKEN
from sandbox.people import World
from sandbox.server import Sandbox
from sandbox.world import small

MIDSUMMER = datetime(2017, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def small_world() -> World:
    return small()


@pytest.fixture
def small_sandbox(small_world: World) -> Iterator[Sandbox]:
    """A sandbox with 40 invented people and only HubSpot, at 1 July 2017, without rate limits."""
    with Sandbox(small_world, MIDSUMMER, platforms=("hubspot",), limits=False) as sandbox:
        yield sandbox


class HubSpotClient:
    """Plain HTTP calls to the pretended HubSpot."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/hubspot"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {TOKEN}"

    def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = self.session.request(method, self.url + path, timeout=10, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        return self.call("GET", path, status, params=params)

    def post(self, path: str, sent: Any, status: int = 200) -> Any:
        return self.call("POST", path, status, json=sent)

    def everything(self, path: str, **params: Any) -> list[Any]:
        """All pages of a list."""
        rows: list[Any] = []
        after: dict[str, str] = {}
        while True:
            page = self.get(path, **params, **after)
            rows += page["results"]
            if "paging" not in page:
                return rows
            after = {"after": page["paging"]["next"]["after"]}

    def update(self, *rows: dict[str, Any], status: int = 200, kind: str = "contacts") -> Any:
        return self.post(f"/crm/v3/objects/{kind}/batch/update", {"inputs": list(rows)}, status)

    def provision(self, *wanted: dict[str, Any]) -> None:
        """Make the properties that tests write to."""
        self.post("/crm/v3/properties/contacts/groups", {"name": "scores", "label": "Scores"}, 201)
        inputs = [{"groupName": "scores", **each} for each in wanted]
        self.post("/crm/v3/properties/contacts/batch/create", {"inputs": inputs}, 201)


@pytest.fixture
def connect() -> Iterator[Callable[[Sandbox], HubSpotClient]]:
    """Makes clients for sandboxes and closes them again."""
    clients: list[HubSpotClient] = []

    def make(sandbox: Sandbox) -> HubSpotClient:
        clients.append(HubSpotClient(sandbox.url))
        return clients[-1]

    yield make
    for client in clients:
        client.session.close()


@pytest.fixture
def hubspot(small_sandbox: Sandbox, connect: Callable[[Sandbox], HubSpotClient]) -> HubSpotClient:
    return connect(small_sandbox)
