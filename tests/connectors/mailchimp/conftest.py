"""Ways to open a Mailchimp connector: on answers made up per test, or on the sandbox over real HTTP."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
import responses

from connectors import open_connector
from connectors.contract import Account, FieldSpec, FieldType
from sandbox.people import World
from sandbox.server import Sandbox
from sandbox.world import small

KEY = "0123456789abcdef0123456789abcdef-us1"
API = "https://us1.api.mailchimp.com/3.0"
DATE = datetime(2017, 8, 1, tzinfo=UTC)
FIELDS = (
    FieldSpec("buy_score", "BUY", "Buy score", FieldType.NUMBER, "How likely the next order is."),
    FieldSpec("segment", "SEGMENT", "Segment", FieldType.CHOICE, "The one group.", ("Loyal", "New", "Lost")),
    FieldSpec("tags", "TAGS", "Tags", FieldType.TAGS, "What stands out.", ("Control", "Loyal", "New")),
    FieldSpec("why", "WHY", "Reasons", FieldType.TEXT, "Why the score is what it is."),
    FieldSpec("scored_on", "ON", "Scored on", FieldType.DATE, "The day of the score."),
    FieldSpec("control", "CTRL", "Control group", FieldType.YES_NO, "Left alone for comparison."),
)


class FakeTime:
    """Time that passes only while someone sleeps, and a little at every look."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._ticks = count()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def monotonic(self) -> float:
        return next(self._ticks) / 1000 + sum(self.slept)


@pytest.fixture
def fields():
    return FIELDS


@pytest.fixture
def date():
    return DATE


@pytest.fixture
def api():
    return API


@pytest.fixture
def fake_time():
    return FakeTime()


@pytest.fixture
def connect(fake_time) -> Callable:
    """Opens a connector, at the key's own address unless told otherwise, with the options given."""

    def opened(base_url: str | None = None, token: str = KEY, prefix: str = "ft_", **options: object):
        options = {"result_hosts": ["storage.example"], **options}
        account = Account("mailchimp", "shop", token, base_url, options, prefix, FIELDS, provision=True)
        return open_connector(account, sleep=fake_time.sleep, monotonic=fake_time.monotonic)

    return opened


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    """Answers made up by the test; every one must be used, and no other request may leave."""
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture(scope="session")
def world() -> World:
    return small(300)


@pytest.fixture
def sandbox(world) -> Iterator[Sandbox]:
    with Sandbox(world, DATE, platforms=["mailchimp"]) as running:
        yield running


@pytest.fixture
def chimp(sandbox, connect):
    """A connector on the sandbox."""
    return connect(f"{sandbox.url}/mailchimp/3.0", properties=["AGE"])


@pytest.fixture
def drain() -> Callable:
    """Pulls a stream to its end: contacts, activities, the last cursor."""

    def drained(connector, stream, cursor=None, until=DATE):
        pages = list(connector.pull(stream, cursor, until))
        assert pages
        return (
            [contact for page in pages for contact in page.contacts],
            [activity for page in pages for activity in page.activities],
            pages[-1].cursor,
        )

    return drained


@pytest.fixture
def store() -> Callable:
    """What a store would hold after these activities: by id, without the removed ones."""

    def stored(activities, held=None):
        held = dict(held or {})
        for activity in activities:
            held.pop(activity.id, None)
            if not activity.removed:
                held[activity.id] = activity
        return held

    return stored
