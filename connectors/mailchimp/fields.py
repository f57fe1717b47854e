"""Our fields on Mailchimp: merge fields and, for tags, static segments; and their values both ways."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from connectors.contract import Change, FieldSpec, FieldType
from connectors.mailchimp.rules import merge_prefix, tag_prefix
from connectors.records import Value

TYPES: Mapping[FieldType, str] = {
    FieldType.NUMBER: "number",
    FieldType.TEXT: "text",
    FieldType.CHOICE: "text",
    FieldType.DATE: "date",
    FieldType.YES_NO: "text",
}
"""Mailchimp's types. Choices are text, so that an option that is renamed later is never refused."""
_YES, _NO = "Yes", "No"


class Fields:
    """The fields of one account: `merge` by merge tag, `tags` by key."""

    def __init__(self, prefix: str, specs: Iterable[FieldSpec]) -> None:
        self._merge_prefix = merge_prefix(prefix)
        self.tag_prefix = tag_prefix(prefix)
        self._tag_mark = self.tag_prefix.casefold()
        self.specs = {spec.key: spec for spec in specs}
        self.merge = {self.merge_tag(spec): spec for spec in self.specs.values() if spec.type is not FieldType.TAGS}
        self.tags = {spec.key: spec for spec in self.specs.values() if spec.type is FieldType.TAGS}
        self._options = {option.casefold(): (key, option) for key, spec in self.tags.items() for option in spec.options}

    def merge_tag(self, spec: FieldSpec) -> str:
        """The merge tag of a field: `FT_BUY`."""
        return self._merge_prefix + spec.short

    def tag_name(self, option: str) -> str:
        """The name of a tag: `FT: Loyal`."""
        return self.tag_prefix + option

    def is_ours(self, tag: str) -> bool:
        """Whether a tag is ours, by its name. Mailchimp does not keep the case of names."""
        return tag.casefold().startswith(self._tag_mark)

    def read(self, merge_fields: Mapping[str, Any], tags: Iterable[str]) -> dict[str, Value]:
        """Our values of a member by key; empty and unreadable ones are left out."""
        values = {spec.key: from_mailchimp(spec.type, merge_fields.get(tag)) for tag, spec in self.merge.items()}
        values |= self._read_tags([tag[len(self.tag_prefix) :] for tag in tags if self.is_ours(tag)])
        return {key: value for key, value in values.items() if value is not None}

    def _read_tags(self, found: Iterable[str]) -> dict[str, Value]:
        """Tags by the field whose option they are; the first field has those that nobody knows any more."""
        sorted_out: dict[str, set[str]] = {key: set() for key in self.tags}
        for tag in found:
            key, option = self._options.get(tag.casefold(), (next(iter(self.tags), None), tag))
            if key is not None:
                sorted_out[key].add(option)
        return {key: tuple(sorted(tags)) or None for key, tags in sorted_out.items()}

    def merge_fields(self, after: Mapping[str, Value]) -> dict[str, str | float]:
        """What to send for new values, tags left out."""
        return {
            self.merge_tag(self.specs[key]): to_mailchimp(value) for key, value in after.items() if key not in self.tags
        }

    def tag_changes(self, change: Change) -> tuple[set[str], set[str]]:
        """The names of the tags to add and to take off."""
        before, after = set[str](), set[str]()
        for key in self.tags.keys() & change.after.keys():
            before |= self._names(change.before.get(key))
            after |= self._names(change.after[key])
        return after - before, before - after

    def _names(self, value: Value) -> set[str]:
        return {self.tag_name(option) for option in value} if isinstance(value, tuple) else set()


def to_mailchimp(value: Value) -> str | float:
    """A value as Mailchimp takes it; an empty text clears a field of any type."""
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, float | int):
        return round(float(value), 2) + 0.0  # no -0.0
    return "" if value is None else str(value)


def is_kept(sent: str | float, shown: object) -> bool:
    """Whether Mailchimp shows what it was sent: the number, or a text where a text was sent.

    How it spells a text is left to it: it may trim blanks or take out what looks like HTML.
    """
    if isinstance(sent, str):
        return bool(sent.strip()) == (shown not in (None, ""))
    return from_mailchimp(FieldType.NUMBER, shown) == sent


def from_mailchimp(type_: FieldType, value: object) -> Value:
    """A value as `Change.after` has it; None for an empty or unreadable one."""
    text = "" if value is None else str(value)
    if not text:
        return None
    try:
        match type_:
            case FieldType.NUMBER:
                return round(float(text), 2)
            case FieldType.DATE:
                return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None
    return text.casefold() == _YES.casefold() if type_ is FieldType.YES_NO else text
