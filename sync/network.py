"""Every host this installation may contact, and what for. Contacts nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.errors import ConnectorError
from sync import messages, secrets
from sync.config import Config
from sync.config_accounts import Account, Mailchimp
from sync.errors import ForetagError


@dataclass(frozen=True, slots=True)
class Outbound:
    """One host (HOST, or HOST:PORT), and what it is contacted for. Where it cannot be told yet, `host` says so."""

    host: str
    why: str


def outbound(config: Config) -> Iterator[Outbound]:
    """The hosts, in the order of the config. There is no other: no updates, no statistics of use."""
    for account in config.accounts:
        yield from _of_account(account)
    for place in config.alerts.to:
        try:
            found = messages.hosts(place) or [f"(the servers of the service behind {secrets.of_alert(place)})"]
        except ForetagError:
            found = [f"(unknown: foretag secret set {secrets.of_alert(place)})"]
        for host in found:
            yield Outbound(host, f"alerts to {place}")
    if config.alerts.ping:
        try:
            yield Outbound(messages.ping_host(), "the dead man's switch, after each good run")
        except ForetagError:
            yield Outbound(f"(unknown: foretag secret set {secrets.PING})", "the dead man's switch")
    if "://" in config.engine.master:
        yield Outbound(urlsplit(config.engine.master).netloc, "Spark: features and scores are computed there")


def _of_account(account: Account) -> Iterator[Outbound]:
    what = "reading, and writing our fields"
    if account.kind == "salesforce":
        what += "; access tokens are fetched there too"
    yield Outbound(_host(account), f"{account.name}: {what}")
    if isinstance(account, Mailchimp):
        for host in account.result_hosts:
            yield Outbound(host, f"{account.name}: results of batches, fetched without the key")


def _host(account: Account) -> str:
    if account.address:
        return urlsplit(account.address).netloc
    from connectors.mailchimp.client import address

    try:
        return urlsplit(address(secrets.find(account.secret_name).value, account.name)).netloc
    except (ConnectorError, ForetagError):
        return f"DC.api.mailchimp.com (DC stands at the end of the key: foretag secret set {account.name})"
