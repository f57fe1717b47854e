"""Opens one Mailchimp account."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Never

from connectors.allowlist import AllowList
from connectors.contract import Account, Capabilities, Change, FieldSpec, Finding, Held, Outcome, Page
from connectors.errors import NotAuthorised, Stop
from connectors.mailchimp import campaigns, members, orders
from connectors.mailchimp.answers import explain
from connectors.mailchimp.check import check
from connectors.mailchimp.fields import Fields
from connectors.mailchimp.held import held
from connectors.mailchimp.jobs import Jobs
from connectors.mailchimp.package import package
from connectors.mailchimp.quiet import QuietTagger
from connectors.mailchimp.remove import remove
from connectors.mailchimp.rules import WRITE_BATCH, rules
from connectors.mailchimp.schema import Schema
from connectors.mailchimp.sdk import PAGE, Api
from connectors.mailchimp.tagging import Tagger
from connectors.mailchimp.write import Writer
from connectors.pacing import Pacer
from connectors.transport import Transport

_CONNECTIONS = 6  # of the ten that Mailchimp gives to all integrations of an account together


class Mailchimp:
    """One Mailchimp account, as `connectors.contract.Connector` asks for it."""

    kind = "mailchimp"
    streams = (members.STREAM, campaigns.STREAM, orders.STREAM)

    def __init__(self, account: Account, transport: Transport, sleep: Callable[[float], None]) -> None:
        self._account = account
        self._transport = transport
        self._api = Api(transport, account.token)
        self._fields = Fields(account.prefix, account.fields)
        audiences = _names(account, "audiences")
        self._schema = Schema(self._api, self._fields, audiences)
        jobs = Jobs(self._api, transport, sleep)
        quiet = account.options.get("fire_automations") is False
        self.capabilities = Capabilities(
            write_batch=WRITE_BATCH, read_batch=PAGE, contact_streams=(members.STREAM,), silent_tags=quiet
        )
        tagger = (
            QuietTagger(jobs, self._fields, self._schema) if quiet else Tagger(self._api, self._fields, self._schema)
        )
        self._statuses: dict[str, str] = {}
        self._writer = Writer(self._api, self._fields, tagger, self._statuses)
        self._members = members.Members(self._api, self._fields, self._schema, _names(account, "properties"))
        self._pulls = {
            members.STREAM: self._members.pull,
            campaigns.STREAM: campaigns.Campaigns(self._api, jobs, audiences).pull,
            orders.STREAM: orders.Orders(self._api, _names(account, "stores")).pull,
        }

    @property
    def calls(self) -> Counter[str]:
        """Calls sent so far, by allow-list rule."""
        return self._transport.calls

    def check(self) -> list[Finding]:
        """Who am I, what may I do, what is missing."""
        return check(self._api, self._fields, self._schema, self._account.fields)

    def pull(self, stream: str, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Pages of one stream; KeyError for an unknown one."""
        return self._pulls[stream](cursor, until)

    def drift(self, fields: Sequence[FieldSpec]) -> list[str]:
        """What is wrong with our merge fields and tags."""
        return self._schema.drift(fields)

    def provision(self, fields: Sequence[FieldSpec]) -> list[str]:
        """Create what is missing of our merge fields and tags."""
        return self._schema.provision(fields)

    def package(self, fields: Sequence[FieldSpec]) -> dict[str, str]:
        """The merge fields and tags to make in each audience."""
        return package(self._schema.merge_fields(fields), self._schema.tag_names(fields))

    def held(self, changes: Sequence[Change]) -> Iterator[list[Held]]:
        """What our merge fields and tags hold right now."""
        return held(self._api, self._members, changes, self._statuses)

    def members(self, name: str) -> Never:
        """Stop: people are told apart by tag here, and the pull brings their tags."""
        raise Stop(f'Mailchimp has no lists but audiences: give these people a tag, and write "mailchimp:tag:{name}"')

    def predict_calls(self, changes: Sequence[Change]) -> int:
        """How many calls `write` will cost when nobody is refused or gone."""
        return self._writer.predict_calls(changes)

    def write(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Write the changes: values, then tags."""
        return self._writer.write(changes)

    def remove(self, fields: Sequence[FieldSpec], *, dry_run: bool = False) -> list[str]:
        """Delete our merge fields and tags in the audiences."""
        return remove(self._api, self._fields, self._schema, fields, dry_run=dry_run)


def connect(account: Account, *, sleep: Callable[[float], None], monotonic: Callable[[], float]) -> Mailchimp:
    """The connector for `account`. Options: `audiences`, `stores` (ids; none for all), `properties` (merge tags),
    `result_hosts` (where results of batches come from, besides Mailchimp's own host), `fire_automations` (False: tags
    are set so that no automation starts by them).

    Contacts nobody yet. Raises NotAuthorised for a key that does not name its data centre, where no address is given,
    and ValueError for a prefix that is too long for merge tags.
    """
    removable = Fields(account.prefix, account.fields).merge if account.cleanup else ()
    transport = Transport(
        account.base_url or address(account.token, account.name),
        AllowList(rules(account.prefix, _names(account, "audiences"), removable, provision=account.provision)),
        Pacer({}, monotonic=monotonic, sleep=sleep),
        sleep=sleep,
        explain=explain,
        budget=account.budget,
        account=account.name,
        files_from=_names(account, "result_hosts"),
        connections=_CONNECTIONS,
    )
    return Mailchimp(account, transport, sleep)


def address(key: str, account: str) -> str:
    """Where the API of the key's own data centre is. Anything else behind the hyphen would be somebody's host."""
    datacenter = key.rpartition("-")[2]
    if not re.fullmatch(r"[a-z]{2}\d+", datacenter):
        raise NotAuthorised(
            f"the Mailchimp API key does not end in a data centre such as -us6: foretag secret set {account}"
        )
    return f"https://{datacenter}.api.mailchimp.com/3.0"


def _names(account: Account, option: str) -> tuple[str, ...]:
    names = account.options.get(option)
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()
