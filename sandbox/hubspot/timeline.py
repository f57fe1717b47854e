"""What happens to the portal as time goes by: people join, buy, get mail, answer, move, opt out."""

from datetime import datetime
from typing import Any

from sandbox.hubspot.portal import Portal
from sandbox.hubspot.records import Record, Values
from sandbox.hubspot.values import iso, millis
from sandbox.people import Order, Person, Redemption, Send, World

FORM_NAME = "Coupon redemption"
FORM_PAGE = "https://shop.example/coupons"
_COUNTERS = (
    "hs_email_delivered",
    "hs_email_open",
    "hs_email_click",
    "hs_email_sends_since_last_engagement",
    "hs_email_first_send_date",
    "hs_email_last_send_date",
    "hs_email_first_open_date",
    "hs_email_last_open_date",
    "hs_email_first_click_date",
    "hs_email_last_click_date",
    "hs_email_last_email_name",
)
_SOURCE = "CRM_UI"
_MAILER = "EMAIL"


def contact_id(household: int) -> str:
    """The id of a household's contact. Ids differ in length, as real ones do."""
    return str(1 + 50 * household)


class Timeline:
    """The part of the world that HubSpot sees, in order of time; `advance` plays it into the portal."""

    def __init__(self, world: World, portal: Portal) -> None:
        self._portal = portal
        self._campaigns = {campaign.id: campaign.name for campaign in world.campaigns}
        self._people = {person.household: person for person in world.on("hubspot")}
        self._next = 0
        self._events = self._collect(world)

    def advance(self, until: datetime) -> None:
        """Apply every event up to and including `until`."""
        while self._next < len(self._events) and self._events[self._next][0] <= until:
            at, apply, fact = self._events[self._next]
            apply(fact, iso(at))
            self._next += 1

    def _collect(self, world: World) -> list[tuple[datetime, Any, Any]]:
        at_home = {household for household, person in self._people.items() if person.home == "hubspot"}
        mailed = {household for household, person in self._people.items() if person.mailer == "hubspot"}
        events: list[tuple[datetime, Any, Any]] = [
            (person.joined, self._join, person) for person in self._people.values()
        ]
        events += [(order.at, self._order, order) for order in world.orders if order.household in at_home]
        events += [(send.at, self._send, send) for send in world.sends if send.household in mailed]
        events += [(each.at, self._redeem, each) for each in world.redemptions if each.household in mailed]
        events += [(person.moved[0], self._move, person) for person in self._people.values() if person.moved]
        events += [
            (person.opted_out["hubspot"], self._opt_out, person)
            for person in self._people.values()
            if "hubspot" in person.opted_out
        ]
        return sorted(events, key=lambda event: event[0])

    def _contact(self, household: int) -> Record | None:
        return self._portal.contacts.get(contact_id(household))

    def _join(self, person: Person, at: str) -> None:
        values: Values = {
            "hs_object_id": contact_id(person.household),
            "email": person.emails["hubspot"].lower(),
            "firstname": person.first_name,
            "lastname": person.last_name,
            "lifecyclestage": "subscriber",
            "createdate": at,
            "lastmodifieddate": at,
            "hs_lastmodifieddate": at,
            **person.demographics,
        }
        self._portal.add_contact(Record(contact_id(person.household), at, values))

    def _order(self, order: Order, at: str) -> None:
        amount = f"{order.amount:.2f}"
        values: Values = {
            "hs_object_id": str(order.id),
            "dealname": f"Order {order.id}",
            "amount": amount,
            "amount_in_home_currency": amount,
            "deal_currency_code": "USD",
            "dealstage": "closedwon",
            "pipeline": "default",
            "closedate": at,
            "createdate": at,
            "hs_is_closed": "true",
            "hs_is_closed_won": "true",
            "hs_lastmodifieddate": at,
        }
        self._portal.deals.add(Record(str(order.id), at, values))
        contact = self._contact(order.household)
        if contact is None:
            return
        self._portal.tie(str(order.id), contact.id)
        if contact.properties["lifecyclestage"] == "subscriber":
            self._portal.contacts.change(contact, {"lifecyclestage": "customer"}, at, "DEALS")
        known = contact.properties
        rollup: Values = {
            "num_associated_deals": str(len(self._portal.deals_of[contact.id])),
            "recent_deal_amount": amount,
            "recent_deal_close_date": at,
            "first_deal_created_date": known.get("first_deal_created_date") or at,
            "total_revenue": f"{float(known.get('total_revenue') or 0) + order.amount:.2f}",
        }
        self._portal.contacts.change(contact, rollup, at, "CALCULATED", bump=False)

    def _send(self, send: Send, at: str) -> None:
        contact = self._contact(send.household)
        if contact is None or contact.properties.get("hs_email_optout") == "true":
            return
        known = contact.properties
        values: Values = {
            "hs_email_delivered": _one_more(known, "hs_email_delivered"),
            "hs_email_sends_since_last_engagement": _one_more(known, "hs_email_sends_since_last_engagement"),
            "hs_email_first_send_date": known.get("hs_email_first_send_date") or at,
            "hs_email_last_send_date": at,
            "hs_email_last_email_name": self._campaigns[send.campaign],
        }
        self._portal.contacts.change(contact, values, at, _MAILER)

    def _redeem(self, redemption: Redemption, at: str) -> None:
        contact = self._contact(redemption.household)
        if contact is None:
            return
        known = contact.properties
        if known.get("hs_email_delivered") and known.get("hs_email_optout") != "true":
            values: Values = {"hs_email_sends_since_last_engagement": "0"}
            for what in ("open", "click"):
                values[f"hs_email_{what}"] = _one_more(known, f"hs_email_{what}")
                values[f"hs_email_first_{what}_date"] = known.get(f"hs_email_first_{what}_date") or at
                values[f"hs_email_last_{what}_date"] = at
            self._portal.contacts.change(contact, values, at, _MAILER)
        self._submit(redemption, contact, at)

    def _submit(self, redemption: Redemption, contact: Record, at: str) -> None:
        """The coupon form; form totals are calculated, so they leave the last-modified stamp alone."""
        known = contact.properties
        fields = {"email": known["email"], "campaign": self._campaigns[redemption.campaign]}
        submission = {
            "conversionId": f"{redemption.campaign}-{redemption.household}-{millis(redemption.at)}",
            "submittedAt": millis(redemption.at),
            "values": [{"name": name, "value": value, "objectTypeId": "0-1"} for name, value in fields.items()],
            "pageUrl": FORM_PAGE,
        }
        self._portal.submissions.append(submission)
        totals: Values = {
            "num_conversion_events": _one_more(known, "num_conversion_events"),
            "first_conversion_date": known.get("first_conversion_date") or at,
            "recent_conversion_date": at,
            "recent_conversion_event_name": FORM_NAME,
        }
        self._portal.contacts.change(contact, totals, at, "CALCULATED", bump=False)

    def _move(self, person: Person, at: str) -> None:
        """A new first address; the old one stays as an additional one. Mail counters start over with an address."""
        contact = self._contact(person.household)
        if contact is None or person.moved is None:
            return
        new, old = person.moved[1].lower(), contact.properties["email"]
        more = [*filter(None, [contact.properties.get("hs_additional_emails"), old])]
        values: Values = {"email": new, "hs_additional_emails": ";".join(more), **dict.fromkeys(_COUNTERS)}
        self._portal.emails[new] = contact.id
        self._portal.contacts.change(contact, values, at, _SOURCE)

    def _opt_out(self, person: Person, at: str) -> None:
        contact = self._contact(person.household)
        if contact is not None:
            self._portal.contacts.change(contact, {"hs_email_optout": "true"}, at, _MAILER)


def _one_more(values: Values, name: str) -> str:
    return str(int(values.get(name) or 0) + 1)
