"""What leaves the machine, and how failures are read."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.contract import Change
from connectors.errors import NotAuthorised, NotPermitted, QuotaSpent, Unavailable

API = "https://api.hubapi.com"
UPDATE = {"v3": "/crm/v3/objects/contacts/batch/update", "2026-09": "/crm/objects/2026-09/contacts/batch/update"}
LIST = {"v3": "/crm/v3/objects/contacts", "2026-09": "/crm/objects/2026-09/contacts"}
SEARCH = f"{API}/crm/v3/objects/contacts/search"
MANY = [f"custom_property_number_{n}" for n in range(400)]


@pytest.mark.parametrize("version", UPDATE)
def test_an_update_says_who_and_what_and_nothing_more(web, connect, version):
    web.post(API + UPDATE[version], json={"status": "COMPLETE", "results": [{"id": "7"}]})
    after = {"buy_score": 71.504, "segment": "Loyal", "tags": ("soon", "big"), "why": None, "control": False}
    connector = connect(token="pat-secret", api_version=version)
    list(connector.write([Change("contacts", "7", "a@example.com", after)]))
    request = web.calls[0].request
    assert request.headers["Authorization"] == "Bearer pat-secret"
    assert request.headers["User-Agent"] == "foretag"
    assert json.loads(request.body) == {
        "inputs": [
            {
                "id": "7",
                "objectWriteTraceId": "7",
                "properties": {
                    "ft_buy_score": "71.5",
                    "ft_segment": "Loyal",
                    "ft_tags": "big;soon",
                    "ft_why": "",
                    "ft_control": "false",
                },
            }
        ]
    }


@pytest.mark.parametrize("version", LIST)
def test_a_first_pull_lists_by_the_hundred_with_our_fields(web, connect, date, version):
    web.get(API + LIST[version], json={"results": [], "paging": {"next": {"after": "9"}}})
    web.get(API + LIST[version], json={"results": []})
    web.get(API + LIST[version], json={"results": []})
    list(connect(api_version=version, properties=["age"]).pull("contacts", None, date))
    queries = [parse_qs(urlsplit(call.request.url).query) for call in web.calls]
    names = queries[0]["properties"][0].split(",")
    assert {"email", "ft_buy_score", "ft_tags", "age", "lastmodifieddate", "hs_email_optout"} <= set(names)
    assert [query["limit"] for query in queries] == [["100"]] * 3
    assert [query.get("after") for query in queries] == [None, ["9"], None]
    assert [query["archived"] for query in queries] == [["false"], ["false"], ["true"]]


def test_trap_more_properties_than_fit_an_address_are_asked_for_in_the_body(web, connect, date):
    web.post(SEARCH, json={"total": 0, "results": []})
    web.get(API + LIST["v3"], json={"results": []})
    list(connect(properties=MANY).pull("contacts", None, date))
    asked = json.loads(web.calls[0].request.body)
    assert set(MANY) <= set(asked["properties"])
    assert asked["filterGroups"][0]["filters"][0] == {
        "propertyName": "lastmodifieddate",
        "operator": "GTE",
        "value": "1000",
    }
    assert len(web.calls[1].request.url) < 6_000


def test_trap_spent_daily_calls_are_not_waited_for(web, connect, date, fake_time):
    body = {"status": "error", "message": "You have reached your daily limit.", "policyName": "DAILY"}
    web.get(API + LIST["v3"], status=429, json=body)
    with pytest.raises(QuotaSpent, match="midnight"):
        list(connect().pull("contacts", None, date))
    assert len(web.calls) == 1
    assert not fake_time.slept


def test_a_missing_scope_is_named(web, connect, date):
    context = {"requiredGranularScopes": ["crm.objects.deals.read"]}
    web.get(f"{API}/crm/v3/objects/deals", status=403, json={"category": "MISSING_SCOPES", "context": context})
    with pytest.raises(NotPermitted, match=r"crm\.objects\.deals\.read"):
        list(connect().pull("deals", None, date))


@pytest.mark.parametrize("status", [401, 530])
def test_trap_a_wrong_token_stops_at_once(web, connect, date, status):
    web.get(API + LIST["v3"], status=status, body="error code: 1016")
    with pytest.raises(NotAuthorised, match="foretag secret set"):
        list(connect().pull("contacts", None, date))
    assert len(web.calls) == 1


def test_a_short_limit_is_waited_out(web, connect, date, fake_time):
    body = {"status": "error", "policyName": "TEN_SECONDLY_ROLLING"}
    web.get(API + LIST["v3"], status=429, json=body, headers={"Retry-After": "4"})
    web.get(API + LIST["v3"], json={"results": []})
    web.get(API + LIST["v3"], json={"results": []})
    list(connect().pull("contacts", None, date))
    assert fake_time.slept == [4.0]


def test_half_an_answer_is_asked_for_again(web, connect, date):
    web.get(API + LIST["v3"], body='{"results": [{"id":', content_type="application/json")
    web.get(API + LIST["v3"], json={"results": []})
    web.get(API + LIST["v3"], json={"results": []})
    assert len(list(connect().pull("contacts", None, date))) == 2


def test_a_platform_that_stays_down_is_given_up(web, connect, date):
    web.get(API + LIST["v3"], status=503, body="<html>")
    with pytest.raises(Unavailable):
        list(connect().pull("contacts", None, date))
    assert len(web.calls) == 8


@pytest.mark.parametrize(("tier", "calls"), [("starter", 100), ("professional", 190)])
def test_calls_keep_to_the_accounts_rate(web, connect, date, fake_time, tier, calls):
    for number in range(calls):
        paging = {"paging": {"next": {"after": str(number + 1)}}} if number < calls - 1 else {}
        web.get(API + LIST["v3"], json={"results": [], **paging})
    web.get(API + LIST["v3"], json={"results": []})
    list(connect(tier=tier).pull("contacts", None, date))
    assert len(fake_time.slept) == 1
    assert 9 < fake_time.slept[0] <= 10.5


def test_trap_the_link_to_the_next_page_is_not_followed(web, connect, date):
    """It names another host, and a path of another version."""
    link = "https://api.hubapi.com/crm/v3/objects/contacts?after=9&properties=elsewhere"
    web.get(
        "http://127.0.0.1:9/hub/crm/objects/2026-09/contacts",
        json={"results": [], "paging": {"next": {"after": "9", "link": link}}},
    )
    web.get("http://127.0.0.1:9/hub/crm/objects/2026-09/contacts", json={"results": []})
    web.get("http://127.0.0.1:9/hub/crm/objects/2026-09/contacts", json={"results": []})
    list(connect("http://127.0.0.1:9/hub", api_version="2026-09").pull("contacts", None, date))
    assert parse_qs(urlsplit(web.calls[1].request.url).query)["after"] == ["9"]


@pytest.mark.parametrize("stream", ["contacts", "deals"])
def test_trap_a_list_that_leads_to_itself_ends_with_an_error(web, connect, date, stream):
    web.get(f"{API}/crm/v3/objects/{stream}", json={"results": [], "paging": {"next": {"after": "394"}}})
    with pytest.raises(Unavailable, match="again and again"):
        list(connect().pull(stream, None, date))


@pytest.mark.parametrize("rows", [0, 200])
def test_trap_a_search_that_leads_to_itself_ends_with_an_error(web, connect, date, rows):
    """Without rows by its offset; with rows of one moment by their ids."""
    moment = {"lastmodifieddate": "2017-05-01T10:00:00Z"}
    found = [{"id": str(n), "properties": moment} for n in range(rows)]
    web.post(SEARCH, json={"results": found, "paging": {"next": {"after": "200"}}})
    with pytest.raises(Unavailable, match="again and again"):
        list(connect(properties=MANY).pull("contacts", None, date))


def test_trap_a_short_page_is_not_the_last(web, connect, date):
    row = {"id": "7", "properties": {"email": "a@post.example"}, "archived": False}
    web.get(API + LIST["v3"], json={"results": [row], "paging": {"next": {"after": "8"}}})
    web.get(API + LIST["v3"], json={"results": [{**row, "id": "8"}]})
    web.get(API + LIST["v3"], json={"results": []})
    pages = list(connect().pull("contacts", None, date))
    assert [contact.id for page in pages for contact in page.contacts] == ["7", "8"]


@pytest.mark.parametrize("status", [408, 423, 425, 477, 500, 502, 503, 504, 521, 522, 523, 524, 525, 526])
def test_trap_passing_failures_of_every_kind_are_tried_again(web, connect, date, status):
    web.get(API + LIST["v3"], status=status, body="<html>", content_type="text/html")
    web.get(API + LIST["v3"], json={"results": []})
    web.get(API + LIST["v3"], json={"results": []})
    assert len(list(connect().pull("contacts", None, date))) == 2


def test_trap_a_locked_record_is_left_alone_for_two_seconds(web, connect, fake_time):
    web.post(API + UPDATE["v3"], status=423, json={"message": "locked"})
    web.post(API + UPDATE["v3"], json={"results": [{"id": "7"}]})
    list(connect().write([Change("contacts", "7", None, {"buy_score": 1.0})]))
    assert fake_time.slept == [2.0]


def test_trap_a_retry_after_in_milliseconds_is_not_believed(web, connect, date, fake_time):
    web.get(API + LIST["v3"], status=429, json={"policyName": "SECONDLY"}, headers={"Retry-After": "4000"})
    web.get(API + LIST["v3"], json={"results": []})
    web.get(API + LIST["v3"], json={"results": []})
    list(connect().pull("contacts", None, date))
    assert len(fake_time.slept) == 1
    assert fake_time.slept[0] <= 60


def test_trap_a_bodiless_403_is_throttling(web, connect, date):
    web.get(API + LIST["v3"], status=403, body="")
    web.get(API + LIST["v3"], json={"results": []})
    web.get(API + LIST["v3"], json={"results": []})
    assert len(list(connect().pull("contacts", None, date))) == 2


def test_trap_searches_keep_to_five_a_second(web, connect, date, fake_time):
    for page in range(1, 12):
        web.post(SEARCH, json={"total": 0, "results": [], "paging": {"next": {"after": str(page)}}})
    web.post(SEARCH, json={"total": 0, "results": []})
    web.get(API + LIST["v3"], json={"results": []})
    list(connect(properties=MANY).pull("contacts", None, date))
    assert 2 <= sum(fake_time.slept) <= 2.2, "twelve searches: five at once, five a second later, two another one later"


def test_trap_what_the_outcome_sets_is_not_read(web, connect, date):
    """HubSpot's own scores, and values that are set by the deal that is to be predicted."""
    web.get(API + LIST["v3"], json={"results": []})
    web.get(API + LIST["v3"], json={"results": []})
    list(connect(mail_history=True).pull("contacts", None, date))
    names = parse_qs(urlsplit(web.calls[0].request.url).query)["properties"][0].split(",")
    telling = (
        "hs_predictive",
        "hubspotscore",
        "closedate",
        "days_to_close",
        "recent_deal",
        "total_revenue",
        "num_associated",
    )
    assert [name for name in names if name.startswith(telling)] == []


def test_trap_a_property_that_somebody_else_made_meanwhile_is_no_failure(web, connect, fields):
    home = f"{API}/crm/v3/properties/contacts"
    exists = {
        "status": "error",
        "category": "OBJECT_ALREADY_EXISTS",
        "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
    }
    types = {"buy_score": ("number", "number")}
    live = [{"name": f"ft_{key}", "type": a, "fieldType": b, "groupName": "foretag"} for key, (a, b) in types.items()]
    web.get(home, json={"results": [{"name": "email", "groupName": "contactinformation"}]})
    web.get(f"{home}/groups", json={"results": [{"name": "foretag"}]})
    web.post(f"{home}/batch/create", status=207, json={"results": [], "errors": [exists], "numErrors": 1})
    web.get(home, json={"results": live})
    assert connect().provision(fields[:1]) == []
