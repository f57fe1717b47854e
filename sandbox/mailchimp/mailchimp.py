"""The pretended platform itself: the account, the story of the world, and its routes."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from flask import Blueprint, Response, request

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.batches import METHODS, RESULT_RULE, BatchRoutes
from sandbox.mailchimp.column_routes import ColumnRoutes
from sandbox.mailchimp.gate import check_key, check_open_calls, role
from sandbox.mailchimp.mail_routes import MailRoutes
from sandbox.mailchimp.member_routes import MemberRoutes
from sandbox.mailchimp.member_shapes import WORLD_START, merge_field_shape, plain_member, segment_shape
from sandbox.mailchimp.records import API_KEY, LIST_ID, STORE_ID
from sandbox.mailchimp.shop_routes import ShopRoutes, plain_order
from sandbox.mailchimp.story import Story
from sandbox.mailchimp.troubles import Trouble
from sandbox.mailchimp.wire import Body, Problem, base_url, links, not_found, problem_response, reply
from sandbox.people import World
from sandbox.platform import SandboxClock

View = Callable[..., Any]


class Mailchimp:
    """Mailchimp as the shop would see it on the sandbox's date (meets `PretendPlatform`)."""

    name = "mailchimp"
    token = API_KEY

    def __init__(self, world: World, clock: SandboxClock) -> None:
        self._account = Account(clock)
        self._batches = BatchRoutes(self._account)
        self._story = Story(world, self._account.audience, self._account.mail, self._account.shop)

    def advance(self, until: datetime) -> None:
        self._story.advance(until)

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(self.name, __name__)
        blueprint.add_url_rule(f"/{RESULT_RULE}", "batch result", self._batches.result)
        for method, rule, view in self._routes(self._batches):
            endpoint = f"{method} {rule}".replace(".", " ")
            blueprint.add_url_rule(f"/3.0{rule}", endpoint, _in_json(view), methods=[method], strict_slashes=False)
        blueprint.add_url_rule("/3.0/<path:rest>", "anything else", _nothing_here, methods=METHODS)
        blueprint.register_error_handler(Problem, problem_response)
        blueprint.before_request(_enter)
        return blueprint

    def _routes(self, batches: BatchRoutes) -> list[tuple[str, str, View]]:
        a_list, a_store = f"/lists/{LIST_ID}", f"/ecommerce/stores/{STORE_ID}"
        member, column = MemberRoutes(self._account), ColumnRoutes(self._account)
        mail, shop = MailRoutes(self._account), ShopRoutes(self._account)
        return [
            ("GET", "/", self._root),
            ("GET", "/ping", _ping),
            ("GET", "/lists", member.lists),
            ("GET", a_list, member.one_list),
            ("POST", a_list, member.batch),
            ("GET", f"{a_list}/members", member.members),
            ("POST", f"{a_list}/members", member.post),
            ("GET", f"{a_list}/members/<key>", member.one_member),
            ("PUT", f"{a_list}/members/<key>", member.put),
            ("PATCH", f"{a_list}/members/<key>", member.patch),
            ("DELETE", f"{a_list}/members/<key>", member.delete),
            ("POST", f"{a_list}/members/<key>/actions/delete-permanent", member.delete_permanently),
            ("GET", f"{a_list}/members/<key>/tags", member.member_tags),
            ("POST", f"{a_list}/members/<key>/tags", member.tag_member),
            ("GET", f"{a_list}/merge-fields", column.merge_fields),
            ("POST", f"{a_list}/merge-fields", column.add_merge_field),
            ("GET", f"{a_list}/merge-fields/<int:merge_id>", column.one_merge_field),
            ("PATCH", f"{a_list}/merge-fields/<int:merge_id>", column.change_merge_field),
            ("DELETE", f"{a_list}/merge-fields/<int:merge_id>", column.drop_merge_field),
            ("GET", f"{a_list}/segments", column.segments),
            ("POST", f"{a_list}/segments", column.add_segment),
            ("GET", f"{a_list}/segments/<int:segment_id>", column.one_segment),
            ("POST", f"{a_list}/segments/<int:segment_id>", column.change_members),
            ("DELETE", f"{a_list}/segments/<int:segment_id>", column.drop_segment),
            ("GET", f"{a_list}/segments/<int:segment_id>/members", column.segment_members),
            ("GET", f"{a_list}/tag-search", column.tag_search),
            ("GET", "/campaigns", mail.campaigns),
            ("GET", "/campaigns/<campaign_id>", mail.one_campaign),
            ("GET", "/reports", mail.reports),
            ("GET", "/reports/<campaign_id>", mail.one_report),
            ("GET", "/reports/<campaign_id>/email-activity", mail.email_activity),
            ("GET", "/reports/<campaign_id>/sent-to", mail.sent_to),
            ("GET", "/reports/<campaign_id>/unsubscribed", mail.unsubscribed),
            ("GET", "/ecommerce/stores", shop.stores),
            ("GET", "/ecommerce/orders", shop.all_orders),
            ("GET", f"{a_store}/orders", shop.store_orders),
            ("GET", f"{a_store}/orders/<order_id>", shop.one_order),
            ("PATCH", f"{a_store}/orders/<order_id>", shop.change_order),
            ("GET", f"{a_store}/customers", shop.customers),
            ("GET", "/batches", batches.all),
            ("POST", "/batches", batches.submit),
            ("GET", "/batches/<batch_id>", batches.poll),
            ("DELETE", "/batches/<batch_id>", batches.drop),
        ]

    def _root(self) -> Body:
        statuses = [member.status for member in self._account.audience.members.values()]
        return {
            "account_id": "8d3a3db4d97663a9074efcc16",
            "login_id": "corner-shop",
            "account_name": "Corner Shop",
            "email": "hello@shop.example",
            "first_name": "Corner",
            "last_name": "Shop",
            "username": "cornershop",
            "avatar_url": "",
            "role": role(),
            "member_since": WORLD_START,
            "pricing_plan_type": "monthly",
            "first_payment": WORLD_START,
            "account_timezone": "UTC",
            "account_industry": "Retail",
            "contact": {"company": "Corner Shop", "addr1": "", "addr2": "", "city": "", "state": "", "zip": ""},
            "pro_enabled": False,
            "last_login": WORLD_START,
            "total_subscribers": statuses.count("subscribed"),
            "industry_stats": {"open_rate": 0.2, "bounce_rate": 0.01, "click_rate": 0.02},
            "_links": links(f"{base_url()}/", {"self": ("GET", "")}),
        }

    def snapshot(self) -> dict[str, Any]:
        audience = self._account.audience
        members = {}
        for member in audience.members.values():
            tags = [audience.segments[id_].name for id_ in member.tags]
            members[member.contact_id] = plain_member(self._account, member) | {"tags": tags}
        return {
            "members": members,
            "merge_fields": {field.tag: merge_field_shape(field) for field in audience.fields.values()},
            "segments": {str(s.id): segment_shape(self._account, s) for s in audience.segments.values()},
            "orders": {order.id: plain_order(order) for order in self._account.shop.orders},
        }

    def started(self) -> int:
        """Automations that would have been started by tags so far, had somebody made one for each tag."""
        return self._account.audience.started.total()

    def batched_writes(self) -> int:
        """Operations of asynchronous batches so far that write something."""
        operations = (each for batch in self._batches.batches.values() for each in batch.operations)
        return sum(each["method"] != "GET" for each in operations)

    def trouble(self, contact_id: str, trouble: Trouble | None) -> None:
        """Something stands in the way of writing to a member from now on; None takes it away."""
        if trouble:
            self._account.audience.troubles[contact_id] = trouble
        else:
            self._account.audience.troubles.pop(contact_id, None)

    def find(self, email: str) -> list[dict[str, Any]]:
        audience = self._account.audience
        member = audience.find(email) if "@" in email else None
        if member is None:
            return []
        columns = {field.name: member.merge.get(field.tag, "") for field in audience.fields.values()}
        tags = [audience.segments[id_].name for id_ in member.tags]
        return [{"Email": member.email, "Status": member.status, **columns, "Tags": tags}]


def _enter() -> None:
    if "/3.0" in str(request.url_rule):
        check_open_calls()
        check_key()


def _in_json(view: View) -> View:
    @wraps(view)
    def answer(**kwargs: Any) -> Response:
        return reply(view(**kwargs))

    return answer


def _ping() -> Body:
    return {"health_status": "Everything's Chimpy!"}


def _nothing_here(**_path: str) -> Response:
    raise not_found()
