"""The stream `contacts`: people, what they agreed to, our own fields, and when they were last mailed or answered."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.contract import Page
from connectors.hubspot import mail
from connectors.hubspot.answers import instant, parts
from connectors.hubspot.changes import Row
from connectors.hubspot.fields import Fields
from connectors.hubspot.sdk import Api
from connectors.hubspot.walk import Walk
from connectors.records import Consent, Contact

STREAM = "contacts"

_CORE = (
    "email",
    "hs_additional_emails",
    "hs_merged_object_ids",
    "createdate",
    "hs_legal_basis",
    mail.OPTED_OUT,
    mail.CAMPAIGN,
)
_SHOWN = ("firstname", "lastname", "lifecyclestage", "hs_object_source_label", "hs_analytics_source")
_CONSENTED = "freely given consent from contact"


class Contacts:
    """Pulls contacts. `wanted` are the further properties that the admin asked for; `history`: the dates in between."""

    def __init__(self, api: Api, fields: Fields, wanted: Iterable[str], *, history: bool) -> None:
        self._api = api
        self._fields = fields
        self._history = history
        self._shown = tuple(dict.fromkeys((*_SHOWN, *wanted)))

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Contacts and their mail dates."""
        names = dict.fromkeys((*_CORE, *mail.DATES, *self._fields.names, *self._shown))
        if self._history:
            names |= dict.fromkeys(mail.COUNTERS)
        walk = Walk(self._api.contacts, self._api.contact_search, "lastmodifieddate", list(names), associations=None)
        total = None
        for leg in walk.legs(cursor, until):
            total = leg.total if total is None else total
            pasts = mail.pasts(self._api, leg.rows, leg.since) if self._history else {}
            yield Page(
                STREAM,
                leg.cursor,
                contacts=tuple(self._contact(row) for row in leg.rows),
                activities=tuple(each for row in leg.rows for each in mail.activities(row, pasts.get(str(row["id"])))),
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
    """What `hs_email_optout` says, and failing that the legal basis.

    HubSpot leaves the opt-out empty until someone decides, so empty is no yes: UNKNOWN. Of the legal bases, only a
    consent that the contact gave is one; a legitimate interest is the company's opinion. An opt-out that is not shown
    may not be read: there may be one, so nothing else is a yes.
    """
    answer = str(properties.get(mail.OPTED_OUT) or "").lower()
    if answer in ("true", "yes"):
        return Consent.OPTED_OUT
    bases = [basis.lower() for basis in parts(properties.get("hs_legal_basis"))]
    consented = mail.OPTED_OUT in properties and _CONSENTED in bases
    return Consent.GRANTED if answer in ("false", "no") or consented else Consent.UNKNOWN
