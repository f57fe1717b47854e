"""Mailings: who got which campaign, and what they did with it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime

from sandbox.mailchimp.records import Event, Mailing, digest, stamp


class Mail:
    """The sent campaigns, in the order they were sent, and each contact's totals over all of them."""

    def __init__(self) -> None:
        self.mailings: dict[str, Mailing] = {}
        self._sent: Counter[str] = Counter()
        self._answered: dict[str, Counter[str]] = defaultdict(Counter)
        self._last_click: dict[str, tuple[datetime, str]] = {}
        self._last_sent: dict[str, tuple[datetime, str]] = {}

    def send(self, campaign: int, title: str, contact_id: str, at: datetime) -> None:
        """One more recipient of a campaign."""
        id_ = mailing_id(campaign)
        mailing = self.mailings.setdefault(id_, Mailing(id_, 13_000_000 + campaign, title, stamp(at)))
        if contact_id not in mailing.recipients:
            mailing.recipients[contact_id] = []
            self._sent[contact_id] += 1
        self._last_sent[contact_id] = (at, id_)

    def record(self, campaign: int, contact_id: str, event: Event, at: datetime) -> None:
        """An open or a click, kept when the contact got the campaign."""
        mailing = self.mailings.get(mailing_id(campaign))
        if mailing is None or contact_id not in mailing.recipients:
            return
        events = mailing.recipients[contact_id]
        if all(known.action != event.action for known in events):
            self._answered[contact_id][event.action] += 1
        events.append(event)
        if event.action == "click":
            self._last_click[contact_id] = (at, mailing.id)

    def unsubscribe(self, contact_id: str, at: datetime) -> None:
        """Book an opt-out to the last campaign, when that came within two weeks before."""
        sent_at, id_ = self._last_sent.get(contact_id, (None, ""))
        if sent_at is not None and (at - sent_at).days < 14:
            self.mailings[id_].unsubscribes[contact_id] = stamp(at)

    def clicked_before(self, contact_id: str, at: datetime) -> str:
        """The campaign clicked within five days before `at`: an order then is credited to it. "" for none."""
        clicked_at, id_ = self._last_click.get(contact_id, (None, ""))
        return id_ if clicked_at is not None and (at - clicked_at).days < 5 else ""

    def rates(self, contact_id: str) -> tuple[float, float]:
        """Share of the campaigns sent to a contact that were opened and that were clicked."""
        sent, answered = self._sent[contact_id], self._answered[contact_id]
        return (answered["open"] / sent, answered["click"] / sent) if sent else (0, 0)

    def sent(self) -> Iterator[Mailing]:
        """The sent campaigns, oldest first."""
        return iter(self.mailings.values())


def mailing_id(campaign: int) -> str:
    """The platform's id of a campaign of the world."""
    return digest("campaign", campaign)[:10]
