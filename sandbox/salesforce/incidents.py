"""What people do to records by hand in the user interface."""

from sandbox.salesforce.org import ADMIN_USER, Org
from sandbox.salesforce.schema import Record

_CHILDREN = (("OpportunityContactRole", "ContactId"), ("CampaignMember", "ContactId"), ("Task", "WhoId"))


def delete_record(org: Org, record_id: str) -> None:
    """Put a record into the recycle bin; KeyError when there is none."""
    object_type = org.schema.of_id(record_id)
    if object_type is None:
        raise KeyError(record_id)
    _by_hand(org, org.records.tables[object_type.name][record_id], {"IsDeleted": True})


def purge_record(org: Org, record_id: str) -> None:
    """Delete a record past the recycle bin: only the log of deletions names it. KeyError when there is none."""
    delete_record(org, record_id)
    object_type = org.schema.of_id(record_id)
    assert object_type
    org.records.drop(object_type.name, record_id)
    org.purged.append((record_id, org.now()))


def merge_contacts(org: Org, loser: str, winner: str) -> None:
    """`loser` is deleted and points to `winner`, which gets all that belonged to it; KeyError when one is missing."""
    contacts = org.records.tables["Contact"]
    lost, kept = contacts[loser], contacts[winner]
    for child, reference in _CHILDREN:
        for record in org.records.tables[child].values():
            if record.get(reference) == loser:
                _by_hand(org, record, {reference: winner})
    _by_hand(org, lost, {"IsDeleted": True, "MasterRecordId": winner})
    _by_hand(org, kept, {})


def _by_hand(org: Org, record: Record, values: Record) -> None:
    now = org.now()
    record |= {**values, "LastModifiedDate": now, "LastModifiedById": ADMIN_USER, "SystemModstamp": now}
