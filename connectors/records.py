"""What every adapter yields, whatever the platform: contacts, what they did, and what they agreed to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Value = str | float | bool | tuple[str, ...] | None
"""A field value: text, number, yes/no, a set of tags (sorted tuple), or empty."""


class Consent(StrEnum):
    """What a contact agreed to, from the mildest to the strictest."""

    GRANTED = "granted"
    UNKNOWN = "unknown"
    """The platform does not say, or the token may not read it. Never taken for a yes."""
    OPTED_OUT = "opted_out"
    """No marketing: not scored, not in the training data, our fields are emptied."""
    NO_PROFILING = "no_profiling"
    """No predictions about this person: never scored, not in the training data."""

    @classmethod
    def strictest(cls, consents: "list[Consent]") -> "Consent":
        """The strictest of several; GRANTED for none."""
        return max(consents, key=_STRICTNESS.index, default=cls.GRANTED)


_STRICTNESS = tuple(Consent)


class ActivityKind(StrEnum):
    """The kinds of dated facts about a contact."""

    ORDER = "order"
    REFUND = "refund"
    DEAL_LOST = "deal_lost"
    SEND = "send"
    OPEN = "open"
    CLICK = "click"
    RESPONSE = "response"
    FORM = "form"
    VISIT = "visit"
    TOUCH = "touch"
    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"


@dataclass(frozen=True, slots=True)
class Contact:
    """One record of a person on one platform, as it stands now."""

    object: str
    """Where it lives: `contacts` (HubSpot), an audience id (Mailchimp), `Contact` or `Lead` (Salesforce)."""
    id: str
    """The platform's immutable id: HubSpot record id, Mailchimp contact_id, Salesforce 18-character Id."""
    email: str | None
    consent: Consent
    created_at: datetime | None = None
    modified_at: datetime | None = None
    other_emails: tuple[str, ...] = ()
    properties: Mapping[str, str | float | bool | None] = field(default_factory=dict)
    """The fields that are not ours."""
    owned: Mapping[str, Value] = field(default_factory=dict)
    """Our fields by `FieldSpec.key`, in the form `Change.after` would give them; empty fields are left out."""
    deleted: bool = False
    writable: bool = True
    """False where the platform refuses or we must not write: archived, cleaned, a converted lead."""
    merged_into: str | None = None
    """Id of the surviving record, where this one was merged away."""
    aliases: tuple[str, ...] = ()
    """Ids that were merged into this record."""


@dataclass(frozen=True, slots=True)
class Activity:
    """One dated fact about a contact. Told by `contact_id`, or by `email` where the platform knows only that."""

    id: str
    """Unique within one account, the same on every pull."""
    kind: ActivityKind
    at: datetime
    """When it happened (UTC)."""
    contact_id: str | None = None
    email: str | None = None
    amount: int | None = None
    """Money in cents (hundredths of `currency`); None where the fact has no price."""
    currency: str | None = None
    campaign: str | None = None
    machine: bool = False
    """Done by a mail scanner or proxy, not by a human."""
    removed: bool = False
    """The platform no longer has it (deleted, cancelled): forget it."""
