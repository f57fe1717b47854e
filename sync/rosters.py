"""Reads the lists and campaigns that the config limits a pilot to."""

import logging
from collections.abc import Mapping

from connectors.contract import Connector
from connectors.errors import ConnectorError
from sync.redact import redact
from sync.site import Site
from sync.store import rosters

log = logging.getLogger(__name__)


def read_rosters(site: Site, connectors: Mapping[str, Connector]) -> None:
    """Note who is on each of them, or why one cannot be read: it lets nobody in then, and everything else goes on."""
    asked = rosters.asked(site.config)
    rosters.keep(site.db, asked)
    for account, name in asked:
        if account not in connectors:
            continue
        try:
            rosters.save(site.db, account, name, connectors[account].members(name))
        except ConnectorError as error:
            rosters.fail(site.db, account, name, redact(str(error)))
            log.warning("%s: nobody new comes into the pilot: %s", account, redact(str(error)))
        site.beat()
