"""The made-up side of a household: its name, address, platforms, a move, opt-outs.

Everything comes from the seed and the household's number alone, so that adding households changes nobody.
"""

import unicodedata
from datetime import UTC, datetime, timedelta
from random import Random

from sandbox.names import DOMAINS, FIRST_NAMES, HOSTILE_NAMES, LAST_NAMES
from sandbox.people import Person, Platform

YEAR_END = datetime(2018, 1, 1, tzinfo=UTC)
HOSTILE_EVERY = 97
MOVED_SHARE = 0.03
OPTED_OUT_SHARE = 0.05

_SHARES: tuple[tuple[float, tuple[Platform, ...]], ...] = (
    (0.1215, ("hubspot",)),
    (0.4127, ("mailchimp",)),
    (0.3074, ("salesforce",)),
    (0.0608, ("hubspot", "mailchimp")),
    (0.0446, ("hubspot", "salesforce")),
    (0.0530, ("mailchimp", "salesforce")),
)


def choose_platforms(household: int, seed: int) -> tuple[Platform, ...]:
    """The one or two platforms a household of the data set is on."""
    dice = Random(f"platforms:{seed}:{household}")
    return dice.choices([names for _, names in _SHARES], [share for share, _ in _SHARES])[0]


def make_person(
    household: int, joined: datetime, demographics: dict[str, str], platforms: tuple[Platform, ...], seed: int
) -> Person:
    """The person behind `household`; the same for the same arguments in every world."""
    dice = Random(f"{seed}:{household}")
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    if household % HOSTILE_EVERY == 13:
        first, last = HOSTILE_NAMES[household // HOSTILE_EVERY % len(HOSTILE_NAMES)]
    home = dice.choice(platforms)
    domain, next_domain = dice.sample(DOMAINS, 2)
    local = _local_part(first, last, household, dice)
    emails: dict[Platform, str] = dict.fromkeys(platforms, f"{local}@{domain}")
    if len(platforms) == 2:
        emails[platforms[1]] = f"{local.title()}@{domain.capitalize()}"
    moves = dice.random() < MOVED_SHARE
    moved_at = _between(joined, dice)
    opted_out: dict[Platform, datetime] = {}
    for platform in platforms:
        leaves, at = dice.random() < OPTED_OUT_SHARE, _between(joined, dice)
        if leaves:
            opted_out[platform] = at
    return Person(
        household=household,
        first_name=first,
        last_name=last,
        joined=joined,
        home=home,
        mailer="mailchimp" if "mailchimp" in platforms else home,
        emails=emails,
        demographics=demographics,
        moved=(moved_at, f"{local}@{next_domain}") if moves else None,
        opted_out=opted_out,
    )


def _local_part(first: str, last: str, household: int, dice: Random) -> str:
    """An address's left side; the household's number at its end keeps it unique."""
    given, family = _ascii(first)[:20] or "kund", _ascii(last)[:20] or "konto"
    style = dice.randrange(3)
    name = (f"{given}.{family}", f"{given[0]}{family}", f"{given}_{family[0]}")[style]
    return f"{name}{household}"


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ø", "o")).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if "a" <= letter <= "z")


def _between(joined: datetime, dice: Random) -> datetime:
    """A whole minute between a day after joining and the end of the data's year (never before that day)."""
    first = joined + timedelta(days=1)
    minutes = max(0, int((YEAR_END - first).total_seconds() // 60))
    return first.replace(second=0, microsecond=0) + timedelta(minutes=dice.randint(1, minutes + 1))
