"""The stream `contacts`: people, what they agreed to, our own fields, and when they were last mailed or answered."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.contract import Page
from connectors.hubspot.answers import instant, millis, parts
from connectors.hubspot.changes import Row
from connectors.hubspot.fields import Fields
from connectors.hubspot.sdk import Api
from connectors.hubspot.walk import Walk
from connectors.records import Activity, ActivityKind, Consent, Contact

STREAM = "contacts"

_CORE = (
    "email",
    "hs_additional_emails",
    "hs_merged_object_ids",
    "createdate",
    "hs_email_optout",
    "hs_email_last_email_name",
)
_SHOWN = ("firstname", "lastname", "lifecyclestage", "hs_object_source_label", "hs_analytics_source")
_MAIL_DATES = {
    "hs_email_last_send_date": ActivityKind.SEND,
    "hs_email_first_send_date": ActivityKind.SEND,
    "hs_email_last_open_date": ActivityKind.OPEN,
    "hs_email_first_open_date": ActivityKind.OPEN,
    "hs_email_last_click_date": ActivityKind.CLICK,
    "hs_email_first_click_date": ActivityKind.CLICK,
    "hs_email_last_reply_date": ActivityKind.RESPONSE,
    "hs_email_first_reply_date": ActivityKind.RESPONSE,
}
"""The only dates of single mails that every HubSpot plan shows; the last one comes first."""


class Contacts:
    """Pulls contacts. `wanted` are the further properties that the admin asked for."""

    def __init__(self, api: Api, fields: Fields, wanted: Iterable[str]) -> None:
        self._api = api
        self._fields = fields
        self._shown = tuple(dict.fromkeys((*_SHOWN, *wanted)))

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Contacts and their mail dates."""
        names = dict.fromkeys((*_CORE, *_MAIL_DATES, *self._fields.names, *self._shown))
        walk = Walk(self._api.contacts, self._api.contact_search, "lastmodifieddate", list(names), associations=None)
        total = None
        for leg in walk.legs(cursor, until):
            total = leg.total if total is None else total
            yield Page(
                STREAM,
                leg.cursor,
                contacts=tuple(self._contact(row) for row in leg.rows),
                activities=tuple(activity for row in leg.rows for activity in mail_activities(row)),
                total=total,
            )

    def _contact(self, row: Row) -> Contact:
        properties = row["properties"]
        deleted = bool(row.get("archived"))
        return Contact(
            object="contacts",
            id=str(row["id"]),
            email=(properties.get("email") or "").strip() or None,
            consent=consent_of(properties),
            created_at=instant(properties.get("createdate")) or instant(row.get("createdAt")),
            modified_at=instant(properties.get("lastmodifieddate")) or instant(row.get("updatedAt")),
            other_emails=parts(properties.get("hs_additional_emails")),
            properties={name: properties[name] for name in self._shown if properties.get(name) not in (None, "")},
            owned=self._fields.read(properties),
            deleted=deleted,
            writable=not deleted,
            aliases=parts(properties.get("hs_merged_object_ids")),
        )


def consent_of(properties: Mapping[str, Any]) -> Consent:
    """What `hs_email_optout` says. HubSpot leaves it empty until someone decides, so empty is no yes: UNKNOWN."""
    answer = str(properties.get("hs_email_optout") or "").lower()
    if answer in ("true", "yes"):
        return Consent.OPTED_OUT
    return Consent.GRANTED if answer in ("false", "no") else Consent.UNKNOWN


def mail_activities(row: Row) -> Iterator[Activity]:
    """A contact's mail dates as activities; a first date that is also the last one counts once."""
    contact, properties = str(row["id"]), row["properties"]
    told = set()
    for name, kind in _MAIL_DATES.items():
        at = instant(properties.get(name))
        if at is None or (kind, at) in told:
            continue
        told.add((kind, at))
        campaign = properties.get("hs_email_last_email_name") if name == "hs_email_last_send_date" else None
        yield Activity(f"{contact}:{kind}:{millis(at)}", kind, at, contact_id=contact, campaign=campaign or None)
