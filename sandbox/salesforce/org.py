"""One organisation: its schema, its records, who works in it and what a client has left of its quota."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.platform import SandboxClock
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.permissions import Permissions
from sandbox.salesforce.records import Records
from sandbox.salesforce.schema import Field, ObjectType, Record, Schema
from sandbox.salesforce.session import Session
from sandbox.salesforce.stamps import stamp
from sandbox.salesforce.standard import standard_schema
from sandbox.salesforce.troubles import Troubles

ORGANISATION = make_id("00D", 1)
INTEGRATION_USER = make_id("005", 1)
"""Whom the access token stands for."""
ADMIN_USER = make_id("005", 2)
"""Who does everything that happens in the world."""
RULE_OWNER = make_id("005", 3)
"""Whom the lead assignment rule gives leads to."""


@dataclass(frozen=True, slots=True)
class Options:
    """What can be set on the pretended organisation."""

    show_opt_out: bool = False
    """Field-level security lets everyone see HasOptedOutOfEmail."""
    daily_quota: int = 100_000
    """API requests per sandbox day; beyond it every request is refused with 403."""
    token_calls: int | None = None
    """An access token expires after this many requests; None: never."""
    currencies: Mapping[str, float] = field(default_factory=dict)
    """The active currencies, with how many of each are one of the first; empty: the org has only one."""


@dataclass
class Cursor:
    """The rows of a query that have not been fetched yet, as the query found them."""

    render: Callable[[Record], Record]
    rows: list[Record]
    size: int


@dataclass
class Job:
    """One bulk job: what its status shows, what was uploaded, and its results as rows of cells by their name."""

    status: dict[str, Any]
    upload: str = ""
    results: dict[str, list[list[str]]] = field(default_factory=dict)


class Org:
    """The state behind all endpoints; also the catalogue data queries run against."""

    def __init__(self, clock: SandboxClock, options: Options) -> None:
        self.clock = clock
        self.schema: Schema = standard_schema(options.show_opt_out, several_currencies=bool(options.currencies))
        self.records = Records(self.schema)
        self.permissions = Permissions(self.records, INTEGRATION_USER)
        self.session = Session(clock, options.daily_quota, options.token_calls)
        self.cursors: dict[str, Cursor] = {}
        self.jobs: dict[str, Job] = {}
        self.troubles = Troubles()
        self.closed: set[str] = set()
        """Objects the user has no right to: they are as good as not there."""
        self.purged: list[tuple[str, str]] = []
        """Ids of records that left the recycle bin too, with the stamp of their deletion."""
        self._numbers = 0
        self._people()
        self._currencies(options.currencies)

    def now(self) -> str:
        """The present stamp."""
        return stamp(self.clock.now())

    def next_id(self, prefix: str) -> str:
        """An id for something that is not a record: a job, a cursor, a custom field."""
        self._numbers += 1
        return make_id(prefix, self._numbers)

    def find(self, name: str) -> ObjectType | None:
        """The object with this name, unless the user may not see it."""
        found = self.schema.find(name)
        return None if found is None or found.name in self.closed else found

    def object_type(self, name: str) -> ObjectType:
        """The object with this name, which must exist (KeyError otherwise)."""
        found = self.schema.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def visible(self, object_type: ObjectType) -> dict[str, Field]:
        return self.permissions.visible(object_type)

    def rows(self, object_type: ObjectType, everything: bool) -> list[Record]:
        rows = self.records.tables[object_type.name].values()
        if everything:
            return list(rows)
        return [row for row in rows if not row.get("IsDeleted") and not row.get("IsArchived")]

    def parent(self, field: Field) -> Callable[[str], Record | None]:
        return self.records.tables[field.reference_to[0]].get

    def _currencies(self, currencies: Mapping[str, float]) -> None:
        for code, rate in currencies.items():
            corporate = code == next(iter(currencies))
            record = {"Id": self.next_id("01L"), "IsoCode": code, "ConversionRate": rate, "IsCorporate": corporate}
            at = stamp(self.clock.date)
            self.records.add("CurrencyType", {**record, "IsActive": True, "CreatedDate": at, "SystemModstamp": at})

    def _people(self) -> None:
        at = stamp(self.clock.date)
        born = {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
        audit = {**born, "CreatedById": ADMIN_USER, "LastModifiedById": ADMIN_USER}
        names = {INTEGRATION_USER: "Integration User", ADMIN_USER: "Shop Admin", RULE_OWNER: "Lead Desk"}
        for user, name in names.items():
            email = f"{name.lower().replace(' ', '.')}@shop.example"
            record = {"Id": user, "Name": name, "Username": email, "Email": email, "IsActive": True, **audit}
            self.records.add("User", record)
        self.records.add(
            "Organization",
            {
                "Id": ORGANISATION, "Name": "The Shop", "OrganizationType": "Enterprise Edition", "IsSandbox": True,
                "InstanceName": "SBX1", "TimeZoneSidKey": "America/New_York", "DefaultLocaleSidKey": "en_US", **audit,
            },
        )  # fmt: skip
