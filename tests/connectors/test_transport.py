import json
from collections.abc import Callable

import pytest
import requests
import responses

from connectors.allowlist import AllowList, Rule, anything, not_ours, unexpected
from connectors.errors import (
    ConnectorError,
    NotAllowed,
    NotAuthorised,
    NotKnown,
    NotPermitted,
    Rejected,
    Throttled,
    Unavailable,
)
from connectors.pacing import Pacer, Rate
from connectors.transport import Transport

BASE = "https://platform.example"

RULES = [
    Rule("read things", "GET", r"/things(/\d+)?"),
    Rule("search things", "POST", r"/things/search", body=anything),
    Rule("update things", "PATCH", r"/things", body=lambda body: unexpected("the body", body, {"ft_score"})),
    Rule("start a job", "POST", r"/jobs", body=anything, repeatable=False),
]


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def transport(slept: list[float]) -> Transport:
    pacer = Pacer({}, monotonic=lambda: 0.0, sleep=slept.append)
    return Transport(
        BASE,
        AllowList(RULES),
        pacer,
        sleep=slept.append,
        alias="https://sdk.invalid",
        files_from=["files.example"],
    )


@pytest.fixture
def platform():
    with responses.RequestsMock() as mock:
        yield mock


def test_a_good_answer_is_returned_and_counted(transport: Transport, platform) -> None:
    platform.get(f"{BASE}/things", json={"n": 1})
    assert transport.get(f"{BASE}/things").json() == {"n": 1}
    assert transport.calls == {"read things": 1}


def test_the_alias_is_replaced_by_the_base_address(transport: Transport, platform) -> None:
    platform.get(f"{BASE}/things/7", json={})
    assert transport.get("https://sdk.invalid/things/7").ok


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("DELETE", f"{BASE}/things/7", None),
        ("POST", f"{BASE}/things", {"email": "new@example.org"}),
        ("PATCH", f"{BASE}/things", {"owner": 7}),
        ("PATCH", f"{BASE}/things", None),
        ("GET", f"{BASE}/things/7/secret", None),
        ("GET", f"{BASE}/things", {"a": "body"}),
        ("GET", "https://elsewhere.example/things", None),
        ("GET", "https://platform.example.evil.example/things", None),
    ],
)
def test_what_is_not_on_the_allow_list_is_not_sent(transport: Transport, platform, method, url, body) -> None:
    with pytest.raises(NotAllowed, match="was not sent"):
        transport.request(method, url, json=body)
    assert len(platform.calls) == 0
    assert not transport.calls


def test_a_rule_may_demand_headers(platform) -> None:
    rule = Rule("write", "PATCH", "/things", body=anything, headers={"Auto-Assign": "FALSE"})
    pacer = Pacer({}, monotonic=lambda: 0.0, sleep=lambda _: None)
    transport = Transport(BASE, AllowList([rule]), pacer, sleep=lambda _: None)
    with pytest.raises(NotAllowed, match="Auto-Assign"):
        transport.patch(f"{BASE}/things", json={})
    platform.patch(f"{BASE}/things", json={})
    assert transport.patch(f"{BASE}/things", json={}, headers={"Auto-Assign": "FALSE"}).ok


def test_retry_after_is_obeyed(transport: Transport, platform, slept: list[float]) -> None:
    platform.get(f"{BASE}/things", status=429, headers={"Retry-After": "3"})
    platform.get(f"{BASE}/things", json={})
    assert transport.get(f"{BASE}/things").ok
    assert slept == [3.0]


@pytest.mark.parametrize("header", ["86400", "-1", "soon", ""])
def test_an_insane_retry_after_is_not_believed(transport: Transport, platform, slept: list[float], header) -> None:
    platform.get(f"{BASE}/things", status=429, headers={"Retry-After": header})
    platform.get(f"{BASE}/things", json={})
    transport.get(f"{BASE}/things")
    assert len(slept) == 1
    assert 0 <= slept[0] <= 60


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 423])
def test_passing_failures_of_a_post_that_only_reads_are_tried_again(transport: Transport, platform, status) -> None:
    platform.post(f"{BASE}/things/search", status=status, body="<html>")
    platform.post(f"{BASE}/things/search", json={"ok": True})
    assert transport.post(f"{BASE}/things/search", json={}).json() == {"ok": True}


def test_a_403_without_a_word_stands_for_too_many_calls(transport: Transport, platform) -> None:
    platform.get(f"{BASE}/things", status=403, body="")
    platform.get(f"{BASE}/things", json={})
    assert transport.get(f"{BASE}/things").ok


def test_it_gives_up_after_eight_tries(transport: Transport, platform, slept: list[float]) -> None:
    platform.get(f"{BASE}/things", status=503)
    with pytest.raises(Unavailable, match=r"read things .* HTTP 503"):
        transport.get(f"{BASE}/things")
    assert len(platform.calls) == 8
    assert len(slept) == 7


@pytest.mark.parametrize(
    ("status", "kind"), [(401, NotAuthorised), (403, NotPermitted), (404, Rejected), (400, Rejected)]
)
def test_permanent_errors_are_raised_at_once(transport: Transport, platform, status, kind) -> None:
    platform.get(f"{BASE}/things", status=status, json={"message": "no such thing"})
    with pytest.raises(kind):
        transport.get(f"{BASE}/things")
    assert len(platform.calls) == 1


def test_a_rejection_carries_status_and_body(transport: Transport, platform) -> None:
    platform.get(f"{BASE}/things", status=400, json=[{"message": "bad", "errorCode": "X"}])
    with pytest.raises(Rejected, match="bad") as caught:
        transport.get(f"{BASE}/things")
    assert caught.value.status == 400
    assert caught.value.body == [{"message": "bad", "errorCode": "X"}]


def test_half_an_answer_is_asked_for_again(transport: Transport, platform) -> None:
    platform.get(f"{BASE}/things", body='{"n": [1, 2', content_type="application/json")
    platform.get(f"{BASE}/things", json={"n": [1, 2]})
    assert transport.get(f"{BASE}/things").json() == {"n": [1, 2]}


def test_a_lost_answer_is_repeated_only_where_that_is_safe(transport: Transport, platform) -> None:
    platform.patch(f"{BASE}/things", body=requests.ConnectionError("reset"))
    platform.patch(f"{BASE}/things", json={})
    assert transport.patch(f"{BASE}/things", json={"ft_score": 1}).ok
    platform.post(f"{BASE}/jobs", body=requests.ConnectionError("reset"))
    with pytest.raises(NotKnown, match="not sent again"):
        transport.post(f"{BASE}/jobs", json={})


def test_too_many_calls_may_be_repeated_even_for_a_job(transport: Transport, platform) -> None:
    platform.post(f"{BASE}/jobs", status=429)
    platform.post(f"{BASE}/jobs", json={"id": 1})
    assert transport.post(f"{BASE}/jobs", json={}).json() == {"id": 1}


def test_an_expired_token_is_renewed_once(platform) -> None:
    renewals = iter(["Bearer fresh", None])
    transport = Transport(
        BASE,
        AllowList(RULES),
        Pacer({}, monotonic=lambda: 0.0, sleep=lambda _: None),
        sleep=lambda _: None,
        renew=lambda: next(renewals),
    )
    platform.get(f"{BASE}/things", status=401, json={})
    platform.get(
        f"{BASE}/things", json={}, match=[responses.matchers.header_matcher({"Authorization": "Bearer fresh"})]
    )
    assert transport.get(f"{BASE}/things", headers={"Authorization": "Bearer old"}).ok
    platform.get(f"{BASE}/things/1", status=401, json={})
    with pytest.raises(NotAuthorised):
        transport.get(f"{BASE}/things/1")


def test_what_the_platform_means_comes_before_what_the_status_says(platform) -> None:
    def explain(response: requests.Response, what: str) -> ConnectorError | None:
        return Rejected("daily quota", 429, None) if "DAILY" in response.text else None

    pacer = Pacer({}, monotonic=lambda: 0.0, sleep=lambda _: None)
    transport = Transport(BASE, AllowList(RULES), pacer, sleep=lambda _: None, explain=explain)
    platform.get(f"{BASE}/things", status=429, json={"policyName": "DAILY"})
    with pytest.raises(Rejected, match="daily quota"):
        transport.get(f"{BASE}/things")


def test_neither_netrc_nor_proxies_are_read_from_the_environment(transport: Transport) -> None:
    assert transport.trust_env is False


def test_a_rule_learns_from_answers(platform) -> None:
    seen: list[object] = []
    rule = Rule("list", "GET", "/things", learn=seen.append)
    pacer = Pacer({}, monotonic=lambda: 0.0, sleep=lambda _: None)
    platform.get(f"{BASE}/things", json={"ids": [1]})
    Transport(BASE, AllowList([rule]), pacer, sleep=lambda _: None).get(f"{BASE}/things")
    assert seen == [{"ids": [1]}]


def test_result_files_are_fetched_without_credentials(transport: Transport, platform) -> None:
    transport.headers["Authorization"] = "Bearer secret"
    platform.get("https://files.example/result", body=b"bytes")
    with transport.download("https://files.example/result") as response:
        assert response.content == b"bytes"
    assert "Authorization" not in platform.calls[0].request.headers


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://files.example/result",
        "https://elsewhere.example/result",
        "https://files.example.elsewhere.example/result",
        "https://files.example@elsewhere.example/result",
        "https://files.example:8443/result",
    ],
)
def test_result_files_from_anywhere_else_are_not_fetched(transport: Transport, url) -> None:
    with pytest.raises(NotAllowed, match="was not fetched: it may come over https from "):
        transport.download(url)


def test_a_result_file_that_is_too_large_is_not_read(transport: Transport, platform) -> None:
    platform.get(
        "https://files.example/bomb",
        body=b"",
        headers={"Content-Length": str(3 * 1024**3)},
        auto_calculate_content_length=False,
    )
    with pytest.raises(NotAllowed, match="2 GiB"):
        transport.download("https://files.example/bomb")


def test_form_bodies_are_checked_too() -> None:
    rule = Rule("token", "POST", "/token", body=lambda body: unexpected("the form", body, {"grant_type"}))
    allow = AllowList([rule])
    assert allow.rule_for("POST", "/token", {}, "grant_type=client_credentials") is rule
    with pytest.raises(NotAllowed, match="'password'"):
        allow.rule_for("POST", "/token", {}, "grant_type=password&password=x")


def test_helpers_name_the_offending_key() -> None:
    assert unexpected("it", {"a": 1, "b": 2}, {"a"}) == "it holds 'b'"
    assert unexpected("it", [1], {"a"}) == "it is not an object"
    assert not_ours("field", ["ft_a", "lifecyclestage"], "ft_.*") == "field 'lifecyclestage' is not one of ours"
    assert not_ours("field", ["ft_a"], "ft_.*") is None
    assert anything(json.dumps({})) is None


def _stepping() -> tuple[Callable[[], float], Callable[[float], None]]:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    return lambda: now[0], sleep


def test_the_pacer_keeps_any_window_under_the_rate() -> None:
    monotonic, sleep = _stepping()
    pacer = Pacer({"search": Rate(5, 1.0)}, monotonic=monotonic, sleep=sleep)
    left = []
    for _ in range(23):
        pacer.wait("search")
        left.append(monotonic())
    assert all(later - earlier >= 1.0 for earlier, later in zip(left, left[5:], strict=False))
    assert left[-1] == pytest.approx(4.0)
    assert pacer.waited == pytest.approx(4.0)


def test_a_group_without_a_rate_is_free() -> None:
    pacer = Pacer({}, monotonic=lambda: 0.0, sleep=lambda _: pytest.fail("it slept"))
    for _ in range(100):
        pacer.wait("whatever")


def test_connect_timeouts_are_always_safe_to_repeat(transport: Transport, platform) -> None:
    platform.post(f"{BASE}/jobs", body=requests.ConnectTimeout())
    platform.post(f"{BASE}/jobs", json={"id": 1})
    assert transport.post(f"{BASE}/jobs", json={}).ok
    assert issubclass(Throttled, ConnectorError)
