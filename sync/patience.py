"""How long one account may keep everybody else waiting, and that being told to stop ends it sooner."""

from connectors.errors import Retry
from sync.clock import STOPPED, Clock

LONGEST = 3600.0
"""Seconds. Reading everything of a large shop for the first time takes less; a call that is never answered is given up
after some twenty minutes (connectors.transport), so this ends what is answered, but slowly, over and over."""
TOO_LONG = (
    "it took more than an hour, so the others have their turn; what came is kept, the next run goes on from there"
)


class Patience:
    """Begins when it is made. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.monotonic() + LONGEST

    def check(self) -> None:
        """Raise Retry once told to stop, or once it has lasted too long: between two pages or batches."""
        if self._clock.stop.is_set():
            raise Retry(STOPPED)
        if self._clock.monotonic() > self._until:
            raise Retry(TOO_LONG)
