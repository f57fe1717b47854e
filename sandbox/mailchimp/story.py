"""What happens in the world, told as dated steps of this platform and applied up to the sandbox's date."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.mail import Mail
from sandbox.mailchimp.records import Customer, Event, Member, Order, address_hash, digest, share, stamp
from sandbox.mailchimp.shop import Shop
from sandbox.people import Order as Basket
from sandbox.people import Person, Redemption, Send, World

HUMAN_OPENS, MACHINE_OPENS, BOUNCED, ARCHIVED = 0.25, 0.08, 0.01, 0.01
RECOGNISED = 0.75
"""Share of the opens by machines that the platform takes for such; the rest show in the seconds that they take."""
FIRST_WEB_ID = 400_000_000

Step = tuple[datetime, Callable[[datetime], None]]


def contact_id_of(household: int) -> str:
    """The id a household's contact keeps for good."""
    return digest("contact", household)


class Story:
    """Applies the world to the audience, the mailings and the shop; what was written meanwhile stays."""

    def __init__(self, world: World, audience: Audience, mail: Mail, shop: Shop) -> None:
        self._audience, self._mail, self._shop = audience, mail, shop
        self._steps = self._told(world)
        self._done = 0

    def advance(self, until: datetime) -> None:
        """Everything that happens up to and including `until` and was not applied yet."""
        while self._done < len(self._steps) and self._steps[self._done][0] <= until:
            at, step = self._steps[self._done]
            step(at)
            self._done += 1

    def _told(self, world: World) -> list[Step]:
        here = {person.household: person for person in world.on("mailchimp")}
        titles = {campaign.id: campaign.name for campaign in world.campaigns}
        steps: list[Step] = []
        for person in here.values():
            steps += self._life(person)
        for send in world.sends:
            if (recipient := here.get(send.household)) and recipient.mailer == "mailchimp":
                steps += self._sending(send, titles[send.campaign])
        for redemption in world.redemptions:
            if (recipient := here.get(redemption.household)) and recipient.mailer == "mailchimp":
                steps += self._clicking(redemption)
        for order in world.orders:
            if (buyer := here.get(order.household)) and buyer.home == "mailchimp":
                steps.append((order.at, partial(self._order, buyer, order)))
        return sorted(steps, key=lambda step: step[0])

    def _life(self, person: Person) -> list[Step]:
        steps: list[Step] = [(person.joined, partial(self._join, person))]
        if person.moved is not None:
            steps.append((max(person.moved[0], person.joined), partial(self._move, person, person.moved[1])))
        if (left := person.opted_out.get("mailchimp")) is not None:
            steps.append((max(left, person.joined), partial(self._opt_out, person)))
        else:
            later = person.joined + timedelta(days=20 + 180 * share("day", person.household))
            if share("bounced", person.household) < BOUNCED:
                steps.append((later, partial(self._leave, person, "cleaned")))
            elif share("archived", person.household) < ARCHIVED:
                steps.append((later, partial(self._leave, person, "archived")))
        return steps

    def _join(self, person: Person, at: datetime) -> None:
        email = person.emails["mailchimp"]
        if self._audience.find(email) or address_hash(email) in self._audience.forgotten:
            return
        about = person.demographics
        merge = {"FNAME": person.first_name, "LNAME": person.last_name}
        merge |= {"AGE": about.get("age", ""), "INCOME": about.get("income", "")}
        known = {tag: value for tag, value in merge.items() if value and tag in self._audience.fields}
        contact_id, web_id = contact_id_of(person.household), FIRST_WEB_ID + person.household
        member = Member(contact_id, email, "subscribed", stamp(at), stamp(at), web_id, "Import", dict(known))
        self._audience.add(member)

    def _move(self, person: Person, email: str, at: datetime) -> None:
        contact_id = contact_id_of(person.household)
        if (customer := self._shop.customers.get(contact_id)) is not None:
            customer.email = email
        member = self._audience.members.get(contact_id)
        if member is not None and self._audience.find(email) in (None, member):
            self._audience.readdress(member, email)
            member.last_changed = stamp(at)

    def _opt_out(self, person: Person, at: datetime) -> None:
        member = self._audience.members.get(contact_id_of(person.household))
        if member is None or member.status != "subscribed":
            return
        member.status, member.unsubscribe_reason, member.compliance = "unsubscribed", "None given", True
        member.last_changed = stamp(at)
        self._mail.unsubscribe(member.contact_id, at)

    def _leave(self, person: Person, status: str, at: datetime) -> None:
        member = self._audience.members.get(contact_id_of(person.household))
        if member is not None and member.status == "subscribed":
            member.status, member.compliance, member.last_changed = status, status == "cleaned", stamp(at)

    def _order(self, person: Person, basket: Basket, at: datetime) -> None:
        contact_id = contact_id_of(person.household)
        customer = self._shop.customers.get(contact_id)
        if customer is None:
            email = person.moved[1] if person.moved and person.moved[0] <= at else person.emails["mailchimp"]
            names = (person.first_name, person.last_name)
            customer = Customer(str(person.household), contact_id, email, *names, stamp(at), stamp(at))
            self._shop.customers[contact_id] = customer
        campaign = self._mail.clicked_before(contact_id, at)
        self._shop.take(Order(str(basket.id), customer, basket.amount, basket.lines, stamp(at), stamp(at), campaign))

    def _sending(self, send: Send, title: str) -> list[Step]:
        key = (send.campaign, send.household)
        steps: list[Step] = [(send.at, partial(self._send, send, title))]
        if share("open", *key) < HUMAN_OPENS:
            later = send.at + timedelta(minutes=5 + 4_300 * share("delay", *key) ** 3)
            steps.append((later, partial(self._event, send.campaign, send.household, "open", "")))
        if share("machine", *key) < MACHINE_OPENS:
            later = send.at + timedelta(seconds=2 + int(7 * share("seconds", *key)))
            known = share("recognised", *key) < RECOGNISED
            steps.append((later, partial(self._event, send.campaign, send.household, "open", "", machine=known)))
        return steps

    def _clicking(self, redemption: Redemption) -> list[Step]:
        key = (redemption.campaign, redemption.household)
        opened = redemption.at - timedelta(minutes=3 + int(15 * share("before", *key)))
        url = f"https://shop.example/coupons/{redemption.campaign}"
        return [
            (opened, partial(self._event, *key, "open", "")),
            (redemption.at, partial(self._event, *key, "click", url)),
        ]

    def _send(self, send: Send, title: str, at: datetime) -> None:
        member = self._audience.members.get(contact_id_of(send.household))
        if member is not None and member.status == "subscribed":
            self._mail.send(send.campaign, title, member.contact_id, at)

    def _event(
        self, campaign: int, household: int, action: str, url: str, at: datetime, *, machine: bool = False
    ) -> None:
        ip = f"192.0.2.{1 + household % 254}"
        self._mail.record(campaign, contact_id_of(household), Event(action, stamp(at), ip, url, machine), at)
