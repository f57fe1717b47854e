"""Adds and takes off our tags so that no automation starts by them: a thousand members in an asynchronous batch.

Mailchimp's call for one tag of many members has no silent form. The one for the tags of one member has (`is_syncing`).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from hashlib import md5

from connectors.ahead import ahead
from connectors.contract import Change, Outcome, Result
from connectors.errors import SchemaDrift
from connectors.mailchimp.answers import refusal
from connectors.mailchimp.fields import Fields
from connectors.mailchimp.jobs import Entry, Jobs
from connectors.mailchimp.pages import AT_ONCE
from connectors.mailchimp.rules import OPERATIONS
from connectors.mailchimp.schema import Schema
from connectors.mailchimp.tagging import address, outcome

_CALLS = 4
"""What a batch costs at least: handing it over, two looks whether it is done, its answers."""


class QuietTagger:
    """Writes the tags of one account in silence."""

    names_the_gone = True
    """Each member is tagged by an operation of its own, which is refused where there is none."""

    def __init__(self, jobs: Jobs, fields: Fields, schema: Schema) -> None:
        self._jobs = jobs
        self._fields = fields
        self._schema = schema

    def predict_calls(self, audience: str, changes: Sequence[Change]) -> int:
        """The calls `write` will take, when Mailchimp is done with each batch at the second look."""
        tagged = sum(any(self._fields.tag_changes(change)) for change in changes)
        return _CALLS * -(-tagged // OPERATIONS) + (tagged > 0 and not self._schema.knows_tags(audience))

    def write(self, audience: str, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Batch by batch, several at once. Raises SchemaDrift for a missing tag, before anything is sent."""
        known = self._schema.tags(audience) if changes else {}
        added = {name for change in changes for name in self._fields.tag_changes(change)[0]}
        if missing := {name for name in added if name.casefold() not in known}:
            raise SchemaDrift(f"audience {audience}: the tag {min(missing)} is missing. Set the fields up again.")
        parts = (changes[start : start + OPERATIONS] for start in range(0, len(changes), OPERATIONS))
        with closing(ahead((partial(self._batch, audience, part) for part in parts), AT_ONCE)) as written:
            yield from written

    def _batch(self, audience: str, changes: Sequence[Change]) -> list[Outcome]:
        job = self._jobs.start([self._operation(audience, change) for change in changes])
        answers = {entry.id: entry for _, entries in self._jobs.results(job, 0) for entry in entries}
        return [_read(change, answers.get(change.id)) for change in changes]

    def _operation(self, audience: str, change: Change) -> dict[str, str]:
        adds, drops = self._fields.tag_changes(change)
        tags = [
            {"name": name, "status": status}
            for names, status in ((adds, "active"), (drops, "inactive"))
            for name in sorted(names)
        ]
        member = md5(address(change).encode(), usedforsecurity=False).hexdigest()  # how Mailchimp names a member
        return {
            "method": "POST",
            "path": f"/lists/{audience}/members/{member}/tags",
            "operation_id": change.id,
            "body": json.dumps({"tags": tags, "is_syncing": True}),
        }


def _read(change: Change, entry: Entry | None) -> Outcome:
    if entry is None:
        return outcome(change, Result.UNKNOWN, "Mailchimp's answer does not mention it")
    if entry.status < 300:
        return outcome(change, Result.WRITTEN)
    if entry.status == 404:
        return outcome(change, Result.GONE, "the audience has no contact with its address (any more)")
    result = Result.REJECTED if entry.status == 400 else Result.UNKNOWN
    return outcome(change, result, f"tag: {refusal(entry.answer)}")
