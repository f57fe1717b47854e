"""Values in a query, read for the field they are compared with."""

from typing import Any

from sandbox.salesforce.errors import RequestError, malformed
from sandbox.salesforce.ids import full_id
from sandbox.salesforce.schema import NUMBERS, Field
from sandbox.salesforce.soql.tokens import Token, unquote
from sandbox.salesforce.stamps import exact_stamp, read_date, read_instant


def read_literal(token: Token, field: Field) -> Any:
    """The value `token` stands for, in the form records hold it.

    INVALID_FIELD when a value of that kind cannot be compared with the field, MALFORMED_QUERY when it is no value.
    """
    if token.is_word("NULL"):
        return None
    if field.type == "boolean":
        return _boolean(token, field)
    if field.type in NUMBERS:
        if token.kind != "number":
            raise _mismatch(field, field.type, quoted=False)
        return float(token.text)
    if field.type in ("date", "datetime"):
        if token.kind != field.type:
            raise _mismatch(field, "dateTime" if field.type == "datetime" else "date", quoted=False)
        return _moment(token)
    if token.kind != "string":
        raise _mismatch(field, "string", quoted=True)
    try:
        text = unquote(token.text)
    except ValueError as error:
        raise malformed(str(error)) from None
    return _id(text, field) if field.type in ("id", "reference") else text


def _boolean(token: Token, field: Field) -> bool:
    if not token.is_word("TRUE", "FALSE"):
        raise _mismatch(field, "boolean", quoted=False)
    return token.text.upper() == "TRUE"


def _moment(token: Token) -> str:
    try:
        return exact_stamp(read_instant(token.text)) if token.kind == "datetime" else read_date(token.text)
    except ValueError:
        raise malformed(f"Invalid {token.kind}: {token.text}") from None


def _id(text: str, field: Field) -> str | None:
    found = full_id(text) if text else None
    if text and found is None:
        raise RequestError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text} ({field.name})")
    return found


def _mismatch(field: Field, kind: str, *, quoted: bool) -> RequestError:
    should = "should be enclosed in quotes" if quoted else "should not be enclosed in quotes"
    message = f"value of filter criterion for field '{field.name}' must be of type {kind} and {should}"
    return RequestError(400, "INVALID_FIELD", message)
