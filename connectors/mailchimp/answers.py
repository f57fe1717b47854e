"""Reads Mailchimp's answers: what a failure means, and the values inside the good ones."""

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

import requests

from connectors.errors import ConnectorError, NotAuthorised, Throttled, Unavailable
from connectors.retry import body_of


def explain(response: requests.Response, what: str) -> ConnectorError | None:
    """The error an answer stands for where Mailchimp means more than its status; None leaves it to the status."""
    if response.status_code < 300:
        is_ours = response.status_code == 204 or "json" in response.headers.get("Content-Type", "")
        return None if is_ours else Unavailable(f"{what}: the answer is not Mailchimp's, but that of something between")
    if response.status_code != 403:
        return None
    body = body_of(response)
    if not isinstance(body, dict):
        return Throttled(f"{what} was answered with HTTP 403 without an explanation, which stands for too many calls")
    found = re.search(r"datacenter '(\w+)'", str(body.get("detail")))
    if found:
        return NotAuthorised(f'{what}: the key belongs to the data centre {found[1]}: set server = "{found[1]}"')
    return None


def refusal(body: object) -> str:
    """Why Mailchimp refused something, from the body of its answer."""
    if not isinstance(body, dict):
        return str(body)[:300]
    errors = [f"{error.get('field')}: {error.get('message')}" for error in body.get("errors") or []]
    return "; ".join(errors)[:300] or str(body.get("detail") or body.get("title"))[:300]


def instant(value: object) -> datetime | None:
    """A moment (UTC) from ISO text; None for an empty or unreadable one."""
    try:
        at = datetime.fromisoformat(str(value or ""))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def cents(value: object) -> int | None:
    """An amount in hundredths; None where it is no number."""
    try:
        amount = Decimal(str(value))
        return int((amount * 100).to_integral_value(ROUND_HALF_UP)) if amount.is_finite() else None
    except InvalidOperation:
        return None
