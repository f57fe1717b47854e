"""The sections that name people by what they have on a platform: the pilot, and who is never scored."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sync.config_accounts import Section
from sync.config_segments import Segment
from sync.config_values import Share

ROSTERS = {"hubspot": "list", "salesforce": "campaign"}
"""What a platform calls its own lists of people, by kind."""


@dataclass(frozen=True, slots=True)
class Mark:
    """People on `account` (a name or a kind) with this property value or tag, on this list or in this campaign."""

    account: str
    what: Literal["property", "tag", "list", "campaign"]
    name: str
    value: str = ""

    @property
    def is_roster(self) -> bool:
        """Whether only the platform knows who that is: who is on a list stands in no contact."""
        return self.what in ROSTERS.values()


def _marks(rules: list[str]) -> list[str]:
    for rule in rules:
        if _mark(rule).is_roster:
            raise ValueError("is a list, which would keep nobody out while it cannot be read: name a property or tag")
    return rules


def _pilot_marks(rules: list[str]) -> list[str]:
    for rule in rules:
        _mark(rule)
    return rules


def _mark(rule: str) -> Mark:
    if found := re.fullmatch(r"([a-z0-9-]+):(list|campaign):\s*(\S.*?)\s*", rule):
        return Mark(found[1], "list" if found[2] == "list" else "campaign", found[3])
    if found := re.fullmatch(r"([a-z0-9-]+):property:(\w+)=(.+)", rule):
        return Mark(found[1], "property", found[2], found[3])
    if found := re.fullmatch(r"([a-z0-9-]+):tag:(.+)", rule):
        return Mark(found[1], "tag", found[2])
    raise ValueError(
        'should look like "hubspot:property:NAME=VALUE", "mailchimp:tag:NAME" or, for a pilot, "hubspot:list:NAME"'
    )


Marks = Annotated[list[str], AfterValidator(_marks)]
PilotMarks = Annotated[list[str], AfterValidator(_pilot_marks)]
"""Lists and campaigns too."""


class Pilot(Section):
    """Who is written to while mode is "pilot". Whoever was chosen stays in for as long as the pilot lasts."""

    share: Share = Field(0.2, gt=0, le=1, description="Share of people; the choice is sticky and grows with the share.")
    only: PilotMarks = Field(
        [],
        description="Take that share of the people with one of these properties (such as an owner) or tags, on one of "
        'these HubSpot lists or in one of these Salesforce campaigns: "hubspot:property:hubspot_owner_id=77", '
        '"mailchimp:tag:Friends", "hubspot:list:Spring pilot", "salesforce:campaign:Spring" (by name or id); instead '
        "of the kind the name of one account may stand. [] is of everybody.",
    )
    segments: list[Segment] = Field(
        [], description='Take it of the people in these segments, such as ["At risk"]; [] is of all.'
    )

    @property
    def marks(self) -> tuple[Mark, ...]:
        """`only`, parsed."""
        return tuple(_mark(rule) for rule in self.only)


class Privacy(Section):
    """Who is never scored."""

    exclude_when: Marks = Field(
        [],
        description='Never score people with this property value or tag: "hubspot:property:NAME=VALUE", '
        '"mailchimp:tag:NAME"; instead of the kind the name of one account may stand.',
    )

    @property
    def exclusions(self) -> tuple[Mark, ...]:
        """`exclude_when`, parsed."""
        return tuple(_mark(rule) for rule in self.exclude_when)
