"""Who am I, what may I do, what is missing: a few calls, and every failure is a finding."""

from collections.abc import Callable, Iterator, Sequence

from connectors.contract import FieldSpec, Finding, failed_finding, schema_finding
from connectors.errors import ConnectorError, NotAuthorised
from connectors.hubspot.fields import Fields
from connectors.hubspot.forms import Forms
from connectors.hubspot.sdk import RAW, Api

_SCOPES = (
    "In HubSpot, give the key the scopes crm.objects.contacts.read and .write, crm.schemas.contacts.read and .write, "
    "crm.objects.deals.read and forms."
)


def check(api: Api, fields: Fields, specs: Sequence[FieldSpec]) -> list[Finding]:
    """All findings; only the first one where the token is not accepted at all."""
    try:
        account = api.get("/account-info/v3/details")
    except ConnectorError as error:
        return [failed_finding(error, "" if isinstance(error, NotAuthorised) else _SCOPES)]
    name = f"account {account.get('portalId')}, {account.get('companyCurrency')}, {account.get('timeZone')}"
    return [
        Finding("ok", f"HubSpot {name}"),
        *_tried("contacts can be read", lambda: api.contacts.get_page(limit=1, **RAW)),
        *_tried("deals can be read", lambda: api.deals.get_page(limit=1, **RAW)),
        *_tried("forms can be read", Forms(api).forms, "warn", "Without it, form submissions are left out. "),
        *_calls_left(api),
        *_schema(api, fields, specs),
    ]


def _tried(what: str, call: Callable[[], object], level: str = "fail", cost: str = "") -> Iterator[Finding]:
    try:
        call()
    except ConnectorError as error:
        yield failed_finding(error, cost + _SCOPES, level)
    else:
        yield Finding("ok", what)


def _calls_left(api: Api) -> Iterator[Finding]:
    """HubSpot counts the calls of service keys and private apps; for other tokens it has no number."""
    try:
        usage = api.get("/account-info/v3/api-usage/daily/private-apps")
    except ConnectorError:
        return
    for row in usage.get("results") or [usage]:
        used, limit = row.get("currentUsage"), row.get("usageLimit")
        if isinstance(used, int) and isinstance(limit, int):
            level = "warn" if used > limit * 0.9 else "ok"
            yield Finding(level, f"{used:,} of {limit:,} API calls used today", "" if level == "ok" else "Wait a day.")


def _schema(api: Api, fields: Fields, specs: Sequence[FieldSpec]) -> Iterator[Finding]:
    try:
        problems = fields.drift(api, specs)
        room = _room(api) if problems else None
    except ConnectorError as error:
        yield failed_finding(error, _SCOPES)
        return
    yield schema_finding(problems, provision_in_runs=True)
    missing = sum(" is missing" in problem for problem in problems)
    if room is not None and missing > room:
        text = f"HubSpot has room for {room} more contact properties, {missing} are needed"
        yield Finding("fail", text, "Delete properties that nobody uses, or choose a smaller profile.")


def _room(api: Api) -> int | None:
    """How many more contact properties the account may have, where it says so."""
    try:
        answer = api.get("/crm/v3/limits/custom-properties")
    except ConnectorError:
        return None
    for row in answer.get("byObjectType") or []:
        if row.get("objectTypeId") == "0-1" and isinstance(row.get("limit"), int):
            return int(row["limit"]) - int(row.get("usage") or 0)
    return None
