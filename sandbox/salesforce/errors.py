"""The two ways Salesforce says no: to a whole request, or to one row of it."""

from typing import Any


class RequestError(Exception):
    """The whole request is refused. `status` is the HTTP status, `code` Salesforce's error code."""

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.fields = status, code, message, fields

    def body(self) -> list[dict[str, Any]]:
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return [error if self.fields is None else {**error, "fields": self.fields}]


class RowError(Exception):
    """One row of a write is refused; the others are not touched by it."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.fields = code, message, list(fields)

    def body(self) -> dict[str, Any]:
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}

    def as_request(self) -> RequestError:
        """The same refusal where the request was about one record only."""
        status = 404 if self.code in ("ENTITY_IS_DELETED", "NOT_FOUND") else 400
        return RequestError(status, self.code, self.message, self.fields)


def not_found() -> RequestError:
    return RequestError(404, "NOT_FOUND", "The requested resource does not exist")


def unknown_type(name: str) -> RequestError:
    return RequestError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")


def no_such_column(field: str, object_name: str) -> RequestError:
    return RequestError(400, "INVALID_FIELD", f"No such column '{field}' on sobject of type {object_name}")


def malformed(message: str) -> RequestError:
    return RequestError(400, "MALFORMED_QUERY", message)


def unparsable(message: str) -> RequestError:
    return RequestError(400, "JSON_PARSER_ERROR", message)
