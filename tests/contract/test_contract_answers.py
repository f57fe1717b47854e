"""The same contract against answers written by hand, so that a mistake of the sandbox cannot hide one of an adapter.

The answers remember nothing: what the adapter sent is looked at itself.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors import open_connector
from connectors.contract import Account, Change, FieldSpec, FieldType, Result
from connectors.errors import Retry
from connectors.records import Consent

NOW = datetime(2017, 8, 1, tzinfo=UTC)
FIELDS = (
    FieldSpec("buy_score", "BUY", "Buy score", FieldType.NUMBER, "How likely the next order is."),
    FieldSpec("tags", "TAGS", "Tags", FieldType.TAGS, "What stands out.", ("Big", "Quiet", "Soon")),
    FieldSpec("why", "WHY", "Reasons", FieldType.TEXT, "Why the score is what it is."),
    FieldSpec("control", "CTRL", "Control group", FieldType.YES_NO, "Left alone for comparison."),
)
HOSTILE = ("Käufer 🛒 日本語", 'She said "no", \\n', "<b>bold</b> & 100 %", "#N/A", "a;b", "עברית \u202e", "'; DROP")


@dataclass(frozen=True)
class Person:
    """Somebody on the platform, in words of no platform."""

    number: int
    consent: str = "granted"
    first_name: str = "Ada"
    why: str = "Ordered twice"
    gone: bool = False
    merged_into: int | None = None
    at: datetime = datetime(2017, 6, 1, 8, 30, tzinfo=UTC)

    @property
    def email(self):
        return f"Person{self.number}@post.example"


class Scene:
    """A connector on scripted answers, and what it sent."""

    def __init__(self, answers):
        self.answers, self.sent, self.slept = answers, [], 0.0
        self.refusal, self.calls_before = None, 0

    def connect(self, **more):
        kind = self.answers.kind
        token = {"mailchimp": f"{'0' * 32}-us6"}.get(kind, "a-token")
        account = Account(kind, "shop", token, self.answers.base, self.answers.options, fields=FIELDS, **more)
        return open_connector(account, sleep=self._sleep, monotonic=lambda: self.slept)

    def refuse(self, refusal, after=0):
        """Answer every call behind the next `after` with this status, headers and text."""
        self.refusal, self.calls_before = refusal, after

    def respond(self, request):
        body = json.loads(request.body) if request.body else None
        url = urlsplit(request.url)
        self.sent.append((request.method, url.path, body))
        if self.refusal is not None and self.calls_before <= 0:
            status, headers, text = self.refusal
            return status, {"Content-Type": "application/json", **headers}, text
        self.calls_before -= 1
        status, answer = self.answers.answer(request.method, url.path, dict(parse_qsl(url.query)), body)
        return status, {"Content-Type": "application/json"}, json.dumps(answer)

    def pages(self, cursor=None, until=NOW):
        connector = self.connect()
        return list(connector.pull(connector.capabilities.contact_streams[0], cursor, until))

    def told(self):
        return {contact.id: contact for page in self.pages() for contact in page.contacts}

    def write(self, values):
        """`why` for the people by number."""
        people = {each.number: each for page in self.answers.pages for each in page}
        changes = [
            Change(self.answers.object, self.answers.id_of(n), people[n].email, {"why": why}, {"why": people[n].why})
            for n, why in values.items()
        ]
        return {outcome.id: outcome for batch in self.connect().write(changes) for outcome in batch}

    def _sleep(self, seconds):
        self.slept += seconds


@pytest.fixture
def scene(answers):
    opened = Scene(answers)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        for method in (responses.GET, responses.POST, responses.PATCH, responses.PUT, responses.DELETE):
            web.add_callback(method, re.compile(".*"), opened.respond)
        yield opened


@pytest.fixture
def small_pages(scene, monkeypatch):
    """Mailchimp alone lets the caller say how long a page is."""
    if scene.answers.kind == "mailchimp":
        monkeypatch.setattr("connectors.mailchimp.members.PAGE", 2)


def test_people_come_as_the_platform_shows_them(scene, small_pages):
    scene.answers.pages = [[Person(1), Person(2, "opted_out")], [Person(3, "unknown"), Person(4)], [Person(5)]]
    told = scene.told()
    assert list(told) == [scene.answers.id_of(n) for n in range(1, 6)]
    consents = [told[scene.answers.id_of(n)].consent for n in (1, 2, 3)]
    assert consents == [Consent.GRANTED, Consent.OPTED_OUT, Consent.UNKNOWN]
    first = told[scene.answers.id_of(1)]
    assert (first.object, first.email, first.writable) == (scene.answers.object, "Person1@post.example", True)
    assert "Ada" in first.properties.values()
    expected = {"buy_score": 41.37, "tags": ("Big", "Soon"), "why": "Ordered twice"}
    assert {key: value for key, value in first.owned.items() if value} == expected


@pytest.mark.parametrize("people", [0, 1])
def test_nobody_and_one(scene, people):
    scene.answers.pages = [[Person(n) for n in range(people)]]
    pages = scene.pages()
    assert sum(len(page.contacts) for page in pages) == people
    assert pages[-1].cursor


def test_a_stop_after_any_page_loses_nobody(scene, small_pages):
    scene.answers.pages = [[Person(1), Person(2)], [Person(3), Person(4)], [Person(5)]]
    whole = scene.pages()
    everybody = {contact.id for page in whole for contact in page.contacts}
    assert len(everybody) == 5
    assert len([page for page in whole if page.contacts]) == 3
    for stop, page in enumerate(whole, 1):
        again = [*whole[:stop], *scene.pages(page.cursor)]
        assert {contact.id for each in again for contact in each.contacts} == everybody, stop


def test_the_next_pull_asks_for_what_changed_and_brings_all_of_one_moment(scene):
    scene.answers.pages = [[Person(1), Person(2)]]
    cursor, later = scene.pages()[-1].cursor, NOW + timedelta(hours=1)
    scene.sent.clear()
    assert not [contact for page in scene.pages(cursor, later) for contact in page.contacts]
    assert len(scene.sent) <= 3
    scene.answers.news = [Person(n, at=NOW + timedelta(minutes=30), why="new") for n in (2, 5, 9)]
    pages = scene.pages(cursor, later)
    told = {contact.id: contact.owned["why"] for page in pages for contact in page.contacts}
    assert told == {scene.answers.id_of(n): "new" for n in (2, 5, 9)}
    assert sum(len(page.contacts) for page in pages) == 3
    scene.answers.news.append(Person(7, at=NOW + timedelta(minutes=58)))  # shows late, behind the clock of that pull
    after = scene.pages(pages[-1].cursor, later + timedelta(hours=1))
    assert scene.answers.id_of(7) in {contact.id for page in after for contact in page.contacts}


def test_who_is_gone_is_told_and_not_written_to(scene):
    scene.answers.pages = [[Person(1), Person(2, gone=True)]]
    told = scene.told()
    assert told[scene.answers.id_of(1)].writable
    assert not told[scene.answers.id_of(2)].writable


def test_who_was_merged_is_told_by_one_side_or_the_other(scene):
    if not scene.answers.merges:
        pytest.skip(f"{scene.answers.kind} has no merges")
    scene.answers.pages = [[Person(1, merged_into=2), Person(2)]]
    told, loser, winner = scene.told(), scene.answers.id_of(1), scene.answers.id_of(2)
    assert loser in told[winner].aliases or told[loser].merged_into == winner


def test_any_text_comes_and_goes_unchanged(scene):
    scene.answers.pages = [[Person(n, first_name=text, why=text) for n, text in enumerate(HOSTILE)]]
    told = scene.told()
    for n, text in enumerate(HOSTILE):
        contact = told[scene.answers.id_of(n)]
        assert text in contact.properties.values()
        assert contact.owned["why"] == text
    scene.sent.clear()
    outcomes = scene.write({n: f"{text}!" for n, text in enumerate(HOSTILE)})
    assert {outcome.result for outcome in outcomes.values()} == {Result.WRITTEN}
    sent = {}
    for _, _, body in scene.sent:
        sent |= scene.answers.values_sent(body) if isinstance(body, dict) else {}
    assert sent == {scene.answers.id_of(n): f"{text}!" for n, text in enumerate(HOSTILE)}


def test_each_row_has_the_outcome_the_platform_gave_it(scene):
    scene.answers.pages = [[Person(n) for n in range(6)]]
    scene.answers.replies = {scene.answers.id_of(2): "refused", scene.answers.id_of(4): "gone"}
    outcomes = scene.write(dict.fromkeys(range(6), "new"))
    results = [outcomes[scene.answers.id_of(n)].result for n in range(6)]
    written, refused, gone = Result.WRITTEN, Result.REJECTED, Result.GONE
    assert results == [written, written, refused, written, gone, written]
    assert outcomes[scene.answers.id_of(2)].reason


def test_whom_the_answer_passes_over_is_not_believed_written(scene):
    scene.answers.pages = [[Person(n) for n in range(4)]]
    scene.answers.replies = {scene.answers.id_of(3): "silence"}
    outcomes = scene.write(dict.fromkeys(range(4), "new"))
    assert outcomes[scene.answers.id_of(3)].result is Result.UNKNOWN
    assert {outcome.result for outcome in outcomes.values()} <= {Result.WRITTEN, Result.UNKNOWN}


def test_fields_that_are_there_are_not_made_again(scene):
    assert scene.connect().drift(FIELDS) == []
    scene.sent.clear()
    connector = scene.connect(provision=True)
    assert connector.provision(FIELDS) == []
    made = [path for method, path, _ in scene.sent if method != "GET" and not path.endswith("/composite/batch")]
    assert made == []


def test_a_field_that_is_missing_is_named(scene):
    scene.answers.complete = False
    [sentence] = scene.connect().drift(FIELDS)
    assert "ft_why" in sentence.lower()


@pytest.mark.parametrize("number", range(8))
def test_every_refusal_is_raised_as_what_it_is(scene, number):
    name, (refusal, error) = list(scene.answers.refusals.items())[number]
    scene.refuse(refusal)
    with pytest.raises(error) as caught:
        scene.pages()
    assert type(caught.value) is error, name
    assert len(scene.sent) == (8 if issubclass(error, Retry) else 1), name
    assert "a-token" not in str(caught.value)


@pytest.mark.parametrize("why", ["wrong token", "a day's calls"])
def test_a_pull_that_has_to_end_on_the_way_goes_on_there(scene, small_pages, why):
    if why not in scene.answers.refusals:
        pytest.skip(f"{scene.answers.kind} has no limit of calls a day")
    refusal, error = scene.answers.refusals[why]
    scene.answers.pages = [[Person(1), Person(2)], [Person(3), Person(4)], [Person(5)]]
    everybody = set(scene.told())
    for after in range(1, len(scene.sent)):
        scene.refuse(refusal, after=after)
        connector, seen, cursor = scene.connect(), set(), None
        with pytest.raises(error):
            for page in connector.pull(connector.capabilities.contact_streams[0], None, NOW):
                seen |= {contact.id for contact in page.contacts}
                cursor = page.cursor
        scene.refusal = None
        assert seen | {contact.id for page in scene.pages(cursor) for contact in page.contacts} == everybody, after
