"""The properties a portal comes with, and those this shop has added about its shoppers."""

from typing import Any

LIFECYCLE = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "other")
DEMOGRAPHICS = {
    "age": "Age",
    "income": "Income",
    "home_ownership": "Home ownership",
    "marital_status": "Marital status",
    "household_size": "Household size",
    "household_comp": "Household composition",
    "kids_count": "Number of kids",
}
MADE = "2016-11-01T08:00:00.000Z"

_CONTACT_GROUPS = {
    "contactinformation": "Contact information",
    "emailinformation": "Email information",
    "dealinformation": "Deal information",
    "conversioninformation": "Conversion information",
    "shopper": "Shopper",
}
_DEAL_GROUPS = {"dealinformation": "Deal information"}

# name, label, type, field type, group, writable
_CONTACT_ROWS = (
    ("hs_object_id", "Record ID", "number", "number", "contactinformation", False),
    ("email", "Email", "string", "text", "contactinformation", True),
    ("hs_additional_emails", "Additional email addresses", "enumeration", "checkbox", "contactinformation", True),
    ("hs_merged_object_ids", "Merged record IDs", "enumeration", "checkbox", "contactinformation", False),
    ("firstname", "First name", "string", "text", "contactinformation", True),
    ("lastname", "Last name", "string", "text", "contactinformation", True),
    ("lifecyclestage", "Lifecycle stage", "enumeration", "radio", "contactinformation", True),
    ("hubspot_owner_id", "Contact owner", "enumeration", "select", "contactinformation", True),
    ("createdate", "Create date", "datetime", "date", "contactinformation", False),
    ("lastmodifieddate", "Last modified date", "datetime", "date", "contactinformation", False),
    ("hs_lastmodifieddate", "Object last modified date/time", "datetime", "date", "contactinformation", False),
    ("hs_email_optout", "Unsubscribed from all email", "bool", "booleancheckbox", "emailinformation", False),
    ("hs_legal_basis", "Legal basis for processing data", "enumeration", "checkbox", "contactinformation", True),
    ("hs_email_delivered", "Marketing emails delivered", "number", "number", "emailinformation", False),
    ("hs_email_open", "Marketing emails opened", "number", "number", "emailinformation", False),
    ("hs_email_click", "Marketing emails clicked", "number", "number", "emailinformation", False),
    (
        "hs_email_sends_since_last_engagement",
        "Sends since last engagement",
        "number",
        "number",
        "emailinformation",
        False,
    ),
    ("hs_email_first_send_date", "First marketing email send date", "datetime", "date", "emailinformation", False),
    ("hs_email_last_send_date", "Last marketing email send date", "datetime", "date", "emailinformation", False),
    ("hs_email_first_open_date", "First marketing email open date", "datetime", "date", "emailinformation", False),
    ("hs_email_last_open_date", "Last marketing email open date", "datetime", "date", "emailinformation", False),
    ("hs_email_first_click_date", "First marketing email click date", "datetime", "date", "emailinformation", False),
    ("hs_email_last_click_date", "Last marketing email click date", "datetime", "date", "emailinformation", False),
    ("hs_email_first_reply_date", "First marketing email reply date", "datetime", "date", "emailinformation", False),
    ("hs_email_last_reply_date", "Last marketing email reply date", "datetime", "date", "emailinformation", False),
    ("hs_email_last_email_name", "Last marketing email name", "string", "text", "emailinformation", False),
    ("num_associated_deals", "Number of associated deals", "number", "calculation_rollup", "dealinformation", False),
    ("recent_deal_amount", "Recent deal amount", "number", "number", "dealinformation", False),
    ("recent_deal_close_date", "Recent deal close date", "datetime", "date", "dealinformation", False),
    ("first_deal_created_date", "First deal created date", "datetime", "date", "dealinformation", False),
    ("total_revenue", "Total revenue", "number", "number", "dealinformation", False),
    ("num_conversion_events", "Number of form submissions", "number", "number", "conversioninformation", False),
    ("first_conversion_date", "First conversion date", "datetime", "date", "conversioninformation", False),
    ("recent_conversion_date", "Recent conversion date", "datetime", "date", "conversioninformation", False),
    ("recent_conversion_event_name", "Recent conversion", "string", "text", "conversioninformation", False),
)
_DEAL_ROWS = (
    ("hs_object_id", "Record ID", "number", "number", "dealinformation", False),
    ("dealname", "Deal name", "string", "text", "dealinformation", True),
    ("amount", "Amount", "number", "number", "dealinformation", True),
    ("amount_in_home_currency", "Amount in company currency", "number", "number", "dealinformation", False),
    ("hs_merged_object_ids", "Merged record IDs", "enumeration", "checkbox", "dealinformation", False),
    ("deal_currency_code", "Currency", "enumeration", "select", "dealinformation", True),
    ("dealstage", "Deal stage", "enumeration", "radio", "dealinformation", True),
    ("pipeline", "Pipeline", "enumeration", "select", "dealinformation", True),
    ("closedate", "Close date", "datetime", "date", "dealinformation", True),
    ("createdate", "Create date", "datetime", "date", "dealinformation", False),
    ("hs_is_closed", "Is deal closed?", "bool", "booleancheckbox", "dealinformation", False),
    ("hs_is_closed_won", "Is closed won", "bool", "booleancheckbox", "dealinformation", False),
    ("hs_lastmodifieddate", "Last modified date", "datetime", "date", "dealinformation", False),
)
_LEGAL_BASES = (
    "Legitimate interest – prospect/lead",
    "Legitimate interest – existing customer",
    "Legitimate interest - other",
    "Performance of a contract",
    "Freely given consent from contact",
    "Not applicable",
)
_OPTIONS: dict[str, tuple[str, ...]] = {
    "lifecyclestage": LIFECYCLE,
    "dealstage": ("appointmentscheduled", "qualifiedtobuy", "contractsent", "closedwon", "closedlost"),
    "pipeline": ("default",),
    "deal_currency_code": ("USD", "EUR"),
    "hs_legal_basis": _LEGAL_BASES,
    "hs_email_optout": ("true", "false"),
    "hs_is_closed": ("true", "false"),
    "hs_is_closed_won": ("true", "false"),
}
_EXTERNAL = frozenset({"hs_additional_emails", "hs_merged_object_ids", "hubspot_owner_id"})


def property_definition(
    wanted: dict[str, Any], at: str, standard: bool = False, writable: bool = True
) -> dict[str, Any]:
    """A full definition out of what was asked for; `standard` ones belong to HubSpot."""
    options = [
        {"description": "", "displayOrder": place, "hidden": False, **option}
        for place, option in enumerate(wanted.get("options") or [])
    ]
    owner = {"hubspotDefined": True} if standard else {"createdUserId": "1", "updatedUserId": "1"}
    return {
        "updatedAt": at,
        "createdAt": at,
        **owner,
        "name": wanted["name"],
        "label": wanted["label"],
        "type": wanted["type"],
        "fieldType": wanted["fieldType"],
        "description": wanted.get("description", ""),
        "groupName": wanted["groupName"],
        "options": options,
        "displayOrder": wanted.get("displayOrder", -1),
        "calculated": wanted["fieldType"] == "calculation_rollup",
        "externalOptions": wanted.get("externalOptions", False),
        "archived": False,
        "hasUniqueValue": wanted.get("hasUniqueValue", False),
        "hidden": wanted.get("hidden", False),
        "modificationMetadata": {
            "archivable": not standard,
            "readOnlyDefinition": standard,
            "readOnlyValue": not writable,
        },
        "formField": wanted.get("formField", False),
        "dataSensitivity": "non_sensitive",
    }


def standard_properties(kind: str) -> dict[str, dict[str, Any]]:
    """The definitions of `contacts` or `deals` in a fresh portal of this shop, by name."""
    rows = _CONTACT_ROWS if kind == "contacts" else _DEAL_ROWS
    found = {}
    for name, label, type_, field_type, group, writable in rows:
        options = [{"label": option, "value": option} for option in _OPTIONS.get(name, ())]
        wanted: dict[str, Any] = {"name": name, "label": label, "type": type_, "fieldType": field_type}
        wanted |= {"groupName": group, "options": options, "externalOptions": name in _EXTERNAL}
        found[name] = property_definition(wanted, MADE, standard=True, writable=writable)
    if kind == "contacts":
        for name, label in DEMOGRAPHICS.items():
            wanted = {"name": name, "label": label, "type": "string", "fieldType": "text", "groupName": "shopper"}
            found[name] = property_definition(wanted, MADE)
    return found


def standard_groups(kind: str) -> dict[str, dict[str, Any]]:
    """The property groups of `contacts` or `deals`, by name."""
    labels = _CONTACT_GROUPS if kind == "contacts" else _DEAL_GROUPS
    return {
        name: {"name": name, "label": label, "displayOrder": place, "archived": False}
        for place, (name, label) in enumerate(labels.items())
    }
