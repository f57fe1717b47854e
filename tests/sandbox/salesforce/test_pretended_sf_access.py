import base64

import pytest
import requests

from sandbox.salesforce import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, PASSWORD, REFRESH_TOKEN


def ask_token(sf, auth=None, **form):
    form = {"grant_type": "client_credentials", **form}
    return requests.post(f"{sf.site}/services/oauth2/token", data=form, auth=auth, timeout=10)


def test_client_credentials_are_taken_from_the_header_or_the_form(sf):
    for answer in (
        ask_token(sf, auth=(CLIENT_ID, CLIENT_SECRET)),
        ask_token(sf, client_id=CLIENT_ID, client_secret=CLIENT_SECRET),
    ):
        assert answer.status_code == 200
        granted = answer.json()
        assert granted["access_token"] == ACCESS_TOKEN == sf.salesforce.token
        assert granted["token_type"] == "Bearer"
        assert granted["instance_url"] == sf.site
    identity = requests.get(granted["id"], headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}, timeout=10)
    assert identity.json()["username"] == "integration.user@shop.example"


@pytest.mark.parametrize(
    ("auth", "form", "error"),
    [
        ((CLIENT_ID, "wrong"), {}, "invalid_client"),
        (None, {"client_id": CLIENT_ID}, "invalid_client"),
        ((CLIENT_ID, CLIENT_SECRET), {"grant_type": "device"}, "unsupported_grant_type"),
        ((CLIENT_ID, CLIENT_SECRET), {"grant_type": "password", "password": "wrong"}, "invalid_grant"),
        ((CLIENT_ID, CLIENT_SECRET), {"grant_type": "refresh_token", "refresh_token": "wrong"}, "invalid_grant"),
        ((CLIENT_ID, "wrong"), {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}, "invalid_client"),
    ],
)
def test_other_credentials_are_refused(sf, auth, form, error):
    answer = ask_token(sf, auth, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert set(answer.json()) == {"error", "error_description"}


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN},
        {"grant_type": "password", "username": "somebody", "password": PASSWORD},
    ],
)
def test_a_refresh_token_and_a_password_log_in_too(sf, form):
    answer = ask_token(sf, (CLIENT_ID, CLIENT_SECRET), **form)
    assert answer.json()["access_token"] == sf.salesforce.token


def test_a_wrong_token_is_refused_everywhere(sf):
    wrong = {"Authorization": f"Bearer {ACCESS_TOKEN}x"}
    for path in ("/services/data/v60.0/limits", "/services/data/v60.0/nowhere", "/services/oauth2/userinfo"):
        answer = requests.get(f"{sf.site}{path}", headers=wrong, timeout=10)
        assert answer.status_code == 401
        assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    answer = requests.get(f"{sf.site}/services/data/v60.0/limits", headers={"Authorization": basic}, timeout=10)
    assert answer.status_code == 401


def test_a_used_up_token_is_refused_until_a_new_one_is_asked_for(start):
    sf = start(token_calls=2)
    assert [sf.call("GET", "limits").status_code for _ in range(4)] == [200, 200, 401, 401]
    token = ask_token(sf, auth=(CLIENT_ID, CLIENT_SECRET)).json()["access_token"]
    assert token != ACCESS_TOKEN
    fresh = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{sf.site}/services/data/v60.0/limits", headers=fresh, timeout=10).status_code == 200


def test_a_session_can_be_ended(sf):
    sf.salesforce.expire_token()
    assert sf.call("GET", "limits").status_code == 401


def test_the_daily_quota_is_counted_told_and_enforced(start):
    sf = start(daily_quota=3)
    used = [sf.call("GET", "limits").headers["Sforce-Limit-Info"] for _ in range(3)]
    assert used == ["api-usage=1/3", "api-usage=2/3", "api-usage=3/3"]
    refused = sf.call("GET", "limits")
    assert refused.status_code == 403
    assert refused.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert refused.headers["Sforce-Limit-Info"] == "api-usage=3/3"
    sf.clock.set(sf.clock.date.replace(day=16))
    assert sf.get("limits")["DailyApiRequests"] == {"Max": 3, "Remaining": 2}


def test_versions_50_to_70_are_spoken(sf):
    listed = requests.get(f"{sf.site}/services/data/", timeout=10).json()
    assert [listed[0]["version"], listed[-1]["version"]] == ["50.0", "70.0"]
    token = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    for version, status in (("50.0", 200), ("70.0", 200), ("49.0", 404), ("71.0", 404), ("60", 404)):
        answer = requests.get(f"{sf.site}/services/data/v{version}/limits", headers=token, timeout=10)
        assert answer.status_code == status, version


def test_unknown_paths_and_methods_are_refused_in_json(sf):
    answer = sf.call("GET", "nowhere/at/all")
    assert answer.status_code == 404
    assert answer.json() == [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]
    answer = sf.call("PUT", "query")
    assert answer.status_code == 405
    assert answer.json()[0]["errorCode"] == "METHOD_NOT_ALLOWED"
    assert answer.json()[0]["message"].endswith("Allowed are GET,HEAD")


def test_an_address_that_is_too_long_gets_a_page_not_json(sf):
    answer = sf.call("GET", "query", params={"q": "SELECT Id FROM Contact WHERE Name = '" + "x" * 17_000 + "'"})
    assert (answer.status_code, answer.text[:4]) == (414, "<h1>")


def test_composite_runs_calls_in_order_and_reports_each(sf):
    base = "/services/data/v60.0"
    parts = [
        {"method": "GET", "url": f"{base}/query?q=SELECT+COUNT()+FROM+Contact", "referenceId": "a"},
        {"method": "GET", "url": f"{base}/query?q=SELECT+COUNT()+FROM+Xyzzy", "referenceId": "b"},
        {"method": "GET", "url": f"{base}/sobjects/Foo", "referenceId": "c"},
    ]
    answer = sf.call("POST", "composite", json={"compositeRequest": parts}).json()["compositeResponse"]
    assert [part["referenceId"] for part in answer] == ["a", "b", "c"]
    assert answer[0] == {
        "body": {"totalSize": 3, "done": True, "records": []},
        "httpHeaders": {},
        "httpStatusCode": 200,
        "referenceId": "a",
    }
    assert answer[2]["body"] == [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]
    assert (answer[1]["httpStatusCode"], answer[1]["body"][0]["errorCode"]) == (400, "INVALID_TYPE")


def collection(sf, **fields):
    record = {"attributes": {"type": "Contact"}, "id": sf.id_of("Contact", "ann@shop.example"), **fields}
    url = "/services/data/v60.0/composite/sobjects"
    return {"method": "PATCH", "url": url, "referenceId": "r", "body": {"records": [record]}}


def test_composite_has_room_for_25_calls_of_which_5_collections(sf):
    def code(parts):
        answer = sf.call("POST", "composite", json={"compositeRequest": parts})
        return answer.status_code if answer.ok else answer.json()[0]["errorCode"]

    assert code([collection(sf, Title="A")] * 5) == 200
    assert code([collection(sf, Title="A")] * 6) == "LIMIT_EXCEEDED"
    limits = {"method": "GET", "url": "/services/data/v60.0/limits", "referenceId": "r"}
    assert code([limits] * 26) == "LIMIT_EXCEEDED"
    assert code("nothing") == "JSON_PARSER_ERROR"
    assert sf.salesforce.org.session.used > 0


def test_a_composite_is_one_call(sf):
    before = sf.salesforce.org.session.used
    limits = {"method": "GET", "url": "/services/data/v60.0/limits", "referenceId": "r"}
    sf.call("POST", "composite", json={"compositeRequest": [limits] * 25})
    assert sf.salesforce.org.session.used == before + 1


def test_composite_all_or_none_takes_every_call_back(sf):
    bad = {"method": "GET", "url": "/services/data/v60.0/sobjects/Foo", "referenceId": "bad"}
    parts = [collection(sf, Title="A"), bad]
    answer = sf.call("POST", "composite", json={"allOrNone": True, "compositeRequest": parts}).json()
    codes = [part["body"][0]["errorCode"] for part in answer["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "NOT_FOUND"]
    assert sf.query("SELECT Id FROM Contact WHERE Title != null") == []


def test_batch_describes_many_objects_in_one_call(sf):
    requests_ = [{"method": "GET", "url": f"v60.0/sobjects/{name}/describe"} for name in ("Contact", "Nope", "Lead")]
    answer = sf.call("POST", "composite/batch", json={"batchRequests": requests_}).json()
    assert answer["hasErrors"] is True
    assert [result["statusCode"] for result in answer["results"]] == [200, 404, 200]
    assert answer["results"][2]["result"]["name"] == "Lead"
    halted = sf.call("POST", "composite/batch", json={"batchRequests": requests_, "haltOnError": True}).json()
    assert [result["statusCode"] for result in halted["results"]] == [200, 404, 412]


def test_an_object_the_user_has_no_right_to_is_as_good_as_not_there(sf):
    lead = sf.query("SELECT Id FROM Lead")[0]["Id"]
    sf.salesforce.close("Lead")
    assert sf.call("GET", "sobjects/Lead/describe").status_code == 404
    assert "Lead" not in {each["name"] for each in sf.get("sobjects")["sobjects"]}
    assert sf.refusal("SELECT Id FROM Lead")[0] == "INVALID_TYPE"
    answer = sf.update({"attributes": {"type": "Lead"}, "id": lead, "Title": "A"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
    job = sf.call("POST", "jobs/ingest", json={"object": "Lead", "operation": "update"})
    assert job.json()[0]["errorCode"] == "INVALID_TYPE"
    assert sf.query("SELECT Id FROM Contact")
