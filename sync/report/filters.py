"""The filter a marketer copies into a platform to reach one segment."""

from collections.abc import Iterable
from dataclasses import dataclass

from sync.report.data import Platform

PLATFORM_NAMES: dict[Platform, str] = {
    "hubspot": "HubSpot",
    "mailchimp": "Mailchimp",
    "salesforce": "Salesforce",
    "files": "CSV file",
}


@dataclass(frozen=True)
class Filter:
    """Where it goes and the text to copy."""

    platform: str
    text: str


def filters(segment: str, platforms: Iterable[Platform], *, prefix: str, without_control: bool) -> tuple[Filter, ...]:
    """One filter per connected platform; `without_control` leaves the control group out of the campaign."""
    connected = set(platforms)
    return tuple(
        Filter(name, _text(platform, segment, prefix, without_control))
        for platform, name in PLATFORM_NAMES.items()
        if platform in connected
    )


def _text(platform: Platform, segment: str, prefix: str, without_control: bool) -> str:
    short = prefix.rstrip("_").upper()
    texts: dict[Platform, tuple[str, str]] = {
        "hubspot": (f"{prefix}segment is any of {segment}", f" AND {prefix}control_group is not Yes"),
        "mailchimp": (f"Tags: contact is tagged {short}: {segment}", f" AND contact is not tagged {short}: Control"),
        "salesforce": (f"{short}_Segment__c equals {segment}", f" AND {short}_Control_Group__c equals False"),
        "files": (f"{prefix}segment = {segment}", f" AND {prefix}control_group is not Yes"),
    }
    reach, leave_out = texts[platform]
    return reach + leave_out if without_control else reach
