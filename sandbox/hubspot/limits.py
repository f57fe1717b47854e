"""HubSpot's request limits, in real seconds (the daily one in days of the sandbox)."""

import time
from collections import deque
from datetime import date

from sandbox.hubspot.errors import ApiError, refuse

BURST, BURST_SECONDS = 190, 10.0
SEARCH, SEARCH_SECONDS = 5, 1.0
DAILY = 625_000


class Window:
    """At most `limit` calls in any `seconds`; `policy` is HubSpot's name for it."""

    def __init__(self, limit: int, seconds: float, policy: str) -> None:
        self.limit, self.seconds, self.policy = limit, seconds, policy
        self._calls: deque[float] = deque()

    def admit(self) -> bool:
        """Count a call if there is room for it."""
        now = time.monotonic()
        self._drop_old(now)
        if len(self._calls) >= self.limit:
            return False
        self._calls.append(now)
        return True

    def remaining(self) -> int:
        self._drop_old(time.monotonic())
        return max(0, self.limit - len(self._calls))

    def _drop_old(self, now: float) -> None:
        while self._calls and now - self._calls[0] >= self.seconds:
            self._calls.popleft()


class Limits:
    """The portal's three limits. `daily_limit` may be lowered to see what happens when a day's calls are spent."""

    def __init__(self) -> None:
        self.burst = Window(BURST, BURST_SECONDS, "TEN_SECONDLY_ROLLING")
        self.search = Window(SEARCH, SEARCH_SECONDS, "SECONDLY")
        self.daily_limit = DAILY
        self.used_today = 0
        self._day: date | None = None

    def check(self, today: date, bucket: Window | None) -> None:
        """Count a call against the day and `bucket`. Raises ApiError (429) when either is spent."""
        if today != self._day:
            self._day, self.used_today = today, 0
        if self.used_today >= self.daily_limit:
            raise _too_many("DAILY")
        if bucket is not None and not bucket.admit():
            raise _too_many(bucket.policy)
        self.used_today += 1

    def headers(self) -> dict[str, str]:
        return {
            "X-HubSpot-RateLimit-Max": str(self.burst.limit),
            "X-HubSpot-RateLimit-Remaining": str(self.burst.remaining()),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(BURST_SECONDS * 1000)),
            "X-HubSpot-RateLimit-Daily": str(self.daily_limit),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, self.daily_limit - self.used_today)),
        }


def _too_many(policy: str) -> ApiError:
    words = policy.lower()
    more = {"errorType": "RATE_LIMIT", "policyName": policy, "groupName": f"publicapi:private-app-api-calls-{words}:1"}
    return refuse(429, f"You have reached your {words} limit.", **more)
