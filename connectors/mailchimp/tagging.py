"""Adds and takes off our tags: a call for each tag and 500 members to add and as many to take it off."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial

from connectors.ahead import ahead
from connectors.contract import Change, Outcome, Result
from connectors.errors import Rejected, SchemaDrift
from connectors.mailchimp.answers import refusal
from connectors.mailchimp.fields import Fields
from connectors.mailchimp.pages import AT_ONCE
from connectors.mailchimp.rules import WRITE_BATCH
from connectors.mailchimp.schema import Schema
from connectors.mailchimp.sdk import Api


class Tagger:
    """Writes the tags of one account. Those it is given changes for are known to be in the audience."""

    names_the_gone = False
    """Mailchimp passes over addresses that are not in the audience without a word."""

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
        """Tag by tag, several calls at once; a contact's outcome comes when all of its tags are done."""
        left = Counter({change.id: sum(map(len, self._fields.tag_changes(change))) for change in changes})
        refused: dict[str, str] = {}
        steps = list(self._steps(audience, changes))
        calls = (partial(self._change, audience, segment, adds, drops) for segment, adds, drops in steps)
        with closing(ahead(calls, AT_ONCE)) as answers:
            for (_, adds, drops), answer in zip(steps, answers, strict=True):
                refused |= answer
                left.subtract(change.id for change in (*adds, *drops))
                done = [change for change in (*adds, *drops) if not left[change.id]]
                if done:
                    yield [_read(change, refused.get(address(change))) for change in done]

    def _steps(
        self, audience: str, changes: Sequence[Change]
    ) -> Iterator[tuple[int | None, Sequence[Change], Sequence[Change]]]:
        """The calls: the static segment, whom to add to it, and whom to take off."""
        for name, (adds, drops) in self._by_tag(changes).items():
            segment = self._schema.tags(audience).get(name.casefold())
            if segment is None and adds:
                raise SchemaDrift(f"audience {audience}: the tag {name} is missing. Set the fields up again.")
            for start in range(0, max(len(adds), len(drops)), WRITE_BATCH):
                yield segment, adds[start : start + WRITE_BATCH], drops[start : start + WRITE_BATCH]

    def _by_tag(self, changes: Sequence[Change]) -> dict[str, tuple[list[Change], list[Change]]]:
        """For each tag whom to add and whom to take off."""
        by_tag: dict[str, tuple[list[Change], list[Change]]] = {}
        for change in changes:
            for side, names in enumerate(self._fields.tag_changes(change)):
                for name in names:
                    by_tag.setdefault(name, ([], []))[side].append(change)
        return dict(sorted(by_tag.items()))

    def _change(
        self, audience: str, segment: int | None, adds: Sequence[Change], drops: Sequence[Change]
    ) -> dict[str, str]:
        """Add and take off one tag; the reason for each address that was refused. A tag that is gone is off already."""
        if segment is None:
            return {}
        body = {
            "members_to_add": [change.email for change in adds],
            "members_to_remove": [change.email for change in drops],
        }
        try:
            answer = self._api.call(self._api.lists.batch_segment_members, body, audience, str(segment))
        except Rejected as error:
            if error.status == 404:
                raise SchemaDrift(
                    f"audience {audience}: a tag was deleted just now. Set the fields up again."
                ) from error
            if error.status != 400:
                raise
            return self._apart(audience, segment, adds, drops, refusal(error.body))
        return {
            str(email).casefold(): str(error.get("error"))
            for error in answer.get("errors") or ()
            for email in error.get("email_addresses") or ()
        }

    def _apart(
        self, audience: str, segment: int, adds: Sequence[Change], drops: Sequence[Change], reason: str
    ) -> dict[str, str]:
        """A call that was refused as a whole, in two halves, until the member that it is about stands alone."""
        if len(adds) + len(drops) == 1:
            return {address(change): reason for change in (*adds, *drops)}
        a, d = len(adds) // 2, -(-len(drops) // 2)  # one to add and one to take off part as well
        return self._change(audience, segment, adds[:a], drops[:d]) | self._change(
            audience, segment, adds[a:], drops[d:]
        )


def address(change: Change) -> str:
    """What a contact's address is compared by."""
    return (change.email or "").casefold()


def outcome(change: Change, result: Result, reason: str = "") -> Outcome:
    """What became of a change."""
    return Outcome(change.object, change.id, result, reason)


def _read(change: Change, reason: str | None) -> Outcome:
    return outcome(change, Result.REJECTED, f"tag: {reason}") if reason else outcome(change, Result.WRITTEN)
