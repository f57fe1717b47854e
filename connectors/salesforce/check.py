"""Looks at an account: who foretag is there, what it may do, what is missing."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from connectors.contract import Account, Finding, failed_finding, schema_finding
from connectors.errors import ConnectorError
from connectors.salesforce.fields import drift
from connectors.salesforce.people import NEEDED
from connectors.salesforce.schema import describe, readable

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

_ACTIVITY = ("Opportunity", "OpportunityContactRole", "CampaignMember", "Task", "Event")
_QUOTA_WARNING = 0.8
"""Share of the org's daily calls above which a warning is due."""


def findings(sf: "Salesforce", account: Account, objects: Sequence[str]) -> list[Finding]:
    """Findings in the order a human would look; a failure ends the list."""
    found = []
    try:
        found += [_identity(sf), *_rights(sf, objects)]
        wrong = drift(sf, account.fields, account.prefix, objects)
        found.append(schema_finding(wrong, provision_in_runs=False))
        found += _quota(sf)
    except ConnectorError as error:
        found.append(failed_finding(error))
    return found


def _identity(sf: "Salesforce") -> Finding:
    user = sf.oauth2("userinfo") or {}
    return Finding("ok", f"signed in as {user.get('preferred_username')}, org {user.get('organization_id')}")


def _rights(sf: "Salesforce", objects: Sequence[str]) -> Iterator[Finding]:
    schema = describe(sf, [*objects, *_ACTIVITY, "Individual"])
    for name in [*objects, *_ACTIVITY]:
        if name not in schema:
            fix = f"give foretag's user the right to read {name}, with View All, in a permission set"
            yield Finding("fail" if name in objects else "warn", f"{name} may not be read", fix)
    for name in objects:
        hidden = sorted({*NEEDED} - {*readable(schema, name, NEEDED)}) if name in schema else []
        if hidden:
            fix = "let foretag's user read these fields, in a permission set"
            yield Finding("fail", f"{name}: {', '.join(hidden)} may not be read, so nobody can be pulled", fix)
        if "Individual" in schema and name in schema and "IndividualId" not in schema[name]:
            yield Finding(
                "warn",
                f"{name}: the field Individual is hidden, so nobody's objections to profiling are known",
                "make Individual readable for foretag's user (field-level security)",
            )
        if name in schema and "HasOptedOutOfEmail" not in schema[name]:
            yield Finding(
                "warn",
                f"{name}: the field Email Opt Out is hidden, so nobody's consent is known",
                "make Email Opt Out readable for foretag's user (field-level security)",
            )


def _quota(sf: "Salesforce") -> list[Finding]:
    """From the counter that comes with every answer."""
    usage = sf.api_usage.get("api-usage")
    if usage is None:
        return []
    full = usage.used >= _QUOTA_WARNING * usage.total
    text = f"{usage.used} of the org's {usage.total} calls in 24 hours are used"
    return [Finding("warn" if full else "ok", text, "other integrations use most of them" if full else "")]
