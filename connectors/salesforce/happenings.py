"""The streams `opportunities`, `campaigns` and `activities`."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from typing import TYPE_CHECKING

from connectors.records import Activity, ActivityKind
from connectors.salesforce.currencies import OBJECTS, Rates, rates
from connectors.salesforce.pull import Row, Source
from connectors.salesforce.schema import Schema, demand, describe, readable

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

_NOON = time(12, tzinfo=UTC)
"""Where Salesforce gives a day without a time, the fact is taken to have happened at noon."""


def opportunity_sources(sf: "Salesforce") -> list[Source]:
    """Contacts' parts in opportunities: won → order (refund below zero), lost → deal_lost, open → none.

    The id is that of the part, not of opportunity and contact: it stays when two contacts are merged. An org with
    several currencies has its amounts in the corporate one.
    """
    needed = ("Id", "IsDeleted", "ContactId", "SystemModstamp")
    parent = ("IsWon", "IsClosed", "CloseDate", "CreatedDate", "IsDeleted", "SystemModstamp")
    optional = ("Opportunity.Amount", "Opportunity.CurrencyIsoCode")
    columns = [*needed, *(f"Opportunity.{name}" for name in parent)]
    stamps = ["SystemModstamp", "Opportunity.SystemModstamp"]
    schema = describe(sf, ("OpportunityContactRole", "Opportunity", *OBJECTS))
    several = readable(schema, "OpportunityContactRole", ["Opportunity.CurrencyIsoCode"])
    read = partial(_deal, rates(sf, schema) if several else Rates())
    return [_source(schema, "OpportunityContactRole", columns, optional, stamps, read)]


def campaign_sources(sf: "Salesforce") -> list[Source]:
    """Campaign members: one send each, and a response when there was one."""
    needed = ("Id", "IsDeleted", "CampaignId", "ContactId", "LeadId", "HasResponded", "CreatedDate", "SystemModstamp")
    schema = describe(sf, ("CampaignMember",))
    return [_source(schema, "CampaignMember", needed, ("FirstRespondedDate",), ["SystemModstamp"], _mailing)]


def touch_sources(sf: "Salesforce") -> list[Source]:
    """Tasks that are done, and events: calls, mails and meetings with one person."""
    needed = ("Id", "IsDeleted", "WhoId", "ActivityDate", "CreatedDate", "SystemModstamp")
    task = ("IsClosed", "CompletedDateTime", "IsRecurrence")
    event = ("ActivityDateTime", "IsRecurrence")
    schema = describe(sf, ("Task", "Event"))
    return [
        _source(schema, "Task", needed, task, ["SystemModstamp"], _touch),
        _source(schema, "Event", needed, event, ["SystemModstamp"], _touch),
    ]


def _source(
    schema: Schema,
    object_: str,
    needed: Sequence[str],
    optional: Sequence[str],
    stamps: Sequence[str],
    read: Callable[[Row], list[Activity]],
) -> Source:
    demand(schema, object_, needed)
    return Source(object_, [*needed, *readable(schema, object_, optional)], stamps, read)


def _deal(rates: Rates, row: Row) -> list[Activity]:
    won, closed = row.get("Opportunity.IsWon"), row.get("Opportunity.IsClosed")
    gone = row["IsDeleted"] or row.get("Opportunity.IsDeleted") or not row["ContactId"]
    kind = ActivityKind.DEAL_LOST if closed and not won else ActivityKind.ORDER
    amount, currency = row.get("Opportunity.Amount"), row.get("Opportunity.CurrencyIsoCode")
    if amount is not None:
        amount, currency = rates.cents(float(amount), currency, row.get("Opportunity.CloseDate"))
    if kind is ActivityKind.ORDER and amount is not None and amount < 0:
        kind, amount = ActivityKind.REFUND, -amount
    removed = bool(gone or not closed)
    return [
        Activity(row["Id"], kind, _closed(row), row["ContactId"], amount=amount, currency=currency, removed=removed)
    ]


def _closed(row: Row) -> datetime:
    """When a deal was closed: a deal made and closed on one day was closed no earlier than it was made."""
    made, day = row.get("Opportunity.CreatedDate"), row.get("Opportunity.CloseDate")
    if made is None or day is None:
        return datetime.fromisoformat(row["SystemModstamp"])
    created = datetime.fromisoformat(made)
    return created if created.date().isoformat() == day else _noon(day)


def _mailing(row: Row) -> list[Activity]:
    contact = row["ContactId"] or row["LeadId"]
    sent = datetime.fromisoformat(row["CreatedDate"])
    gone = bool(row["IsDeleted"] or not contact)
    response = not gone and bool(row["HasResponded"])
    answered = max(_day(row.get("FirstRespondedDate")) or sent, sent)
    campaign = row["CampaignId"]
    return [
        Activity(f"{row['Id']}:send", ActivityKind.SEND, sent, contact, campaign=campaign, removed=gone),
        Activity(
            f"{row['Id']}:response", ActivityKind.RESPONSE, answered, contact, campaign=campaign, removed=not response
        ),
    ]


def _touch(row: Row) -> list[Activity]:
    instant = row.get("CompletedDateTime") or row.get("ActivityDateTime")
    day = _day(row["ActivityDate"]) or datetime.fromisoformat(row["CreatedDate"])
    planned = row.get("IsClosed") is False or row.get("IsRecurrence") is True
    return [
        Activity(
            row["Id"],
            ActivityKind.TOUCH,
            datetime.fromisoformat(instant) if instant else day,
            row["WhoId"],
            removed=bool(row["IsDeleted"] or not row["WhoId"] or planned),
        )
    ]


def _day(text: str | None) -> datetime | None:
    return _noon(text) if text else None


def _noon(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), _NOON)
