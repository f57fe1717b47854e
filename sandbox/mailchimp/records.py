"""What the pretended account keeps: members, merge fields, tags, mailings with their events, orders, batches."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5

LIST_ID = "4f2a9c17be"
LIST_NAME = "Customers"
STORE_ID = "cornershop"
DATACENTER = "us1"
API_KEY = f"0123456789abcdef0123456789abcdef-{DATACENTER}"
VIEWER_KEY = f"fedcba9876543210fedcba9876543210-{DATACENTER}"
"""The key of a user who may look at everything and change nothing."""

MergeValue = str | int | float


def digest(*parts: object) -> str:
    """A stable 32-digit hexadecimal id made of `parts`."""
    return md5(":".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def address_hash(email: str) -> str:
    """The id a member has while the address is `email`."""
    return digest(email.lower())


def share(*parts: object) -> float:
    """A stable number in [0, 1) made of `parts`: the pretended platform's dice."""
    return int(digest(*parts)[:13], 16) / 16**13


def stamp(at: datetime) -> str:
    """`at` the way the API writes instants: whole seconds, UTC."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat()


@dataclass(slots=True)
class Member:
    """One contact of the audience. `contact_id` never changes; the hash of the address does."""

    contact_id: str
    email: str
    status: str
    opted_at: str
    last_changed: str
    web_id: int
    source: str
    merge: dict[str, MergeValue] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)
    """Tag id → instant it was added."""
    vip: bool = False
    language: str = ""
    email_type: str = "html"
    unsubscribe_reason: str = ""
    compliance: bool = False
    """Left by themselves or bounced: the API may not subscribe them again."""

    @property
    def id(self) -> str:
        return address_hash(self.email)


@dataclass(slots=True)
class MergeField:
    """One column of the audience."""

    merge_id: int
    tag: str
    name: str
    type: str
    required: bool = False
    default_value: str = ""
    public: bool = False
    help_text: str = ""
    choices: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Segment:
    """A static segment, which is what a tag is."""

    id: int
    name: str
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Event:
    """What a recipient did with a mailing. `machine` marks opens that are recognised as a mail program's own."""

    action: str
    at: str
    ip: str
    url: str = ""
    machine: bool = False


@dataclass(slots=True)
class Mailing:
    """One sent campaign: recipients by contact id, each with what they did (perhaps nothing)."""

    id: str
    web_id: int
    title: str
    sent_at: str
    recipients: dict[str, list[Event]] = field(default_factory=dict)
    unsubscribes: dict[str, str] = field(default_factory=dict)
    """Contact id → instant."""


@dataclass(slots=True)
class Customer:
    """A buyer as the connected store knows them. `spent` is in US dollars."""

    id: str
    contact_id: str
    email: str
    first_name: str
    last_name: str
    created_at: str
    updated_at: str
    orders: int = 0
    spent: float = 0.0


@dataclass(slots=True)
class Order:
    """One order of the connected store. `total` is in US dollars."""

    id: str
    customer: Customer
    total: float
    lines: int
    processed_at: str
    updated_at: str
    campaign_id: str
    financial_status: str = "paid"
    cancelled_at: str = ""
