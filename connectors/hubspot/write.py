"""Writes our fields, a hundred contacts a call, and finds out what became of each of them.

Every contact carries its id as `objectWriteTraceId`, so that HubSpot can name the ones it refuses and write the rest.
Where it refuses a call as a whole without naming anyone, the call is halved until the bad contact stands alone.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.contract import Change, Outcome, Result
from connectors.errors import NotAllowed, Rejected, SchemaDrift
from connectors.hubspot.answers import error_ids, parts
from connectors.hubspot.fields import Fields, to_platform
from connectors.hubspot.rules import WRITE_BATCH
from connectors.hubspot.sdk import RAW, Api

_NOT_FOUND = "OBJECT_NOT_FOUND"
_NO_PROPERTY = "PROPERTY_DOESNT_EXIST"


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
        for batch in batches(changes):
            outcomes = self._send(batch)
            yield [outcomes[change.id] for change in batch]

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
            return {rest[0].id: Outcome("contacts", rest[0].id, Result.REJECTED, _reason(error))}
        middle = len(rest) // 2
        return self._send(rest[:middle]) | self._send(rest[middle:])

    def _look_up(self, silent: Sequence[Change]) -> dict[str, Outcome]:
        """What became of contacts that HubSpot passed over in silence, which it does with merged ones."""
        if not silent:
            return {}
        inputs = [{"id": change.id} for change in silent]
        question = {"inputs": inputs, "properties": ["hs_merged_object_ids"], "propertiesWithHistory": []}
        answer = self._api.contact_batch.read(question, **RAW)
        found = {str(row["id"]): row["properties"] for row in answer["results"]}
        survivors = {old: id_ for id_, row in found.items() for old in parts(row.get("hs_merged_object_ids"))}
        missing = {id_ for error in answer.get("errors") or [] for id_ in error_ids(error)}
        outcomes = {}
        for change in silent:
            result, reason = Result.UNKNOWN, "HubSpot's answer does not mention this contact"
            if change.id in survivors and change.id not in found:
                result, reason = Result.GONE, f"merged into {survivors[change.id]}"
            elif change.id in missing and change.id not in found:
                result, reason = Result.GONE, "deleted"
            outcomes[change.id] = Outcome("contacts", change.id, result, reason)
        return outcomes


def _failures(batch: Sequence[Change], errors: Sequence[dict[str, Any]]) -> dict[str, Outcome]:
    """The contacts of the batch that the errors name. Raises SchemaDrift where the fault is not theirs."""
    ours = {change.id for change in batch}
    outcomes = {}
    for error in errors:
        if _NO_PROPERTY in str(error):  # as `code`, inside a list of its own, or as JSON within the message
            raise SchemaDrift(f"{error.get('message')}. Set the fields up again, then write again.")
        gone = error.get("category") == _NOT_FOUND
        result, reason = (Result.GONE, "deleted") if gone else (Result.REJECTED, str(error.get("message") or error))
        outcomes.update({id_: Outcome("contacts", id_, result, reason) for id_ in error_ids(error) if id_ in ours})
    return outcomes


def _reason(error: Rejected) -> str:
    message = error.body.get("message") if isinstance(error.body, dict) else None
    return str(message or error)[:500]
