"""What an administrator enters to make our properties by hand: the very requests that we would send."""

import json
from collections.abc import Sequence
from typing import Any

from connectors.hubspot.rules import GROUP

_README = """\
The contact properties that foretag writes
==========================================

property-group.json is the body of POST https://api.hubapi.com/crm/v3/properties/contacts/groups
properties.json     is the body of POST https://api.hubapi.com/crm/v3/properties/contacts/batch/create

Both can be sent with any key that has the scope crm.schemas.contacts.write; foretag's own key then needs only
crm.schemas.contacts.read. Or make them in Settings, Properties, Contact properties, in a group called {group}:

{table}

foretag doctor says whether anything is missing.
"""


def package(definitions: Sequence[dict[str, Any]]) -> dict[str, str]:
    """File name to text, for properties as HubSpot is told to make them."""
    table = "\n".join(_line(each) for each in definitions)
    return {
        "README.txt": _README.format(group=GROUP, table=table),
        "property-group.json": _json({"name": GROUP, "label": GROUP}),
        "properties.json": _json({"inputs": list(definitions)}),
    }


def _line(definition: dict[str, Any]) -> str:
    options = ", ".join(option["value"] for option in definition["options"])
    shown = f"{definition['type']}/{definition['fieldType']}"
    return f"{definition['name']:<24} {shown:<24} {definition['label']}" + (f": {options}" if options else "")


def _json(body: object) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
