"""Makes our fields on the platforms: by itself within a run where that is harmless, else when a human asks for it."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from connectors.contract import BY_ADMIN, FieldSpec
from connectors.errors import ConnectorError, SchemaDrift
from sync.errors import ForetagError
from sync.fields import field_specs
from sync.redact import redact
from sync.site import Site
from sync.store import facts, field_pins

log = logging.getLogger(__name__)


@dataclass
class Provisioned:
    """What became of one account."""

    account: str
    created: list[str] = field(default_factory=list)
    problem: str | None = None
    """Why our fields are not all there."""


def provision(site: Site, accounts: Sequence[str]) -> Iterator[Provisioned]:
    """Make what is missing of our fields, account by account. One that fails does not stop the others."""
    for account in accounts:
        made = Provisioned(account)
        try:
            made.created = make_fields(site, account, field_specs(site.config))
        except (ConnectorError, ForetagError) as error:
            made.problem = redact(str(error))
            log.error("%s: %s", account, made.problem)
        yield made


def demand_fields(site: Site, account: str, specs: Sequence[FieldSpec]) -> list[str]:
    """See to it, before the first write of a run, that our fields are there; what had to be made for that.

    SchemaDrift where a run may not make them, or where something is wrong with them that nobody but a human may change.
    """
    if account in site.in_order:
        site.in_order.discard(account)
        return []
    connector = site.connectors[account]
    wrong = connector.drift(specs)
    if not wrong:
        return []
    if not connector.capabilities.provision_in_runs:
        raise SchemaDrift(f"nothing was written: {'; '.join(wrong)}. {BY_ADMIN}")
    return make_fields(site, account, specs)


def make_fields(site: Site, account: str, specs: Sequence[FieldSpec]) -> list[str]:
    """Make what is missing and say what it was; SchemaDrift when something is still wrong afterwards.

    What was made anew is empty, on everybody: what our fields were known to hold is forgotten then.
    """
    created = site.provisioner(account).provision(specs)
    if created:
        field_pins.forget(site.db, account)
        facts.forget_owned(site.db, account)
    wrong = site.connectors[account].drift(specs)
    if wrong:
        raise SchemaDrift("; ".join(wrong))
    return created
