"""What each of the nine segments is for: who is in it, what to send, what to avoid, when to start."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Playbook:
    """Advice for one segment, in a marketer's words; `level` orders segments from lost (0) to best (6)."""

    level: int
    who: str
    goal: str
    send: str
    avoid: str
    trigger: str


PLAYBOOKS: Mapping[str, Playbook] = MappingProxyType(
    {
        "Champions": Playbook(
            6,
            "Buy often, bought lately and are worth the most.",
            "Keep them, and let them bring others.",
            "Early access, a thank-you by name, an invitation to recommend you or to write a review.",
            "Discounts: they would have bought anyway.",
            "Each time someone becomes a Champion; at most once in six months.",
        ),
        "Loyal": Playbook(
            5,
            "Come back regularly and are worth more than most.",
            "One more category, or a fuller basket.",
            "What goes well with their last order, loyalty points, news before everyone else.",
            "The same newsletter as for everybody; price as the only argument.",
            "A week before their usual gap between orders is over.",
        ),
        "Rising": Playbook(
            4,
            "Their chance to buy or their value has been growing.",
            "Turn a good phase into a habit.",
            "Bestsellers of the category they just discovered, a reason to return within the month.",
            "Long surveys and anything that slows down the next order.",
            "Each time someone becomes Rising; repeat is fine.",
        ),
        "Promising": Playbook(
            3,
            "Show interest or bought a little; the chance of more is good.",
            "The next order, soon.",
            "Advice on choosing, customer stories, a small one-time reason to act.",
            "A large discount as the first thing they ever hear from you.",
            "Once, within a week of becoming Promising.",
        ),
        "New": Playbook(
            3,
            "Known for too short a time to judge.",
            "A good start and a second visit.",
            "A short welcome series: how it works, who you are, what others begin with.",
            "Selling in every message; more than three messages in the first two weeks.",
            "Once per person, on the day they become New.",
        ),
        "Steady": Playbook(
            3,
            "Buy now and then, without going up or down.",
            "Stay in mind at little cost.",
            "Your regular newsletter and seasonal offers.",
            "Extra campaigns: they change little here and tire people.",
            "No trigger of its own: the calendar is enough.",
        ),
        "Cooling": Playbook(
            2,
            "Still customers, but later than their own habit.",
            "Bring them back before they slip away.",
            "A reminder of what they liked, what is new since, a question whether something went wrong.",
            "Waiting another quarter; a big discount before a friendly word.",
            "Within three days of becoming Cooling; once per quarter.",
        ),
        "At risk": Playbook(
            1,
            "Used to be worth a lot and have been silent for long.",
            "Win back the valuable ones, by hand if need be.",
            "One strong, personal message with a small reward; a call for the largest.",
            "Large discounts, several reminders in a row, messages that blame.",
            "Once, on becoming At risk; stop when they order or after two messages.",
        ),
        "Lost": Playbook(
            0,
            "Gone for several times their usual gap.",
            "One honest try, then peace.",
            "A single message: what has changed, and an easy way to say no.",
            "Regular mailings: they cost money and harm delivery to everyone else.",
            "One time per person; afterwards leave them out of campaigns.",
        ),
    }
)


def direction(origin: str | None, target: str | None) -> str:
    """Which way a move goes: up, down, sideways, joined, left or stayed (segments by key, None = not scored)."""
    if origin == target:
        return "stayed"
    if origin is None:
        return "joined"
    if target is None:
        return "left"
    before, after = PLAYBOOKS.get(origin), PLAYBOOKS.get(target)
    if before is None or after is None or before.level == after.level:
        return "sideways"
    return "up" if after.level > before.level else "down"
