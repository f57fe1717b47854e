"""The records a world is made of: what is real (orders, mailings, redemptions, demographics) and what is made up.

Real, from the CompleteJourney data: households, their baskets, campaigns, mailings, redemptions, demographics.
Made up, with a fixed seed: names, e-mail addresses, which platform a household is on, opt-outs, changed addresses.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Platform = Literal["hubspot", "mailchimp", "salesforce"]
PLATFORMS: tuple[Platform, ...] = ("hubspot", "mailchimp", "salesforce")


@dataclass(frozen=True, slots=True)
class Person:
    """One household, known to the shop from `joined` on. All instants are UTC."""

    household: int
    first_name: str
    last_name: str
    joined: datetime
    """When the contact record appeared: shortly before the first order."""
    home: Platform
    """The platform that holds this person's orders."""
    mailer: Platform
    """The platform that mails this person and counts the answers: Mailchimp where they are on it, else `home`."""
    emails: dict[Platform, str]
    """Address as written on each platform the person is on (case and blanks may differ between two platforms)."""
    demographics: dict[str, str] = field(default_factory=dict)
    moved: tuple[datetime, str] | None = None
    """When the address changed and the new one; the change happens on every platform the person is on."""
    opted_out: dict[Platform, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """One basket. `amount` is in US dollars, after discounts."""

    id: int
    household: int
    at: datetime
    amount: float
    lines: int


@dataclass(frozen=True, slots=True)
class Campaign:
    """One mailing campaign of the shop."""

    id: int
    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Send:
    """One household was mailed one campaign (at the campaign's start)."""

    campaign: int
    household: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Redemption:
    """A household redeemed coupons of a campaign on a day (one row per household, campaign and day)."""

    campaign: int
    household: int
    at: datetime


@dataclass(frozen=True, slots=True)
class World:
    """Everything that ever happens, each list sorted by time (people by `joined`)."""

    people: tuple[Person, ...]
    orders: tuple[Order, ...]
    campaigns: tuple[Campaign, ...]
    sends: tuple[Send, ...]
    redemptions: tuple[Redemption, ...]

    def on(self, platform: Platform) -> tuple[Person, ...]:
        """The people who have a record on `platform`."""
        return tuple(person for person in self.people if platform in person.emails)
