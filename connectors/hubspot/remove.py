"""Takes our properties off HubSpot, which keeps them in its bin for a while, and then our group when it is empty."""

from collections.abc import Sequence
from functools import partial

from connectors.contract import FieldSpec
from connectors.hubspot.fields import Fields, definitions
from connectors.hubspot.rules import GROUP
from connectors.hubspot.sdk import RAW, Api
from connectors.removal import remove_each


def remove(api: Api, fields: Fields, specs: Sequence[FieldSpec], *, dry_run: bool) -> list[str]:
    """What went, or would go. A property that someone moved to another group stays: it is in their use."""
    grouped = _grouped(api)
    ours = [name for spec in specs if (name := fields.name(spec.key)) in grouped]
    properties = [(f"the property {name}", partial(api.properties.archive, "contacts", name, **RAW)) for name in ours]
    gone = [what for what, _ in properties] if dry_run else remove_each(properties)
    left = grouped - set(ours) if dry_run else _grouped(api)
    if left or all(group["name"] != GROUP for group in api.property_groups.get_all("contacts", **RAW)["results"]):
        return gone
    group = (f"the property group {GROUP}", partial(api.property_groups.archive, "contacts", GROUP, **RAW))
    return [*gone, *([group[0]] if dry_run else remove_each([group]))]


def _grouped(api: Api) -> set[str]:
    return {name for name, definition in definitions(api).items() if definition["groupName"] == GROUP}
