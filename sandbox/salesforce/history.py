"""The world's course: what happens when to the records."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from sandbox.people import Order, Person, Redemption, World
from sandbox.salesforce import rows
from sandbox.salesforce.org import ADMIN_USER, Org
from sandbox.salesforce.prospects import FIRST_LEADS, Prospect, make_prospects
from sandbox.salesforce.schema import Record
from sandbox.salesforce.stamps import stamp
from sandbox.salesforce.standard import LEAD_STATUSES

Event = tuple[datetime, int, Callable[[], None]]
"""When, a number that keeps events of one instant in the order they were planned, and what happens."""

_MARCH = datetime(2017, 3, 1, tzinfo=UTC)
_SPREAD_DAYS = 30


class History:
    """Everything that will happen on Salesforce, applied to the organisation step by step."""

    def __init__(self, world: World, org: Org) -> None:
        self._org = org
        self._events: list[Event] = []
        self._place = 0
        self._people = {person.household: person for person in world.on("salesforce")}
        self._lead_since = self._leads(world)
        for key in sorted({key for person in self._people.values() for key in person.demographics}):
            field = rows.demographic_field(key)
            org.object_type("Contact").fields[field.name] = field
        self._plan(world)
        self._events.sort(key=lambda event: event[:2])

    def advance(self, until: datetime) -> None:
        """Apply everything up to and including `until` that was not applied yet."""
        while self._place < len(self._events) and self._events[self._place][0] <= until:
            self._events[self._place][2]()
            self._place += 1

    def _leads(self, world: World) -> dict[int, datetime]:
        """Who is a lead first, and since when: everyone whose first order came after February."""
        first_order = {order.household: order.at for order in reversed(world.orders)}
        return {
            household: min(FIRST_LEADS + timedelta(days=household % _SPREAD_DAYS), person.joined - timedelta(days=1))
            for household, person in self._people.items()
            if first_order.get(household, person.joined) >= _MARCH
        }

    def _plan(self, world: World) -> None:
        for person in self._people.values():
            self._plan_person(person)
        for prospect in make_prospects():
            self._at(prospect.at, self._prospect, prospect)
            if prospect.given_up:
                self._at(prospect.given_up, self._give_up, prospect, prospect.given_up)
        for campaign in world.campaigns:
            self._at(campaign.start, self._add, "Campaign", rows.campaign(campaign, campaign.start))
            ended = {"Status": "Completed", "IsActive": False}
            self._at(campaign.end, self._touch, "Campaign", rows.campaign_id(campaign.id), ended, campaign.end)
        for order in world.orders:
            if order.household in self._people and self._people[order.household].home == "salesforce":
                self._at(order.at, self._order, order)
        for send in world.sends:
            if self._mails(send.household):
                self._at(send.at, self._add, "CampaignMember", rows.member(send))
        for redemption in world.redemptions:
            if self._mails(redemption.household):
                self._at(redemption.at, self._redeem, redemption)
                self._at(rows.archiving(redemption.at), self._archive, redemption)

    def _plan_person(self, person: Person) -> None:
        contact, since = rows.contact_id(person.household), self._lead_since.get(person.household)
        if since is not None:
            self._at(since, self._add, "Lead", rows.lead(person, since))
        self._at(person.joined, self._join, person)
        if person.moved:
            when, email = person.moved
            self._at(when, self._touch, "Contact", contact, {"Email": email}, when)
        if "salesforce" in person.opted_out:
            when = person.opted_out["salesforce"]
            self._at(when, self._touch, "Contact", contact, {"HasOptedOutOfEmail": True}, when)

    def _mails(self, household: int) -> bool:
        return household in self._people and self._people[household].mailer == "salesforce"

    def _at(self, at: datetime, what: Callable[..., None], *about: object) -> None:
        self._events.append((at, len(self._events), partial(what, *about)))

    def _add(self, object_name: str, record: Record) -> None:
        self._org.records.add(object_name, dict(record))

    def _touch(self, object_name: str, record_id: str, values: Record, at: datetime) -> None:
        """A user's change; stamps never go back, whatever was written in between."""
        record, now = self._org.records.tables[object_name].get(record_id), stamp(at)
        if record is None or record.get("IsDeleted"):
            return
        stamps = {"LastModifiedDate": now, "LastModifiedById": ADMIN_USER}
        record |= {**values, **stamps, "SystemModstamp": max(now, record["SystemModstamp"])}

    def _join(self, person: Person) -> None:
        self._add("Account", rows.account(person))
        self._add("Contact", rows.contact(person))
        if person.household in self._lead_since:
            self._touch("Lead", rows.lead_id(person.household), rows.conversion(person), person.joined)

    def _prospect(self, prospect: Prospect) -> None:
        self._add("Lead", rows.prospect_lead(prospect))

    def _give_up(self, prospect: Prospect, at: datetime) -> None:
        self._touch("Lead", rows.prospect_id(prospect), {"Status": LEAD_STATUSES[3]}, at)

    def _order(self, order: Order) -> None:
        self._add("Opportunity", rows.opportunity(order))
        self._add("OpportunityContactRole", rows.contact_role(order))

    def _redeem(self, redemption: Redemption) -> None:
        task = rows.task(redemption)
        self._add("Task", task)
        day = task["ActivityDate"]
        member = rows.member_id(redemption.campaign, redemption.household)
        known = self._org.records.tables["CampaignMember"].get(member)
        if known is not None and not known["HasResponded"]:
            answer = {"Status": "Responded", "HasResponded": True, "FirstRespondedDate": day}
            self._touch("CampaignMember", member, answer, redemption.at)
        contact = self._org.records.tables["Contact"].get(task["WhoId"])
        if contact is not None and not contact.get("IsDeleted"):
            contact["LastActivityDate"] = day
            contact["SystemModstamp"] = max(stamp(redemption.at), contact["SystemModstamp"])

    def _archive(self, redemption: Redemption) -> None:
        task = self._org.records.tables["Task"].get(rows.task(redemption)["Id"])
        if task is not None:
            task["IsArchived"] = True
