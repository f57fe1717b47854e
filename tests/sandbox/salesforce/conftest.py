import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from sandbox.people import Campaign, Order, Person, Redemption, Send, World
from sandbox.platform import SandboxClock
from sandbox.salesforce import ACCESS_TOKEN, Options, Salesforce

START = datetime(2017, 1, 1, tzinfo=UTC)
APRIL = datetime(2017, 4, 15, tzinfo=UTC)


def day(month: int, number: int, hour: int = 9) -> datetime:
    return datetime(2017, month, number, hour, tzinfo=UTC)


def tiny_world() -> World:
    """Ann buys from January on, Ben from April on; Cleo is only mailed here and Dan is elsewhere."""
    people = (
        Person(
            1, "Ann", "Arden", day(1, 3), "salesforce", "salesforce", {"salesforce": "Ann@shop.example"},
            {"age": "45-54", "kids_count": "2"}, (day(5, 1), "ann.arden@mail.example"), {"salesforce": day(6, 1)},
        ),
        Person(
            3, "Cleo", "Cole", day(1, 9), "hubspot", "salesforce",
            {"hubspot": "c@x.example", "salesforce": "c@x.example"},
        ),
        Person(4, "Dan", "Dorn", day(2, 1), "hubspot", "hubspot", {"hubspot": "dan@x.example"}),
        Person(2, "Ben", "Bold", day(4, 2), "salesforce", "salesforce", {"salesforce": "ben@x.example"}),
    )  # fmt: skip
    orders = (
        Order(11, 1, day(1, 3, 10), 10.5, 3),
        Order(12, 3, day(1, 9, 10), 99.0, 3),
        Order(13, 4, day(2, 1, 10), 99.0, 3),
        Order(14, 1, day(2, 3, 10), 20.25, 1),
        Order(15, 2, day(4, 2, 10), 5.0, 1),
    )
    sends = (Send(7, 1, day(3, 1)), Send(7, 3, day(3, 1)), Send(7, 4, day(3, 1)))
    redemptions = (Redemption(7, 1, day(3, 5)), Redemption(7, 1, day(3, 8)))
    return World(people, orders, (Campaign(7, "Spring", day(3, 1), day(4, 1)),), sends, redemptions)


class Client:
    """The pretended Salesforce over HTTP, with the clock beside it."""

    def __init__(self, salesforce: Salesforce, clock: SandboxClock, site: str) -> None:
        self.salesforce, self.clock, self.site = salesforce, clock, site
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {ACCESS_TOKEN}"

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        if method == "PUT":
            more.setdefault("headers", {"Content-Type": "text/csv"})
        return self._session.request(method, f"{self.site}/services/data/v60.0/{path}", timeout=10, **more)

    def close(self) -> None:
        self._session.close()

    def get(self, path: str, **params: str) -> Any:
        return self.call("GET", path, params=params).json()

    def query(self, text: str, path: str = "query") -> list[dict[str, Any]]:
        answer = self.call("GET", path, params={"q": text})
        assert answer.status_code == 200, answer.text
        return answer.json()["records"]

    def refusal(self, text: str, path: str = "query") -> tuple[str, str]:
        answer = self.call("GET", path, params={"q": text})
        assert answer.status_code == 400, answer.text
        (error,) = answer.json()
        return error["errorCode"], error["message"]

    def update(self, *records: dict[str, Any], all_or_none: bool = False, **more: Any) -> requests.Response:
        return self.call("PATCH", "composite/sobjects", json={"allOrNone": all_or_none, "records": records}, **more)

    def advance(self, date: datetime) -> None:
        self.clock.set(date)
        self.salesforce.advance(date)

    def id_of(self, object_name: str, email: str) -> str:
        return self.query(f"SELECT Id FROM {object_name} WHERE Email = '{email}'")[0]["Id"]

    def add_field(self, full_name: str, kind: str = "Number", *, grant: bool = True, **metadata: Any) -> str:
        """Make a custom field and, unless told otherwise, let the integration user see and edit it."""
        defaults = {"Number": {"precision": 5, "scale": 2}}.get(kind, {})
        body = {"FullName": full_name, "Metadata": {"type": kind, "label": full_name, **defaults, **metadata}}
        made = self.call("POST", "tooling/sobjects/CustomField", json=body)
        assert made.status_code == 201, made.text
        if grant:
            self.grant(full_name)
        return str(made.json()["id"])

    def grant(self, full_name: str, *, edit: bool = True) -> None:
        sets = self.query("SELECT Id FROM PermissionSet")
        parent = sets[0]["Id"] if sets else self._assigned_set()
        permission = {
            "ParentId": parent,
            "SobjectType": full_name.split(".")[0],
            "Field": full_name,
            "PermissionsRead": True,
            "PermissionsEdit": edit,
        }
        answer = self.call("POST", "sobjects/FieldPermissions", json=permission)
        assert answer.status_code == 201, answer.text

    def _assigned_set(self) -> str:
        made = self.call("POST", "sobjects/PermissionSet", json={"Name": "Scores", "Label": "Scores"}).json()["id"]
        user = requests.get(
            f"{self.site}/services/oauth2/userinfo", headers=dict(self._session.headers), timeout=10
        ).json()["user_id"]
        assignment = {"AssigneeId": user, "PermissionSetId": made}
        assert self.call("POST", "sobjects/PermissionSetAssignment", json=assignment).status_code == 201
        return str(made)


Start = Callable[..., Client]


@pytest.fixture
def start() -> Iterator[Start]:
    """Serve a pretended Salesforce: `start(world, date, **options)`."""
    servers, clients = [], []

    def run(world: World | None = None, date: datetime = APRIL, **options: Any) -> Client:
        clock = SandboxClock(START)
        salesforce = Salesforce(world or tiny_world(), clock, Options(**options))
        clock.set(date)
        salesforce.advance(date)
        app = Flask("pretended")
        app.register_blueprint(salesforce.blueprint(), url_prefix="/salesforce")
        server = make_server("127.0.0.1", 0, app, threaded=False)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        clients.append(Client(salesforce, clock, f"http://127.0.0.1:{server.server_port}/salesforce"))
        return clients[-1]

    yield run
    for client in clients:
        client.close()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def sf(start: Start) -> Client:
    """The tiny world on 15 April 2017."""
    return start()
