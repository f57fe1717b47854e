"""Log lines: levels, JSON, the run's id, and nothing secret in them."""

import io
import json
import logging
from base64 import b64encode, urlsafe_b64encode
from threading import Thread
from urllib.parse import quote

import pytest

from sync.log import present, setup
from sync.redact import is_token, names_a_secret, redact

ADDRESS = "Lena.K+shop@example.com"
KEY = "0123456789abcdef0123456789abcdef-us6"


@pytest.fixture
def stream():
    root = logging.getLogger()
    before, level = root.handlers, root.level
    yield io.StringIO()
    root.handlers = before
    root.setLevel(level)
    for package in ("connectors", "scoring", "sync", "sandbox"):
        logging.getLogger(package).setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("verbosity", "ours", "theirs"),
    [(0, ["warning"], ["warning"]), (1, ["info", "warning"], ["warning"]), (2, ["debug", "info", "warning"], None)],
)
def test_quiet_by_default_and_libraries_one_step_later(stream, verbosity, ours, theirs):
    setup(verbosity, as_json=True, stream=stream)
    for name in ("sync.pull", "some.library"):
        for level in ("debug", "info", "warning"):
            getattr(logging.getLogger(name), level)("x")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["level"] for line in lines if line["logger"] == "sync.pull"] == ours
    assert [line["level"] for line in lines if line["logger"] != "sync.pull"] == (theirs or ["info", "warning"])


def test_setting_up_twice_does_not_print_twice(stream):
    setup(stream=stream)
    setup(stream=stream)
    logging.getLogger("sync").warning("once")
    assert stream.getvalue() == "WARNING sync: once\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_the_run_is_named_while_there_is_one(stream, as_json, monkeypatch):
    setup(as_json=as_json, stream=stream)
    with monkeypatch.context() as patch:
        patch.setattr(present, "run", 4711)
        logging.getLogger("sync").warning("a")
        thread = Thread(target=logging.getLogger("connectors").warning, args=["c"])
        thread.start()
        thread.join()
    logging.getLogger("sync").warning("b")
    first, second, third = stream.getvalue().splitlines()
    assert "4711" in first
    assert "4711" in second
    assert "4711" not in third


@pytest.mark.parametrize("as_json", [False, True])
def test_addresses_are_shown_only_when_asked_and_tokens_never(stream, as_json):
    for show in (True, False):
        setup(as_json=as_json, stream=stream, show_emails=show)
        logging.getLogger("sync").warning("writing to %s with %s", ADDRESS, KEY)
    shown, hidden = stream.getvalue().splitlines()
    assert ADDRESS in shown
    assert ADDRESS not in hidden
    assert KEY not in shown + hidden


def test_json_has_time_in_utc(stream):
    setup(as_json=True, stream=stream)
    logging.getLogger("sync").warning("a")
    assert json.loads(stream.getvalue())["time"].endswith("+00:00")


@pytest.mark.parametrize("as_json", [False, True])
def test_arguments_and_tracebacks_are_redacted(stream, as_json):
    setup(as_json=as_json, stream=stream)
    try:
        raise ValueError(f"no such member {ADDRESS}, key {KEY}")
    except ValueError:
        logging.getLogger("sync").exception("writing to %s", ADDRESS)
    text = stream.getvalue()
    assert "ValueError" in text
    assert "Traceback" in text
    assert "example.com" not in text
    assert KEY not in text
    assert text.count(redact(ADDRESS)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "pat-eu1-0a1b2c3d-4e5f-6789-abcd-ef0123456789",
        KEY,
        "00D5g000004abcd!AQ0AQKLmNoPqRsTuVwXyZ.1234_abcd",
        "00D5g000004abcd%21AQ0AQKLmNoPqRsTuVwXyZ.1234_abcd",
        "eyJhbGciOiJSUzI1NiJ9.eyJzY29wZSI6ImFwaSJ9.AbCd-_1234",
        "https://hooks.slack.com/services/T000/B000/abcdef",
    ],
)
def test_tokens_are_hidden_wherever_they_stand(text):
    assert redact(f"before {text} after") == "before *** after"
    assert is_token(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ('{"access_token": "abcdefghijkl"}', '{"access_token": "***"}'),
        ("client_secret=abcdefghijkl&x=1", "client_secret=***&x=1"),
        ("GET https://user:hunter2hunter2@host/x", "GET https://***@host/x"),
        ("the key: something_quite_long", "the key: something_quite_long"),
        ("config.toml:14: unknown key", "config.toml:14: unknown key"),
        ("person 4711 has 3 orders", "person 4711 has 3 orders"),
    ],
)
def test_named_secrets_are_hidden_and_plain_text_stays(text, shown):
    assert redact(text) == shown


def test_an_address_gets_the_same_hash_however_it_is_written():
    hashes = {redact(written) for written in (ADDRESS, ADDRESS.lower(), ADDRESS.replace("@", "%40"))}
    assert len(hashes) == 1
    assert redact("ada@example.org") != redact("bob@example.org")


@pytest.mark.parametrize("at", ["%2540", r"\u0040", "&#64;", "&#x40;", "&commat;"])
def test_an_address_is_hidden_in_json_web_pages_and_quoted_twice(at):
    shown = redact(f"contact {ADDRESS.replace('@', at)} is not valid")
    assert shown.startswith("contact <email ")
    assert "Lena" not in shown


def test_an_address_is_hidden_whole_where_its_plus_is_escaped():
    assert redact(quote(ADDRESS)) == redact(ADDRESS)


@pytest.mark.parametrize("secret", [ADDRESS, f"foretag:{KEY}", "00D5g000004abcd!AQ0AQKLmNoPqRsTuVwXyZ.1234_abcd"])
def test_what_stands_in_base64_is_hidden_too(secret):
    for packed in (b64encode(secret.encode()), urlsafe_b64encode(secret.encode()).rstrip(b"=")):
        assert redact(f"got {packed.decode()}, sorry") == "got ***, sorry"
    assert redact("POST /crm/v3/objects/contacts/batch/update") == "POST /crm/v3/objects/contacts/batch/update"


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        *((name, True) for name in ("token", "api_key", "client_secret", "hubspot_token", "password")),
        *((name, False) for name in ("name", "key", "stale_after")),
    ],
)
def test_which_names_promise_a_secret(key, secret):
    assert names_a_secret(key) is secret


def test_a_long_word_is_searched_once_and_not_from_each_of_its_letters():
    """With the square of its length this would take an hour; the time limit of a test is five minutes."""
    word = "x" * 1_000_000
    assert redact(word) == word
    assert redact(f"{word}@shop.example").startswith("<email ")
