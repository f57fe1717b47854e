"""The accounts a config names: `[[hubspot]]`, `[[mailchimp]]`, `[[salesforce]]`. Tokens are never in here."""

from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from sync.config_values import Day, Duration, OwnCron, OwnHours, Url

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_NAME_MEANING = "What you call this account: lower-case letters, digits and hyphens; unique in this file."
_SHARE_MEANING = "Share of the account's own daily calls that may be used, over reading and writing together."
_FULL_MEANING = "How often all contacts are read anew: shows what changed or went without the platform dating it."
_CALLS_MEANING = "Calls a day at most; 0 sets no number."


class Section(BaseModel):
    """A part of the config: frozen, refuses unknown keys, and never prints what was typed in."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)


Mode = Literal["shadow", "pilot", "full"]
MODES: tuple[Mode, ...] = ("shadow", "pilot", "full")
"""From the most careful to the boldest."""


class OwnSchedule(Section):
    """When the daemon reads and writes the account above, if not when all others are. Scoring is done once for all."""

    pull: OwnCron = Field("", description='Read what is new, as a cron line; "" is that of [schedule].')
    write: OwnCron = Field(
        "",
        description="Write what is planned, inside write.hours, as a cron line; the daemon then writes to this account "
        'at these times only. "" is that of [schedule].',
    )


class OwnWrite(Section):
    """When the account above may be written to, if not when all others may."""

    hours: OwnHours = Field(
        "same", description='In your time zone; "" for any time, "same" for those of write.hours in [write].'
    )
    days: list[Day] = Field([], description="Days of the week; [] is those of write.days in [write].")


class Account(Section):
    """One account on one platform."""

    kind: ClassVar[str]
    name: str
    mode: Literal["same", "shadow", "pilot", "full"] = Field(
        "same", description="same (as the mode at the top of the file), or a mode of its own: shadow, pilot or full."
    )
    schedule: OwnSchedule = Field(OwnSchedule(), description="Times of its own.")
    write: OwnWrite = Field(OwnWrite(), description="Hours and days of its own.")
    properties: list[str]
    daily_calls: int
    full_pull: Duration

    @property
    def secret_name(self) -> str:
        """The dotted name of its secret: `hubspot.token`, or `hubspot-shop-de.token` for the account `shop-de`."""
        named_after_kind = self.name == self.kind or self.name.startswith(f"{self.kind}-")
        return f"{self.name}.token" if named_after_kind else f"{self.kind}-{self.name}.token"

    @property
    def quota_share(self) -> float | None:
        """Share in (0, 1] of the platform's own daily quota that may be used; None where it has none."""
        return None

    @property
    def provision_secret_name(self) -> str:
        """A secret with more rights, used by `foretag provision` alone where there is one: `hubspot.provision`."""
        return f"{self.secret_name.removesuffix('.token')}.provision"

    @property
    def address(self) -> str | None:
        """Where its API answers; None for the platform's usual address."""
        raise NotImplementedError


class HubSpot(Account):
    """A HubSpot account. Its secret is a service key or a private app's token."""

    kind: ClassVar[str] = "hubspot"

    name: str = Field("hubspot", pattern=NAME, max_length=40, description=_NAME_MEANING)
    base_url: Url = Field("https://api.hubapi.com", description="Where the API answers.")
    api_version: Literal["v3", "2026-09"] = Field(
        "v3", description="Which paths to use; HubSpot ends support for v3 in September 2027."
    )
    tier: Literal["starter", "professional"] = Field(
        "professional", description="Your plan; starter (also for free accounts) paces calls at 100 in ten seconds."
    )
    daily_share: float = Field(0.5, gt=0, le=1, description=_SHARE_MEANING)
    daily_calls: int = Field(0, ge=0, description=_CALLS_MEANING)
    full_pull: Duration = Field(timedelta(days=7), description=_FULL_MEANING)
    properties: list[str] = Field(
        [], description="Contact properties to read besides the usual ones, for example those in exclude_when."
    )
    mail_history: bool = Field(
        False,
        description="Whether to read every date of a mail that HubSpot remembers, not only the first and the last: a "
        "call more for every 50 contacts at first, and later for every 50 who were mailed since.",
    )

    @property
    def quota_share(self) -> float:
        """Share in (0, 1] of the platform's own daily quota that may be used."""
        return self.daily_share

    @property
    def address(self) -> str:
        """Where its API answers."""
        return self.base_url


class Mailchimp(Account):
    """A Mailchimp account. Its secret is an API key."""

    kind: ClassVar[str] = "mailchimp"

    name: str = Field("mailchimp", pattern=NAME, max_length=40, description=_NAME_MEANING)
    server: str = Field(
        "", pattern=r"^(us\d{1,3})?$", description='Data centre such as "us6"; "" takes it from the end of the key.'
    )
    base_url: Url = Field("", description='Where the API answers; "" is https://SERVER.api.mailchimp.com/3.0.')
    audiences: list[str] = Field([], description="Ids of the audiences to use; [] is all of them.")
    result_hosts: list[str] = Field(
        ["mailchimp-api-batch.s3.amazonaws.com"],
        description="Hosts, besides Mailchimp's own, that results of its batches may be fetched from.",
    )
    stores: list[str] = Field([], description="Ids of the connected stores to read orders from; [] is all of them.")
    fire_automations: bool = Field(
        False, description="Whether automations may start by our tags; false sets them so that Mailchimp starts none."
    )
    daily_calls: int = Field(0, ge=0, description=_CALLS_MEANING)
    full_pull: Duration = Field(timedelta(days=7), description=_FULL_MEANING)
    properties: list[str] = Field(
        [], description="Merge tags to read besides the usual ones, for example those in exclude_when."
    )

    @property
    def address(self) -> str | None:
        """Where its API answers; None when the key alone tells."""
        return self.base_url or (f"https://{self.server}.api.mailchimp.com/3.0" if self.server else None)


class Salesforce(Account):
    """A Salesforce org. Its secret is CLIENT_ID:CLIENT_SECRET of a connected app, or an access token."""

    kind: ClassVar[str] = "salesforce"

    name: str = Field("salesforce", pattern=NAME, max_length=40, description=_NAME_MEANING)
    instance_url: Url = Field(
        min_length=1, description='The org\'s own address, such as "https://acme.my.salesforce.com".'
    )
    api_version: str = Field("62.0", pattern=r"^[5-7]\d\.0$", description="Version of the REST API.")
    objects: list[Literal["Contact", "Lead"]] = Field(
        ["Contact", "Lead"], min_length=1, description="Which records are people."
    )
    daily_share: float = Field(0.5, gt=0, le=1, description=_SHARE_MEANING)
    daily_calls: int = Field(0, ge=0, description=_CALLS_MEANING)
    full_pull: Duration = Field(timedelta(days=7), description=_FULL_MEANING)
    properties: list[str] = Field(
        [], description="Fields to read besides the usual ones, for example those in exclude_when."
    )

    @property
    def quota_share(self) -> float:
        """Share in (0, 1] of the platform's own daily quota that may be used."""
        return self.daily_share

    @property
    def address(self) -> str:
        """Where its API answers."""
        return self.instance_url
