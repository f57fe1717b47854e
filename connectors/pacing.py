"""Keeps calls under a platform's rate limits, over all threads of one account."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` calls in any `seconds` seconds."""

    calls: int
    seconds: float


class Pacer:
    """Sliding-window limiter. Calls belong to a group; each group has its own rate, a group without one is free."""

    def __init__(
        self, rates: Mapping[str, Rate], *, monotonic: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._rates = dict(rates)
        self._sent: dict[str, deque[float]] = {group: deque() for group in rates}
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = Lock()
        self.waited = 0.0
        """Seconds spent waiting so far."""

    def wait(self, group: str) -> None:
        """Return when one more call of `group` may leave."""
        rate = self._rates.get(group)
        if rate is None:
            return
        with self._lock:
            delay = self._book(self._sent[group], rate)
            self.waited += delay
        if delay > 0:
            self._sleep(delay)

    def _book(self, sent: deque[float], rate: Rate) -> float:
        now = self._monotonic()
        while sent and sent[0] <= now - rate.seconds:
            sent.popleft()
        leaves = now if len(sent) < rate.calls else max(now, sent[-rate.calls] + rate.seconds)
        sent.append(leaves)
        return leaves - now
