"""Writes our fields: 200 contacts and leads per call, each of them accepted or refused by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.contract import Account, Change, FieldSpec, Outcome, Result
from connectors.errors import NotAllowed, Rejected, Retry
from connectors.retry import persistently
from connectors.salesforce.answers import error_code
from connectors.salesforce.names import field_name, to_salesforce
from connectors.salesforce.rules import BATCH

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

LOCK_ATTEMPTS = 4
"""The first try, and three more for records that someone else held locked."""
_GONE = {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"}


class _Locked(Retry):
    """Some records are being changed by someone else."""


def batches(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes in the order they are sent, one per contact: Salesforce refuses an id that comes twice."""
    merged: dict[tuple[str, str], Change] = {}
    for change in changes:
        key = (change.object, change.id)
        merged[key] = replace(merged[key], after={**merged[key].after, **change.after}) if key in merged else change
    ordered = [merged[key] for key in sorted(merged)]
    return [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]


class Writer:
    """Writes the changes of one account."""

    def __init__(self, sf: "Salesforce", account: Account, sleep: Callable[[float], None]) -> None:
        self._sf = sf
        self._prefix = account.prefix
        self._fields: Mapping[str, FieldSpec] = {spec.key: spec for spec in account.fields}
        self._sleep = sleep

    def write(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Write batch by batch; NotAllowed, before anything is sent, for a key that is not a field of ours."""
        foreign = sorted({key for change in changes for key in change.after} - set(self._fields))
        if foreign:
            raise NotAllowed(f"{foreign[0]!r} is not one of foretag's fields; nothing was written")
        for batch in batches(changes):
            yield self._patiently(batch)

    def _patiently(self, batch: list[Change]) -> list[Outcome]:
        """One batch; records that are locked are sent again by themselves, after a while."""
        said: dict[tuple[str, str], Outcome] = {}
        locked: list[Change] = batch

        def attempt() -> None:
            nonlocal locked
            sent, locked = locked, []
            for change, (outcome, is_locked) in zip(sent, self._bisected(sent), strict=True):
                said[outcome.object, outcome.id] = outcome
                if is_locked:
                    locked.append(change)
            if locked:
                raise _Locked(f"{len(locked)} records are locked by someone else")

        with suppress(_Locked):  # what is still locked then has that as its outcome
            persistently(attempt, attempts=LOCK_ATTEMPTS, sleep=self._sleep)
        return list(said.values())

    def _bisected(self, batch: list[Change]) -> list[tuple[Outcome, bool]]:
        """Send a batch; where one record makes Salesforce refuse it as a whole, find that record by halves."""
        records = [self._record(change) for change in batch]
        try:
            answer = self._sf.restful(
                "composite/sobjects", method="PATCH", json={"allOrNone": False, "records": records}
            )
        except Rejected as error:
            if error.status != 400:
                raise
            if len(batch) == 1:
                return [(_outcome(batch[0], Result.REJECTED, ": ".join(filter(None, error_code(error.body)))), False)]
            half = len(batch) // 2
            return [*self._bisected(batch[:half]), *self._bisected(batch[half:])]
        if not isinstance(answer, list) or not _in_order(batch, answer):
            return [(_outcome(change, Result.UNKNOWN, "Salesforce did not answer for it"), False) for change in batch]
        return [_read(change, item) for change, item in zip(batch, answer, strict=True)]

    def _record(self, change: Change) -> dict[str, Any]:
        values = {
            field_name(self._prefix, key): to_salesforce(self._fields[key], value)
            for key, value in change.after.items()
        }
        return {"attributes": {"type": change.object}, "id": change.id, **values}


def _in_order(batch: Sequence[Change], answer: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the answer can be matched by place: those that were written come with their id, refused ones without."""
    pairs = zip(batch, answer, strict=False)
    return len(answer) == len(batch) and all(
        change.id[:15] == str(item["id"])[:15] for change, item in pairs if item.get("success") and item.get("id")
    )


def _read(change: Change, item: Mapping[str, Any]) -> tuple[Outcome, bool]:
    """The outcome of one record, matched by place: refused ones come without their id. And whether it was locked."""
    if item.get("success"):
        return _outcome(change, Result.WRITTEN), False
    code, message = error_code(item.get("errors"))
    reason = f"{code}: {message}"
    return _outcome(change, Result.GONE if code in _GONE else Result.REJECTED, reason), code == "UNABLE_TO_LOCK_ROW"


def _outcome(change: Change, result: Result, reason: str = "") -> Outcome:
    return Outcome(change.object, change.id, result, reason)
