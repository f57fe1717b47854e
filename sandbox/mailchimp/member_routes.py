"""Routes of the audience's members: /lists, members, their tags, the bulk upsert."""

from collections.abc import Sequence

from flask import request

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.member_shapes import bulk_member_shape, list_shape, list_url, member_shape
from sandbox.mailchimp.records import LIST_ID, Member
from sandbox.mailchimp.wire import (
    Body,
    Problem,
    base_url,
    flag,
    instant,
    invalid,
    links,
    one_of,
    page,
    sent_body,
)

LISTED = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
SORTABLE = {"last_changed": "last_changed", "timestamp_opt": "opted_at", "timestamp_signup": "contact_id"}


class MemberRoutes:
    """The audience's members over HTTP."""

    def __init__(self, account: Account) -> None:
        self.account, self.audience, self.writer = account, account.audience, account.writer

    def lists(self) -> Body:
        """GET /lists: the one audience."""
        return {
            "lists": page([list_shape(self.account)]),
            "total_items": 1,
            "constraints": {"may_create": False, "max_instances": 1, "current_total_instances": 1},
            "_links": links(f"{base_url()}/lists", {"self": ("GET", "")}),
        }

    def one_list(self) -> Body:
        """GET /lists/{id}."""
        return list_shape(self.account)

    def batch(self) -> Body:
        """POST /lists/{id}: the bulk upsert."""
        done = self.writer.batch(sent_body(), flag("skip_merge_validation"), flag("skip_duplicate_check"))
        members_url = f"{list_url()}/members"
        new, updated = (
            [bulk_member_shape(self.account, member, members_url) for member in done[name]]
            for name in ("new_members", "updated_members")
        )
        return {
            "new_members": new,
            "updated_members": updated,
            "errors": done["errors"],
            "total_created": len(new),
            "total_updated": len(updated),
            "error_count": len(done["errors"]),
            "_links": links(list_url(), {"self": ("GET", "")}),
        }

    def members(self) -> Body:
        """GET members: filtered, sorted on request (else in no meaningful order), in pages."""
        rows = self._wanted()
        members_url = f"{list_url()}/members"
        return {
            "members": [member_shape(self.account, member, members_url) for member in page(rows)],
            "list_id": LIST_ID,
            "total_items": len(rows),
            "_links": links(members_url, {"self": ("GET", ""), "create": ("POST", "")}),
        }

    def _wanted(self) -> Sequence[Member]:
        status = one_of("status", (*LISTED, "archived"))
        rows = [m for m in self.audience.members.values() if m.status == status or (not status and m.status in LISTED)]
        if since := instant("since_last_changed"):
            rows = [m for m in rows if m.last_changed > since]
        if before := instant("before_last_changed"):
            rows = [m for m in rows if m.last_changed < before]
        if since := instant("since_timestamp_opt"):
            rows = [m for m in rows if m.opted_at > since]
        if before := instant("before_timestamp_opt"):
            rows = [m for m in rows if m.opted_at < before]
        if flag("vip_only"):
            rows = [m for m in rows if m.vip]
        rows.sort(key=lambda m: m.contact_id)
        field = one_of("sort_field", tuple(SORTABLE))
        backwards = one_of("sort_dir", ("ASC", "DESC")) == "DESC"
        if field:
            rows.sort(key=lambda m: str(getattr(m, SORTABLE[field])), reverse=backwards)
        return rows

    def one_member(self, key: str) -> Body:
        """GET one member, archived ones too."""
        return self._shown(self.writer.member(key))

    def post(self) -> Body:
        """POST a new member."""
        return self._shown(self.writer.post(sent_body(), flag("skip_merge_validation")))

    def put(self, key: str) -> Body:
        """PUT: update or create."""
        return self._shown(self.writer.put(key, sent_body(), flag("skip_merge_validation")))

    def patch(self, key: str) -> Body:
        """PATCH: update."""
        return self._shown(self.writer.patch(key, sent_body(), flag("skip_merge_validation")))

    def delete(self, key: str) -> None:
        """DELETE: archive."""
        self.writer.archive(key)

    def delete_permanently(self, key: str) -> None:
        """POST actions/delete-permanent: forget."""
        self.audience.forget(self.writer.member(key))

    def _shown(self, member: Member) -> Body:
        return member_shape(self.account, member, f"{list_url()}/members")

    def member_tags(self, key: str) -> Body:
        """GET the tags of a member."""
        tags = self.writer.member(key).tags
        rows = [{"id": i, "name": self.audience.segments[i].name, "date_added": at} for i, at in tags.items()]
        return {"tags": page(rows), "total_items": len(rows), "_links": links(request.base_url, {"self": ("GET", "")})}

    def tag_member(self, key: str) -> None:
        """POST tags of a member: active ones are added (and created), inactive ones taken off.

        With `is_syncing` no automation starts by them.
        """
        member = self.writer.member(key)
        changes, silent = sent_body().get("tags"), sent_body().get("is_syncing") is True
        if not isinstance(changes, list):
            raise invalid(("tags", "Schema describes array, something else found instead"))
        for i, change in enumerate(changes):
            if not isinstance(change, dict) or not change.get("name") or not isinstance(change["name"], str):
                raise invalid((f"tags.item:{i}.name", "This value should not be blank."))
            if change.get("status") not in ("active", "inactive"):
                raise invalid((f"tags.item:{i}.status", "Data presented is not one of the accepted values."))
        if (trouble := self.audience.trouble_of(member.email)) and trouble.how in ("tag", "tag unnamed"):
            raise Problem(400, "Bad Request", trouble.message)
        for change in changes:
            segment = self.audience.segment_named(change["name"])
            if change["status"] == "active":
                now = self.account.clock.now()
                segment = segment or self.audience.add_segment(change["name"], now)
                self.audience.tag(member, segment, now, silent=silent)
            elif segment is not None:
                self.audience.untag(member, segment, self.account.clock.now())
