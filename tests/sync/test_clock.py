"""The clocks: standing still, and sleeping that a stop ends at once."""

from datetime import UTC, datetime, timedelta, timezone
from threading import Event

import pytest

from sync.clock import FixedClock, SystemClock


def test_the_fixed_clock_stands_still_in_utc():
    clock = FixedClock(datetime(2017, 11, 1, 6, tzinfo=timezone(timedelta(hours=1))))
    assert clock.now() == clock.now() == datetime(2017, 11, 1, 5, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_a_fixed_clock_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(datetime.fromisoformat("2017-11-01"))


def test_the_system_clock_moves_on_and_knows_its_zone():
    clock = SystemClock()
    before, start = clock.now(), clock.monotonic()
    clock.sleep(0.001)
    assert clock.now() > before
    assert clock.monotonic() - start >= 0.001
    assert before.tzinfo is UTC


@pytest.mark.parametrize("make", [SystemClock, lambda stop: FixedClock(datetime(2017, 1, 1, tzinfo=UTC), stop)])
def test_a_set_stop_ends_every_sleep(make):
    stop = Event()
    clock = make(stop)
    stop.set()
    start = clock.monotonic()
    clock.sleep(60)
    assert clock.monotonic() - start < 1
    assert clock.stop is stop


def test_a_negative_sleep_is_none():
    clock = SystemClock()
    start = clock.monotonic()
    clock.sleep(-5)
    assert clock.monotonic() - start < 1
