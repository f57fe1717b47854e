"""The Salesforce adapter: contacts and leads, opportunities, campaigns and activities, through simple-salesforce."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.allowlist import AllowList
from connectors.contract import Account, Capabilities, Change, FieldSpec, Finding, Held, Outcome, Page
from connectors.errors import Stop
from connectors.pacing import Pacer
from connectors.salesforce import campaign
from connectors.salesforce.answers import explain, usage
from connectors.salesforce.check import findings
from connectors.salesforce.cursor import Cursor
from connectors.salesforce.fields import drift
from connectors.salesforce.happenings import campaign_sources, opportunity_sources, touch_sources
from connectors.salesforce.held import held
from connectors.salesforce.login import Login
from connectors.salesforce.looks import Looks
from connectors.salesforce.names import PEOPLE, full_names
from connectors.salesforce.package import package
from connectors.salesforce.people import people_source
from connectors.salesforce.provisioning import provision
from connectors.salesforce.pull import Source, pages
from connectors.salesforce.remove import remove
from connectors.salesforce.rules import BATCH, NO_ASSIGNMENT, RETRIEVED, rules, token_rules
from connectors.salesforce.server_time import ServerTime
from connectors.salesforce.write import Writer
from connectors.transport import Transport

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

_HOST = "foretag.invalid"
"""What the SDK, which insists on https and a bare host name, is told; the transport puts in the true address."""
_PAGE = 2000
_STREAMS = {"Contact": "contacts", "Lead": "leads"}


def connect(
    account: Account, *, sleep: Callable[[float], None], monotonic: Callable[[], float]
) -> "SalesforceConnector":
    """The connector for one org. Sends nothing yet; Stop when the org's address is missing."""
    from simple_salesforce.api import Salesforce

    address = account.options.get("instance_url") or account.base_url or account.options.get("login_url")
    if not address:
        raise Stop(f"{account.name}: instance_url is missing, such as https://acme.my.salesforce.com")
    version = str(account.options.get("api_version") or "62.0")
    pacer = Pacer({}, monotonic=monotonic, sleep=sleep)
    tokens = Transport(
        str(address), AllowList(token_rules()), pacer, sleep=sleep, explain=explain, account=account.name
    )
    login = Login(account.token, tokens)
    removable = full_names(account.prefix, account.fields) if account.cleanup else ()
    transport = Transport(
        str(address),
        AllowList(rules(version, account.prefix, removable, provision=account.provision)),
        pacer,
        sleep=sleep,
        explain=explain,
        renew=login.renew,
        alias=f"https://{_HOST}",
        budget=account.budget,
        account=account.name,
        meter=usage,
    )
    transport.auth = login
    transport.headers.update(
        {
            **NO_ASSIGNMENT,
            "Sforce-Call-Options": "client=foretag",
            "Sforce-Query-Options": f"batchSize={_PAGE}",
        }
    )
    sf = Salesforce(
        instance=_HOST, session_id="set by Login", session=transport, version=version, object_pairs_hook=dict
    )
    del sf.headers["X-PrettyPrint"]  # it only makes answers larger
    server_time = ServerTime()
    transport.hooks["response"].append(server_time.note)
    return SalesforceConnector(account, sf, (transport, tokens), server_time, sleep)


class SalesforceConnector:
    """One Salesforce org."""

    kind = "salesforce"
    capabilities = Capabilities(
        write_batch=BATCH,
        read_batch=RETRIEVED,
        contact_streams=("contacts", "leads"),
        write_by="AccountId",
        provision_in_runs=False,
    )

    def __init__(
        self,
        account: Account,
        sf: "Salesforce",
        transports: Sequence[Transport],
        server_time: ServerTime,
        sleep: Callable[[float], None],
    ) -> None:
        chosen = account.options.get("objects") or PEOPLE
        assert isinstance(chosen, Sequence)
        self._account = account
        self._sf = sf
        self._transports = transports
        self._server_time = server_time
        self._writer = Writer(sf, account, sleep)
        self._objects = [name for name in PEOPLE if name in chosen]
        self._looks = Looks(sf, self._objects)
        self.streams = (*(_STREAMS[name] for name in self._objects), "opportunities", "campaigns", "activities")

    @property
    def calls(self) -> Counter[str]:
        """Calls sent so far, by what they were for."""
        return sum((transport.calls for transport in self._transports), Counter[str]())

    def check(self) -> list[Finding]:
        """Who am I, what may I do, what is missing."""
        return findings(self._sf, self._account, self._objects)

    def pull(self, stream: str, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Pages of what changed since `cursor`, up to the whole second of `until`."""
        sources = self._sources(stream, Cursor.of(cursor), until)
        return pages(self._sf, stream, sources, cursor, self._server_time.no_later(until))

    def _sources(self, stream: str, at: Cursor, until: datetime) -> list[Source]:
        match stream:
            case "contacts":
                return [self._people("Contact", at, until)]
            case "leads":
                return [self._people("Lead", at, until)]
            case "opportunities":
                return opportunity_sources(self._sf)
            case "campaigns":
                return campaign_sources(self._sf)
            case "activities":
                return touch_sources(self._sf)
        raise KeyError(stream)

    def _people(self, object_: str, at: Cursor, until: datetime) -> Source:
        return people_source(self._sf, self._account, object_, self._looks.take(object_, until), at)

    def drift(self, fields: Sequence[FieldSpec]) -> list[str]:
        """What is wrong with our fields, one sentence with its repair each."""
        return drift(self._sf, fields, self._account.prefix, self._objects)

    def provision(self, fields: Sequence[FieldSpec]) -> list[str]:
        """Make the missing fields and let foretag's user see them."""
        self._looks.forget()
        return provision(self._sf, fields, self._account.prefix, self._objects)

    def package(self, fields: Sequence[FieldSpec]) -> dict[str, str]:
        """A metadata package of our fields and the permission set that shows them."""
        return package(fields, self._account.prefix, self._objects, str(self._sf.sf_version))

    def held(self, changes: Sequence[Change]) -> Iterator[list[Held]]:
        """What our fields hold right now, two thousand records a call."""
        return held(self._sf, self._account, changes)

    def members(self, name: str) -> Iterator[str]:
        """Ids of the contacts and leads in a campaign, two thousand a call."""
        return campaign.members(self._sf, name)

    def predict_calls(self, changes: Sequence[Change]) -> int:
        """One call for each 1,000 contacts, eight for a bulk job of more than 2,000."""
        return self._writer.predict_calls(changes)

    def write(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Write the changes batch by batch."""
        return self._writer.write(changes)

    def remove(self, fields: Sequence[FieldSpec], *, dry_run: bool = False) -> list[str]:
        """Delete our fields on both objects, and our permission set."""
        self._looks.forget()
        return remove(self._sf, fields, self._account.prefix, dry_run=dry_run)
