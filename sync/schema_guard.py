"""Whether somebody deleted or changed fields or tags of ours on a platform: nothing is written until a human looked."""

from collections.abc import Collection, Iterator, Sequence

from connectors.contract import FieldSpec
from connectors.errors import ConnectorError
from sync.plan import Plan
from sync.redact import redact
from sync.site import Site


def changed_fields(site: Site, plan: Plan, specs: Sequence[FieldSpec], shut: Collection[str]) -> Iterator[str]:
    """One objection for each account of `plan` whose fields are no longer as they were when they were written last.

    A field that was never written is not missed: it is made. An account that cannot be asked says so when it is
    written to. Where all is in order that is noted in the site, so that it need not be asked again.
    """
    for account, changes in plan.changes.items():
        site.in_order.discard(account)
        if not changes or account in shut:
            continue
        try:
            wrong = _wrong(site, account, specs)
        except ConnectorError:
            continue
        if wrong:
            yield (
                f"{account}: somebody changed fields or tags of ours: {redact('; '.join(wrong))}. Most likely they "
                "were cleared away or edited by hand there, or renamed in the config. Look closer: foretag doctor; to "
                f"have them as they were: foretag provision {account}"
            )


def _wrong(site: Site, account: str, specs: Sequence[FieldSpec]) -> list[str]:
    connector = site.connectors[account]
    if not connector.drift(specs):
        site.in_order.add(account)
        return []
    known = {row["key"] for row in site.db.execute(_KNOWN, (account,))}
    written = [spec for spec in specs if spec.key in known]
    return connector.drift(written) if written else []


_KNOWN = """
SELECT DISTINCT j.key FROM contact c, json_each(c.confirmed) j WHERE c.account = ? AND NOT c.deleted
"""
