"""What people do on Mailchimp, past the connector."""

from typing import Any, ClassVar

from connectors.errors import NotAuthorised
from connectors.records import Consent
from sandbox.mailchimp.records import LIST_ID, stamp
from sandbox.server import Sandbox

_LIST = f"/lists/{LIST_ID}"


class Hand:
    """An admin of the account, and its subscribers."""

    kind, base = "mailchimp", "/mailchimp/3.0"
    options: ClassVar[dict[str, object]] = {"fire_automations": False}
    streams = ("members", "campaigns", "orders")
    merges = False
    stamps = ("last_changed", "updated_at")
    page_sizes = (
        "connectors.mailchimp.members.PAGE",
        "connectors.mailchimp.orders.PAGE",
        "connectors.mailchimp.campaigns.CHUNK",
    )
    consents: ClassVar = {
        "subscribed": Consent.GRANTED,
        "unsubscribed": Consent.OPTED_OUT,
        "pending": Consent.OPTED_OUT,
        "cleaned": Consent.OPTED_OUT,
        "archived": Consent.OPTED_OUT,
        "transactional": Consent.UNKNOWN,
    }
    sends = r"POST /3\.0/(lists/[^/]+(/merge-fields|/segments(/[^/]+)?)?|batches)"
    causes: ClassVar = {"a key of another data centre": NotAuthorised, "a wrong token": NotAuthorised}
    renewing_token = None
    rows = r"GET .*/(members|orders|reports)$"
    roster = None
    nothing_written = (rf"POST .*/lists/{LIST_ID}$", '{"new_members": [], "updated_members": [], "errors": []}')

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox, self._platform = sandbox, sandbox.platform("mailchimp")
        self._audience = self._platform._account.audience

    def everybody(self) -> set[str]:
        return set(self._audience.members)

    def change(self, id_: str) -> None:
        member = self._audience.members[id_]
        member.merge["FNAME"], member.last_changed = "Somebody", self._now()

    def tie(self) -> None:
        """An import: everybody changes in one second."""
        for member in self._audience.members.values():
            member.last_changed = self._now()

    def delete(self, id_: str) -> None:
        self.agree(id_, "archived")

    def vanish(self, id_: str) -> None:
        """Deleted for good: no list shows them any more."""
        self._audience.forget(self._audience.members[id_])

    def agree(self, id_: str, what: str) -> None:
        member = self._audience.members[id_]
        member.status, member.last_changed = what, self._now()

    def name_of(self, key: str) -> str:
        return {"buy_score": "FT_BUY"}[key]

    def spoil(self, how: str) -> str:
        """Damage one of our fields; what the damage is to be called by."""
        if how == "missing":
            self._audience.drop_field(self._audience.fields["FT_BUY"])
            return "FT_BUY"
        if how == "retyped":
            self._audience.fields["FT_BUY"].type = "text"
            return "FT_BUY"
        self._audience.drop_segment(self._audience.segment_named("FT: Quiet"), self._sandbox.clock.now())
        return "Quiet"

    def cause(self, what: str, stage: Any) -> Any:
        """A connector for which something is wrong."""
        key = self._platform.token
        return stage.connect(f"{key.partition('-')[0]}-us9" if "data centre" in what else f"f{key[1:]}")

    def transport(self, connector: Any) -> Any:
        return connector._transport

    def forbidden(self) -> dict[str, list[tuple[str, str, Any]]]:
        """Requests that must never leave, by what they would do."""
        address = "a@post.example"
        member = f"{_LIST}/members/c4ca4238"

        def update(more: dict[str, Any] | None = None, **member: Any) -> tuple[str, str, Any]:
            one = {"email_address": address, "merge_fields": {"FT_BUY": 1.0}, **member}
            return ("POST", _LIST, {"members": [one], "update_existing": True, **(more or {})})

        smuggled = {"method": "PATCH", "path": member, "operation_id": "1", "body": "{}"}
        return {
            "create a contact": [
                ("POST", f"{_LIST}/members", {"email_address": address, "status": "subscribed"}),
                ("PUT", member, {"email_address": address, "status_if_new": "subscribed"}),
                update(status_if_new="subscribed"),
            ],
            "remove a contact": [
                ("DELETE", member, None),
                ("POST", f"{member}/actions/delete-permanent", None),
                ("POST", "/batches", {"operations": [{**smuggled, "method": "DELETE"}]}),
            ],
            "change consent": [
                update(status="subscribed"),
                ("PATCH", member, {"status": "unsubscribed"}),
                ("POST", "/batches", {"operations": [smuggled]}),
            ],
            "hand somebody on": [update(vip=True), ("POST", f"{member}/events", {"name": "bought"})],
            "write a field that is not ours": [
                update(merge_fields={"FNAME": "X"}),
                ("PATCH", member, {"email_address": "b@post.example"}),
                ("POST", f"{_LIST}/merge-fields", {"tag": "AGE", "name": "Age", "type": "text", "public": False}),
            ],
            "delete a field": [
                ("DELETE", f"{_LIST}/merge-fields/1", None),
                ("DELETE", f"{_LIST}/segments/1", None),
                ("DELETE", _LIST, None),
            ],
            "touch lists of others": [
                update({"sync_tags": True}),
                ("POST", f"{_LIST}/segments", {"name": "VIP", "static_segment": []}),
                ("POST", f"{_LIST}/segments/1", {"members_to_remove": [address]}),
                ("POST", f"{member}/tags", {"tags": [{"name": "VIP", "status": "inactive"}]}),
            ],
        }

    def _now(self) -> str:
        return stamp(self._sandbox.clock.now())
