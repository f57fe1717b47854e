"""Routes of the audience's columns and tags: merge fields, segments, the tag search."""

import re
from typing import Any, TypeGuard

from flask import request

from sandbox.mailchimp.account import Account
from sandbox.mailchimp.member_shapes import (
    COLUMNS_MAX,
    OBJECT_LINKS,
    bulk_member_shape,
    list_url,
    merge_field_shape,
    segment_shape,
)
from sandbox.mailchimp.records import LIST_ID, Member, MergeField, Segment
from sandbox.mailchimp.troubles import tag_errors
from sandbox.mailchimp.wire import Body, Problem, flag, instant, invalid, links, not_found, one_of, page, sent_body

TYPES = ("text", "number", "date", "dropdown")
SEGMENT_BATCH_MAX = 500
DETAILS = {"name": str, "required": bool, "default_value": str, "public": bool, "help_text": str}


class ColumnRoutes:
    """Merge fields and static segments over HTTP."""

    def __init__(self, account: Account) -> None:
        self.account, self.audience = account, account.audience

    def merge_fields(self) -> Body:
        """GET merge-fields: ten unless `count` says more."""
        rows = list(self.audience.fields.values())
        return {
            "merge_fields": [self._field(field) for field in page(rows)],
            "list_id": LIST_ID,
            "total_items": len(rows),
            "merge_field_limit": COLUMNS_MAX,
            "_links": links(f"{list_url()}/merge-fields", {"self": ("GET", ""), "create": ("POST", "")}),
        }

    def one_merge_field(self, merge_id: int) -> Body:
        """GET one merge field."""
        return self._field(self._known_field(merge_id))

    def add_merge_field(self) -> Body:
        """POST merge-fields: 400 for a taken or misspelt tag, an unknown type, a thirty-first field."""
        body = sent_body()
        tag = body.get("tag", "")
        if tag and not (isinstance(tag, str) and re.fullmatch(r"[A-Z0-9_]{1,10}", tag)):
            raise invalid(("tag", "A tag has at most 10 upper-case letters, digits or underscores."))
        if body.get("type") not in TYPES:
            raise invalid(("type", f"Data presented is not one of the accepted values: {', '.join(TYPES)}."))
        if not body.get("name"):
            raise invalid(("name", "This value should not be blank."))
        if tag in self.audience.fields:
            raise Problem(400, "Invalid Resource", f'A Merge Field with the tag "{tag}" already exists for this list.')
        if len(self.audience.fields) >= COLUMNS_MAX:
            raise Problem(400, "Invalid Resource", f"This list already has the maximum of {COLUMNS_MAX} merge fields.")
        details = _details(body)
        return self._field(self.audience.add_field(MergeField(0, tag, type=body["type"], **details)))

    def change_merge_field(self, merge_id: int) -> Body:
        """PATCH a merge field: everything but its tag and type."""
        field = self._known_field(merge_id)
        for name, value in _details(sent_body()).items():
            setattr(field, name, value)
        return self._field(field)

    def drop_merge_field(self, merge_id: int) -> None:
        """DELETE a merge field and its values."""
        self.audience.drop_field(self._known_field(merge_id))

    def segments(self) -> Body:
        """GET segments: ten unless `count` says more."""
        rows = list(self.audience.segments.values())
        if one_of("type", ("saved", "static", "fuzzy")) in ("saved", "fuzzy"):
            rows = []
        if since := instant("since_updated_at"):
            rows = [segment for segment in rows if segment.updated_at > since]
        return {
            "segments": [self._segment(segment) for segment in page(rows)],
            "list_id": LIST_ID,
            "total_items": len(rows),
            "_links": links(f"{list_url()}/segments", {"self": ("GET", ""), "create": ("POST", "")}),
        }

    def one_segment(self, segment_id: int) -> Body:
        """GET one segment."""
        return self._segment(self._known_segment(segment_id))

    def add_segment(self) -> Body:
        """POST segments: a static one (a tag); an empty `static_segment` makes an empty tag."""
        body = sent_body()
        name, emails = body.get("name"), body.get("static_segment")
        if not name or not isinstance(name, str):
            raise invalid(("name", "This value should not be blank."))
        if not _is_text_list(emails):
            raise invalid(("static_segment", "Only static segments are kept here: an array of addresses is needed."))
        if self.audience.segment_named(name) is not None:
            raise Problem(400, "Bad Request", "Sorry, that tag already exists.")
        now = self.account.clock.now()
        segment = self.audience.add_segment(name, now)
        for member in self._on_list(emails):
            self.audience.tag(member, segment, now)
        return self._segment(segment)

    def drop_segment(self, segment_id: int) -> None:
        """DELETE a segment: the tag is taken off everyone."""
        self.audience.drop_segment(self._known_segment(segment_id), self.account.clock.now())

    def change_members(self, segment_id: int) -> Body:
        """POST a segment: add and remove up to 500 each; addresses that are not on the list are passed over."""
        segment = self._known_segment(segment_id)
        body = sent_body()
        to_add, to_remove = body.get("members_to_add", []), body.get("members_to_remove", [])
        for name, emails in (("members_to_add", to_add), ("members_to_remove", to_remove)):
            if not _is_text_list(emails):
                raise invalid((name, "Schema describes array, something else found instead"))
            if len(emails) > SEGMENT_BATCH_MAX:
                raise invalid((name, f"There should be no more than {SEGMENT_BATCH_MAX} items in the array"))
        named = {email: trouble for email in (*to_add, *to_remove) if (trouble := self.audience.trouble_of(email))}
        errors = tag_errors(named)
        refused = {email for error in errors for email in error["email_addresses"]}
        to_add, to_remove = ([email for email in emails if email not in refused] for emails in (to_add, to_remove))
        now = self.account.clock.now()
        added = [member for member in self._on_list(to_add) if self.audience.tag(member, segment, now)]
        removed = [member for member in self._on_list(to_remove) if self.audience.untag(member, segment, now)]
        members_url = f"{list_url()}/members"
        return {
            "members_added": [bulk_member_shape(self.account, member, members_url) for member in added],
            "members_removed": [bulk_member_shape(self.account, member, members_url) for member in removed],
            "errors": errors,
            "total_added": len(added),
            "total_removed": len(removed),
            "error_count": len(errors),
            "_links": links(f"{list_url()}/segments/{segment.id}", {"self": ("GET", "")}),
        }

    def segment_members(self, segment_id: int) -> Body:
        """GET the members of a segment: the subscribed, others when the query includes them."""
        shown = {"subscribed", "pending"}
        shown |= {name for name in ("unsubscribed", "cleaned", "transactional") if flag(f"include_{name}")}
        rows = [m for m in self.audience.tagged(self._known_segment(segment_id)) if m.status in shown]
        rows.sort(key=lambda member: member.contact_id)
        members_url = f"{list_url()}/members"
        return {
            "members": [bulk_member_shape(self.account, member, members_url) for member in page(rows)],
            "total_items": len(rows),
            "_links": links(request.base_url, {"self": ("GET", "")}),
        }

    def tag_search(self) -> Body:
        """GET tag-search: tags whose name begins with `name`, in any case."""
        begin = request.args.get("name", "").casefold()
        tags = [s for s in self.audience.segments.values() if s.name.casefold().startswith(begin)]
        return {"tags": [{"id": tag.id, "name": tag.name} for tag in tags], "total_items": len(tags)}

    def _on_list(self, emails: list[str]) -> list[Member]:
        found = (self.audience.find(email) for email in dict.fromkeys(emails) if "@" in email)
        return [member for member in found if member is not None and member.status != "archived"]

    def _known_field(self, merge_id: int) -> MergeField:
        for field in self.audience.fields.values():
            if field.merge_id == merge_id:
                return field
        raise not_found()

    def _known_segment(self, segment_id: int) -> Segment:
        if (segment := self.audience.segments.get(segment_id)) is None:
            raise not_found()
        return segment

    def _field(self, field: MergeField) -> Body:
        url = f"{list_url()}/merge-fields/{field.merge_id}"
        return merge_field_shape(field) | {"_links": links(url, OBJECT_LINKS)}

    def _segment(self, segment: Segment) -> Body:
        url = f"{list_url()}/segments/{segment.id}"
        return segment_shape(self.account, segment) | {"_links": links(url, OBJECT_LINKS)}


def _details(body: Body) -> dict[str, Any]:
    details = {name: body[name] for name, kind in DETAILS.items() if isinstance(body.get(name), kind)}
    options = body.get("options")
    choices = options.get("choices") if isinstance(options, dict) else None
    return details | ({"choices": choices} if _is_text_list(choices) else {})


def _is_text_list(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
