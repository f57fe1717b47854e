"""Who is in a campaign."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.naming import the_one
from connectors.salesforce.schema import demand, describe

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

_NEEDED = {"Campaign": ("Id", "Name"), "CampaignMember": ("CampaignId", "ContactId", "LeadId")}
_ID = re.compile(r"701(\w{12}|\w{15})")
_SHORT = 15
"""The id without the letters that make it safe where capitals do not count."""


def members(sf: "Salesforce", wanted: str) -> Iterator[str]:
    """Ids of the contacts and leads in the campaign with this name or id. Raises Stop as `the_one` does.

    NotPermitted where campaigns or their members may not be read. A converted lead counts as the contact it became.
    """
    from simple_salesforce.format import format_soql

    schema = describe(sf, list(_NEEDED))
    for object_, columns in _NEEDED.items():
        demand(schema, object_, columns)
    campaign = _campaign(sf, wanted)
    rows = sf.query_all_iter(
        format_soql("SELECT ContactId, LeadId FROM CampaignMember WHERE CampaignId = {}", campaign)
    )
    yield from (str(id_) for row in rows if (id_ := row["ContactId"] or row["LeadId"]))


def _campaign(sf: "Salesforce", wanted: str) -> str:
    from simple_salesforce.format import format_soql

    by_id = format_soql(" OR Id = {}", wanted) if _ID.fullmatch(wanted) else ""
    found = _names(sf, format_soql(" WHERE Name = {}", wanted) + by_id)
    if any(wanted in (id_, id_[:_SHORT], name) for id_, name in found.items()):
        wanted = next((id_ for id_ in found if id_[:_SHORT] == wanted), wanted)
        return the_one("campaign", wanted, found)
    return the_one("campaign", wanted, _names(sf))


def _names(sf: "Salesforce", where: str = "") -> dict[str, str]:
    return {row["Id"]: row["Name"] for row in sf.query_all_iter(f"SELECT Id, Name FROM Campaign{where}")}  # noqa: S608 - quoted by format_soql
