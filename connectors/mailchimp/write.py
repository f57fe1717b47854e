"""Writes our fields: the values of 500 members a call, then the tags.

A member is addressed by its e-mail address, exactly as the platform gave it. A status is never sent, and the first call
of each audience holds a handful whose statuses are known, one of each where they were read just before: should a write
ever change a status, the run stops there. That is not remembered for longer than the connector lives: it is what
Mailchimp does today that counts.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from connectors.ahead import ahead
from connectors.contract import Change, Outcome, Result
from connectors.errors import NotAllowed, Rejected, SchemaDrift, Stop
from connectors.mailchimp.answers import refusal
from connectors.mailchimp.fields import Fields, is_kept
from connectors.mailchimp.pages import AT_ONCE
from connectors.mailchimp.quiet import QuietTagger
from connectors.mailchimp.rules import WRITE_BATCH
from connectors.mailchimp.sdk import Answer, Api
from connectors.mailchimp.tagging import Tagger, address, outcome

_Sent = tuple[list[Change], dict[str, Outcome]]
_SAMPLES = 5
"""How many members the first call of an audience holds; one of them is looked up where no status is known."""
_MORE = 8
"""So many times as many go next where none of them could be written."""
_ALL_ALIKE = 16
"""So many refused out of so many: the fault is not theirs, and the others need not be tried."""


def _by_audience(changes: Sequence[Change]) -> dict[str, list[Change]]:
    """The changes of each audience, one per contact."""
    grouped: dict[str, dict[str, Change]] = {}
    for change in changes:
        mine = grouped.setdefault(change.object, {})
        known = mine.get(change.id)
        mine[change.id] = replace(known, after={**known.after, **change.after}) if known else change
    return {audience: list(mine.values()) for audience, mine in grouped.items()}


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """The changes in calls, in order: at most 500 in each, and no address twice."""
    batch: dict[str, Change] = {}
    for change in changes:
        if len(batch) == WRITE_BATCH or address(change) in batch:
            yield list(batch.values())
            batch = {}
        batch[address(change)] = change
    if batch:
        yield list(batch.values())


class Writer:
    """Writes the changes of one account. `statuses` are those of members that were read just before, by contact id."""

    def __init__(self, api: Api, fields: Fields, tagger: Tagger | QuietTagger, statuses: Mapping[str, str]) -> None:
        self._statuses = statuses
        self._verified: set[str] = set()
        self._api = api
        self._fields = fields
        self._tagger = tagger

    def predict_calls(self, changes: Sequence[Change]) -> int:
        """The calls it takes when nobody is refused or gone."""
        calls = 0
        for audience, some in _by_audience([change for change in changes if change.email]).items():
            calls += self._tagger.predict_calls(audience, some)
            mine = [change for change in some if self._is_updated(change)]
            if mine and audience not in self._verified:
                sample, statuses = self._sample(mine, _SAMPLES)
                calls += 1 + (not statuses)
                mine = [change for change in mine if change not in sample]
            calls += sum(1 for _ in _batches(mine))
        return calls

    def write(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Outcomes as they become known. NotAllowed, before anything is sent, for a key that is not a field of ours."""
        foreign = sorted({key for change in changes for key in change.after} - self._fields.specs.keys())
        if foreign:
            raise NotAllowed(f"{foreign[0]!r} is not one of foretag's fields; nothing was written")
        faults = {change.id: fault for change in changes if (fault := _fault(change))}
        if faults:
            yield [outcome(change, Result.REJECTED, faults[change.id]) for change in changes if change.id in faults]
        for audience, mine in _by_audience([change for change in changes if change.id not in faults]).items():
            yield from self._audience(audience, mine)

    def _audience(self, audience: str, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """A handful until a status was seen to stay, then several batches at once; tags at last."""
        left, tagged, nothing = list[Change](), list[Change](), list[Outcome]()
        for change in changes:
            if self._is_updated(change):
                left.append(change)
            elif any(self._fields.tag_changes(change)):
                tagged.append(change)
            else:
                nothing.append(outcome(change, Result.WRITTEN))
        if nothing:
            yield nothing
        for batch, outcomes in chain(self._verifying(audience, left), self._several(audience, left)):
            for change in batch:
                if outcomes[change.id].result is Result.WRITTEN and any(self._fields.tag_changes(change)):
                    tagged.append(change)
                    del outcomes[change.id]
            if outcomes:
                yield list(outcomes.values())
        yield from self._tagger.write(audience, tagged)

    def _is_updated(self, change: Change) -> bool:
        """Whether it is in a batch. Tags alone are where it takes an update, without a value, to see who is gone."""
        unseen = not self._tagger.names_the_gone and any(self._fields.tag_changes(change))
        return unseen or bool(self._fields.merge_fields(change.after))

    def _verifying(self, audience: str, left: list[Change]) -> Iterator[_Sent]:
        """Takes those it sends out of those `left`: more than before where nobody could be written."""
        size = _SAMPLES
        while audience not in self._verified and left:
            sample, statuses = self._sample(left, size)
            size *= _MORE
            left[:] = [change for change in left if change not in sample]
            statuses = statuses or self._looked_up(audience, sample)
            outcomes = self._send(audience, sample, statuses)
            if any(outcomes[id_].result is Result.WRITTEN for id_ in statuses):
                self._verified.add(audience)
            yield sample, outcomes

    def _several(self, audience: str, changes: Sequence[Change]) -> Iterator[_Sent]:
        def send(batch: list[Change]) -> _Sent:
            return batch, self._send(audience, batch, {})

        with closing(ahead((partial(send, batch) for batch in _batches(changes)), AT_ONCE)) as sent:
            yield from sent

    def _sample(self, changes: Sequence[Change], size: int) -> tuple[list[Change], dict[str, str]]:
        """`size` members, among them one of each status that is known, and the statuses of these by contact id."""
        by_status = {status: each for each in reversed(changes) if (status := self._statuses.get(each.id))}
        known = list(by_status.values())
        others = [change for change in changes[:size] if change not in known]
        sample = next(_batches([*known, *others][:size]))
        return sample, {each.id: status for status, each in by_status.items() if each in sample}

    def _looked_up(self, audience: str, sample: Sequence[Change]) -> dict[str, str]:
        """The status of the first member of a sample that is there, by contact id."""
        for change in sample:
            try:
                answer = self._api.call(self._api.lists.get_list_member, audience, change.id, fields=["status"])
            except Rejected as error:
                if error.status != 404:
                    raise
            else:
                return {change.id: answer["status"]}
        return {}

    def _send(self, audience: str, batch: Sequence[Change], statuses: Mapping[str, str]) -> dict[str, Outcome]:
        """Send a batch; where Mailchimp refuses it as a whole, find the members it is about and send the others."""
        members = [{"email_address": c.email, "merge_fields": self._fields.merge_fields(c.after)} for c in batch]
        try:
            answer = self._api.call(
                self._api.lists.batch_list_members,
                audience,
                {"members": members, "update_existing": True},
                skip_merge_validation="true",
            )
        except Rejected as error:
            if error.status != 400:
                raise
            return self._without_poison(audience, batch, statuses, error)
        if answer.get("new_members"):
            raise Stop(
                f"audience {audience}: Mailchimp created a contact at a write that only updates. Please report it."
            )
        return self._read(batch, answer, statuses)

    def _without_poison(
        self, audience: str, batch: Sequence[Change], statuses: Mapping[str, str], error: Rejected
    ) -> dict[str, Outcome]:
        """Send a refused batch without the members that Mailchimp names; where it names none, in two halves."""
        named = _named(error.body, len(batch))
        if len(batch) == 1:
            named = {0: refusal(error.body)}
        if named:
            refused = {batch[n].id: outcome(batch[n], Result.REJECTED, reason) for n, reason in named.items()}
            parts = [[change for change in batch if change.id not in refused]]
        else:
            refused, half = {}, len(batch) // 2
            parts = [list(batch[:half]), list(batch[half:])]
        for part in filter(None, parts):
            sent = self._send(audience, part, statuses)
            if not named and len(sent) >= _ALL_ALIKE and all(each.result is Result.REJECTED for each in sent.values()):
                raise Rejected(
                    f"audience {audience}: Mailchimp refuses everybody: {refusal(error.body)}", 400, error.body
                )
            refused |= sent
        return refused

    def _read(self, batch: Sequence[Change], answer: Answer, statuses: Mapping[str, str]) -> dict[str, Outcome]:
        updated = {str(row["email_address"]).casefold(): row for row in answer["updated_members"]}
        errors = {str(row["email_address"]).casefold(): row for row in answer["errors"]}
        outcomes = {}
        for change in batch:
            row, error = updated.get(address(change)), errors.get(address(change))
            if error is not None:
                outcomes[change.id] = _refused(change, error)
            elif row is None:
                outcomes[change.id] = outcome(change, Result.UNKNOWN, "Mailchimp's answer does not mention it")
            else:
                outcomes[change.id] = self._written(change, row, statuses)
        return outcomes

    def _written(self, change: Change, row: Mapping[str, Any], statuses: Mapping[str, str]) -> Outcome:
        before, after = statuses.get(change.id), row["status"]
        if before not in (None, after):
            raise Stop(
                f"audience {change.object}, contact {change.id}: its status went from {before} to {after} at a write "
                "that holds none. Nothing more is written; please look at the audience before you go on."
            )
        if row.get("contact_id", change.id) != change.id:
            return outcome(change, Result.GONE, "its address belongs to another contact by now")
        sent, kept = self._fields.merge_fields(change.after), row["merge_fields"]
        dropped = sorted(sent.keys() - kept.keys())
        if dropped:
            raise SchemaDrift(
                f"audience {change.object}: the merge field {dropped[0]} is gone. Set the fields up again."
            )
        other = sorted(tag for tag, value in sent.items() if not is_kept(value, kept[tag]))
        if other:
            return outcome(
                change, Result.UNKNOWN, f"Mailchimp's answer shows another value of {other[0]} than was sent"
            )
        return outcome(change, Result.WRITTEN)


def _fault(change: Change) -> str:
    """What is wrong with a change before it is sent; empty for nothing."""
    if not change.email:
        return "has no e-mail address"
    if any(isinstance(value, float) and not math.isfinite(value) for value in change.after.values()):
        return "a value is not a number"
    return ""


def _named(body: object, sent: int) -> dict[int, str]:
    """The members that a refusal of the whole call is about, by their number in it; empty when it does not tell."""
    errors = body.get("errors") or [] if isinstance(body, dict) else []
    found = [
        (re.match(r"members\.item:(\d+)", str(error.get("field"))), refusal({"errors": [error]})) for error in errors
    ]
    return {int(match[1]): reason for match, reason in found if match and int(match[1]) < sent}


def _refused(change: Change, error: Mapping[str, Any]) -> Outcome:
    reason = str(error.get("error") or error.get("field_message"))
    # only for an address that it does not have does Mailchimp ask for a status
    if error.get("field") == "status" or "permanently deleted" in reason:
        return outcome(change, Result.GONE, "the audience has no contact with its address (any more)")
    return outcome(change, Result.REJECTED, ": ".join(filter(None, (error.get("field"), reason))))
