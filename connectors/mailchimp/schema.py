"""Our merge fields and tags in the audiences: what is wrong with them, and making the ones that are missing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.contract import FieldSpec, FieldType
from connectors.errors import Rejected, SchemaDrift
from connectors.mailchimp.answers import refusal
from connectors.mailchimp.fields import TYPES, Fields
from connectors.mailchimp.pages import whole
from connectors.mailchimp.sdk import PAGE, Api

_LABEL_LENGTH, _HELP_LENGTH = 50, 255


@dataclass(frozen=True, slots=True)
class Columns:
    """The merge fields of an audience by merge tag, and how many more it may have (None: not said)."""

    fields: Mapping[str, Mapping[str, Any]]
    room: int | None


class Schema:
    """The fields of one account, as its audiences have them."""

    def __init__(self, api: Api, fields: Fields, chosen: Sequence[str]) -> None:
        self._api = api
        self._fields = fields
        self._audiences = sorted(chosen) or None
        self._tags: dict[str, dict[str, int]] = {}

    def audiences(self) -> list[str]:
        """The ids of the audiences we work with: the chosen ones, or all. Asked for once."""
        if self._audiences is None:
            page = partial(
                self._api.call, self._api.lists.get_all_lists, fields=["lists.id", "total_items"], count=PAGE
            )
            self._audiences = sorted(row["id"] for row in whole(lambda offset: page(offset=offset), "lists"))
        return self._audiences

    def columns(self, audience: str) -> Columns:
        """The merge fields of an audience."""
        answer = self._api.call(
            self._api.lists.get_list_merge_fields,
            audience,
            exclude_fields=["merge_fields._links", "_links"],
            count=PAGE,
        )
        limit = answer.get("merge_field_limit")
        fields = {row["tag"]: row for row in answer["merge_fields"]}
        return Columns(fields, limit - answer["total_items"] if isinstance(limit, int) else None)

    def knows_tags(self, audience: str) -> bool:
        """Whether `tags` costs no call."""
        return audience in self._tags

    def tags(self, audience: str, *, anew: bool = False) -> Mapping[str, int]:
        """Our tags in an audience: casefolded name → id of the static segment. Asked for once, or `anew`."""
        if anew or audience not in self._tags:
            ours = [row for row in self._segments(audience) if self._fields.is_ours(row["name"])]
            self._tags[audience] = {row["name"].casefold(): row["id"] for row in ours}
        return self._tags[audience]

    def _segments(self, audience: str) -> list[Mapping[str, Any]]:
        return whole(
            lambda offset: self._api.call(
                self._api.lists.list_segments,
                audience,
                fields=[*(f"segments.{name}" for name in ("id", "name", "type", "list_id")), "total_items"],
                type="static",
                count=PAGE,
                offset=offset,
            ),
            "segments",
        )

    def drift(self, specs: Sequence[FieldSpec]) -> list[str]:
        """What is missing or of another type: one sentence with its repair each."""
        return [sentence for audience in self.audiences() for sentence in self._drift(audience, specs)]

    def _drift(self, audience: str, specs: Sequence[FieldSpec]) -> Iterator[str]:
        live = self.columns(audience).fields
        for tag, spec in self._columns_of(specs):
            if tag not in live:
                yield f"audience {audience}, the merge field {tag} is missing: foretag provision creates it"
            elif live[tag]["type"] != TYPES[spec.type]:
                yield (
                    f"audience {audience}, the merge field {tag} is of type {live[tag]['type']} instead of "
                    f"{TYPES[spec.type]}: delete it in the audience's settings; it is created anew"
                )
        tags = self.tags(audience, anew=True)
        for name in self.tag_names(specs):
            if name.casefold() not in tags:
                yield f"audience {audience}, the tag {name} is missing: foretag provision creates it"

    def provision(self, specs: Sequence[FieldSpec]) -> list[str]:
        """Create missing merge fields and tags; says what was done. SchemaDrift where there is no room for them."""
        done = []
        for audience in self.audiences():
            columns = self.columns(audience)
            missing = [(tag, spec) for tag, spec in self._columns_of(specs) if tag not in columns.fields]
            if columns.room is not None and columns.room < len(missing):
                raise SchemaDrift(
                    f"audience {audience} has room for {columns.room} more merge fields, {len(missing)} are needed. "
                    "Delete fields that nobody uses, or write a smaller profile. Nothing was created."
                )
            for tag, spec in missing:
                self._create_field(audience, tag, spec)
                done.append(f"audience {audience}: created the merge field {tag}")
            tags = self.tags(audience, anew=True)
            for name in self.tag_names(specs):
                if name.casefold() not in tags:
                    self._create_tag(audience, name)
                    done.append(f"audience {audience}: created the tag {name}")
        return done

    def _create_field(self, audience: str, tag: str, spec: FieldSpec) -> None:
        try:
            self._api.call(self._api.lists.add_list_merge_field, audience, _merge_field(tag, spec))
        except Rejected as error:  # an answer that was lost, and the second try found the field there
            if error.status != 400 or tag not in self.columns(audience).fields:
                raise SchemaDrift(f"Mailchimp did not create the merge field {tag}: {refusal(error.body)}") from error

    def _create_tag(self, audience: str, name: str) -> None:
        try:
            answer = self._api.call(self._api.lists.create_segment, audience, {"name": name, "static_segment": []})
            self._tags[audience][name.casefold()] = answer["id"]
        except Rejected as error:
            if error.status != 400 or name.casefold() not in self.tags(audience, anew=True):
                raise SchemaDrift(f"Mailchimp did not create the tag {name}: {refusal(error.body)}") from error

    def merge_fields(self, specs: Iterable[FieldSpec]) -> list[dict[str, Any]]:
        """What Mailchimp is told to make the merge fields of `specs`."""
        return [_merge_field(tag, spec) for tag, spec in self._columns_of(specs)]

    def _columns_of(self, specs: Iterable[FieldSpec]) -> list[tuple[str, FieldSpec]]:
        return [(self._fields.merge_tag(spec), spec) for spec in specs if spec.type is not FieldType.TAGS]

    def tag_names(self, specs: Iterable[FieldSpec]) -> list[str]:
        """The names of the tags that stand for the options of `specs`."""
        return [
            self._fields.tag_name(option) for spec in specs if spec.type is FieldType.TAGS for option in spec.options
        ]


def _merge_field(tag: str, spec: FieldSpec) -> dict[str, Any]:
    name, about = spec.label[:_LABEL_LENGTH], spec.description[:_HELP_LENGTH]
    return {"tag": tag, "name": name, "type": TYPES[spec.type], "public": False, "help_text": about}
