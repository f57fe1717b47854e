import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import responses

from connectors import open_connector
from connectors.contract import Account, FieldSpec, FieldType, Page
from sandbox.server import Sandbox
from sandbox.world import small

HOST = "https://acme.my.salesforce.com"
DATE = datetime(2017, 6, 1, tzinfo=UTC)
FIELDS = (
    FieldSpec("buy_score", "BUY", "Chance to buy", FieldType.NUMBER, "How likely"),
    FieldSpec("segment", "SEGMENT", "Segment", FieldType.CHOICE, "The group", ("Loyal", "Lost")),
    FieldSpec("tags", "TAGS", "Tags", FieldType.TAGS, "The tags", ("Control", "Loyal", "Lost")),
    FieldSpec("reasons", "REASONS", "Reasons", FieldType.TEXT, "Why"),
    FieldSpec("scored_on", "SCORED", "Scored on", FieldType.DATE, "When"),
    FieldSpec("control_group", "CONTROL", "Control group", FieldType.YES_NO, "Left out"),
)


@pytest.fixture
def fields() -> tuple[FieldSpec, ...]:
    return FIELDS


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def org() -> Iterator[responses.RequestsMock]:
    """Answers to order, in place of Salesforce."""
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def data() -> str:
    """Where the REST API of `org` is."""
    return f"{HOST}/services/data/v62.0"


@pytest.fixture
def connect(slept: list[float]) -> Callable[..., Any]:
    def make(token: str = "a-token", fields: tuple[FieldSpec, ...] = FIELDS, **options: object) -> Any:
        account = Account(
            "salesforce", "sf", token, options={"instance_url": HOST, **options}, fields=fields, provision=True
        )
        return open_connector(account, sleep=slept.append, monotonic=time.monotonic)

    return make


@pytest.fixture
def described() -> Callable[..., dict[str, Any]]:
    """The answer to a batch of describes: objects with these fields, None for one that may not be read.

    `log`: ids in the log of deletions, which is asked for in the same batch.
    """

    def make(*objects: list[str] | None, log: list[str] | None = None) -> dict[str, Any]:
        results: list[dict[str, Any]] = []
        for names in objects:
            if names is None:
                results.append({"statusCode": 404, "result": [{"errorCode": "NOT_FOUND", "message": "no"}]})
            else:
                fields = [{"name": name, "type": "string"} for name in names]
                results.append({"statusCode": 200, "result": {"fields": fields}})
        if log is not None:
            rows = [{"id": id_, "deletedDate": "2017-05-01T00:00:00.000+0000"} for id_ in log]
            results.append({"statusCode": 200, "result": {"deletedRecords": rows}})
        return {"hasErrors": None in objects, "results": results}

    return make


@pytest.fixture
def box() -> Iterator[SimpleNamespace]:
    """A running sandbox org: `.sandbox`, `.platform`, `.connect(**options)`, `.pull(connector, stream, cursor)`."""
    with Sandbox(small(40), DATE, platforms=["salesforce"]) as sandbox:
        yield SimpleNamespace(
            sandbox=sandbox,
            platform=sandbox.platform("salesforce"),
            connect=lambda token="", **options: _connect(sandbox, token, options),
            pull=lambda connector, stream, cursor=None: _pull(sandbox, connector, stream, cursor),
        )


def _connect(sandbox: Sandbox, token: str, options: dict[str, object]) -> Any:
    secret = token or sandbox.platform("salesforce").token
    address = {"instance_url": f"{sandbox.url}/salesforce"}
    account = Account("salesforce", "sf", secret, options={**address, **options}, fields=FIELDS, provision=True)
    return open_connector(account, sleep=lambda seconds: None, monotonic=time.monotonic)


def _pull(sandbox: Sandbox, connector: Any, stream: str, cursor: str | None) -> list[Page]:
    return list(connector.pull(stream, cursor, sandbox.clock.date + timedelta(minutes=5)))
