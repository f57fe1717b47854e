"""The sandbox command: what it prints works at once."""

import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from sync.clock import FixedClock
from sync.commands.sandbox import sandbox, sandbox_config
from sync.configfile import parse


def test_the_printed_config_is_valid():
    made = parse(sandbox_config("http://127.0.0.1:8025"), Path("config.toml"))
    assert [account.address for account in made.accounts] == [
        "http://127.0.0.1:8025/hubspot",
        "http://127.0.0.1:8025/mailchimp/3.0",
        "http://127.0.0.1:8025/salesforce",
    ]


class App:
    """Stands in for the frame: a clock whose stop ends the serving."""

    clock = FixedClock(datetime(2017, 11, 1, tzinfo=UTC))


def test_it_serves_the_date_it_was_given_until_it_is_stopped(capsys):
    serve = sandbox.callback.__wrapped__
    options = {"date": datetime(2017, 11, 1, tzinfo=UTC), "port": 0, "seed": 7, "small": True}
    thread = threading.Thread(target=serve, args=(App(),), kwargs=options)
    thread.start()
    printed = ""
    try:
        for _ in range(200):
            printed += capsys.readouterr().out
            if "Then:" in printed:
                break
            thread.join(0.05)
        url = re.search(r"http://127\.0\.0\.1:\d+", printed)[0]
        assert requests.get(f"{url}/_sandbox/clock", timeout=5).json()["date"].startswith("2017-11-01")
        token = re.search(r"FORETAG_HUBSPOT_TOKEN='(.+)'", printed)[1]
        answer = requests.get(
            f"{url}/hubspot/crm/v3/objects/contacts", headers={"Authorization": f"Bearer {token}"}, timeout=5
        )
        assert answer.status_code == 200
    finally:
        App.clock.stop.set()
        thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)
