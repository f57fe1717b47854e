"""Talks to the platforms; knows nothing of scores or of foretag's database."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.contract import Account, Connector

ADAPTERS = {
    "hubspot": "connectors.hubspot.client",
    "mailchimp": "connectors.mailchimp.client",
    "salesforce": "connectors.salesforce.client",
}
"""Where each kind's adapter is; it is imported only when an account of that kind is opened."""


def open_connector(
    account: "Account", *, sleep: Callable[[float], None], monotonic: Callable[[], float]
) -> "Connector":
    """The adapter for `account`. Contacts nobody yet; KeyError for a kind that no adapter is for."""
    module = import_module(ADAPTERS[account.kind])
    connector: Connector = module.connect(account, sleep=sleep, monotonic=monotonic)
    return connector
