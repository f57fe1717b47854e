"""Opens one HubSpot account."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from connectors.allowlist import AllowList
from connectors.contract import Account, Capabilities, Change, FieldSpec, Finding, Held, Outcome, Page
from connectors.hubspot import check, contacts, deals, forms, lists
from connectors.hubspot.answers import explain, usage
from connectors.hubspot.fields import Fields
from connectors.hubspot.held import held
from connectors.hubspot.package import package
from connectors.hubspot.remove import remove
from connectors.hubspot.rules import WRITE_BATCH, rules
from connectors.hubspot.sdk import Api
from connectors.hubspot.write import Writer, batches
from connectors.pacing import Pacer, Rate
from connectors.transport import Transport

BASE_URL = "https://api.hubapi.com"

_JITTER = 1.05  # calls reach HubSpot closer together than they left; this keeps them within its windows all the same
_STARTER, _PROFESSIONAL = 100, 190  # calls in ten seconds
_SEARCHES = 5  # a second


class HubSpot:
    """One HubSpot account, as `connectors.contract.Connector` asks for it."""

    kind = "hubspot"
    capabilities = Capabilities(write_batch=WRITE_BATCH, read_batch=WRITE_BATCH)
    streams = (contacts.STREAM, deals.STREAM, forms.STREAM)

    def __init__(self, account: Account, transport: Transport, api: Api) -> None:
        self._account = account
        self._transport = transport
        self._api = api
        self._fields = Fields(account.prefix, account.fields)
        wanted = account.options.get("properties")
        names = tuple(map(str, wanted)) if isinstance(wanted, list | tuple) else ()
        history = account.options.get("mail_history") is True
        self._pulls = {
            contacts.STREAM: contacts.Contacts(api, self._fields, names, history=history).pull,
            deals.STREAM: deals.Deals(api).pull,
            forms.STREAM: forms.Forms(api).pull,
        }

    @property
    def calls(self) -> Counter[str]:
        """Calls sent so far, by allow-list rule."""
        return self._transport.calls

    def check(self) -> list[Finding]:
        """Who am I, what may I do, what is missing."""
        return check.check(self._api, self._fields, self._account.fields)

    def pull(self, stream: str, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Pages of one stream; KeyError for an unknown one."""
        return self._pulls[stream](cursor, until)

    def drift(self, fields: Sequence[FieldSpec]) -> list[str]:
        """What is wrong with our properties."""
        return self._fields.drift(self._api, fields)

    def provision(self, fields: Sequence[FieldSpec]) -> list[str]:
        """Create what is missing of our properties."""
        return self._fields.provision(self._api, fields)

    def package(self, fields: Sequence[FieldSpec]) -> dict[str, str]:
        """The bodies that make our property group and properties, and what to do with them."""
        return package(self._fields.definitions(fields))

    def held(self, changes: Sequence[Change]) -> Iterator[list[Held]]:
        """What our properties hold right now, a hundred contacts a call."""
        return held(self._api, self._fields, changes)

    def members(self, name: str) -> Iterator[str]:
        """Ids of the contacts on a list, 250 a call."""
        return lists.members(self._api, name)

    def predict_calls(self, changes: Sequence[Change]) -> int:
        """How many calls `write` will cost when no contact is refused or gone."""
        return sum(1 for _ in batches(changes))

    def write(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Write the changes, a hundred contacts a call."""
        return Writer(self._api, self._fields).write(changes)

    def remove(self, fields: Sequence[FieldSpec], *, dry_run: bool = False) -> list[str]:
        """Archive our properties, and remove their group when it is empty."""
        return remove(self._api, self._fields, fields, dry_run=dry_run)


def connect(account: Account, *, sleep: Callable[[float], None], monotonic: Callable[[], float]) -> HubSpot:
    """The connector for `account`. Options: `api_version` (`v3` or a date), `tier` (`starter` or other),
    `properties`, `mail_history` (bool).

    Contacts nobody yet. Raises ValueError for a prefix that HubSpot uses itself.
    """
    version = str(account.options.get("api_version") or "v3")
    removable = Fields(account.prefix, account.fields).names if account.cleanup else ()
    calls = _STARTER if account.options.get("tier") == "starter" else _PROFESSIONAL
    rates = {"default": Rate(calls, 10 * _JITTER), "search": Rate(_SEARCHES, 1 * _JITTER)}
    transport = Transport(
        account.base_url or BASE_URL,
        AllowList(rules(account.prefix, version, removable, provision=account.provision)),
        Pacer(rates, monotonic=monotonic, sleep=sleep),
        sleep=sleep,
        explain=explain,
        budget=account.budget,
        account=account.name,
        meter=usage,
    )
    return HubSpot(account, transport, Api(transport, account.token, version))
