"""What Salesforce's answer to a collection says about each of its records."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from connectors.contract import Change, Outcome, Result
from connectors.errors import Retry
from connectors.salesforce.answers import by_code, error_code

_GONE = {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"}
_OF_ALL = {"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"}
"""When every record is refused so, it is the field that is wrong."""
_OF_TOGETHER = {
    "APEX_ERROR",
    "CANNOT_EXECUTE_FLOW_TRIGGER",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "LIMIT_EXCEEDED",
}
"""The org's own automation failed on records that are written together: one of them may spoil it for the others."""


class Next(Enum):
    """What else to try with a record."""

    NOTHING = 0
    ALONE = 1
    SMALLER = 2


class Answer(NamedTuple):
    """What Salesforce said about one change."""

    outcome: Outcome
    next: Next = Next.NOTHING


def outcome(change: Change, result: Result, reason: str = "") -> Outcome:
    """The outcome of a change."""
    return Outcome(change.object, change.id, result, reason)


def refusal(change: Change, code: str, message: str) -> Answer:
    """What it means that a record was refused with this error."""
    next_ = Next.ALONE if code == "UNABLE_TO_LOCK_ROW" else Next.SMALLER if code in _OF_TOGETHER else Next.NOTHING
    reason = ": ".join(filter(None, (code, message)))
    return Answer(outcome(change, Result.GONE if code in _GONE else Result.REJECTED, reason), next_)


def all_refused(changes: Sequence[Change], body: object) -> list[Answer]:
    """A collection that was refused as a whole: one of its records spoils it, if there are several."""
    next_ = Next.SMALLER if len(changes) > 1 else Next.NOTHING
    return [refusal(change, *error_code(body))._replace(next=next_) for change in changes]


def read_part(changes: Sequence[Change], part: Mapping[str, Any] | None) -> list[Answer]:
    """The same of a collection that was one part of several; None when the part has no answer."""
    status = part["httpStatusCode"] if part else 200
    if part is None or status == 200:
        return read(changes, part and part["body"])
    code, message = error_code(part["body"])
    error = by_code(code, message, "write scores")
    if isinstance(error, Retry):
        return [Answer(outcome(change, Result.REJECTED, str(error)), Next.ALONE) for change in changes]
    if error:
        raise error
    if status == 400:
        return all_refused(changes, part["body"])
    return [Answer(outcome(change, Result.UNKNOWN, f"HTTP {status}")) for change in changes]


def read(changes: Sequence[Change], answer: object) -> list[Answer]:
    """Matched by place: those that were written come with their id, refused ones without."""
    if not isinstance(answer, list) or not _in_order(changes, answer):
        return [Answer(outcome(change, Result.UNKNOWN, "Salesforce did not answer for it")) for change in changes]
    codes = {error_code(item.get("errors")) for item in answer if not item.get("success")}
    if not any(item.get("success") for item in answer) and {code for code, _ in codes} <= _OF_ALL:
        for code, message in codes:
            error = by_code(code, message, "write scores")
            if error:
                raise error
    return [
        Answer(outcome(change, Result.WRITTEN))
        if item.get("success")
        else refusal(change, *error_code(item.get("errors")))
        for change, item in zip(changes, answer, strict=True)
    ]


def _in_order(changes: Sequence[Change], answer: Sequence[Mapping[str, Any]]) -> bool:
    pairs = zip(changes, answer, strict=False)
    return len(answer) == len(changes) and all(
        change.id[:15] == str(item["id"])[:15] for change, item in pairs if item.get("success") and item.get("id")
    )
