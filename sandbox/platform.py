"""What every pretended platform offers to the server that runs it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from flask import Blueprint


@dataclass
class SandboxClock:
    """The sandbox's date. It stands still at the date that was set, but every look moves it on by one millisecond,

    so that two changes never share an instant and a replay gives the same stamps. The gate's lock guards it.
    """

    date: datetime
    skew: timedelta = timedelta()
    """How far the platforms' clocks are ahead of the date; below zero, behind. Stamps of changes show it."""
    _ticks: int = 0

    def now(self) -> datetime:
        """The present instant (UTC) by the platforms' clocks, one millisecond later than the last one asked for."""
        self._ticks += 1
        return self.date + self.skew + timedelta(milliseconds=self._ticks)

    def set(self, date: datetime) -> None:
        """Move to `date`; ValueError when that would go back."""
        if date < self.date:
            raise ValueError(f"the sandbox is at {self.date:%Y-%m-%d}; it cannot go back to {date:%Y-%m-%d}")
        self.date, self._ticks = date, 0


class PretendPlatform(Protocol):
    """One pretended platform: it holds records as they stood on the sandbox's date, and what was written to them."""

    name: str
    token: str
    """The only credential it accepts."""

    def advance(self, until: datetime) -> None:
        """Apply everything that happens in the world up to and including `until`; what was written stays."""

    def blueprint(self) -> Blueprint:
        """The HTTP routes, to be mounted below `/<name>`.

        Requests are let in one at a time, so that views need no locks. `current_app.config["LIMITS"]` tells whether
        rate limits are to be kept, `request.environ["sandbox.open_calls"]` how many calls to this platform are under
        way. An endpoint that serves several object types is registered once for each, so that
        the counters tell them apart.
        """

    def snapshot(self) -> dict[str, Any]:
        """Every record with every field, as JSON-able data: `{object: {id: {field: value}}}`, for comparing."""

    def find(self, email: str) -> list[dict[str, Any]]:
        """Contact records with this address (any case), as a marketer would see them: label → value."""
