"""Leads that never became customers: made up with a fixed seed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

FIRST_LEADS = datetime(2017, 1, 15, tzinfo=UTC)
"""When the shop began to keep leads."""
_COUNT, _SEED, _LAST_DAY = 40, 20170115, 300
_FIRST_NAMES = ("Ada", "Bruno", "Carla", "Dario", "Elsa", "Felix", "Greta", "Hugo", "Ines", "Jonas")
_LAST_NAMES = ("Abel", "Brandt", "Castro", "Duval", "Ekman", "Ferro", "Gallo", "Holm", "Ivers", "Jansen")
_SOURCES = ("Web", "Phone Inquiry", "Purchased List")


@dataclass(frozen=True, slots=True)
class Prospect:
    """Someone who showed interest once. `number` is unique among prospects."""

    number: int
    first_name: str
    last_name: str
    email: str
    source: str
    at: datetime
    given_up: datetime | None
    """When the shop stopped trying; None while it has not."""


def make_prospects() -> tuple[Prospect, ...]:
    """About 40 people, always the same, in the order they appeared."""
    random = Random(_SEED)
    found = []
    for number in range(_COUNT):
        first, last = random.choice(_FIRST_NAMES), random.choice(_LAST_NAMES)
        at = FIRST_LEADS + timedelta(days=random.randrange(_LAST_DAY), minutes=random.randrange(24 * 60))
        given_up = at + timedelta(days=random.randrange(20, 60)) if random.random() < 0.5 else None
        email = f"{first}.{last}.{number}@prospect.example".lower()
        found.append(Prospect(number, first, last, email, random.choice(_SOURCES), at, given_up))
    return tuple(sorted(found, key=lambda each: each.at))
