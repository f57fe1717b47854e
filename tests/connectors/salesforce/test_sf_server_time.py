"""The clock here beside Salesforce's."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from connectors.salesforce.server_time import ServerTime

NOON = datetime(2017, 9, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(("ahead", "told"), [(timedelta(seconds=2), False), (timedelta(hours=1), True)])
def test_windows_end_at_the_servers_time_and_a_clock_far_ahead_is_told(ahead, told, caplog) -> None:
    answer = requests.Response()
    answer.headers["Date"] = "Sat, 30 Sep 2017 12:00:00 GMT"
    times = ServerTime()
    times.note(answer)
    assert times.no_later(NOON + ahead) == NOON
    assert ("1:00:00 ahead of Salesforce's" in caplog.text) is told
    assert times.no_later(NOON - ahead) == NOON - ahead
