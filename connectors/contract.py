"""What a platform adapter must offer. Adding a platform is one folder and one line in the registry."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from connectors.budget import Budget
from connectors.errors import ConnectorError, Retry
from connectors.records import Activity, Contact, Value


class FieldType(StrEnum):
    """The types a field of ours can have; each adapter maps them to what its platform has."""

    NUMBER = "number"
    """A float, written with at most two decimals."""
    TEXT = "text"
    """At most 255 characters."""
    CHOICE = "choice"
    """One of `options`."""
    TAGS = "tags"
    """Any number of `options`, as a sorted tuple: what the platform shows as tags."""
    DATE = "date"
    """`YYYY-MM-DD`."""
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field foretag owns on a platform. The adapter derives the platform's own name from prefix and key."""

    key: str
    """Lower-case with underscores, e.g. `buy_score`: `ft_buy_score` on HubSpot, `FT_Buy_Score__c` on Salesforce."""
    short: str
    """At most 7 capital letters: `FT_` + short is the merge tag on Mailchimp (10 characters at most)."""
    label: str
    type: FieldType
    description: str
    """Says in one sentence what the value means and who writes it."""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a stream. Once it is stored, `cursor` resumes right after it."""

    stream: str
    cursor: str
    """Opaque to everyone but the adapter. The cursor of the last page is where the next pull starts."""
    contacts: tuple[Contact, ...] = ()
    activities: tuple[Activity, ...] = ()
    whole: tuple[str, ...] = ()
    """Beginnings of activity ids: of those the page brings all there are, and any other one is gone."""
    total: int | None = None
    """Rows the stream will bring in all, where the platform says so."""


@dataclass(frozen=True, slots=True)
class Change:
    """New values for one contact: absolute, only the keys that change. None empties a field."""

    object: str
    id: str
    email: str | None
    after: Mapping[str, Value]
    before: Mapping[str, Value] = field(default_factory=dict)
    """What the same keys held, as last read; tags are added and removed by the difference."""


@dataclass(frozen=True, slots=True)
class Held:
    """What our fields hold on one contact right now."""

    object: str
    id: str
    owned: Mapping[str, Value]
    """By key; empty ones are left out."""


class Result(StrEnum):
    """What became of one change."""

    WRITTEN = "written"
    REJECTED = "rejected"
    """The platform refuses the values of this contact; see the reason."""
    GONE = "gone"
    """The contact is deleted or merged away."""
    UNKNOWN = "unknown"
    """The platform did not say; read it again before believing anything."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the platform said about one change."""

    object: str
    id: str
    result: Result
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check: level `ok`, `warn` or `fail`, what was found, and what to do about it."""

    level: str
    text: str
    fix: str = ""


NO_ANSWER = "look whether the platform is up and this machine online (a proxy, a firewall), then foretag doctor again"
"""What to do about a platform that does not answer; rights and tokens are not to blame."""


def failed_finding(error: ConnectorError, fix: str = "", level: str = "fail") -> Finding:
    """An error as one line of a check; `fix` is what helps where the platform did answer."""
    return Finding(level, str(error), NO_ANSWER if isinstance(error, Retry) else fix)


BY_ADMIN = "foretag provision --print shows an administrator what to make"
"""The other way where fields are missing and a run may not make them; what is missing says the first by itself."""


def schema_finding(drift: Sequence[str], *, provision_in_runs: bool) -> Finding:
    """The sentences of `Connector.drift` as one line of a check; what is merely missing a run may make by itself."""
    if not drift:
        return Finding("ok", "all our fields and tags are in place")
    by_itself = "nothing, before the first write: it makes what is missing; changed ones are named when a run stops"
    return Finding(
        "warn",
        f"{len(drift)} of our fields and tags are missing or were changed. The first: {drift[0]}",
        f"{by_itself} at them" if provision_in_runs else BY_ADMIN,
    )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the platform can do, as data."""

    write_batch: int
    """Contacts per write call."""
    read_batch: int
    """Contacts per read call."""
    contact_streams: tuple[str, ...] = ("contacts",)
    """The streams that bring contacts; the others bring activities only."""
    write_by: str | None = None
    """The property by which changes are best sorted before they are written, so that they block each other less."""
    provision_in_runs: bool = True
    """Whether a run may make our missing fields itself; False where that takes rights over the whole platform."""
    silent_tags: bool = False
    """Whether tags are set so that no automation of the platform starts by them."""


class Connector(Protocol):
    """One account on one platform. Every method may raise `connectors.errors.Stop` and its kinds."""

    kind: str
    """`hubspot`, `mailchimp` or `salesforce`."""
    capabilities: Capabilities
    streams: tuple[str, ...]
    """The parts a pull consists of, each with a cursor of its own; they may be pulled in parallel."""

    @property
    def calls(self) -> Counter[str]:
        """Calls sent so far, by the name of the allow-list rule they fell under."""

    def check(self) -> list[Finding]:
        """Who am I, what may I do, what is missing. Costs a few calls; raises nothing, failures are findings."""

    def pull(self, stream: str, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Pages of everything that changed since `cursor` (all, for None), as of `until` (UTC).

        Yields at least one page. Re-pulling any page brings the same records; a cursor only ever moves over
        rows that were yielded before it.
        """

    def drift(self, fields: Sequence[FieldSpec]) -> list[str]:
        """What is wrong with our fields on the platform, one sentence with its repair each; empty when all is well."""

    def provision(self, fields: Sequence[FieldSpec]) -> list[str]:
        """Create what is missing of our fields (idempotent) and say what was created; nothing else is touched.

        NotAllowed unless the account was opened to provision.
        """

    def package(self, fields: Sequence[FieldSpec]) -> dict[str, str]:
        """What an administrator needs to make `fields` without giving us the right to: file name → text.

        A file name may hold folders (`objects/Contact.object`). Sends nothing.
        """

    def held(self, changes: Sequence[Change]) -> Iterator[list[Held]]:
        """What our fields hold right now on the contacts of `changes`, `capabilities.read_batch` a call.

        Who is gone or cannot be written to (any more) is left out; nobody comes twice.
        """

    def members(self, name: str) -> Iterator[str]:
        """Ids of the contacts on the list (HubSpot) or in the campaign (Salesforce) with this name or id.

        Reads only, page by page; an id may come twice, and somebody merged may be there by an old one. Stop, saying
        what to do, where there is none, where there are several, or where the platform has no such thing; NotPermitted
        where it may not be read.
        """

    def predict_calls(self, changes: Sequence[Change]) -> int:
        """How many calls `write` will cost."""

    def write(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Write the changes batch by batch; after each batch, one outcome per contact of it.

        Never creates a contact, never touches a field or tag that is not ours. Safe to repeat.
        """

    def remove(self, fields: Sequence[FieldSpec], *, dry_run: bool = False) -> list[str]:
        """Take `fields` with their values, and our tags, groups and permission sets off the platform.

        Says what went; with `dry_run`, what would go. Nothing else is ever removed. Safe to repeat. Raises Stop, naming
        what is left, when the platform keeps something; everything else is gone then. NotAllowed unless the account was
        opened for cleanup.
        """


@dataclass(frozen=True, slots=True)
class Account:
    """One account on one platform, as the admin configured it, with its secret already found."""

    kind: str
    name: str
    token: str = field(repr=False)
    """HubSpot and Salesforce: a bearer token, or `client_id:client_secret`; Mailchimp: the API key."""
    base_url: str | None = None
    """Where the platform is, when not at its usual address (a sandbox)."""
    options: Mapping[str, object] = field(default_factory=dict)
    """What else the platform's block in the config file holds."""
    prefix: str = "ft_"
    """Every field of ours begins with this (in the platform's own way of writing)."""
    fields: tuple[FieldSpec, ...] = ()
    """Our fields: they are read in every pull and may be written."""
    provision: bool = False
    """Whether missing fields of ours may be made on the platform. No other connector can send what makes them."""
    budget: Budget | None = field(default=None, repr=False, compare=False)
    """What the account may spend a day; None for no limit."""
    cleanup: bool = False
    """Whether these fields may be removed from the platform. No other connector can send a delete of any kind."""
