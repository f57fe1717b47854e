"""HubSpot's error answers."""

import itertools
import json
import uuid
from typing import Any

_counter = itertools.count(1)


class ApiError(Exception):
    """A refusal: HTTP status and JSON body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body.get("message", ""))
        self.status, self.body = status, body


class InvalidValueError(Exception):
    """One property value that HubSpot would not take; `code` is its name for the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def refuse(status: int, message: str, category: str | None = None, **more: Any) -> ApiError:
    """An error in the usual shape, with a correlation id."""
    body: dict[str, Any] = {"status": "error", "message": message, "correlationId": correlation_id(), **more}
    if category is not None:
        body["category"] = category
    return ApiError(status, body)


def bad_request(message: str, **more: Any) -> ApiError:
    return refuse(400, message, "VALIDATION_ERROR", **more)


def not_found(message: str = "resource not found") -> ApiError:
    return refuse(404, message, "OBJECT_NOT_FOUND")


def invalid_properties(problems: list[dict[str, Any]]) -> ApiError:
    """The answer to values that do not fit their properties; it does not say which input they were in."""
    return bad_request(invalid_message(problems), errors=invalid_details(problems))


def invalid_message(problems: list[dict[str, Any]]) -> str:
    return f"Property values were not valid: {json.dumps(problems, separators=(',', ':'))}"


def invalid_details(problems: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"message": each["message"], "code": each["error"], "context": {"propertyName": [each["name"]]}}
        for each in problems
    ]


def correlation_id() -> str:
    return str(uuid.UUID(int=next(_counter)))
