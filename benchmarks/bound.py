"""What no client could be faster than: calls that have to wait for one another, and rates that are kept."""

from collections.abc import Mapping
from math import ceil

from sandbox.people import Platform

TOLERANCE = 1.15
BURST, BURST_SECONDS = 190, 10.0
"""HubSpot lets an app send so many calls in any so many seconds."""


def chain(platform: Platform, contacts: int) -> int:
    """Calls of a full pull of `contacts` that have to come one after the other, in the platform's own paging.

    HubSpot: a cursor, 100 a page. Mailchimp: the audiences, the first page with the total, and then all other pages
    can be under way at once. Salesforce: what may be read, and then a locator, 2,000 a page.
    """
    return {
        "hubspot": ceil(contacts / 100),
        "mailchimp": min(3, 1 + ceil(contacts / 1_000)),
        "salesforce": 1 + ceil(contacts / 2_000),
    }[platform]


def most_seconds(chained: int, latency: float, serving: float, calls: Mapping[str, int]) -> float | None:
    """TOLERANCE times the longest wait: the chain's or HubSpot's rate; None when nothing is to be waited for.

    `serving` is the sandbox's own time of processor in seconds; it answers one call at a time, whoever asks.
    """
    chain_seconds = chained * latency + serving if latency else 0.0
    rate_seconds = (calls.get("hubspot", 0) - 1) // BURST * BURST_SECONDS
    return TOLERANCE * max(chain_seconds, rate_seconds) or None
