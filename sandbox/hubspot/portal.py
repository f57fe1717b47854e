"""Everything one portal holds: records, who belongs to which order, property definitions, lists, form submissions."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.hubspot.definitions import standard_groups, standard_properties
from sandbox.hubspot.errors import ApiError, refuse
from sandbox.hubspot.records import Record, Table
from sandbox.hubspot.troubles import Trouble
from sandbox.hubspot.values import iso
from sandbox.platform import SandboxClock

ALIASES = {"contacts": ("contacts", "contact", "0-1"), "deals": ("deals", "deal", "0-3")}
TYPE_IDS = {"contacts": "0-1", "deals": "0-3"}
PORTAL_ID = 48_201_700
CUSTOM_LIMIT = 1_000
_SCOPES = """
    crm.objects.contacts.read crm.objects.contacts.write crm.objects.deals.read crm.objects.deals.write
    crm.schemas.contacts.read crm.schemas.contacts.write crm.schemas.deals.read crm.schemas.deals.write
    crm.lists.read crm.lists.write forms oauth
"""
ALL_SCOPES = frozenset(_SCOPES.split())


@dataclass
class Quirks:
    """What differs from portal to portal, or is not known for sure; may be changed at any time."""

    index_lag: timedelta = timedelta(0)
    """How long a change stays out of the search."""
    isolates: bool = True
    """Whether a batch whose rows have trace ids is written without those that hold a wrong value, or not at all."""
    merged_anew: bool = False
    """Whether the survivor of a merge gets a new id."""


class Portal:
    """The portal's state. Its methods keep contacts and deals tied together."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self.quirks = Quirks()
        self.tables = {
            "contacts": Table("contacts", "lastmodifieddate"),
            "deals": Table("deals", "hs_lastmodifieddate"),
        }
        self.properties = {kind: standard_properties(kind) for kind in self.tables}
        self.groups = {kind: standard_groups(kind) for kind in self.tables}
        self.archived_properties: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in self.tables}
        self.deals_of: dict[str, list[str]] = {}
        self.contacts_of: dict[str, list[str]] = {}
        self.emails: dict[str, str] = {}
        self.lists: dict[str, dict[str, Any]] = {}
        self.submissions: list[dict[str, Any]] = []
        self.troubles: dict[str, Trouble] = {}
        """What stands in the way of updates, by contact."""

    def now(self) -> str:
        """The present instant as HubSpot writes it; never the same twice."""
        return iso(self._clock.now())

    def indexed_until(self) -> str | None:
        """Changes from this instant on are not in the search yet; None when all are."""
        return iso(self._clock.now() - self.quirks.index_lag) if self.quirks.index_lag else None

    @property
    def contacts(self) -> Table:
        return self.tables["contacts"]

    @property
    def deals(self) -> Table:
        return self.tables["deals"]

    def associated(self, from_kind: str, to_kind: str, id_: str) -> list[str]:
        """Ids of the `to_kind` records tied to one `from_kind` record, oldest first."""
        if (from_kind, to_kind) == ("contacts", "deals"):
            return self.deals_of.get(id_, [])
        if (from_kind, to_kind) == ("deals", "contacts"):
            return self.contacts_of.get(id_, [])
        return []

    def add_contact(self, record: Record) -> None:
        self.contacts.add(record)
        if record.properties.get("email"):
            self.emails[str(record.properties["email"])] = record.id

    def contact_by_email(self, email: str) -> Record | None:
        """The contact with this address, first or additional."""
        return self.contacts.live.get(self.emails.get(email.strip().lower(), ""))

    def tie(self, deal_id: str, contact_id: str) -> None:
        """Let a contact belong to a deal, besides those who do already."""
        if contact_id not in self.contacts_of.setdefault(deal_id, []):
            self.contacts_of[deal_id].append(contact_id)
            self.deals_of.setdefault(contact_id, []).append(deal_id)

    def untie(self, deal_id: str, contact_id: str) -> None:
        """Let a contact leave a deal it belongs to."""
        self.contacts_of[deal_id].remove(contact_id)
        self.deals_of[contact_id].remove(deal_id)

    def forget(self, record: Record) -> None:
        """Take a contact's addresses and ties away, when it is archived or purged."""
        self.emails = {email: id_ for email, id_ in self.emails.items() if id_ != record.id}
        for deal_id in self.deals_of.pop(record.id, []):
            self.contacts_of[deal_id].remove(record.id)

    def merge(self, primary: Record, other: Record, at: str) -> None:
        """Fold `other` into `primary`: its id leads there from now on, silently in batch calls."""
        merged_ids = (other.id, *filter(None, [primary.properties.get("hs_merged_object_ids")]))
        moved = [email for email, id_ in self.emails.items() if id_ == other.id]
        additional = [*filter(None, [primary.properties.get("hs_additional_emails")]), *moved]
        filled = {name: value for name, value in other.properties.items() if not primary.properties.get(name)}
        filled |= {"hs_merged_object_ids": ";".join(merged_ids), "hs_additional_emails": ";".join(additional) or None}
        self.contacts.change(primary, filled, at, "MERGE_OBJECTS")
        for email in moved:
            self.emails[email] = primary.id
        for deal_id in self.deals_of.pop(other.id, []):
            self.contacts_of[deal_id].remove(other.id)
            self.tie(deal_id, primary.id)
        self.contacts.remove(other)
        for old, into in list(self.contacts.merged_into.items()):
            if into == other.id:
                self.contacts.merged_into[old] = primary.id
        self.contacts.merged_into[other.id] = primary.id

    def renumber(self, record: Record, id_: str, at: str) -> None:
        """Give a contact another id; the old one leads there from now on."""
        old = record.id
        self.contacts.remove(record)
        record.id = id_
        self.contacts.add(record)
        ids = ";".join(filter(None, [old, record.properties.get("hs_merged_object_ids")]))
        self.contacts.change(record, {"hs_object_id": id_, "hs_merged_object_ids": ids}, at, "MERGE_OBJECTS")
        self.contacts.merged_into |= {each: id_ for each, into in self.contacts.merged_into.items() if into == old}
        self.contacts.merged_into[old] = id_
        self.emails |= {email: id_ for email, owner in self.emails.items() if owner == old}
        for deal_id in self.deals_of.pop(old, []):
            self.contacts_of[deal_id].remove(old)
            self.tie(deal_id, id_)


def unknown_kind(kind: str) -> ApiError:
    return refuse(400, f"Unable to infer object type from: {kind}")
