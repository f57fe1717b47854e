"""What time it is at Salesforce: a window must not end after that, or rows that come later are never asked for."""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any

import requests

log = logging.getLogger(__name__)

WORTH_TELLING = timedelta(minutes=1)
"""How far ahead a clock is that nobody set right. `Date` has whole seconds, and an answer takes some: less is usual."""


class ServerTime:
    """The latest `Date` of an answer. Safe to share between threads."""

    def __init__(self) -> None:
        self._seen: datetime | None = None
        self._lock = Lock()

    def note(self, response: requests.Response, **_: Any) -> None:
        """Response hook of a session."""
        try:
            date = parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
        except ValueError:
            return
        with self._lock:
            self._seen = max(self._seen or date, date)

    def no_later(self, until: datetime) -> datetime:
        """`until`, or Salesforce's time where that is earlier: then the clock here is ahead."""
        with self._lock:
            seen = self._seen
        if seen is None or until <= seen:
            return until
        level = logging.WARNING if until - seen >= WORTH_TELLING else logging.DEBUG
        said = "this computer's clock is %s ahead of Salesforce's; changes are read up to %s"
        log.log(level, said, until - seen, seen)
        return seen
