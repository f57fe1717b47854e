"""What Salesforce means by an answer, where its error code says more than the HTTP status."""

import re
from collections.abc import Mapping

import requests

from connectors.budget import Usage
from connectors.errors import (
    ConnectorError,
    NotAuthorised,
    NotPermitted,
    QuotaSpent,
    Rejected,
    SchemaDrift,
    Stop,
    Throttled,
    Unavailable,
)
from connectors.retry import body_of

_NO_RIGHT = {
    "API_CURRENTLY_DISABLED",
    "API_DISABLED_FOR_ORG",
    "FUNCTIONALITY_NOT_ENABLED",
    "INSUFFICIENT_ACCESS",
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "INVALID_TYPE",  # also said of objects that exist but may not be read
    "TXN_SECURITY_METERING_ERROR",
}
_PASSES = {"SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW", "UNKNOWN_EXCEPTION"}


class TooSlow(Stop):
    """Salesforce gave up on a query; asked again it would again."""


def explain(response: requests.Response, what: str) -> ConnectorError | None:
    """The error an answer stands for, or None where the HTTP status says it all."""
    status = response.status_code
    if status < 300:
        is_data = any(kind in response.headers.get("Content-Type", "") for kind in ("json", "csv"))
        return None if is_data or not response.content else Unavailable(f"{what}: the answer is a web page, not data")
    if status in (406, 420):
        return Unavailable(f"{what} was answered with HTTP {status}")
    body = body_of(response)
    if isinstance(body, dict) and "error" in body:
        return NotAuthorised(
            f"{what}: Salesforce gave no access token: {body.get('error_description') or body['error']}. "
            "Check client id and secret, and that the app allows the client-credentials flow"
        )
    code, message = error_code(body)
    return by_code(code, message, what)


def usage(headers: Mapping[str, str]) -> Usage | None:
    """The org's own count of the last 24 hours, from a header such as `api-usage=18/5000`."""
    found = re.search(r"(?<![\w-])api-usage=(\d+)/(\d+)", headers.get("Sforce-Limit-Info", ""))
    return Usage(int(found[1]), int(found[2])) if found else None


def error_code(body: object) -> tuple[str, str]:
    """Error code and message of an answer's body; two empty texts where it holds none."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return "", ""
    return str(first.get("errorCode") or first.get("statusCode") or ""), " ".join(str(first.get("message", "")).split())


def locator_died(error: Rejected) -> bool:
    """Whether the server no longer knows the query whose next page was asked for."""
    return error_code(error.body)[0] in ("INVALID_QUERY_LOCATOR", "NOT_FOUND")


def by_code(code: str, message: str, what: str) -> ConnectorError | None:
    """The error that one of Salesforce's codes stands for; None where it says nothing beyond the refusal."""
    said = f"{what}: {code}: {message}"
    if code == "REQUEST_LIMIT_EXCEEDED":
        if message.lower().startswith("concurrent"):
            return Throttled(said)
        return QuotaSpent(f"{said} The org's calls of the last 24 hours are used up; try again later")
    if code == "INVALID_SESSION_ID":
        return NotAuthorised(said)
    if code in ("INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"):
        name = re.search(r"(?:column|field|fields:) '?([\w.]*\w)", message)
        field = name.group(1) if name else "a field"
        return SchemaDrift(
            f"{said} - the field {field} is not there or may not be used. Repair it with: foretag provision"
        )
    if code == "QUERY_TIMEOUT":
        return TooSlow(f"{said}.")
    if code in _NO_RIGHT:
        return NotPermitted(said)
    return Unavailable(said) if code in _PASSES else None
