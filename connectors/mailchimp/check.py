"""Who am I, what may I do, what is missing: a few calls, and every failure is a finding."""

from collections.abc import Callable, Iterator, Sequence

from connectors.contract import FieldSpec, Finding, failed_finding, schema_finding
from connectors.errors import ConnectorError
from connectors.mailchimp.fields import Fields
from connectors.mailchimp.schema import Schema
from connectors.mailchimp.sdk import Api

_WRITERS = ("owner", "admin", "manager")


def check(api: Api, fields: Fields, schema: Schema, specs: Sequence[FieldSpec]) -> list[Finding]:
    """All findings; only the first one where the key is not accepted at all."""
    try:
        root = api.call(api.root.get_root, exclude_fields=["_links"])
    except ConnectorError as error:
        return [failed_finding(error)]
    role = root.get("role")
    finding = Finding("ok", f"Mailchimp account {root.get('account_name')}, role {role}")
    if role not in _WRITERS:
        text = f"{finding.text}: may not change contacts"
        finding = Finding("fail", text, "Make the key as a user with the role manager, admin or owner.")
    return [
        finding,
        *_caught(lambda: _audiences(fields, schema, specs)),
        *_caught(lambda: _stores(api)),
    ]


def _caught(findings: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from findings()
    except ConnectorError as error:
        yield failed_finding(error, "Look at the key's role, and at the ids in the config file.")


def _audiences(fields: Fields, schema: Schema, specs: Sequence[FieldSpec]) -> Iterator[Finding]:
    audiences = schema.audiences()
    if not audiences:
        yield Finding("fail", "the account has no audience", "Make one in Mailchimp.")
    for audience in audiences:
        columns = schema.columns(audience)
        missing = len(fields.merge.keys() - columns.fields.keys())
        if columns.room is not None and columns.room < missing:
            text = f"audience {audience} has room for {columns.room} more merge fields, {missing} are needed"
            yield Finding("fail", text, "Delete fields that nobody uses, or write a smaller profile.")
        seen = sorted(tag for tag in fields.merge.keys() & columns.fields.keys() if columns.fields[tag].get("public"))
        if seen:
            text = f"audience {audience}: subscribers can see {', '.join(seen)}"
            yield Finding("warn", text, "Hide them in the audience's field settings.")
    yield schema_finding(schema.drift(specs), provision_in_runs=True)


def _stores(api: Api) -> Iterator[Finding]:
    stores = api.call(api.ecommerce.stores, fields=["stores.id", "total_items"], count=1)["total_items"]
    if stores:
        yield Finding("ok", f"{stores} connected stores")
    else:
        yield Finding("warn", "no store is connected: there are no orders to learn from", "Connect your shop.")
