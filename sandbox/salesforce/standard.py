"""The objects a fresh organisation has, as far as a shop's marketing needs them."""

from typing import Any

from sandbox.salesforce.schema import Field, ObjectType, Schema

LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
LEAD_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")


def _text(name: str, label: str, length: int = 80, **more: Any) -> Field:
    return Field(name, label, "string", length=length, **more)


def _pick(name: str, label: str, values: tuple[str, ...], **more: Any) -> Field:
    return Field(name, label, "picklist", length=255, values=values, **more)


def _ref(name: str, label: str, *to: str, **more: Any) -> Field:
    return Field(name, label, "reference", 18, reference_to=to, relationship=name.removesuffix("Id"), **more)


def _flag(name: str, label: str, **more: Any) -> Field:
    return Field(name, label, "boolean", nillable=False, default=False, **more)


def _plain(kind: str, name: str, label: str, **more: Any) -> Field:
    return Field(name, label, kind, **more)


_READ_ONLY: dict[str, Any] = {"createable": False, "updateable": False}


def _object(name: str, label: str, prefix: str, *fields: Field, **more: Any) -> ObjectType:
    audit = (
        Field("Id", f"{label} ID", "id", length=18, nillable=False, **_READ_ONLY),
        *([_flag("IsDeleted", "Deleted", **_READ_ONLY)] if more.get("recycled", True) else []),
    )
    stamps = (
        _plain("datetime", "CreatedDate", "Created Date", nillable=False, **_READ_ONLY),
        _ref("CreatedById", "Created By ID", "User", nillable=False, **_READ_ONLY),
        _plain("datetime", "LastModifiedDate", "Last Modified Date", nillable=False, **_READ_ONLY),
        _ref("LastModifiedById", "Last Modified By ID", "User", nillable=False, **_READ_ONLY),
        _plain("datetime", "SystemModstamp", "System Modstamp", nillable=False, **_READ_ONLY),
    )
    plural = f"{label[:-1]}ies" if label.endswith("y") else f"{label}s"
    return ObjectType(name, label, plural, prefix, {each.name: each for each in (*audit, *fields, *stamps)}, **more)


def _owner() -> Field:
    return _ref("OwnerId", "Owner ID", "User", nillable=False)


def _person(kind: str, show_opt_out: bool) -> list[Field]:
    return [
        _ref("MasterRecordId", "Master Record ID", kind, **_READ_ONLY),
        _text("LastName", "Last Name", nillable=False),
        _text("FirstName", "First Name", 40),
        _text("Name", "Full Name", 121, nillable=False, **_READ_ONLY),
        _text("Title", "Title", 128),
        _plain("email", "Email", "Email", length=80),
        _plain("phone", "Phone", "Phone", length=40),
        _pick("LeadSource", "Lead Source", LEAD_SOURCES),
        _flag("HasOptedOutOfEmail", "Email Opt Out", open=show_opt_out),
        _plain("datetime", "EmailBouncedDate", "Email Bounced Date", createable=kind == "Contact"),
        _plain("date", "LastActivityDate", "Last Activity", **_READ_ONLY),
        _ref("IndividualId", "Individual ID", "Individual"),
        _plain("textarea", "Description", "Description", length=32000, filterable=False),
        _owner(),
    ]


def _people(show_opt_out: bool) -> list[ObjectType]:
    return [
        _object(
            "Account", "Account", "001",
            _text("Name", "Account Name", 255, nillable=False),
            _pick("Type", "Account Type", ("Prospect", "Customer", "Other")),
            _pick("Industry", "Industry", ("Retail", "Other")),
            _plain("currency", "AnnualRevenue", "Annual Revenue", precision=18),
            _plain("int", "NumberOfEmployees", "Employees"),
            _text("BillingCountry", "Billing Country"),
            _owner(),
        ),
        _object(
            "Contact", "Contact", "003", *_person("Contact", show_opt_out),
            _flag("IsEmailBounced", "Is Email Bounced", **_READ_ONLY),
            _ref("AccountId", "Account ID", "Account"),
            _text("Department", "Department"),
            _text("MailingCity", "Mailing City", 40),
            _text("MailingState", "Mailing State/Province"),
            _text("MailingCountry", "Mailing Country"),
            _text("MailingPostalCode", "Mailing Zip/Postal Code", 20),
        ),
        _object(
            "Lead", "Lead", "00Q", *_person("Lead", show_opt_out),
            _text("Company", "Company", 255, nillable=False),
            _text("City", "City", 40),
            _pick("Status", "Status", LEAD_STATUSES, nillable=False, default=LEAD_STATUSES[0]),
            _pick("Industry", "Industry", ("Retail", "Other")),
            _pick("Rating", "Rating", ("Hot", "Warm", "Cold")),
            _plain("currency", "AnnualRevenue", "Annual Revenue", precision=18),
            _plain("int", "NumberOfEmployees", "Employees"),
            _flag("IsConverted", "Converted", updateable=False),
            _plain("date", "ConvertedDate", "Converted Date", **_READ_ONLY),
            _ref("ConvertedAccountId", "Converted Account ID", "Account", **_READ_ONLY),
            _ref("ConvertedContactId", "Converted Contact ID", "Contact", **_READ_ONLY),
            _ref("ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity", **_READ_ONLY),
        ),
    ]  # fmt: skip


def _dealings() -> list[ObjectType]:
    return [
        _object(
            "Opportunity", "Opportunity", "006",
            _ref("AccountId", "Account ID", "Account"),
            _text("Name", "Name", 120, nillable=False),
            _pick("StageName", "Stage", ("Prospecting", "Closed Won", "Closed Lost"), nillable=False),
            _plain("currency", "Amount", "Amount", precision=18, scale=2),
            _plain("percent", "Probability", "Probability (%)", precision=3),
            _plain("date", "CloseDate", "Close Date", nillable=False),
            _pick("Type", "Opportunity Type", ("Existing Business", "New Business")),
            _flag("IsClosed", "Closed", **_READ_ONLY),
            _flag("IsWon", "Won", **_READ_ONLY),
            _ref("CampaignId", "Campaign ID", "Campaign"),
            _owner(),
        ),
        _object(
            "OpportunityContactRole", "Opportunity Contact Role", "00K",
            _ref("OpportunityId", "Opportunity ID", "Opportunity", nillable=False, updateable=False),
            _ref("ContactId", "Contact ID", "Contact", nillable=False),
            _pick("Role", "Role", ("Decision Maker", "Other")),
            _flag("IsPrimary", "Primary"),
            customisable=False,
        ),
        _object(
            "Campaign", "Campaign", "701",
            _text("Name", "Name", nillable=False),
            _pick("Type", "Type", ("Direct Mail", "Email", "Other")),
            _pick("Status", "Status", ("Planned", "In Progress", "Completed")),
            _plain("date", "StartDate", "Start Date"),
            _plain("date", "EndDate", "End Date"),
            _flag("IsActive", "Active"),
            _owner(),
        ),
        _object(
            "CampaignMember", "Campaign Member", "00v",
            _ref("CampaignId", "Campaign ID", "Campaign", nillable=False, updateable=False),
            _ref("LeadId", "Lead ID", "Lead", updateable=False),
            _ref("ContactId", "Contact ID", "Contact", updateable=False),
            _pick("Status", "Status", ("Sent", "Responded"), default="Sent"),
            _flag("HasResponded", "Responded", **_READ_ONLY),
            _plain("date", "FirstRespondedDate", "First Responded Date", **_READ_ONLY),
        ),
    ]  # fmt: skip


def _doings() -> list[ObjectType]:
    def activity(kind: str) -> list[Field]:
        return [
            _ref("WhoId", "Name ID", "Contact", "Lead"),
            _ref("WhatId", "Related To ID", "Account", "Opportunity", "Campaign"),
            _ref("AccountId", "Account ID", "Account", **_READ_ONLY),
            _plain("combobox", "Subject", "Subject", length=255),
            _plain("date", "ActivityDate", "Due Date Only"),
            _pick(f"{kind}Subtype", f"{kind} Subtype", ("Task", "Event", "Email", "Call"), updateable=False),
            _flag("IsArchived", "Archived", **_READ_ONLY),
            _flag("IsRecurrence", "Create Recurring Series", updateable=False),
            _owner(),
        ]

    return [
        _object(
            "Task", "Task", "00T", *activity("Task"),
            _pick("Status", "Status", ("Not Started", "Completed"), nillable=False, default="Not Started"),
            _flag("IsClosed", "Closed", **_READ_ONLY),
            _plain("int", "CallDurationInSeconds", "Call Duration"),
        ),
        _object("Event", "Event", "00U", *activity("Event"), _plain("datetime", "ActivityDateTime", "Due Date Time")),
        _object(
            "Case", "Case", "500",
            _ref("ContactId", "Contact ID", "Contact"),
            _ref("AccountId", "Account ID", "Account"),
            _pick("Status", "Status", ("New", "Working", "Closed"), default="New"),
            _pick("Priority", "Priority", ("High", "Medium", "Low"), default="Medium"),
            _pick("Origin", "Case Origin", ("Phone", "Email", "Web")),
            _flag("IsClosed", "Closed", **_READ_ONLY),
            _flag("IsEscalated", "Escalated"),
            _plain("datetime", "ClosedDate", "Closed Date", **_READ_ONLY),
            _owner(),
        ),
    ]  # fmt: skip


def _setup() -> list[ObjectType]:
    fixed: dict[str, Any] = {"recycled": False, "customisable": False}
    return [
        _object(
            "User", "User", "005", _text("Name", "Full Name", 121), _text("Username", "Username"),
            _plain("email", "Email", "Email", length=128), _flag("IsActive", "Active"), writable=False, **fixed,
        ),
        _object(
            "Organization", "Organization", "00D", _text("Name", "Name"),
            _text("OrganizationType", "Edition", 40), _flag("IsSandbox", "Is Sandbox"),
            _text("InstanceName", "Instance Name", 5), _text("TimeZoneSidKey", "Time Zone", 40),
            _text("DefaultLocaleSidKey", "Locale", 40), writable=False, **fixed,
        ),
        _object(
            "PermissionSet", "Permission Set", "0PS",
            _text("Name", "Permission Set Name", nillable=False),
            _text("Label", "Permission Set Label", nillable=False),
            _text("Description", "Description", 255), **fixed,
        ),
        _object(
            "FieldPermissions", "Field Permission", "01k",
            _ref("ParentId", "Parent ID", "PermissionSet", nillable=False, updateable=False),
            _text("SobjectType", "Sobject Type", 40, nillable=False, updateable=False),
            _text("Field", "Field Name", 255, nillable=False, updateable=False),
            _flag("PermissionsRead", "Read Field"), _flag("PermissionsEdit", "Edit Field"), **fixed,
        ),
        _object(
            "PermissionSetAssignment", "Permission Set Assignment", "0Pa",
            _ref("AssigneeId", "Assignee ID", "User", nillable=False, updateable=False),
            _ref("PermissionSetId", "PermissionSet ID", "PermissionSet", nillable=False, updateable=False), **fixed,
        ),
    ]  # fmt: skip


def _privacy() -> list[ObjectType]:
    boxes = (
        ("HasOptedOutProfiling", "Don't Profile"), ("HasOptedOutProcessing", "Don't Process"),
        ("HasOptedOutSolicit", "Don't Market"), ("HasOptedOutTracking", "Don't Track"),
        ("HasOptedOutGeoTracking", "Don't Track Geolocation"), ("SendIndividualData", "Export Individual's Data"),
        ("CanStorePiiElsewhere", "OK to Store PII Data Elsewhere"), ("ShouldForget", "Forget this Individual"),
    )  # fmt: skip
    last_name = _text("LastName", "Last Name", nillable=False)
    return [_object("Individual", "Individual", "0PK", last_name, *(_flag(name, label) for name, label in boxes))]


def _money() -> list[ObjectType]:
    fixed: dict[str, Any] = {"recycled": False, "customisable": False, "writable": False}
    return [
        _object(
            "CurrencyType", "Currency Type", "01L", _text("IsoCode", "Currency ISO Code", 3, nillable=False),
            _plain("double", "ConversionRate", "Conversion Rate", precision=18, scale=6),
            _flag("IsCorporate", "Corporate Currency"), _flag("IsActive", "Active"), **fixed,
        ),
    ]  # fmt: skip


def standard_schema(show_opt_out: bool, *, several_currencies: bool = False) -> Schema:
    """A fresh organisation's objects; `show_opt_out` opens HasOptedOutOfEmail to everyone."""
    objects = [*_people(show_opt_out), *_privacy(), *_dealings(), *_doings(), *_setup()]
    if not several_currencies:
        return Schema(objects)
    for each in objects:
        if each.name in ("Account", "Contact", "Lead", "Opportunity"):
            each.fields["CurrencyIsoCode"] = _text("CurrencyIsoCode", "Currency", 3)
    return Schema([*objects, *_money()])
