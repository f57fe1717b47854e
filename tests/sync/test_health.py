"""What monitoring may ask: alive, fresh, and the numbers; and the example of alert rules beside it."""

import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests

from sync.clock import FixedClock
from sync.errors import ForetagError
from sync.health import Health, HealthServer, metrics
from sync.status import as_data
from sync.store import runs

ROOT = Path(__file__).parents[2]
SAMPLE = re.compile(r'(foretag_\w+)(?:\{(\w+)="([^"]*)"\})? (-?[\d.e+]+)')


def samples(text: str) -> dict[tuple[str, str], float]:
    """(metric, value of its label) → number; every line is a comment or a sample."""
    lines = [line for line in text.splitlines() if not line.startswith("# ")]
    found = [SAMPLE.fullmatch(line) for line in lines]
    assert all(found)
    return {(each[1], each[3] or ""): float(each[4]) for each in found}


@pytest.fixture
def ask(shop):
    """The answer of a healthy installation, some hours after its last run."""

    def answer(path: str, hours: float = 0, *, alive: bool = True) -> tuple[int, str]:
        clock = FixedClock(shop.clock.now() + timedelta(hours=hours))
        status, _, text = Health(shop.config, clock, lambda: alive).answer(path)
        return status, text

    return answer


def test_alive_is_what_the_scheduler_says(ask) -> None:
    assert ask("/healthz") == (200, "ok\n")
    assert ask("/healthz", alive=False)[0] == 503


def test_ready_while_the_scores_are_fresh(ask) -> None:
    assert ask("/readyz?verbose", hours=36) == (200, "scores: ok\n")
    assert ask("/readyz", hours=36.1) == (200, "scores: stale\n")
    assert ask("/readyz", hours=100) == (503, "scores: expired\n")


def test_not_ready_before_the_first_run(site, helpers) -> None:
    assert Health(site.config, FixedClock(helpers.now), lambda: True).answer("/readyz")[::2] == (503, "scores: none\n")


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_a_store_that_cannot_be_read_is_not_ready_and_its_path_is_not_told(shop, ask, path) -> None:
    shop.db.close()
    shop.store.write_bytes(b"no store at all" * 1000)
    status, text = ask(path)
    assert status == 503
    assert str(shop.store) not in text


def test_any_other_path_is_not_there(ask) -> None:
    assert ask("/index.html")[0] == 404
    assert ask("/metrics/../config.toml")[0] == 404


def test_the_numbers_are_those_of_status(ask, shop, helpers) -> None:
    shop.db.execute("UPDATE outbox SET state = 'pending' WHERE id <= 7")
    runs.begin(shop.db, helpers.now, helpers.now)
    status, text = ask("/metrics", hours=37)
    found = samples(text)
    assert status == 200
    assert found["foretag_mode", "full"] == 1
    assert found["foretag_scores_timestamp_seconds", ""] == helpers.now.timestamp()
    assert found["foretag_scores_fresh", ""] == 0
    assert found["foretag_stored_rows", "contact"] == 300
    assert found["foretag_waiting_contacts", ""] == 7
    assert found["foretag_last_run_number", ""] == 1
    assert {verdict: found["foretag_last_run_verdict", verdict] for verdict in ("ok", "failed")} == {
        "ok": 1,
        "failed": 0,
    }
    assert found["foretag_last_run_written_contacts", "hubspot"] == 300


def test_every_metric_is_introduced_once_and_before_its_samples(ask) -> None:
    text = ask("/metrics")[1]
    introduced = re.findall(r"(?m)^# TYPE (\w+) gauge$", text)
    assert len(introduced) == len(set(introduced))
    for name in {name for name, _ in samples(text)}:
        assert text.index(f"# HELP {name} ") < text.index(f"# TYPE {name} ") < text.index(f"\n{name}")


def test_a_new_installation_has_numbers_too(site) -> None:
    found = samples(metrics(as_data(site)))
    assert found["foretag_scores_fresh", ""] == 0
    assert not [name for name, _ in found if name.startswith("foretag_last_run")]


def test_nothing_personal_is_told(ask, shop) -> None:
    text = ask("/metrics")[1]
    (email,) = shop.db.execute("SELECT email FROM contact WHERE id = '7'").fetchone()
    assert "@" not in text
    assert email not in text


class Seen(HTMLParser):
    """The tags of a page, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text = [], {}, ""
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes |= dict(attrs)

    def handle_data(self, data) -> None:
        self.text += data


def test_the_page_shows_what_status_knows_and_can_do_nothing(ask, shop) -> None:
    status, text = ask("/", hours=40)
    seen = Seen(text)
    assert status == 200
    data = as_data(shop)
    for told in ("stale", data["scored"][:16], "hubspot", "full", "300", "ok"):
        assert told in seen.text
    assert set(seen.tags).isdisjoint({"script", "a", "link", "img", "form", "iframe", "object", "input"})
    assert seen.attributes.keys().isdisjoint({"href", "src", "style", "onclick", "onload", "action"})
    assert "@" not in text
    assert "//" not in text


def test_whatever_a_run_says_is_text_on_the_page(shop, ask, helpers) -> None:
    number = runs.begin(shop.db, helpers.now, helpers.now)
    evil = "<script>alert(1)</script>"
    runs.end(shop.db, number, helpers.now, "refused", {"objections": [evil], "written": {'"><b>': {"contacts": 1}}})
    seen = Seen(ask("/")[1])
    assert evil in seen.text
    assert not {"script", "b"} & set(seen.tags)


def test_the_page_of_a_new_installation(site, helpers) -> None:
    status, kind, text = Health(site.config, FixedClock(helpers.now), lambda: True).answer("/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert "never made" in text
    assert "none yet" in text


@pytest.fixture
def address(shop):
    server = HealthServer(Health(shop.config, shop.clock, lambda: True), 0)
    yield f"http://127.0.0.1:{server.server_port}"
    server.close()


def test_it_answers_over_http_on_this_machine_only(address) -> None:
    answer = requests.get(f"{address}/metrics", timeout=10)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "Python" not in answer.headers["Server"]
    assert samples(answer.text)
    assert requests.get(f"{address}/nothing", timeout=10).status_code == 404


def test_a_browser_is_told_to_do_nothing_but_show_it(address) -> None:
    answer = requests.get(f"{address}/", timeout=10)
    (style,) = re.findall(r"(?s)<style>(.*)</style>", answer.text)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "style-src": f"'sha256-{digest}'", "base-uri": "'none'", "form-action": "'none'",
        "frame-ancestors": "'none'",
    }  # fmt: skip
    for path in ("/", "/metrics", "/nothing"):
        told = requests.get(f"{address}{path}", timeout=10).headers
        assert (told["X-Content-Type-Options"], told["X-Frame-Options"]) == ("nosniff", "DENY")
        assert (told["Cache-Control"], told["Referrer-Policy"]) == ("no-store", "no-referrer")
        assert "Access-Control-Allow-Origin" not in told


def test_a_head_brings_the_head_alone(address) -> None:
    asked, got = (requests.request(method, f"{address}/metrics", timeout=10) for method in ("HEAD", "GET"))
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["Content-Type"] == got.headers["Content-Type"]
    assert int(asked.headers["Content-Length"]) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed_through_it(address, method) -> None:
    assert requests.request(method, f"{address}/metrics", timeout=10).status_code == 501


def test_it_listens_on_the_loopback_address(shop) -> None:
    server = HealthServer(Health(shop.config, shop.clock, lambda: True), 0)
    try:
        assert server.server_address[0] == "127.0.0.1"
        with pytest.raises(ForetagError, match=f"health.port {server.server_port} cannot be used"):
            HealthServer(Health(shop.config, shop.clock, lambda: True), server.server_port)
    finally:
        server.close()


def test_the_alert_rules_ask_for_metrics_there_are(ask) -> None:
    rules = (ROOT / "deploy/alert-rules.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\bforetag_\w+", rules))
    assert len(asked) >= 4
    assert asked - {name for name, _ in samples(ask("/metrics")[1])} == set()
