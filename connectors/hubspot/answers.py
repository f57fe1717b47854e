"""Reads HubSpot's answers: what a failure means, and the values inside the good ones."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import requests

from connectors.budget import Usage
from connectors.errors import ConnectorError, NotAuthorised, NotPermitted, QuotaSpent, Unavailable
from connectors.retry import body_of, retry_after

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCKED, _LOCKED_SECONDS = 423, 2.0  # HubSpot asks for two seconds at least
_MALFORMED_TOKEN = 530  # comes from the network in front of HubSpot, which does not recognise the token


def explain(response: requests.Response, what: str) -> ConnectorError | None:
    """The error an answer stands for where HubSpot says more than its status; None leaves it to the status."""
    if response.status_code < 400:
        return None
    if response.status_code == _MALFORMED_TOKEN:
        return NotAuthorised(f"{what}: HubSpot does not recognise the token")
    if response.status_code == _LOCKED:
        return Unavailable(f"{what}: the record is locked", max(_LOCKED_SECONDS, retry_after(response) or 0))
    body = body_of(response)
    if not isinstance(body, dict):
        return None
    if response.status_code == 429 and body.get("policyName") == "DAILY":
        return QuotaSpent(
            f"{what}: the account's API calls for today are used up. "
            "HubSpot counts anew at midnight in the account's time zone."
        )
    if body.get("category") == "MISSING_SCOPES":
        scopes = ", ".join(listed(body.get("context"), "requiredGranularScopes")) or str(body.get("message"))
        return NotPermitted(f"{what}: the token lacks the scope {scopes}. Add it to the key in HubSpot and try again.")
    return None


def usage(headers: Mapping[str, str]) -> Usage | None:
    """The account's own count of the day. Searches and accounts with OAuth apps do not tell it."""
    quota, remaining = headers.get("X-HubSpot-RateLimit-Daily"), headers.get("X-HubSpot-RateLimit-Daily-Remaining")
    if not quota or not remaining or not (quota + remaining).isdigit():
        return None
    return Usage(int(quota) - int(remaining), int(quota))


def next_page(answer: Mapping[str, Any]) -> str | None:
    """The `after` that brings the next page; None on the last one. An empty page may still have a next one."""
    after = ((answer.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


def stuck(what: str) -> Unavailable:
    """The error for pages that lead to themselves: going on would never end."""
    return Unavailable(f"the {what} of HubSpot gives the same page again and again; the next pull tries once more")


def error_ids(error: Mapping[str, Any]) -> list[str]:
    """The rows that one entry of `errors` is about: our trace ids (which are record ids), or record ids."""
    context = error.get("context")
    return listed(context, "objectWriteTraceId") or listed(context, "ids")


def instant(value: object) -> datetime | None:
    """A moment (UTC), given as ISO text with or without milliseconds, as a date, or in epoch milliseconds."""
    if not value:
        return None
    text = str(value).strip()
    try:
        if text.lstrip("-").isdigit():
            return _EPOCH + timedelta(milliseconds=int(text))
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def millis(at: datetime) -> int:
    """Epoch milliseconds, which is how HubSpot's filters count."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def cents(value: object) -> int | None:
    """An amount such as `"12.5"` in hundredths; None where it is no number."""
    try:
        amount = Decimal(str(value))
        return int((amount * 100).to_integral_value(ROUND_HALF_UP)) if amount.is_finite() else None
    except InvalidOperation:
        return None


def parts(value: object) -> tuple[str, ...]:
    """The members of a multiple-choice value, `"a;b"`, without empty ones."""
    return tuple(part.strip() for part in str(value or "").split(";") if part.strip())


def listed(context: object, key: str) -> list[str]:
    """The texts under `key` in the `context` of an error; none where there is no such list."""
    found = context.get(key) if isinstance(context, dict) else None
    return [str(item) for item in found] if isinstance(found, list) else []
