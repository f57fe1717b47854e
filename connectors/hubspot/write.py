"""Writes our fields, a hundred contacts a call, and finds out what became of each of them.

Every contact carries its id as `objectWriteTraceId`, so that HubSpot can name the ones it refuses and write the rest.
Where it refuses a call as a whole without naming anyone, the call is halved until the bad contact stands alone.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from connectors.ahead import ahead
from connectors.contract import Change, Outcome, Result
from connectors.errors import NotAllowed, Rejected, SchemaDrift
from connectors.hubspot.answers import error_ids, listed, parts
from connectors.hubspot.fields import Fields, to_platform
from connectors.hubspot.rules import WRITE_BATCH
from connectors.hubspot.sdk import RAW, Api

_NOT_FOUND = "OBJECT_NOT_FOUND"
_NOBODYS_FAULT = ("PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE")
"""What is wrong with one of our properties, and so with every contact."""
_AT_ONCE = 4
"""Calls under way: enough to hide the way to HubSpot and back, few enough to stop within a moment."""


def batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """The changes in calls, in order: HubSpot takes a hundred at a time, and no contact twice."""
    batch: dict[str, Change] = {}
    for change in changes:
        if len(batch) == WRITE_BATCH or change.id in batch:
            yield list(batch.values())
            batch = {}
        batch[change.id] = change
    if batch:
        yield list(batch.values())


class Writer:
    """Writes the changes of one account."""

    def __init__(self, api: Api, fields: Fields) -> None:
        self._api = api
        self._fields = fields

    def write(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """One list of outcomes per call's worth of changes, in their order. Raises SchemaDrift and other Stops.

        NotAllowed, before anything is sent, for a key that is not a field of ours.
        """
        foreign = sorted({key for change in changes for key in change.after} - self._fields.keys)
        if foreign:
            raise NotAllowed(f"{foreign[0]!r} is not one of foretag's fields; nothing was written")
        # a contact that comes twice must be written in that order
        at_once = _AT_ONCE if len({change.id for change in changes}) == len(changes) else 1
        yield from ahead((partial(self._written, batch) for batch in batches(changes)), at_once)

    def _written(self, batch: list[Change]) -> list[Outcome]:
        """What became of one call's worth of changes. Raises SchemaDrift where all of many were refused."""
        outcomes = self._send(batch)
        reasons = {each.reason for each in outcomes.values() if each.result is Result.REJECTED}
        if len(batch) == WRITE_BATCH and all(each.result is Result.REJECTED for each in outcomes.values()):
            raise SchemaDrift(f"HubSpot refused {len(batch)} contacts out of {len(batch)}: {min(reasons)}")
        return [outcomes[change.id] for change in batch]

    def _send(self, batch: list[Change]) -> dict[str, Outcome]:
        inputs = [
            {
                "id": change.id,
                "objectWriteTraceId": change.id,
                "properties": {self._fields.name(key): to_platform(value) for key, value in change.after.items()},
            }
            for change in batch
        ]
        try:
            answer = self._api.contact_batch.update({"inputs": inputs}, **RAW)
        except Rejected as error:
            return self._refused(batch, error)
        told = _failures(batch, answer.get("errors") or [])
        for row in answer["results"]:
            told.setdefault(str(row["id"]), Outcome("contacts", str(row["id"]), Result.WRITTEN))
        silent = [change for change in batch if change.id not in told]
        return told | self._look_up(silent)

    def _refused(self, batch: list[Change], error: Rejected) -> dict[str, Outcome]:
        """The whole call was refused: leave out whom HubSpot names, else try each half."""
        errors = error.body.get("errors") or [] if isinstance(error.body, dict) else []
        if error.status != 400:
            raise error
        told = _failures(batch, errors)
        rest = [change for change in batch if change.id not in told]
        if told:
            return told | (self._send(rest) if rest else {})
        if len(rest) == 1:
            return {rest[0].id: Outcome("contacts", rest[0].id, Result.REJECTED, _reason(error.body))}
        middle = len(rest) // 2
        return self._send(rest[:middle]) | self._send(rest[middle:])

    def _look_up(self, silent: Sequence[Change]) -> dict[str, Outcome]:
        """What became of contacts that HubSpot passed over in silence, which it does with merged ones."""
        if not silent:
            return {}
        names = sorted({self._fields.name(key) for change in silent for key in change.after})
        question = {
            "inputs": [{"id": change.id} for change in silent],
            "properties": ["hs_merged_object_ids", *names],
            "propertiesWithHistory": [],
        }
        answer = self._api.contact_batch.read(question, **RAW)
        found = {str(row["id"]): row["properties"] for row in answer["results"]}
        survivors = {old: id_ for id_, row in found.items() for old in parts(row.get("hs_merged_object_ids"))}
        missing = {id_ for error in answer.get("errors") or [] for id_ in error_ids(error)}
        outcomes = {}
        for change in silent:
            result, reason = Result.UNKNOWN, "HubSpot's answer does not mention this contact"
            if change.id in found:
                if self._holds(found[change.id], change):
                    result, reason = Result.WRITTEN, ""
            elif change.id in survivors:
                result, reason = Result.GONE, f"merged into {survivors[change.id]}"
            elif change.id in missing:
                result, reason = Result.GONE, "deleted"
            outcomes[change.id] = Outcome("contacts", change.id, result, reason)
        return outcomes

    def _holds(self, properties: dict[str, Any], change: Change) -> bool:
        owned = self._fields.read(properties)
        return all(to_platform(owned.get(key)) == to_platform(value) for key, value in change.after.items())


def _failures(batch: Sequence[Change], errors: Sequence[dict[str, Any]]) -> dict[str, Outcome]:
    """The contacts of the batch that the errors name. Raises SchemaDrift where the fault is not theirs."""
    ours = {change.id for change in batch}
    outcomes = {}
    for error in errors:
        told = str(error)  # the code stands as `code`, inside a list of its own, or as JSON within the message
        if any(code in told for code in _NOBODYS_FAULT):
            raise SchemaDrift(f"{error.get('message')}. Set the fields up again, then write again.")
        gone = error.get("category") == _NOT_FOUND
        result, reason = (Result.GONE, "deleted") if gone else (Result.REJECTED, _reason(error))
        outcomes.update({id_: Outcome("contacts", id_, result, reason) for id_ in error_ids(error) if id_ in ours})
    return outcomes


def _reason(body: object) -> str:
    """What HubSpot says against a contact: the properties it names, else its message. At most 500 characters."""
    if not isinstance(body, dict):
        return str(body)[:500]
    details = [each for each in body.get("errors") or [] if listed(each.get("context"), "propertyName")]
    named = [f"{', '.join(listed(each['context'], 'propertyName'))}: {each.get('message')}" for each in details]
    return ("; ".join(named) or str(body.get("message") or body))[:500]
