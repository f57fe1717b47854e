"""Writes by collections: up to five of 200 records in one call, each record accepted or refused by itself."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from connectors.contract import Change, Outcome
from connectors.errors import Rejected, Retry, Unavailable
from connectors.retry import persistently
from connectors.salesforce.rules import BATCH, COLLECTIONS, NO_ASSIGNMENT
from connectors.salesforce.verdicts import Answer, Next, all_refused, read, read_part

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

log = logging.getLogger(__name__)

PER_CALL = BATCH * COLLECTIONS
"""Records of one call."""
LOCK_ATTEMPTS = 4
"""The first try, and three more for records that someone else held locked."""
FRUITLESS = 16
"""So many calls without a single record written, and it is not one record that spoils it for the others."""


class _Locked(Retry):
    """Some records are being changed by someone else."""


class Collections:
    """Writes changes of one account; `record` makes the JSON record of a change."""

    def __init__(
        self, sf: "Salesforce", record: Callable[[Change], dict[str, Any]], sleep: Callable[[float], None]
    ) -> None:
        self._sf = sf
        self._record = record
        self._sleep = sleep
        self._together = True

    def write(self, changes: Sequence[Change]) -> list[Outcome]:
        """The outcomes of at most `PER_CALL` changes, in their order. SchemaDrift when one of our fields is wrong."""
        said: dict[tuple[str, str], Outcome] = {}
        again = self._try(changes, said)
        self._isolate([change for change, next_ in again if next_ is Next.SMALLER], said)
        self._patiently([change for change, next_ in again if next_ is Next.ALONE], said)
        return [said[change.object, change.id] for change in changes]

    def _try(self, changes: Sequence[Change], said: dict[tuple[str, str], Outcome]) -> list[tuple[Change, Next]]:
        """Send changes once; those that are worth another try."""
        again: list[tuple[Change, Next]] = []
        for change, answer in zip(changes, self._send(changes), strict=True):
            said[change.object, change.id] = answer.outcome
            if answer.next is not Next.NOTHING:
                again.append((change, answer.next))
        return again

    def _isolate(self, refused: Sequence[Change], said: dict[tuple[str, str], Outcome]) -> None:
        """Find the records that spoil it for the others, by halves; large ones first, so that the good get through."""
        queue = [half for batch in in_batches(refused, BATCH) for half in _halves(batch)]
        fruitless = 0
        while queue and fruitless < FRUITLESS:
            queue.sort(key=len)
            part = queue.pop()
            again = self._try(part, said)
            fruitless = fruitless + 1 if len(again) == len(part) else 0
            self._patiently([change for change, next_ in again if next_ is Next.ALONE], said)
            smaller = [change for change, next_ in again if next_ is Next.SMALLER]
            if len(part) > 1:
                queue += _halves(smaller)

    def _patiently(self, locked: list[Change], said: dict[tuple[str, str], Outcome]) -> None:
        """Send records that were locked again by themselves, after a while."""
        first = True

        def attempt() -> None:
            nonlocal first, locked
            if not first:
                again = self._try(locked, said)
                locked = [change for change, next_ in again if next_ is Next.ALONE]
            first = False
            if locked:
                raise _Locked(f"{len(locked)} records are locked by someone else")

        with suppress(_Locked):  # what is still locked then has that as its outcome
            persistently(attempt, attempts=LOCK_ATTEMPTS, sleep=self._sleep)

    def _send(self, changes: Sequence[Change]) -> list[Answer]:
        batches = in_batches(changes, BATCH)
        if len(batches) > 1 and self._together:
            try:
                return self._send_together(batches)
            except Unavailable as error:  # automation so slow that the answer to a thousand records does not come
                log.warning("collections are written one by one from now on: %s", error)
                self._together = False
        if len(batches) > 1:
            return [answer for batch in batches for answer in self._send(batch)]
        try:
            answer = self._sf.restful("composite/sobjects", method="PATCH", json=self._body(changes))
        except Rejected as error:
            if error.status != 400:
                raise
            return all_refused(changes, error.body)
        return read(changes, answer)

    def _send_together(self, batches: Sequence[Sequence[Change]]) -> list[Answer]:
        """Several collections in one call. Each has an answer of its own, told by its reference."""
        parts = [
            {
                "method": "PATCH",
                "url": f"/services/data/v{self._sf.sf_version}/composite/sobjects",
                "referenceId": f"part{number}",
                "httpHeaders": NO_ASSIGNMENT,
                "body": self._body(batch),
            }
            for number, batch in enumerate(batches)
        ]
        try:
            answer = self._sf.restful("composite", method="POST", json={"allOrNone": False, "compositeRequest": parts})
        except Rejected as error:
            if error.status != 400:
                raise
            return [each for batch in batches for each in all_refused(batch, error.body)]
        told = {part.get("referenceId"): part for part in (answer or {}).get("compositeResponse", ())}
        return [each for n, batch in enumerate(batches) for each in read_part(batch, told.get(f"part{n}"))]

    def _body(self, changes: Sequence[Change]) -> dict[str, Any]:
        return {"allOrNone": False, "records": [self._record(change) for change in changes]}


def in_batches(changes: Sequence[Change], size: int) -> list[Sequence[Change]]:
    """The changes in their order, `size` at a time."""
    return [changes[start : start + size] for start in range(0, len(changes), size)]


def _halves(changes: Sequence[Change]) -> list[Sequence[Change]]:
    return in_batches(changes, (len(changes) + 1) // 2) if changes else []
