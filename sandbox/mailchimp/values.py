"""Merge values: what each type of field takes, and how a refused one is reported."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.mailchimp.records import MergeField, MergeValue
from sandbox.mailchimp.wire import Problem

TEXT_MAX = 255


def checked_merge(
    fields: Mapping[str, MergeField], sent: Mapping[str, Any], held: Mapping[str, MergeValue], waive_required: bool
) -> dict[str, MergeValue]:
    """The merge values of a member after `sent` is laid over `held`; "" clears, unknown tags are dropped silently.

    Problem (400) names every field at fault; then nothing of the member may be stored.
    """
    errors, merged = [], dict(held)
    for tag, value in sent.items():
        if (field := fields.get(tag)) is None:
            continue
        try:
            merged[tag] = _checked(field, value)
        except ValueError as error:
            errors.append((tag, str(error)))
    if not waive_required:
        failed = {tag for tag, _ in errors}
        errors += [
            (field.tag, "Please enter a value")
            for field in fields.values()
            if field.required and field.tag not in failed and merged.get(field.tag, "") == ""
        ]
    if errors:
        raise Problem(400, "Invalid Resource", "Your merge fields were invalid.", errors)
    return {tag: value for tag, value in merged.items() if value != ""}


def _checked(field: MergeField, value: Any) -> MergeValue:
    if value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("Data did not match any of the schemas described in anyOf.")
    if field.type == "number":
        return _number(value)
    if field.type == "date":
        return _date(str(value))
    if field.type == "dropdown" and value not in field.choices:
        raise ValueError(f"Value must be one of these: {', '.join(field.choices)}")
    if len(str(value)) > TEXT_MAX:
        raise ValueError(f"Please limit your entry to {TEXT_MAX} characters")
    return str(value)


def _number(value: str | int | float) -> int | float:
    try:
        number = float(value)
    except ValueError:
        raise ValueError("Please enter a number") from None
    if not math.isfinite(number):
        raise ValueError("Please enter a number")
    if isinstance(value, int | float):
        return value
    return int(number) if number.is_integer() else number


def _date(text: str) -> str:
    for form in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            return f"{datetime.strptime(text, form):%Y-%m-%d}"  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    raise ValueError("Please enter a date")
