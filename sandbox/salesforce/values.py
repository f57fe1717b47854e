"""Values written to fields: read into the form records hold, then checked against the field."""

import re
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sandbox.salesforce.errors import RowError
from sandbox.salesforce.ids import full_id
from sandbox.salesforce.schema import NUMBERS, Field
from sandbox.salesforce.stamps import read_date, read_instant, stamp

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


class WrongTypeError(Exception):
    """The value is of a kind the field cannot hold."""

    def __init__(self, field: Field, value: Any) -> None:
        super().__init__(f"Cannot deserialize instance of {field.type} from value {value!r} of field {field.name}")
        self.field, self.value = field, value

    def as_row(self) -> RowError:
        """The same refusal where values come as text, so that it concerns one row only."""
        message = f"{self.field.label}: value not of required type: {self.value}"
        return RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, self.field.name)


def read_value(field: Field, value: Any) -> Any:
    """`value` in the form records hold it; WrongTypeError when it is of another kind."""
    if value is None or (value == "" and field.type != "boolean"):
        return None
    try:
        return _read(field, value)
    except (ValueError, TypeError, ArithmeticError):
        raise WrongTypeError(field, value) from None


def read_cell(field: Field, text: str) -> Any:
    """A CSV cell that is not blank; `#N/A` means null. RowError when it is of another kind."""
    if text == "#N/A":
        return None
    if field.type == "boolean":
        lower = text.lower()
        if lower not in ("true", "false", "1", "0"):
            raise WrongTypeError(field, text).as_row()
        return lower in ("true", "1")
    try:
        return read_value(field, text)
    except WrongTypeError as error:
        raise error.as_row() from None


def check_value(field: Field, value: Any) -> None:
    """RowError when the field does not take this value."""
    if value is None:
        if field.type == "boolean":
            raise RowError(
                "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: ", field.name
            )
        if not field.nillable:
            raise RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field.name}]", field.name)
        return
    if field.type in NUMBERS:
        _check_number(field, value)
    elif field.type in ("picklist", "multipicklist"):
        _check_choice(field, value)
    elif field.type == "reference" and full_id(value) is None:
        raise RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", field.name)
    elif field.type == "email" and not _EMAIL.fullmatch(value):
        raise RowError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", field.name)
    if field.length and isinstance(value, str) and len(value) > field.length:
        message = f"{field.label}: data value too large: {value} (max length={field.length})"
        raise RowError("STRING_TOO_LONG", message, field.name)


def _read(field: Field, value: Any) -> Any:
    if field.type == "boolean":
        if not isinstance(value, bool):
            raise TypeError
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    if field.type == "int":
        return int(value)
    if field.type in NUMBERS:
        return float(_cut(Decimal(str(value)), field.scale))
    if not isinstance(value, str):
        raise TypeError
    if field.type == "datetime":
        return stamp(read_instant(value))
    if field.type == "date":
        return read_date(value)
    if field.type == "reference":
        return full_id(value) or value
    return value


def _cut(number: Decimal, scale: int) -> Decimal:
    """Digits behind the field's scale are dropped without a word, as the API documents."""
    return number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_DOWN)


def _check_number(field: Field, value: float) -> None:
    whole_digits = field.precision - field.scale if field.precision else 9
    if abs(value) >= 10**whole_digits:
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise RowError("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)


def _check_choice(field: Field, value: str) -> None:
    if not field.restricted:
        return
    for choice in value.split(";") if field.type == "multipicklist" else [value]:
        if choice not in field.values:
            message = f"{field.label}: bad value for restricted picklist field: {choice}"
            raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field.name)
