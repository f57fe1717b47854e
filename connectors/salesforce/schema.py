"""Which objects and fields the token may read: every query is built from this, because one hidden field fails it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.errors import NotPermitted, Unavailable

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

Fields = Mapping[str, Mapping[str, Any]]
"""Field name → what describe says of it."""
Schema = Mapping[str, Fields]
"""Object name → its fields. Objects the token may not read are not in it."""
_NOT_READABLE = (400, 403, 404)


def describe(sf: "Salesforce", objects: Sequence[str]) -> Schema:
    """What the token may read of these objects; costs one call. Unavailable when the answer leaves one of them open."""
    return describe_and_read(sf, objects)[0]


def describe_and_read(sf: "Salesforce", objects: Sequence[str], *urls: str) -> tuple[Schema, list[Mapping[str, Any]]]:
    """The same, and in the same call the answers to these addresses, each with its `statusCode` and `result`."""
    described = [f"v{sf.sf_version}/sobjects/{name}/describe" for name in objects]
    body = {"batchRequests": [{"method": "GET", "url": url} for url in (*described, *urls)]}
    answer = sf.restful("composite/batch", method="POST", json=body) or {}
    parts: list[Mapping[str, Any]] = answer.get("results") or []
    if len(parts) != len(described) + len(urls):
        asked = len(described) + len(urls)
        raise Unavailable(f"describe: Salesforce answered {len(parts)} of {asked} parts; foretag asks again next time")
    found = {}
    for name, part in zip(objects, parts, strict=False):  # the parts behind them are those of `urls`
        fields = _fields(name, part)
        if fields is not None:
            found[name] = fields
    return found, parts[len(objects) :]


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


def _fields(name: str, part: Mapping[str, Any]) -> Fields | None:
    """The fields of one object; None when it may not be read. A part that failed for now says nothing about rights."""
    status, result = part["statusCode"], part["result"]
    if status in _NOT_READABLE:
        return None
    if status != 200 or result.get("name", name) != name:
        raise Unavailable(f"describe of {name} was answered with HTTP {status}; foretag asks again next time")
    return {field["name"]: field for field in result["fields"]}


def _is_readable(schema: Schema, fields: Fields, column: str) -> bool:
    parent, _, name = column.rpartition(".")
    if not parent:
        return name in fields
    return f"{parent}Id" in fields and name in schema.get(parent, {})
