"""Reads the lists and campaigns that the config limits a pilot to."""

import logging
from collections.abc import Mapping

from connectors.contract import Connector
from connectors.errors import ConnectorError
from sync.patience import Patience
from sync.redact import redact
from sync.site import Site
from sync.store import rosters

log = logging.getLogger(__name__)

BEAT = 1_000
"""Ids between two signs of life: lists can be long."""


def read_rosters(site: Site, connectors: Mapping[str, Connector]) -> None:
    """Note who is on each of them, or why one cannot be read: it lets nobody in then, and everything else goes on.

    Of accounts that are not among `connectors`, and when told to stop, what was read before stays.
    """
    asked = rosters.asked(site.config)
    rosters.keep(site.db, asked)
    for account, name in asked:
        if account not in connectors:
            continue
        try:
            ids = _members(site, connectors[account], name)
        except ConnectorError as error:
            if not site.clock.stop.is_set():
                rosters.fail(site.db, account, name, redact(str(error)))
                log.warning("%s: nobody new comes into the pilot: %s", account, redact(str(error)))
        else:
            rosters.save(site.db, account, name, ids)


def _members(site: Site, connector: Connector, name: str) -> set[str]:
    ids: set[str] = set()
    patience = Patience(site.clock)
    for id_ in connector.members(name):
        ids.add(id_)
        if len(ids) % BEAT == 0:
            site.beat()
            patience.check()
    return ids
