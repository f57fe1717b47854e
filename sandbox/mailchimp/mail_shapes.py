"""How mailings look as JSON: campaigns and their reports."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.records import LIST_ID, LIST_NAME, Mailing, stamp
from sandbox.mailchimp.wire import Body, base_url, links


def answers(mailing: Mailing) -> dict[str, Any]:
    """The totals of a mailing; those named `human` leave out the opens that a mail program made on its own."""
    events = [event for done in mailing.recipients.values() for event in done]
    opens = [event for event in events if event.action == "open"]
    clicks = [event for event in events if event.action == "click"]
    everyone = mailing.recipients.values()
    return {
        "sent": len(mailing.recipients),
        "opens": len(opens),
        "openers": sum(any(e.action == "open" for e in done) for done in everyone),
        "human_opens": sum(not event.machine for event in opens),
        "human_openers": sum(any(e.action == "open" and not e.machine for e in done) for done in everyone),
        "last_open": max((event.at for event in opens), default=""),
        "clicks": len(clicks),
        "clicked_links": sum(len({e.url for e in done if e.action == "click"}) for done in everyone),
        "clickers": sum(any(e.action == "click" for e in done) for done in everyone),
        "last_click": max((event.at for event in clicks), default=""),
    }


def _credited(account: Account, mailing: Mailing) -> Body:
    totals = [order.total for order in account.shop.credited[mailing.id] if not order.cancelled_at]
    spent = round(sum(totals), 2)
    return {"total_orders": len(totals), "total_spent": spent, "total_revenue": spent}


def campaign_shape(account: Account, mailing: Mailing) -> Body:
    """A sent campaign."""
    done = answers(mailing)
    return {
        "id": mailing.id,
        "web_id": mailing.web_id,
        "type": "regular",
        "create_time": mailing.sent_at,
        "archive_url": f"https://shop.example/mail/{mailing.id}",
        "long_archive_url": f"https://shop.example/mail/{mailing.id}?long=1",
        "status": "sent",
        "emails_sent": done["sent"],
        "send_time": mailing.sent_at,
        "content_type": "multichannel",
        "needs_block_refresh": False,
        "resendable": False,
        "recipients": {
            "list_id": LIST_ID,
            "list_is_active": True,
            "list_name": LIST_NAME,
            "segment_text": "",
            "recipient_count": done["sent"],
        },
        "settings": {
            "subject_line": mailing.title,
            "title": mailing.title,
            "from_name": "Corner Shop",
            "reply_to": "hello@shop.example",
            "use_conversation": False,
            "to_name": "",
            "folder_id": "",
            "authenticate": True,
            "auto_footer": False,
            "inline_css": False,
            "auto_tweet": False,
            "fb_comments": True,
            "timewarp": False,
            "template_id": 13,
            "drag_and_drop": False,
        },
        "tracking": {
            "opens": True,
            "html_clicks": True,
            "text_clicks": False,
            "goal_tracking": False,
            "ecomm360": True,
            "google_analytics": "",
            "clicktale": "",
        },
        "report_summary": {
            "opens": done["opens"],
            "unique_opens": done["openers"],
            "open_rate": done["openers"] / done["sent"],
            "clicks": done["clicks"],
            "subscriber_clicks": done["clickers"],
            "click_rate": done["clickers"] / done["sent"],
            "ecommerce": _credited(account, mailing),
        },
        "delivery_status": {"enabled": False},
        "_links": links(f"{base_url()}/campaigns/{mailing.id}", {"self": ("GET", "")}),
    }


def report_shape(account: Account, mailing: Mailing) -> Body:
    """The report of a sent campaign; rates are 0..1, those of `list_stats` 0..100."""
    done = answers(mailing)
    open_rate, click_rate = done["openers"] / done["sent"], done["clickers"] / done["sent"]
    return {
        "id": mailing.id,
        "campaign_title": mailing.title,
        "type": "regular",
        "list_id": LIST_ID,
        "list_is_active": True,
        "list_name": LIST_NAME,
        "subject_line": mailing.title,
        "preview_text": "",
        "emails_sent": done["sent"],
        "abuse_reports": 0,
        "unsubscribed": len(mailing.unsubscribes),
        "send_time": mailing.sent_at,
        "bounces": {"hard_bounces": 0, "soft_bounces": 0, "syntax_errors": 0},
        "forwards": {"forwards_count": 0, "forwards_opens": 0},
        "opens": {
            "opens_total": done["opens"],
            "unique_opens": done["openers"],
            "open_rate": open_rate,
            "last_open": done["last_open"],
            "proxy_excluded_opens": done["human_opens"],
            "proxy_excluded_unique_opens": done["human_openers"],
            "proxy_excluded_open_rate": done["human_openers"] / done["sent"],
        },
        "clicks": {
            "clicks_total": done["clicks"],
            "unique_clicks": done["clicked_links"],
            "unique_subscriber_clicks": done["clickers"],
            "click_rate": click_rate,
            "last_click": done["last_click"],
        },
        "facebook_likes": {"recipient_likes": 0, "unique_likes": 0, "facebook_likes": 0},
        "list_stats": {"sub_rate": 0, "unsub_rate": 0, "open_rate": 100 * open_rate, "click_rate": 100 * click_rate},
        "timeseries": _first_day(mailing),
        "ecommerce": _credited(account, mailing) | {"currency_code": "USD"},
        "delivery_status": {"enabled": False},
        "_links": links(
            f"{base_url()}/reports/{mailing.id}", {"self": ("GET", ""), "activity": ("GET", "/email-activity")}
        ),
    }


def _first_day(mailing: Mailing) -> list[Body]:
    """Hour by hour: mails sent, first opens and first clicks of a recipient."""
    firsts: Counter[tuple[str, str]] = Counter()
    for events in mailing.recipients.values():
        for action in ("open", "click"):
            if hours := [event.at[:13] for event in events if event.action == action]:
                firsts[min(hours), action] += 1
    start = datetime.fromisoformat(mailing.sent_at).replace(minute=0, second=0)
    rows = []
    for hour in range(24):
        at = stamp(start + timedelta(hours=hour))
        rows.append(
            {
                "timestamp": at,
                "emails_sent": 0 if hour else len(mailing.recipients),
                "unique_opens": firsts[at[:13], "open"],
                "recipients_clicks": firsts[at[:13], "click"],
            }
        )
    return rows
