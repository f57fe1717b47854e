"""How the audience looks as JSON: members, merge fields, tags, the audience itself."""

from collections import Counter

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.records import LIST_ID, LIST_NAME, Member, MergeField, Segment, address_hash, digest
from sandbox.mailchimp.wire import Body, base_url, links

TAGS_SHOWN = 50
COLUMNS_MAX = 30
WORLD_START = "2017-01-01T00:00:00+00:00"
NOWHERE = {"latitude": 0, "longitude": 0, "gmtoff": 0, "dstoff": 0, "country_code": "", "timezone": "", "region": ""}
OPTIONS: dict[str, Body] = {"text": {"size": 25}, "date": {"date_format": "MM/DD/YYYY"}}
MEMBER_LINKS = {
    "self": ("GET", ""),
    "update": ("PATCH", ""),
    "upsert": ("PUT", ""),
    "delete": ("DELETE", ""),
    "tags": ("POST", "/tags"),
    "delete_permanent": ("POST", "/actions/delete-permanent"),
}
NOT_IN_BULK_ANSWERS = ("contact_id", "full_name", "web_id", "consents_to_one_to_one_messaging", "source")
OBJECT_LINKS = {"self": ("GET", ""), "update": ("PATCH", ""), "delete": ("DELETE", "")}


def list_url() -> str:
    """The audience's address."""
    return f"{base_url()}/lists/{LIST_ID}"


def plain_member(account: Account, member: Member) -> Body:
    """A member as the API shows it, without links."""
    open_rate, click_rate = account.mail.rates(member.contact_id)
    stats: Body = {"avg_open_rate": round(open_rate, 4), "avg_click_rate": round(click_rate, 4)}
    if (customer := account.shop.customers.get(member.contact_id)) is not None:
        stats["ecommerce_data"] = {
            "total_revenue": customer.spent,
            "number_of_orders": customer.orders,
            "currency_code": "USD",
        }
    body: Body = {
        "id": member.id,
        "email_address": member.email,
        "unique_email_id": address_hash(f"unique:{member.email}")[:10],
        "contact_id": member.contact_id,
        "full_name": f"{member.merge.get('FNAME', '')} {member.merge.get('LNAME', '')}".strip(),
        "web_id": member.web_id,
        "email_type": member.email_type,
        "status": member.status,
        "consents_to_one_to_one_messaging": True,
        "merge_fields": {tag: member.merge.get(tag, "") for tag in account.audience.fields},
        "stats": stats,
        "ip_signup": "",
        "timestamp_signup": "",
        "ip_opt": "192.0.2.10",
        "timestamp_opt": member.opted_at,
        "member_rating": min(5, 2 + (open_rate > 0) + (click_rate > 0) + (click_rate > 0.3)),
        "last_changed": member.last_changed,
        "language": member.language,
        "vip": member.vip,
        "email_client": "",
        "location": NOWHERE,
        "source": member.source,
        "tags_count": len(member.tags),
        "tags": [{"id": id_, "name": account.audience.segments[id_].name} for id_ in list(member.tags)[:TAGS_SHOWN]],
        "list_id": LIST_ID,
    }
    if member.unsubscribe_reason:
        body["unsubscribe_reason"] = member.unsubscribe_reason
    return body


def member_shape(account: Account, member: Member, members_url: str) -> Body:
    """A member with its links."""
    body = plain_member(account, member)
    body["_links"] = links(f"{members_url}/{body['id']}", MEMBER_LINKS)
    return body


def bulk_member_shape(account: Account, member: Member, members_url: str) -> Body:
    """A member as the answers of bulk writes show it: some fields are missing there."""
    body = member_shape(account, member, members_url)
    return {name: value for name, value in body.items() if name not in NOT_IN_BULK_ANSWERS}


def merge_field_shape(field: MergeField) -> Body:
    """A column, without links."""
    return {
        "merge_id": field.merge_id,
        "tag": field.tag,
        "name": field.name,
        "type": field.type,
        "required": field.required,
        "default_value": field.default_value,
        "public": field.public,
        "display_order": field.merge_id + 1,
        "options": {"choices": field.choices} if field.type == "dropdown" else OPTIONS.get(field.type, {}),
        "help_text": field.help_text,
        "list_id": LIST_ID,
    }


def segment_shape(account: Account, segment: Segment) -> Body:
    """A tag, without links; `member_count` counts the subscribed only."""
    return {
        "id": segment.id,
        "name": segment.name,
        "member_count": sum(member.status == "subscribed" for member in account.audience.tagged(segment)),
        "type": "static",
        "created_at": segment.created_at,
        "updated_at": segment.updated_at,
        "list_id": LIST_ID,
    }


def list_shape(account: Account) -> Body:
    """The audience with its statistics."""
    members, mailings = account.audience.members.values(), list(account.mail.sent())
    statuses = Counter(member.status for member in members)
    sent = sum(len(mailing.recipients) for mailing in mailings)
    opened, clicked = (
        sum(any(e.action == action for e in events) for m in mailings for events in m.recipients.values())
        for action in ("open", "click")
    )
    return {
        "id": LIST_ID,
        "web_id": 382_062,
        "name": LIST_NAME,
        "permission_reminder": "You are a customer of the corner shop.",
        "use_archive_bar": True,
        "campaign_defaults": {
            "from_name": "Corner Shop",
            "from_email": "hello@shop.example",
            "subject": "",
            "language": "en",
        },
        "notify_on_subscribe": "",
        "notify_on_unsubscribe": "",
        "date_created": WORLD_START,
        "list_rating": 0,
        "email_type_option": False,
        "subscribe_url_short": "https://shop.example/join",
        "subscribe_url_long": f"https://shop.example/join?list={LIST_ID}",
        "beamer_address": f"{digest('beamer')[:10]}@inbound.example",
        "visibility": "prv",
        "double_optin": False,
        "has_welcome": False,
        "marketing_permissions": False,
        "modules": [],
        "stats": {
            "member_count": statuses["subscribed"],
            "unsubscribe_count": statuses["unsubscribed"],
            "cleaned_count": statuses["cleaned"],
            "merge_field_count": len(account.audience.fields),
            "campaign_count": len(mailings),
            "campaign_last_sent": mailings[-1].sent_at if mailings else "",
            "open_rate": 100 * opened / sent if sent else 0,
            "click_rate": 100 * clicked / sent if sent else 0,
            "last_sub_date": max((m.opted_at for m in members), default=""),
            "last_unsub_date": max((m.last_changed for m in members if m.status == "unsubscribed"), default=""),
        },
        "_links": links(list_url(), {"self": ("GET", ""), "batch-sub-unsub-members": ("POST", "")}),
    }
