"""Writes our fields: many rows of one object by a bulk job, the others by collections."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.contract import Account, Change, FieldSpec, Outcome
from connectors.errors import NotAllowed
from connectors.salesforce.bulk import CALLS_OF_A_JOB, JOB_ROWS, NA, Bulk
from connectors.salesforce.collections import PER_CALL, Collections, in_batches
from connectors.salesforce.names import PEOPLE, field_name, to_salesforce

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

BULK_FROM = 2000
"""Rows of one object above which a bulk job costs less; Salesforce recommends the same."""


def merged(changes: Sequence[Change]) -> list[Change]:
    """One change per contact, as Salesforce refuses an id that comes twice; those of one object stay in their order."""
    one: dict[tuple[str, str], Change] = {}
    for change in changes:
        key = (change.object, change.id)
        one[key] = replace(one[key], after={**one[key].after, **change.after}) if key in one else change
    return sorted(one.values(), key=lambda change: change.object)


class Writer:
    """Writes the changes of one account."""

    def __init__(self, sf: "Salesforce", account: Account, sleep: Callable[[float], None]) -> None:
        self._prefix = account.prefix
        self._fields: Mapping[str, FieldSpec] = {spec.key: spec for spec in account.fields}
        self._collections = Collections(sf, self._record, sleep)
        self._bulk = Bulk(sf, self._values, sleep)

    def write(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Write batch by batch; NotAllowed, before anything is sent, for a key that is not a field of ours."""
        foreign = sorted({key for change in changes for key in change.after} - set(self._fields))
        foreign += sorted({change.object for change in changes} - set(PEOPLE))
        if foreign:
            raise NotAllowed(f"{foreign[0]!r} is not one of foretag's fields and objects; nothing was written")
        jobs, few = self._parted(changes)
        for job in jobs:
            outcomes, rest = self._bulk.write(job)
            yield outcomes
            few += rest
        for batch in in_batches(few, PER_CALL):
            yield self._collections.write(batch)

    def predict_calls(self, changes: Sequence[Change]) -> int:
        """How many calls `write` costs when nothing is refused."""
        jobs, few = self._parted(changes)
        return CALLS_OF_A_JOB * len(jobs) + len(in_batches(few, PER_CALL))

    def _parted(self, changes: Sequence[Change]) -> tuple[list[Sequence[Change]], list[Change]]:
        """What goes by bulk jobs, and what by collections: few rows, and texts that a bulk job would take for empty."""
        jobs: list[Sequence[Change]] = []
        few: list[Change] = []
        everything = merged(changes)
        for object_ in PEOPLE:
            rows = [change for change in everything if change.object == object_]
            fit = [change for change in rows if NA not in self._values(change).values()]
            if len(fit) <= BULK_FROM:
                few += rows
                continue
            jobs += in_batches(fit, JOB_ROWS)
            few += [change for change in rows if NA in self._values(change).values()]
        return jobs, few

    def _values(self, change: Change) -> dict[str, str | float | bool | None]:
        return {
            field_name(self._prefix, key): to_salesforce(self._fields[key], value)
            for key, value in change.after.items()
        }

    def _record(self, change: Change) -> dict[str, Any]:
        return {"attributes": {"type": change.object}, "id": change.id, **self._values(change)}
