"""Requests that look allowed, and that a platform might take for something else: none of them leaves."""

import gzip
import json
import re

import pytest
import responses

from connectors.allowlist import AllowList
from connectors.errors import NotAllowed, Rejected
from connectors.hubspot import rules as hubspot
from connectors.mailchimp import rules as mailchimp
from connectors.pacing import Pacer
from connectors.salesforce import rules as salesforce
from connectors.transport import Transport

BASE = "https://platform.example/3.0"
DATA = "/services/data/v62.0"
ID = "003000000000001AAA"
RECORD = f'{{"attributes": {{"type": "Contact"}}, "id": "{ID}", "FT_Buy__c": 1}}'
WRITES = {
    "hubspot": (
        "POST",
        "/crm/v3/objects/contacts/batch/update",
        '{"inputs": [{"id": "7", "properties": {"ft_a": "1"}}]}',
    ),
    "mailchimp": (
        "POST",
        "/lists/abc",
        '{"members": [{"email_address": "ada@post.example", "merge_fields": {"FT_A": 1}}], "update_existing": true}',
    ),
    "salesforce": ("PATCH", f"{DATA}/composite/sobjects", f'{{"allOrNone": false, "records": [{RECORD}]}}'),
}
TWICE = {
    "hubspot": '{"inputs": [{"id": "7", "properties": {"hs_email_optout": "false"}, "properties": {"ft_a": "1"}}]}',
    "mailchimp": '{"members": [{"status": "subscribed"}], "members": [], "update_existing": true}',
    "salesforce": f'{{"allOrNone": false, "records": [{{"OwnerId": "005"}}], "records": [{RECORD}]}}',
}


@pytest.fixture(params=sorted(WRITES))
def kind(request) -> str:
    return request.param


def transport(kind: str) -> Transport:
    rules = {
        "hubspot": lambda: hubspot.rules("ft_", "v3"),
        "mailchimp": lambda: mailchimp.rules("ft_", ["abc"]),
        "salesforce": lambda: [*salesforce.rules("62.0", "FT_"), *salesforce.token_rules()],
    }
    pacer = Pacer({}, monotonic=lambda: 0.0, sleep=lambda _: None)
    made = Transport(BASE, AllowList(rules[kind]()), pacer, sleep=lambda _: None)
    made.headers.update(salesforce.NO_ASSIGNMENT)
    return made


def send(kind: str, method: str, target: str, body: str | bytes | None = None, **headers: str) -> None:
    """Send it to a platform that takes anything; AssertionError unless it is refused before it leaves."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as platform:
        platform.add_callback(method, re.compile(".*"), lambda _: (200, {}, "{}"))
        try:
            transport(kind).request(method, BASE + target, data=body, headers=headers)
        finally:
            left = len(platform.calls)
    assert left == 1, "what was not refused was sent"


def test_the_plain_write_does_leave(kind):
    """Else the tests below would say nothing."""
    send(kind, *WRITES[kind])


def test_a_name_that_comes_twice_is_not_read_once(kind):
    method, path, _ = WRITES[kind]
    with pytest.raises(NotAllowed, match="twice"):
        send(kind, method, path, TWICE[kind])


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"])
def test_no_header_makes_it_another_method(kind, name):
    with pytest.raises(NotAllowed, match="another request"):
        send(kind, *WRITES[kind], **{name: "DELETE"})


@pytest.mark.parametrize(
    "query", ["_HttpMethod=DELETE", "_method=DELETE", "sync_tags=true", "idProperty=email", "status"]
)
def test_nothing_is_added_behind_the_question_mark(kind, query):
    method, path, body = WRITES[kind]
    with pytest.raises(NotAllowed, match="was not sent"):
        send(kind, method, f"{path}?{query}", body)


def test_a_body_that_cannot_be_looked_into_stays(kind):
    method, path, body = WRITES[kind]
    with pytest.raises(NotAllowed, match="packed"):
        send(kind, method, path, gzip.compress(body.encode()), **{"Content-Encoding": "gzip"})
    for other in (gzip.compress(body.encode()), body.encode("utf-16"), body[:-1], "name=evil&name=", "null"):
        with pytest.raises(NotAllowed, match="was not sent"):
            send(kind, method, path, other)


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("hubspot", "POST", "/crm/v3/objects/contacts/search/../batch/create"),
        ("hubspot", "POST", "/crm/v3/objects/contacts/search/%2e%2e/batch/create"),
        ("hubspot", "POST", "//elsewhere/crm/v3/objects/contacts/search"),
        ("hubspot", "POST", "/crm/v3/objects/contacts%2Fbatch%2Fcreate"),
        ("mailchimp", "GET", "/ecommerce/stores/..%2f..%2flists%2fabc/orders"),
        ("mailchimp", "GET", "/ecommerce/stores/%2e%2e/orders"),
        ("mailchimp", "GET", "/ecommerce/stores/..%5c..%5cx/orders"),
        ("salesforce", "GET", f"{DATA}/query/..%2fsobjects"),
        ("salesforce", "DELETE", f"{DATA}/composite/sobjects?ids={ID}"),
    ],
)
def test_no_path_leads_elsewhere(kind, method, path):
    with pytest.raises(NotAllowed, match="was not sent"):
        send(kind, method, path, "{}" if method == "POST" else None)


def test_a_value_of_a_record_is_no_record():
    body = json.dumps({"allOrNone": False, "records": [{**json.loads(RECORD), "FT_Buy__c": {"records": []}}]})
    with pytest.raises(NotAllowed, match="single"):
        send("salesforce", *WRITES["salesforce"][:2], body)


def test_a_login_asks_for_one_kind_of_token():
    for body in (
        "grant_type=password&grant_type=client_credentials",
        "grant_type=client_credentials&username=",
        '{"grant_type": "password"}',
    ):
        with pytest.raises(NotAllowed):
            send("salesforce", "POST", "/services/oauth2/token", body)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_followed_to_another_host(kind, status):
    method, path, body = WRITES[kind]
    with responses.RequestsMock() as platform:
        platform.add(method, BASE + path, status=status, headers={"Location": "https://elsewhere.example/"})
        with pytest.raises(Rejected, match=str(status)):
            transport(kind).request(method, BASE + path, data=body)
        assert len(platform.calls) == 1
