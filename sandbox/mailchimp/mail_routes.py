"""Routes of the mailings: campaigns, reports, and who did what."""

from collections.abc import Sequence

from flask import request

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.mail_shapes import campaign_shape, report_shape
from sandbox.mailchimp.records import LIST_ID, Mailing, Member
from sandbox.mailchimp.wire import Body, base_url, flag, instant, links, not_found, one_of, page

KINDS = ("regular", "plaintext", "absplit", "rss", "variate")
STATES = ("save", "paused", "schedule", "sending", "sent")


class MailRoutes:
    """Campaigns and reports over HTTP: everything here was sent, everything is of type regular."""

    def __init__(self, account: Account) -> None:
        self.account, self.mail = account, account.mail

    def campaigns(self) -> Body:
        """GET /campaigns."""
        rows = self._wanted()
        if one_of("status", STATES) not in (None, "sent") or request.args.get("list_id", LIST_ID) != LIST_ID:
            rows = []
        if key := request.args.get("member_id"):
            member = self.account.audience.find(key)
            rows = [m for m in rows if member is not None and member.contact_id in m.recipients]
        if one_of("sort_field", ("create_time", "send_time")):
            rows = sorted(rows, key=lambda m: m.sent_at, reverse=one_of("sort_dir", ("ASC", "DESC")) == "DESC")
        return {
            "campaigns": [campaign_shape(self.account, mailing) for mailing in page(rows)],
            "total_items": len(rows),
            "_links": links(f"{base_url()}/campaigns", {"self": ("GET", "")}),
        }

    def one_campaign(self, campaign_id: str) -> Body:
        """GET one campaign."""
        return campaign_shape(self.account, self._known(campaign_id))

    def reports(self) -> Body:
        """GET /reports."""
        rows = self._wanted()
        return {
            "reports": [report_shape(self.account, mailing) for mailing in page(rows)],
            "total_items": len(rows),
            "_links": links(f"{base_url()}/reports", {"self": ("GET", "")}),
        }

    def one_report(self, campaign_id: str) -> Body:
        """GET one report."""
        return report_shape(self.account, self._known(campaign_id))

    def email_activity(self, campaign_id: str) -> Body:
        """GET email-activity: every recipient, also with nothing done; `since` trims events, never recipients.

        `filter_bots=true` leaves out the opens that a mail program made on its own.
        """
        mailing, since, human_only = self._known(campaign_id), instant("since") or "", flag("filter_bots")
        rows = self._recipients(mailing)
        emails = []
        for member in page(rows):
            activity: list[Body] = []
            for event in sorted(mailing.recipients[member.contact_id], key=lambda event: event.at):
                if event.at > since and not (human_only and event.machine):
                    url = {"url": event.url} if event.url else {}
                    activity.append({"action": event.action, "timestamp": event.at, **url, "ip": event.ip})
            emails.append(self._line(mailing, member) | {"activity": activity})
        return self._report_page(mailing, "emails", emails, len(rows))

    def sent_to(self, campaign_id: str) -> Body:
        """GET sent-to: the recipients with their opens."""
        mailing = self._known(campaign_id)
        rows = self._recipients(mailing)
        lines = []
        for member in page(rows):
            opens = [event.at for event in mailing.recipients[member.contact_id] if event.action == "open"]
            line = {"merge_fields": self._merge(member), "vip": member.vip, "status": "sent", "open_count": len(opens)}
            lines.append(self._line(mailing, member) | line | {"last_open": max(opens, default="")})
        return self._report_page(mailing, "sent_to", lines, len(rows))

    def unsubscribed(self, campaign_id: str) -> Body:
        """GET unsubscribed: who left after this mailing."""
        mailing = self._known(campaign_id)
        rows = [m for m in self._recipients(mailing) if m.contact_id in mailing.unsubscribes]
        lines = []
        for member in page(rows):
            line = {"merge_fields": self._merge(member), "vip": member.vip, "reason": "None given"}
            line["timestamp"] = mailing.unsubscribes[member.contact_id]
            lines.append(self._line(mailing, member) | line)
        return self._report_page(mailing, "unsubscribes", lines, len(rows))

    def _wanted(self) -> Sequence[Mailing]:
        rows = [] if one_of("type", KINDS) not in (None, "regular") else list(self.mail.sent())
        if since := instant("since_send_time"):
            rows = [mailing for mailing in rows if mailing.sent_at > since]
        if before := instant("before_send_time"):
            rows = [mailing for mailing in rows if mailing.sent_at < before]
        return rows

    def _known(self, campaign_id: str) -> Mailing:
        if (mailing := self.mail.mailings.get(campaign_id)) is None:
            raise not_found()
        return mailing

    def _recipients(self, mailing: Mailing) -> list[Member]:
        members = self.account.audience.members
        return [members[id_] for id_ in mailing.recipients if id_ in members]

    def _merge(self, member: Member) -> Body:
        return {tag: member.merge.get(tag, "") for tag in self.account.audience.fields}

    def _line(self, mailing: Mailing, member: Member) -> Body:
        return {
            "campaign_id": mailing.id,
            "list_id": LIST_ID,
            "list_is_active": True,
            "email_id": member.id,
            "email_address": member.email,
        }

    def _report_page(self, mailing: Mailing, name: str, rows: list[Body], total: int) -> Body:
        shown_links = links(request.base_url, {"self": ("GET", "")})
        return {name: rows, "campaign_id": mailing.id, "total_items": total, "_links": shown_links}
