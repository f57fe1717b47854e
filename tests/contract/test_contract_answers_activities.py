"""The streams of what people did, and Salesforce's leads, against answers written by hand: pages, stops, news."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors import open_connector
from connectors.contract import Account
from connectors.records import ActivityKind

NOW = datetime(2017, 8, 1, tzinfo=UTC)
PAGES = [[1, 2], [3, 4], [5]]
STREAMS = {
    ("hubspot", "deals"): ActivityKind.ORDER,
    ("hubspot", "forms"): ActivityKind.FORM,
    ("mailchimp", "orders"): ActivityKind.ORDER,
    ("mailchimp", "campaigns"): ActivityKind.SEND,
    ("salesforce", "leads"): None,
    ("salesforce", "opportunities"): ActivityKind.ORDER,
    ("salesforce", "campaigns"): ActivityKind.SEND,
    ("salesforce", "activities"): ActivityKind.TOUCH,
}


class Scene:
    """A connector on scripted answers, reading one stream."""

    def __init__(self, kind, stream, platform):
        self.kind, self.stream, self.platform = kind, stream, platform
        self.calls = 0

    def respond(self, request):
        self.calls += 1
        url = urlsplit(request.url)
        body = json.loads(request.body) if request.body else None
        answer = self.platform.answer(request.method, url.path, dict(parse_qsl(url.query)), body)
        if isinstance(answer, bytes):
            return 200, {"Content-Type": "application/gzip"}, answer
        return 200, {"Content-Type": "application/json"}, json.dumps(answer)

    def pages(self, cursor=None, until=NOW):
        account = Account(self.kind, "shop", self.platform.token, self.platform.base)
        connector = open_connector(account, sleep=lambda _: None, monotonic=lambda: 0.0)
        return list(connector.pull(self.stream, cursor, until))

    def who(self, *numbers):
        return {self.platform.who(self.stream, number) for number in numbers}


def told(pages):
    """Whom the records of these pages are about."""
    records = [each for page in pages for each in (*page.contacts, *page.activities)]
    return {getattr(each, "contact_id", None) or each.email for each in records}


@pytest.fixture(params=STREAMS, ids=" ".join)
def scene(request, given, monkeypatch):
    kind, stream = request.param
    opened = Scene(kind, stream, given.class_of(f"happenings_{kind}", "Happenings")())
    opened.platform.pages = PAGES
    for setting in opened.platform.page_sizes:
        monkeypatch.setattr(setting, 2)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        for method in (responses.GET, responses.POST):
            web.add_callback(method, re.compile(".*"), opened.respond)
        yield opened


def test_all_of_it_comes_as_what_it_is(scene):
    pages = scene.pages()
    assert told(pages) == scene.who(1, 2, 3, 4, 5)
    happened = [each for page in pages for each in page.activities if not each.removed]
    assert {each.kind for each in happened} == {STREAMS[scene.kind, scene.stream]} - {None}
    assert all(each.at.year == 2017 for each in happened)
    assert {each.amount for each in happened} <= {None, 1050}


def test_a_stop_after_any_page_loses_nothing(scene):
    whole = scene.pages()
    assert len([page for page in whole if page.contacts or page.activities]) >= 3
    for stop, page in enumerate(whole, 1):
        assert told([*whole[:stop], *scene.pages(page.cursor)]) == scene.who(1, 2, 3, 4, 5), stop


def test_the_next_pull_brings_what_is_new(scene):
    cursor, later = scene.pages()[-1].cursor, NOW + timedelta(hours=1)
    before, scene.calls = scene.calls, 0
    assert told(scene.pages(cursor, later)) == set()
    assert scene.calls < before
    scene.platform.news = {8: NOW + timedelta(minutes=30)}
    assert told(scene.pages(cursor, later)) == scene.who(8)
