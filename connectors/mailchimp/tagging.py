"""Adds and takes off our tags: a call for each tag and 500 members to add and as many to take it off."""

from collections import Counter
from collections.abc import Iterator, Sequence

from connectors.contract import Change, Outcome, Result
from connectors.errors import SchemaDrift
from connectors.mailchimp.fields import Fields
from connectors.mailchimp.rules import WRITE_BATCH
from connectors.mailchimp.schema import Schema
from connectors.mailchimp.sdk import Api


class Tagger:
    """Writes the tags of one account. Those it is given changes for are known to be in the audience."""

    def __init__(self, api: Api, fields: Fields, schema: Schema) -> None:
        self._api = api
        self._fields = fields
        self._schema = schema

    def predict_calls(self, audience: str, changes: Sequence[Change]) -> int:
        """The calls `write` will take."""
        by_tag = self._by_tag(changes)
        calls = sum(-(-max(map(len, sides)) // WRITE_BATCH) for sides in by_tag.values())
        return calls + (bool(by_tag) and not self._schema.knows_tags(audience))

    def write(self, audience: str, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Tag by tag; a contact's outcome comes when all of its tags are done."""
        left = Counter({change.id: sum(map(len, self._fields.tag_changes(change))) for change in changes})
        refused: dict[str, str] = {}
        for name, (adds, drops) in self._by_tag(changes).items():
            segment = self._schema.tags(audience).get(name.casefold())
            if segment is None and adds:
                raise SchemaDrift(f"audience {audience}: the tag {name} is missing. Set the fields up again.")
            for start in range(0, max(len(adds), len(drops)), WRITE_BATCH):
                added, dropped = adds[start : start + WRITE_BATCH], drops[start : start + WRITE_BATCH]
                if segment is not None:  # a tag that is gone need not be taken off
                    refused |= self._change(audience, segment, added, dropped)
                left.subtract(change.id for change in (*added, *dropped))
                done = [change for change in (*added, *dropped) if not left[change.id]]
                if done:
                    yield [_read(change, refused.get(address(change))) for change in done]

    def _by_tag(self, changes: Sequence[Change]) -> dict[str, tuple[list[Change], list[Change]]]:
        """For each tag whom to add and whom to take off."""
        by_tag: dict[str, tuple[list[Change], list[Change]]] = {}
        for change in changes:
            for side, names in enumerate(self._fields.tag_changes(change)):
                for name in names:
                    by_tag.setdefault(name, ([], []))[side].append(change)
        return dict(sorted(by_tag.items()))

    def _change(self, audience: str, segment: int, adds: Sequence[Change], drops: Sequence[Change]) -> dict[str, str]:
        """Add and take off one tag; the reason for each address that was refused."""
        body = {
            "members_to_add": [change.email for change in adds],
            "members_to_remove": [change.email for change in drops],
        }
        answer = self._api.call(self._api.lists.batch_segment_members, body, audience, str(segment))
        return {
            str(email).casefold(): str(error.get("error"))
            for error in answer.get("errors") or ()
            for email in error.get("email_addresses") or ()
        }


def address(change: Change) -> str:
    """What a contact's address is compared by."""
    return (change.email or "").casefold()


def outcome(change: Change, result: Result, reason: str = "") -> Outcome:
    """What became of a change."""
    return Outcome(change.object, change.id, result, reason)


def _read(change: Change, reason: str | None) -> Outcome:
    return outcome(change, Result.REJECTED, f"tag: {reason}") if reason else outcome(change, Result.WRITTEN)
