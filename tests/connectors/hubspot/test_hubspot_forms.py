"""Form submissions: newest first, until what is known already."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from connectors.errors import Unavailable

FORMS = "https://api.hubapi.com/marketing/v3/forms/"
SUBMISSIONS = "https://api.hubapi.com/form-integrations/v1/submissions/forms/"
SEARCH = "https://api.hubapi.com/crm/v3/objects/contacts/search"
T0 = datetime(2026, 5, 1, 12, tzinfo=UTC)


def submission(at, email="a@example.com", **more):
    values = [{"name": "firstname", "value": "A"}, *([{"name": "email", "value": email}] if email else [])]
    return {"submittedAt": int(at.timestamp() * 1000), "values": values, "pageUrl": "https://example.com", **more}


class Portal:
    """Forms with submissions, newest first."""

    def __init__(self, web, **forms):
        self.forms = forms
        self.refused = set()
        self.late = timedelta(0)
        """How long a submission is not to be seen on its contact."""
        self.now = T0
        web.add_callback("POST", SEARCH, self._search, content_type="application/json")
        web.add_callback("GET", FORMS, self._list, content_type="application/json")
        for guid in forms:
            web.add_callback("GET", SUBMISSIONS + guid, self._submissions, content_type="application/json")

    def _list(self, request):
        rows = [{"id": guid, "name": f"Form {guid}"} for guid in reversed(self.forms)]
        return 200, {}, json.dumps({"results": rows})

    def _search(self, request):
        [asked] = json.loads(request.body)["filterGroups"][0]["filters"]
        assert (asked["propertyName"], asked["operator"]) == ("recent_conversion_date", "GTE")
        seen = int((self.now - self.late).timestamp() * 1000)
        hits = [
            row for rows in self.forms.values() for row in rows if int(asked["value"]) <= row["submittedAt"] <= seen
        ]
        return 200, {}, json.dumps({"total": len(hits), "results": [{"id": "1", "properties": {}}] * bool(hits)})

    def _submissions(self, request):
        parts = urlsplit(request.url)
        guid, query = parts.path.rsplit("/", 1)[1], parse_qs(parts.query)
        if guid in self.refused:
            return 400, {}, json.dumps({"message": "Form type not supported"})
        rows = sorted(self.forms[guid], key=lambda row: -row["submittedAt"])
        start = int(query.get("after", ["0"])[0])
        end = start + int(query["limit"][0])
        more = {"paging": {"next": {"after": str(end)}}} if end < len(rows) else {}
        return 200, {}, json.dumps({"results": rows[start:end], **more})


@pytest.fixture
def web():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_a_submission_tells_who_what_and_when(web, connect, drain):
    Portal(web, f1=[submission(T0, " A@example.com ", conversionId="c1")])
    [told] = drain(connect(), "forms", until=T0)[1]
    assert (told.id, told.kind, told.email, told.campaign, told.at) == ("f1:c1", "form", "A@example.com", "Form f1", T0)
    assert told.contact_id is None


def test_submissions_without_an_id_of_their_own_get_a_lasting_one(web, connect, drain):
    Portal(web, f1=[submission(T0), submission(T0, "b@example.com"), submission(T0, None)])
    told = drain(connect(), "forms", until=T0)[1]
    assert len({activity.id for activity in told}) == 2
    assert told == drain(connect(), "forms", until=T0)[1]


def test_all_pages_of_all_forms_at_first_and_only_the_new_ones_later(web, connect, drain):
    portal = Portal(
        web,
        f1=[submission(T0 - timedelta(hours=n), f"p{n}@example.com") for n in range(1, 121)],
        f2=[submission(T0 - timedelta(days=n), f"q{n}@example.com") for n in range(1, 4)],
    )
    connector = connect()
    _, told, cursor = drain(connector, "forms", until=T0)
    assert len(told) == 123
    assert connector.calls["form submissions"] == 4
    portal.forms["f2"].append(submission(T0 + timedelta(minutes=5), "new@example.com"))
    portal.now = T0 + timedelta(hours=1)
    _, told, cursor = drain(connector, "forms", cursor, until=T0 + timedelta(hours=1))
    assert [activity.email for activity in told] == ["new@example.com"]
    assert connector.calls["form submissions"] == 6
    assert drain(connector, "forms", cursor, until=T0 + timedelta(hours=2))[1] == []


@pytest.mark.parametrize("broken", range(5))
def test_resuming_after_any_page_loses_nothing(web, connect, drain, broken):
    portal = Portal(
        web,
        f1=[submission(T0 - timedelta(hours=n), f"p{n}@example.com") for n in range(1, 121)],
        f2=[submission(T0 - timedelta(days=n), f"q{n}@example.com") for n in range(1, 4)],
    )
    connector, told, cursor = connect(), [], None
    for number, page in enumerate(connector.pull("forms", None, T0)):
        told += page.activities
        cursor = page.cursor
        if number == broken:
            break
    portal.forms["f1"].append(submission(T0 + timedelta(minutes=30), "new@example.com"))
    portal.now = T0 + timedelta(hours=2)
    _, rest, cursor = drain(connector, "forms", cursor, until=T0 + timedelta(hours=1))
    _, later, _ = drain(connector, "forms", cursor, until=T0 + timedelta(hours=2))
    emails = {activity.email for activity in [*told, *rest, *later]}
    assert emails == {row["values"][-1]["value"] for rows in portal.forms.values() for row in rows}
    assert len(told) + len(rest) <= 123 + 50


def test_with_nothing_new_fifty_forms_are_one_call(web, connect, drain):
    Portal(web, **{f"f{n}": [submission(T0 - timedelta(days=n))] for n in range(1, 51)})
    connector = connect()
    cursor = drain(connector, "forms", until=T0)[2]
    before = connector.calls.total()
    for hour in range(1, 24):
        _, told, cursor = drain(connector, "forms", cursor, until=T0 + timedelta(hours=hour))
        assert told == []
    assert connector.calls.total() - before == 23


def test_trap_a_submission_that_its_contact_does_not_show_yet_is_not_lost(web, connect, drain):
    portal = Portal(web, f1=[], f2=[])
    connector = connect()
    cursor = drain(connector, "forms", until=T0)[2]
    portal.late = timedelta(hours=2)
    portal.forms["f1"].append(submission(T0 + timedelta(minutes=30)))
    found = []
    for hour in range(1, 5):
        portal.now = T0 + timedelta(hours=hour)
        _, told, cursor = drain(connector, "forms", cursor, until=portal.now)
        found.append(len(told))
    assert found == [0, 0, 1, 0]


def test_trap_a_submission_that_never_shows_on_a_contact_comes_after_a_day(web, connect, drain):
    portal = Portal(web, f1=[])
    connector = connect()
    cursor = drain(connector, "forms", until=T0)[2]
    portal.late = timedelta(days=999)
    portal.forms["f1"].append(submission(T0 + timedelta(minutes=30)))
    told = drain(connector, "forms", cursor, until=T0 + timedelta(days=1))[1]
    assert len(told) == 1


def test_a_portal_that_does_not_search_by_form_is_read_all_the_same(web, connect, drain):
    portal = Portal(web, f1=[])
    connector = connect()
    cursor = drain(connector, "forms", until=T0)[2]
    web.replace("POST", SEARCH, status=400, json={"message": "property recent_conversion_date does not exist"})
    portal.forms["f1"].append(submission(T0 + timedelta(minutes=30)))
    assert len(drain(connector, "forms", cursor, until=T0 + timedelta(hours=1))[1]) == 1


def test_trap_submissions_that_lead_to_themselves_end_with_an_error(web, connect, drain):
    web.get(FORMS, json={"results": [{"id": "f1", "name": "F"}]})
    web.get(f"{SUBMISSIONS}f1", json={"results": [submission(T0)], "paging": {"next": {"after": "x"}}})
    with pytest.raises(Unavailable, match="again and again"):
        drain(connect(), "forms", until=T0)


def test_trap_a_form_that_has_no_submissions_to_read_is_passed_over(web, connect, drain):
    portal = Portal(web, f1=[submission(T0)], f2=[submission(T0)])
    portal.refused.add("f1")
    assert [activity.id[:2] for activity in drain(connect(), "forms", until=T0)[1]] == ["f2"]


def test_without_the_scope_the_stream_is_empty_and_starts_anew_once_it_is_there(web, connect, drain):
    refusal = {"category": "MISSING_SCOPES", "context": {"requiredGranularScopes": ["forms"]}}
    web.get(FORMS, status=403, json=refusal)
    connector = connect()
    pages = list(connector.pull("forms", None, T0))
    assert [(page.activities, page.contacts) for page in pages] == [((), ())]
    web.reset()
    Portal(web, f1=[submission(T0 - timedelta(days=300))])
    assert len(drain(connector, "forms", pages[0].cursor, until=T0)[1]) == 1
