"""Which objects and fields the token may read: every query is built from this, because one hidden field fails it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.errors import NotPermitted

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

Fields = Mapping[str, Mapping[str, Any]]
"""Field name → what describe says of it."""
Schema = Mapping[str, Fields]
"""Object name → its fields. Objects the token may not read are not in it."""


def describe(sf: "Salesforce", objects: Sequence[str]) -> Schema:
    """What the token may read of these objects; costs one call."""
    urls = [f"v{sf.sf_version}/sobjects/{name}/describe" for name in objects]
    body = {"batchRequests": [{"method": "GET", "url": url} for url in urls]}
    answer = sf.restful("composite/batch", method="POST", json=body) or {}
    return {
        name: {field["name"]: field for field in part["result"]["fields"]}
        for name, part in zip(objects, answer["results"], strict=True)
        if part["statusCode"] == 200
    }


def readable(schema: Schema, object_: str, columns: Iterable[str]) -> list[str]:
    """Those columns that can be selected from `object_`; `Opportunity.Amount` is a field of the parent opportunity."""
    fields = schema.get(object_, {})
    return [column for column in columns if _is_readable(schema, fields, column)]


def demand(schema: Schema, object_: str, columns: Iterable[str]) -> None:
    """Raise NotPermitted, naming all of them, when one of the columns cannot be read."""
    wanted = list(columns)
    hidden = sorted(set(wanted) - set(readable(schema, object_, wanted)))
    if hidden:
        raise NotPermitted(
            f"Salesforce does not let foretag's user read {', '.join(hidden)} of {object_}. "
            "Give that user read access to the object and these fields (a permission set does it)"
        )


def _is_readable(schema: Schema, fields: Fields, column: str) -> bool:
    parent, _, name = column.rpartition(".")
    if not parent:
        return name in fields
    return f"{parent}Id" in fields and name in schema.get(parent, {})
