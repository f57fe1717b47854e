"""The records people, orders and mailings of the world become."""

from datetime import datetime, timedelta
from zlib import crc32

from sandbox.people import Campaign, Order, Person, Redemption, Send
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.org import ADMIN_USER
from sandbox.salesforce.prospects import Prospect
from sandbox.salesforce.schema import Field, Record
from sandbox.salesforce.stamps import stamp
from sandbox.salesforce.standard import LEAD_SOURCES, LEAD_STATUSES

_CITIES = ("Ashford", "Brookfield", "Clearwater", "Dunmore", "Eastgate", "Fairview")
_DEMOGRAPHICS = {
    "age": ("Age_Band__c", "Age Band"),
    "income": ("Income_Band__c", "Income Band"),
    "household_comp": ("Household_Composition__c", "Household Composition"),
}
_FIRST_PROSPECT = 10_000_000
_DAY_ZERO = datetime(2000, 1, 1).toordinal()  # noqa: DTZ001 - only its day number counts


def contact_id(household: int) -> str:
    return make_id("003", household)


def account_id(household: int) -> str:
    return make_id("001", household)


def lead_id(household: int) -> str:
    return make_id("00Q", household)


def campaign_id(campaign: int) -> str:
    return make_id("701", campaign)


def member_id(campaign: int, household: int) -> str:
    return make_id("00v", campaign * 1_000_000 + household)


def prospect_id(prospect: Prospect) -> str:
    return make_id("00Q", _FIRST_PROSPECT + prospect.number)


def demographic_field(key: str) -> Field:
    """The custom field a demographic of the data set is kept in."""
    plain = "_".join(part.capitalize() for part in key.split("_"))
    name, label = _DEMOGRAPHICS.get(key, (f"{plain}__c", plain.replace("_", " ")))
    return Field(name, label, "string", length=80, id=make_id("00N", crc32(key.encode())))


def _made(record_id: str, at: datetime) -> Record:
    now = stamp(at)
    return {
        "Id": record_id,
        "IsDeleted": False,
        "CreatedDate": now,
        "CreatedById": ADMIN_USER,
        "LastModifiedDate": now,
        "LastModifiedById": ADMIN_USER,
        "SystemModstamp": now,
    }


def account(person: Person) -> Record:
    made = _made(account_id(person.household), person.joined)
    return {**made, "Name": f"{person.last_name} Household", "Type": "Customer", "OwnerId": ADMIN_USER}


def contact(person: Person) -> Record:
    return {
        **_made(contact_id(person.household), person.joined),
        "AccountId": account_id(person.household),
        **_named(person.first_name, person.last_name, person.emails["salesforce"]),
        "IsEmailBounced": False,
        "LeadSource": LEAD_SOURCES[person.household % len(LEAD_SOURCES)],
        "MailingCity": _CITIES[person.household % len(_CITIES)],
        **{demographic_field(key).name: value for key, value in person.demographics.items()},
    }


def lead(person: Person, at: datetime) -> Record:
    return {
        **_made(lead_id(person.household), at),
        **_named(person.first_name, person.last_name, person.emails["salesforce"]),
        "Company": f"{person.last_name} Household",
        "Status": LEAD_STATUSES[0],
        "LeadSource": LEAD_SOURCES[person.household % len(LEAD_SOURCES)],
        "City": _CITIES[person.household % len(_CITIES)],
        "IsConverted": False,
    }


def conversion(person: Person) -> Record:
    """What changes on a lead when it becomes a contact."""
    return {
        "Status": LEAD_STATUSES[2],
        "IsConverted": True,
        "ConvertedDate": person.joined.date().isoformat(),
        "ConvertedContactId": contact_id(person.household),
        "ConvertedAccountId": account_id(person.household),
    }


def prospect_lead(prospect: Prospect) -> Record:
    return {
        **_made(prospect_id(prospect), prospect.at),
        **_named(prospect.first_name, prospect.last_name, prospect.email),
        "Company": f"{prospect.last_name} Household",
        "Status": LEAD_STATUSES[prospect.number % 2],
        "LeadSource": prospect.source,
        "IsConverted": False,
    }


def _named(first: str, last: str, email: str) -> Record:
    names: Record = {"FirstName": first, "LastName": last, "Name": f"{first} {last}", "Email": email}
    return {**names, "HasOptedOutOfEmail": False, "OwnerId": ADMIN_USER}


def opportunity(order: Order) -> Record:
    return {
        **_made(make_id("006", order.id), order.at),
        "AccountId": account_id(order.household),
        "Name": f"Order {order.id}",
        "StageName": "Closed Won",
        "IsClosed": True,
        "IsWon": True,
        "Probability": 100.0,
        "Amount": float(order.amount),
        "CloseDate": order.at.date().isoformat(),
        "OwnerId": ADMIN_USER,
    }


def contact_role(order: Order) -> Record:
    return {
        **_made(make_id("00K", order.id), order.at),
        "OpportunityId": make_id("006", order.id),
        "ContactId": contact_id(order.household),
        "IsPrimary": True,
    }


def campaign(source: Campaign, now: datetime) -> Record:
    return {
        **_made(campaign_id(source.id), now),
        "Name": source.name,
        "Type": "Direct Mail",
        "Status": "In Progress",
        "IsActive": True,
        "StartDate": source.start.date().isoformat(),
        "EndDate": source.end.date().isoformat(),
        "OwnerId": ADMIN_USER,
    }


def member(send: Send) -> Record:
    made = _made(member_id(send.campaign, send.household), send.at)
    who = {"CampaignId": campaign_id(send.campaign), "ContactId": contact_id(send.household)}
    return {**made, **who, "Status": "Sent", "HasResponded": False}


def task(redemption: Redemption) -> Record:
    number = redemption.campaign * 1_000_000 + redemption.household
    day = redemption.at.toordinal() - _DAY_ZERO
    return {
        **_made(make_id("00T", number * 20_000 + day), redemption.at),
        "WhoId": contact_id(redemption.household),
        "WhatId": campaign_id(redemption.campaign),
        "AccountId": account_id(redemption.household),
        "Subject": "Coupon redeemed",
        "ActivityDate": redemption.at.date().isoformat(),
        "TaskSubtype": "Task",
        "Status": "Completed",
        "IsClosed": True,
        "IsArchived": False,
        "IsRecurrence": False,
        "OwnerId": ADMIN_USER,
    }


def archiving(at: datetime) -> datetime:
    """When an activity of this instant is archived."""
    return at + timedelta(days=365)
