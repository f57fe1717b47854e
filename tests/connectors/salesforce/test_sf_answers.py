import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from connectors.allowlist import AllowList
from connectors.errors import (
    ConnectorError,
    NotAuthorised,
    NotPermitted,
    QuotaSpent,
    SchemaDrift,
    Throttled,
    Unavailable,
)
from connectors.pacing import Pacer
from connectors.salesforce.answers import TooSlow
from connectors.salesforce.login import Login
from connectors.salesforce.rules import token_rules
from connectors.transport import Transport

PACER = Pacer({}, monotonic=lambda: 0.0, sleep=lambda seconds: None)
JSON = {"Content-Type": "application/json"}
UNTIL = datetime(2017, 6, 1, tzinfo=UTC)


def error(code: str, message: str) -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]


@pytest.mark.parametrize(
    ("status", "body", "raised", "text"),
    [
        (403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), QuotaSpent, "try again later"),
        (403, error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."), Throttled, "Concurrent"),
        (401, error("INVALID_SESSION_ID", "Session expired or invalid"), NotAuthorised, "Session expired"),
        (
            400,
            error(
                "INVALID_FIELD",
                "\nFT_A__c, FT_Tags__c FROM Contact WHERE Id > '003'\nERROR\nNo such column 'FT_Tags__c' on it",
            ),
            SchemaDrift,
            "the field FT_Tags__c .* foretag provision",
        ),
        (
            400,
            error("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: FT_Tags__c. Please check it"),
            SchemaDrift,
            "the field FT_Tags__c is",
        ),
        (400, error("INVALID_TYPE", "sObject type 'Lead' is not supported."), NotPermitted, "'Lead'"),
        (403, error("API_DISABLED_FOR_ORG", "The REST API is not enabled"), NotPermitted, "API_DISABLED"),
        (400, error("QUERY_TIMEOUT", "Your query request was running for too long."), TooSlow, "too long"),
        (406, [], Unavailable, "406"),
    ],
)
def test_error_codes_become_typed_errors(
    connect: Callable[..., Any], org, data: str, status: int, body: object, raised: type[ConnectorError], text: str
) -> None:
    org.post(f"{data}/composite/batch", json=body, status=status)
    with pytest.raises(raised, match=text):
        list(connect().pull("contacts", None, UNTIL))


def test_a_web_page_in_place_of_data_is_tried_again(connect, org, data: str, described, slept: list[float]) -> None:
    names = ["Id", "IsDeleted", "Email", "CreatedDate", "SystemModstamp"]
    org.post(f"{data}/composite/batch", body="<html>Back soon</html>", content_type="text/html")
    org.post(f"{data}/composite/batch", json=described(names, None, log=[]))
    org.get(f"{data}/queryAll/", json={"totalSize": 0, "done": True, "records": []})
    assert [page.contacts for page in connect(objects=["Contact"]).pull("contacts", None, UNTIL)] == [()]
    assert len(slept) == 1


def test_every_request_carries_the_constant_headers(connect, org, data: str, described) -> None:
    org.post(f"{data}/composite/batch", json=described(["Id"]))
    connect(objects=["Contact"], fields=()).drift(())
    headers = org.calls[0].request.headers
    assert headers["Sforce-Auto-Assign"] == "FALSE"
    assert headers["Sforce-Call-Options"] == "client=foretag"
    assert headers["Sforce-Query-Options"] == "batchSize=2000"
    assert headers["Authorization"] == "Bearer a-token"
    assert "X-PrettyPrint" not in headers


def test_opening_a_connector_sends_nothing(connect, org) -> None:
    connector = connect(token="an-id:a-secret")
    assert connector.streams == ("contacts", "leads", "opportunities", "campaigns", "activities")
    assert connector.calls == {}


def test_client_credentials_fetch_a_token_and_renew_it_once(connect, org, data: str, described) -> None:
    token = "https://acme.my.salesforce.com/services/oauth2/token"
    first, second = (matchers.header_matcher({"Authorization": f"Bearer {name}"}) for name in ("first", "second"))
    org.post(token, json={"access_token": "first"})
    org.post(f"{data}/composite/batch", json=error("INVALID_SESSION_ID", "expired"), status=401, match=[first])
    org.post(token, json={"access_token": "second"})
    org.post(f"{data}/composite/batch", json=described(["Id"]), match=[second])
    connector = connect(token="an-id:a-secret", objects=["Contact"])
    connector.drift(())
    connector.drift(())
    assert org.calls[0].request.body == "grant_type=client_credentials"
    assert org.calls[0].request.headers["Authorization"] == "Basic YW4taWQ6YS1zZWNyZXQ="
    assert connector.calls == {"access token": 2, "describe": 3}


def test_a_token_renewed_by_another_thread_is_not_renewed_again() -> None:
    given = iter(("first", "second", "third"))
    transport = Transport("https://acme.my.salesforce.com", AllowList(token_rules()), PACER, sleep=lambda seconds: None)
    login = Login("an-id:a-secret", transport)
    blank = requests.Request("GET", "https://acme.my.salesforce.com/")
    with responses.RequestsMock() as mock, ThreadPoolExecutor(1) as other:
        mock.add_callback(
            "POST",
            f"{transport.base_url}/services/oauth2/token",
            lambda _: (200, JSON, json.dumps({"access_token": next(given)})),
        )
        assert login(blank.prepare()).headers["Authorization"] == "Bearer first"
        assert other.submit(login, blank.prepare()).result().headers["Authorization"] == "Bearer first"
        assert other.submit(login.renew).result() == "Bearer second"
        assert login.renew() == "Bearer second"
        assert login.renew() == "Bearer third"


def test_refused_client_credentials_say_what_to_look_at(connect, org) -> None:
    refused = {"error": "invalid_client", "error_description": "invalid client credentials"}
    org.post("https://acme.my.salesforce.com/services/oauth2/token", json=refused, status=400)
    with pytest.raises(NotAuthorised, match=r"invalid client credentials.*client-credentials flow"):
        connect(token="an-id:wrong").drift(())


def test_an_account_without_an_address_is_refused(connect) -> None:
    with pytest.raises(ConnectorError, match="instance_url is missing"):
        connect(instance_url="")
