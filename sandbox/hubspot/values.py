"""Property values: the text HubSpot stores for what was sent, or the reason it refuses."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.hubspot.errors import InvalidValueError

MAX_TEXT = 65_536
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(at: datetime) -> str:
    """A UTC instant as HubSpot writes it: `2017-03-09T09:00:00.000Z`."""
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def millis(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def instant(text: str) -> datetime:
    """An instant from ISO 8601 or epoch milliseconds. ValueError otherwise."""
    if text.lstrip("-").isdigit():
        return _EPOCH + timedelta(milliseconds=int(text))
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def stored(definition: dict[str, Any], value: Any, current: str | None) -> str | None:
    """What a property holds after `value` was sent for it. Raises InvalidValueError."""
    if definition["modificationMetadata"]["readOnlyValue"]:
        message = f'"{definition["name"]}" is a read only property; its value cannot be set.'
        raise InvalidValueError("READ_ONLY_VALUE", message)
    text = _as_text(value)
    if text == "":
        return None
    convert = {"number": _number, "datetime": _datetime, "date": _date, "bool": _bool}.get(definition["type"])
    if convert is not None:
        return convert(text)
    if definition["type"] == "enumeration":
        return _options(definition, text, current)
    if len(text) > MAX_TEXT:
        raise InvalidValueError(
            "VALUE_TOO_LONG", f"The value has {len(text)} characters; at most {MAX_TEXT} are allowed."
        )
    return text.strip().lower() if definition["name"] == "email" else text


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise InvalidValueError("INVALID_TYPE", f"{value!r} is not a text, a number or a truth value")
    return str(value)


def _number(text: str) -> str:
    try:
        finite = math.isfinite(float(text)) and "_" not in text
    except ValueError:
        finite = False
    if not finite:
        raise InvalidValueError("INVALID_INTEGER", f"{text} was not a valid number.")
    return text.strip()


def _datetime(text: str) -> str:
    try:
        return iso(instant(text))
    except (ValueError, OverflowError):
        raise InvalidValueError("INVALID_DATE", f"{text} was not a valid long or date.") from None


def _date(text: str) -> str:
    at = _datetime(text)
    if not at.endswith("T00:00:00.000Z"):
        raise InvalidValueError("INVALID_DATE", f"{text} is at a time of day other than midnight UTC.")
    return at[:10]


def _bool(text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise InvalidValueError("INVALID_OPTION", f"{text} was not one of the allowed options: [true, false]")
    return text.lower()


def _options(definition: dict[str, Any], text: str, current: str | None) -> str | None:
    """One option, or for checkboxes `a;b` (these and no others) or `;c` (this one too)."""
    several = definition["fieldType"] == "checkbox"
    wanted = [part for part in text.split(";") if part] if several else [text]
    allowed = [option["value"] for option in definition["options"]]
    for part in wanted:
        if part not in allowed and not definition["externalOptions"]:
            raise InvalidValueError(
                "INVALID_OPTION", f"{part} was not one of the allowed options: [{', '.join(map(str, allowed))}]"
            )
    if several and text.startswith(";"):
        wanted = [*(current.split(";") if current else []), *wanted]
    return ";".join(dict.fromkeys(wanted)) or None
