"""Takes our merge fields and tags off the audiences; their values and taggings go with them."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from connectors.contract import FieldSpec, FieldType
from connectors.mailchimp.fields import Fields
from connectors.mailchimp.schema import Schema
from connectors.mailchimp.sdk import Api
from connectors.removal import remove_each


def remove(api: Api, fields: Fields, schema: Schema, specs: Sequence[FieldSpec], *, dry_run: bool) -> list[str]:
    """What went, or would go."""
    things = [thing for audience in schema.audiences() for thing in _things(api, fields, schema, audience, specs)]
    return [what for what, _ in things] if dry_run else remove_each(things)


def _things(
    api: Api, fields: Fields, schema: Schema, audience: str, specs: Sequence[FieldSpec]
) -> Iterator[tuple[str, Callable[[], object]]]:
    live = schema.columns(audience).fields
    for spec in specs:
        tag = fields.merge_tag(spec)
        if spec.type is not FieldType.TAGS and tag in live:
            number = str(live[tag]["merge_id"])
            what = f"the merge field {tag} of audience {audience}"
            yield what, partial(api.delete, api.lists.delete_list_merge_field, audience, number)
    names = {fields.tag_name(option).casefold(): fields.tag_name(option) for spec in specs for option in spec.options}
    for folded, segment in schema.tags(audience, anew=True).items():
        what = f"the tag {names.get(folded, folded)} of audience {audience}"
        yield what, partial(api.delete, api.lists.delete_segment, audience, str(segment))
