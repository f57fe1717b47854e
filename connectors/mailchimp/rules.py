"""Every request the adapter sends. No other leaves the machine."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from connectors.allowlist import BodyCheck, Rule, not_ours, parsed, unexpected

WRITE_BATCH = 500
"""Members per bulk write; a tag call takes as many to add and as many to remove."""
OPERATIONS = 1000
"""Operations per asynchronous batch."""

HUMAN_ONLY = {"filter_bots": "true"}
"""What a read of a campaign's activity is told: to leave out what bots and Apple's mail proxy did."""

_ID = r"[\w-]+"
_REPORT = re.compile(rf"/reports/{_ID}/(email-activity|unsubscribed)")
_FIELD_KEYS = ("tag", "name", "type", "public", "help_text")


def merge_prefix(prefix: str) -> str:
    """What our merge tags begin with: `FT_` for the prefix `ft_`.

    Raises ValueError for one that does not leave seven of the ten characters a merge tag may have.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]?_", prefix):
        raise ValueError(f"{prefix!r} cannot be the beginning of our merge tags; take something like 'ft_'")
    return prefix.upper()


def tag_prefix(prefix: str) -> str:
    """What the names of our tags begin with: `FT: ` for the prefix `ft_`."""
    return f"{merge_prefix(prefix)[:-1]}: "


def rules(
    prefix: str, audiences: Sequence[str], removable: Collection[str] = (), *, provision: bool = False
) -> Iterable[Rule]:
    """The allow-list for our merge fields and tags, in `audiences` alone when there are any.

    Fields and tags are made with `provision` only. `removable` names the merge fields that may be removed, and with
    them our tags: none, but for a cleanup.
    """
    fields, tags = re.escape(merge_prefix(prefix)) + "[A-Z0-9_]{1,7}", re.escape(tag_prefix(prefix)) + ".+"
    one_list = f"/lists/({'|'.join(map(re.escape, audiences)) or _ID})"
    known, columns = _Segments(tags), _Columns(removable)
    yield Rule("account", "GET", "/")
    yield Rule("audiences", "GET", "/lists")
    yield Rule("members", "GET", f"{one_list}/members")
    yield Rule("member", "GET", f"{one_list}/members/{_ID}")
    yield Rule("member tags", "GET", f"{one_list}/members/{_ID}/tags")
    yield Rule("members update", "POST", one_list, _update(fields), query=("skip_merge_validation",))
    yield Rule("merge fields", "GET", f"{one_list}/merge-fields", learn=columns.learn)
    yield Rule("tags", "GET", f"{one_list}/segments", learn=known.learn_all)
    yield Rule("tag members", "POST", f"{one_list}/segments/\\d+", _tagging, place=known.place)
    yield Rule("reports", "GET", "/reports")
    yield Rule("batch start", "POST", "/batches", _operations(one_list, tags))
    yield Rule("batch status", "GET", f"/batches/{_ID}")
    yield Rule("stores", "GET", "/ecommerce/stores")
    yield Rule("orders", "GET", "/ecommerce/stores/[^/]+/orders")
    if provision:
        yield Rule("merge field create", "POST", f"{one_list}/merge-fields", _new_field(fields))
        yield Rule("tag create", "POST", f"{one_list}/segments", _new_tag(tags), learn=known.learn)
    if removable:
        yield Rule("merge field remove", "DELETE", f"{one_list}/merge-fields/\\d+", place=columns.place)
        yield Rule("tag remove", "DELETE", f"{one_list}/segments/\\d+", place=known.place)


class _Columns:
    """The merge fields that may be removed, as the platform listed them."""

    def __init__(self, removable: Collection[str]) -> None:
        self._removable = removable
        self._known: set[str] = set()

    def learn(self, answer: Any) -> None:
        self._known |= {
            f"/lists/{answer.get('list_id')}/merge-fields/{row.get('merge_id')}"
            for row in answer.get("merge_fields", ())
            if row.get("tag") in self._removable
        }

    def place(self, path: str) -> str | None:
        return None if path in self._known else "Mailchimp did not list it as one of our merge fields"


class _Segments:
    """The static segments that are our tags, as the platform listed them. Nobody is put into any other."""

    def __init__(self, ours: str) -> None:
        self._ours = ours
        self._known: set[str] = set()

    def learn_all(self, answer: Any) -> None:
        for segment in answer.get("segments", ()):
            self.learn(segment)

    def learn(self, segment: Any) -> None:
        path = f"/lists/{segment.get('list_id')}/segments/{segment.get('id')}"
        if segment.get("type") == "static" and re.fullmatch(self._ours, str(segment.get("name")), re.IGNORECASE):
            self._known.add(path)
        else:
            self._known.discard(path)

    def place(self, path: str) -> str | None:
        return None if path in self._known else "the segment is not one of our tags"


def _update(ours: str) -> BodyCheck:
    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("members", "update_existing"))
        if problem or body.get("update_existing") is not True:
            return problem or "it does not say that members are updated"
        return _each(body.get("members"), WRITE_BATCH, "members", lambda row: _member(row, ours))

    return check


def _member(row: Any, ours: str) -> str | None:
    problem = unexpected("a member", row, ("email_address", "merge_fields"))
    if problem or not isinstance(row.get("email_address"), str) or not isinstance(row.get("merge_fields"), dict):
        return problem or "a member is not an address with merge fields"
    if not all(type(value) in (str, int, float) for value in row["merge_fields"].values()):
        return "a value is neither text nor a number"
    return not_ours("the merge field", row["merge_fields"], ours)


def _new_field(ours: str) -> BodyCheck:
    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, _FIELD_KEYS) or not_ours("the merge field", [str(body.get("tag"))], ours)
        return problem or (None if body.get("public") is False else "subscribers would see the merge field")

    return check


def _new_tag(ours: str) -> BodyCheck:
    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("name", "static_segment"))
        problem = problem or not_ours("the tag", [str(body.get("name"))], ours)
        return problem or (None if body.get("static_segment") == [] else "a new tag has to be empty")

    return check


def _tagging(body: Any) -> str | None:
    names = ("members_to_add", "members_to_remove")
    problem = unexpected("the body", body, names)
    for name in () if problem else names:
        problem = problem or _each(body.get(name, []), WRITE_BATCH, name, _address)
    return problem


def _address(value: Any) -> str | None:
    return None if isinstance(value, str) and "@" in value else "a member is not named by an address"


def _operations(one_list: str, ours: str) -> BodyCheck:
    """Asynchronous batches could do anything: ours read what happened to campaigns, or set our tags in silence."""
    member = re.compile(rf"{one_list}/members/{_ID}/tags")

    def check(body: Any) -> str | None:
        problem = unexpected("the body", body, ("operations",))
        return problem or _each(body.get("operations"), OPERATIONS, "operations", one)

    def one(operation: Any) -> str | None:
        if isinstance(operation, dict) and operation.get("method") == "POST":
            return _silent(operation, member, ours)
        return _read(operation)

    return check


def _silent(operation: Any, member: re.Pattern[str], ours: str) -> str | None:
    """A member's tags are set by no other operation than one by which no automation starts."""
    problem = unexpected("an operation", operation, ("method", "path", "operation_id", "body"))
    if problem or not member.fullmatch(str(operation.get("path"))):
        return problem or "an operation writes something else than a member's tags"
    body = parsed(str(operation.get("body")))
    problem = unexpected("an operation's body", body, ("tags", "is_syncing"))
    if problem or body.get("is_syncing") is not True:
        return problem or "automations would start by an operation"
    return _each(body.get("tags"), WRITE_BATCH, "tags", lambda tag: _tag(tag, ours))


def _tag(tag: Any, ours: str) -> str | None:
    problem = unexpected("a tag", tag, ("name", "status"))
    if problem or tag.get("status") not in ("active", "inactive"):
        return problem or "a tag is neither added nor taken off"
    return not_ours("the tag", [str(tag.get("name"))], ours)


def _read(operation: Any) -> str | None:
    problem = unexpected("an operation", operation, ("method", "path", "operation_id", "params"))
    if problem or operation.get("method") != "GET" or not _REPORT.fullmatch(str(operation.get("path"))):
        return problem or "an operation does not read a campaign's activity"
    if operation.get("params", {}) not in ({}, HUMAN_ONLY):
        return "an operation is given other parameters than ours"
    return None


def _each(rows: Any, most: int, what: str, check: Callable[[Any], str | None]) -> str | None:
    if not isinstance(rows, list) or len(rows) > most:
        return f"{what} is not a list of at most {most}"
    return next((problem for row in rows if (problem := check(row))), None)
