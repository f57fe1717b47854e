"""The only place that knows what time it is. Everything else is handed a clock or an instant."""

import time
from datetime import UTC, datetime
from threading import Event
from typing import Protocol

STOPPED = "told to stop; the next run goes on from there"
"""Why something ended early when `stop` was set."""


class Clock(Protocol):
    """The present, and waiting."""

    @property
    def stop(self) -> Event:
        """Setting it ends every sleep at once, now and later."""

    def now(self) -> datetime:
        """The present instant, UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`, or until `stop` is set."""

    def monotonic(self) -> float:
        """Seconds since some fixed point; only differences mean anything."""


class SystemClock:
    """The machine's clock."""

    def __init__(self, stop: Event | None = None) -> None:
        self._stop = stop or Event()

    @property
    def stop(self) -> Event:
        """Setting it ends every sleep at once, now and later."""
        return self._stop

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`, or until `stop` is set."""
        if seconds > 0:
            self._stop.wait(seconds)

    def monotonic(self) -> float:
        """Seconds since some fixed point; only differences mean anything."""
        return time.monotonic()


class FixedClock(SystemClock):
    """Pretends it is always `at` (sandboxes, replays); waiting and measuring stay real. ValueError for a naive `at`."""

    def __init__(self, at: datetime, stop: Event | None = None) -> None:
        super().__init__(stop)
        if at.tzinfo is None:
            raise ValueError("a fixed clock needs an instant with a time zone")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """The instant it was made with, UTC."""
        return self._at
