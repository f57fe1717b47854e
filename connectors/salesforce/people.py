"""The streams `contacts` and `leads`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.contract import Account, FieldSpec
from connectors.records import Consent, Contact
from connectors.salesforce.cursor import Cursor
from connectors.salesforce.deletions import logged, without_row
from connectors.salesforce.looks import Look
from connectors.salesforce.names import by_name, owned
from connectors.salesforce.pull import Row, Source, begin_of
from connectors.salesforce.schema import Schema, demand, readable

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

NEEDED = ("Id", "IsDeleted", "Email", "CreatedDate", "SystemModstamp")
"""Without these nobody can be pulled."""
_STATE = ("MasterRecordId", "IsConverted", "ConvertedContactId", "HasOptedOutOfEmail", "IndividualId")
_PROPERTIES = (
    "FirstName", "LastName", "Title", "Department", "LeadSource", "AccountId", "IsPersonAccount", "IsEmailBounced",
    "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry", "City", "State", "PostalCode", "Country",
    "Company", "Industry", "AnnualRevenue", "NumberOfEmployees",
)  # fmt: skip
_WISHES = {
    "Individual.HasOptedOutProfiling": Consent.NO_PROFILING,
    "Individual.HasOptedOutProcessing": Consent.NO_PROFILING,
    "Individual.HasOptedOutTracking": Consent.NO_PROFILING,
    "Individual.ShouldForget": Consent.NO_PROFILING,
    "Individual.HasOptedOutSolicit": Consent.OPTED_OUT,
}
"""What a ticked box of the person's data-protection record stands for."""
_INDIVIDUAL_STAMP = "Individual.SystemModstamp"
_COMPOUND = ("address", "location", "base64")


def people_source(sf: "Salesforce", account: Account, object_: str, look: Look, at: Cursor) -> Source:
    """The query for records of `object_` (`Contact` or `Lead`) behind `at`, with every column the token may read.

    Raises NotPermitted where not even id, address or stamps may be read.
    """
    schema = look.schema
    demand(schema, object_, NEEDED)
    properties = _properties(schema, object_, account)
    ours = by_name(account.prefix, account.fields)
    columns = readable(schema, object_, dict.fromkeys([*NEEDED, *_STATE, *_WISHES, *properties, *ours]))
    stamps = ["SystemModstamp", *readable(schema, object_, [_INDIVIDUAL_STAMP])]
    doubt = _doubt(schema, object_)

    def read(row: Row) -> list[Contact]:
        return [_contact(object_, row, ours, properties, doubt(row))]

    def missing(ids: set[str]) -> list[Contact]:
        return [_purged(object_, id_) for id_ in without_row(sf, object_, ids)]

    gone = logged(object_, look.logs[object_], begin_of(at))
    return Source(object_, columns, stamps, read, gone, missing)


def _properties(schema: Schema, object_: str, account: Account) -> list[str]:
    asked = account.options.get("properties") or ()
    assert isinstance(asked, Sequence)
    fields = schema[object_]
    names = readable(schema, object_, dict.fromkeys([*_PROPERTIES, *map(str, asked)]))
    return [name for name in names if fields[name]["type"] not in _COMPOUND]


def _contact(
    object_: str, row: Row, ours: Mapping[str, FieldSpec], properties: Sequence[str], doubt: Consent
) -> Contact:
    deleted = bool(row["IsDeleted"])
    converted = bool(row.get("IsConverted"))
    return Contact(
        object_,
        row["Id"],
        row["Email"],
        _consent(row, doubt),
        created_at=datetime.fromisoformat(row["CreatedDate"]),
        modified_at=datetime.fromisoformat(row["SystemModstamp"]),
        properties={name: row[name] for name in properties if row.get(name) is not None},
        owned=owned(ours, row),
        deleted=deleted,
        writable=not deleted and not converted,
        merged_into=row.get("MasterRecordId") or row.get("ConvertedContactId"),
    )


def _purged(object_: str, id_: str) -> Contact:
    """A record that not even the recycle bin holds."""
    return Contact(object_, id_, None, Consent.UNKNOWN, deleted=True, writable=False)


def _doubt(schema: Schema, object_: str) -> Callable[[Row], Consent]:
    """UNKNOWN for a person who has a data-protection record that the token may not read, or may have one."""
    hidden = len(readable(schema, object_, _WISHES)) < len(_WISHES)
    unseen = "Individual" in schema and "IndividualId" not in schema[object_]

    def of(row: Row) -> Consent:
        return Consent.UNKNOWN if unseen or (hidden and row.get("IndividualId")) else Consent.GRANTED

    return of


def _consent(row: Row, doubt: Consent) -> Consent:
    """The strictest of `doubt` and what the row says. A hidden opt-out box means unknown, never taken for a yes."""
    box = {True: Consent.OPTED_OUT, False: Consent.GRANTED, None: Consent.UNKNOWN}[_tick(row.get("HasOptedOutOfEmail"))]
    return Consent.strictest([box, doubt, *(consent for name, consent in _WISHES.items() if row.get(name))])


def _tick(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
