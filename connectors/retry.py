"""Turns an HTTP answer into a typed error, and tries again what is worth it."""

from collections.abc import Callable
from typing import TypeVar

import requests
import tenacity

from connectors.errors import ConnectorError, NotAuthorised, NotPermitted, Rejected, Retry, Throttled, Unavailable

T = TypeVar("T")

LONGEST_WAIT = 60.0
"""Seconds. A longer Retry-After is not believed: HubSpot has been seen to send milliseconds."""


_PATIENCE = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)
_SOON = tenacity.wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT)
"""For a call that was one too many: most often there is room for it again at once."""


def retry_after(response: requests.Response) -> float | None:
    """The Retry-After header in seconds, when there is a sane one."""
    try:
        seconds = float(response.headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if 0 < seconds <= LONGEST_WAIT else None


def error_of(response: requests.Response, what: str) -> ConnectorError | None:
    """The error an answer stands for, by its status; None for a good one. `what` names the request in the text."""
    status = response.status_code
    if status < 300:
        return None
    said = f"{what} was answered with HTTP {status}"
    if status == 429:
        return Throttled(f"{said} (too many calls)", retry_after(response))
    if status == 403 and not response.content.strip():
        return Throttled(f"{said} without a word, which stands for too many calls")
    if status in (408, 423, 425, 477) or status >= 500:
        return Unavailable(said, retry_after(response))
    if status == 401:
        return NotAuthorised(f"{said}: the token is wrong, expired or revoked")
    if status == 403:
        return NotPermitted(f"{said}: {_excerpt(response)}")
    return Rejected(f"{said}: {_excerpt(response)}", status, body_of(response))


def body_of(response: requests.Response) -> object:
    """The answer's JSON, or its text where it is none."""
    try:
        return response.json()
    except ValueError:
        return response.text


def _excerpt(response: requests.Response) -> str:
    body = body_of(response)
    first = body[0] if isinstance(body, list) and body else body
    if isinstance(first, dict):
        for key in ("message", "detail", "error_description", "title"):
            if first.get(key):
                return str(first[key])[:300]
    return response.text[:300]


def persistently(call: Callable[[], T], *, attempts: int, sleep: Callable[[float], None]) -> T:
    """`call()`, again after a while while it raises `Retry`, at most `attempts` times; the last error is raised."""

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Retry) and error.after is not None:
            return error.after
        return (_SOON if isinstance(error, Throttled) else _PATIENCE)(state)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Retry),
        stop=tenacity.stop_after_attempt(attempts),
        wait=wait,
        sleep=sleep,
        reraise=True,
    )
    return retrying(call)
