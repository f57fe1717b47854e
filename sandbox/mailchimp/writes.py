"""What a write does to a member: one at a time (POST, PUT, PATCH, DELETE) and up to 500 at once."""

import re
from typing import Any

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.records import Member, address_hash, digest, stamp
from sandbox.mailchimp.troubles import refuse_whole
from sandbox.mailchimp.values import checked_merge
from sandbox.mailchimp.wire import Body, Problem, invalid, not_found
from sandbox.platform import SandboxClock

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
BATCH_MAX = 500
FIRST_API_WEB_ID = 600_000_001
BY_ADMIN = "N/A (Unsubscribed by admin)"
SHAPES: dict[str, tuple[type, str]] = {
    "email_address": (str, "string"),
    "merge_fields": (dict, "object"),
    "vip": (bool, "boolean"),
    "language": (str, "string"),
    "email_type": (str, "string"),
    "tags": (list, "array"),
}


class Writer:
    """Changes members the way the API does. `last_changed` moves only when something really changed."""

    def __init__(self, audience: Audience, clock: SandboxClock) -> None:
        self.audience, self.clock = audience, clock
        self._created = 0

    def batch(self, body: Body, waive_required: bool, skip_duplicates: bool) -> Body:
        """Upsert up to 500 members; refused rows stand in `errors`, a row that breaks the schema fails the request."""
        rows = body.get("members")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise invalid(("members", "Schema describes array, something else found instead"))
        if len(rows) > BATCH_MAX:
            raise invalid(("members", f"There should be no more than {BATCH_MAX} items in the array"))
        if faults := [fault for i, row in enumerate(rows) for fault in _faults(row, f"members.item:{i}.")]:
            raise invalid(*faults)
        troubles = [self.audience.trouble_of(row.get("email_address", "")) for row in rows]
        refuse_whole(troubles)
        new: list[Member] = []
        updated: list[Member] = []
        errors: list[Body] = []
        seen: set[str] = set()
        for row, trouble in zip(rows, troubles, strict=True):
            email = row.get("email_address", "")
            duplicate = email.lower() in seen
            seen.add(email.lower())
            if (duplicate and skip_duplicates) or (trouble and trouble.how == "silent"):
                continue
            try:
                if duplicate:
                    raise Problem(400, "Invalid Resource", f"Duplicate items found in the request: {email}")
                known = self.audience.find(email) if "@" in email else None
                sent = trouble.spoil(row) if trouble else row
                member = self._batch_row(known, sent, body, waive_required)
                (updated if known else new).append(member)
            except Problem as problem:
                errors.append(_row_error(email, problem))
        return {"new_members": new, "updated_members": updated, "errors": errors}

    def _batch_row(self, known: Member | None, row: Body, body: Body, waive_required: bool) -> Member:
        if known is None:
            return self.create(row, row.get("status"), waive_required)
        if body.get("update_existing") is not True:
            hint = "do you want to update? please provide update_existing:true in the request body"
            raise Problem(400, "Member Exists", f"{known.email} is already a list member, {hint}")
        self.update(known, row, waive_required)
        if body.get("sync_tags") is True:
            self.audience.retag(known, row.get("tags", []), self.clock.now())
        return known

    def post(self, body: Body, waive_required: bool) -> Member:
        """Add one member; an archived one comes back. 400 "Member Exists" for any other."""
        _check(body, ("email_address", "status"))
        known = self.audience.find(body["email_address"])
        if known is None:
            return self.create(body, body["status"], waive_required)
        if known.status != "archived":
            raise _exists(body["email_address"])
        return self.update(known, body, waive_required)

    def put(self, key: str, body: Body, waive_required: bool) -> Member:
        """Update the member `key`, or create it when there is none."""
        _check(body)
        known = self.audience.find(key)
        if known is not None:
            return self.update(known, body, waive_required)
        _check(body, ("email_address",))
        if self.audience.find(body["email_address"]):
            raise _exists(body["email_address"])
        return self.create(body, body.get("status_if_new", body.get("status")), waive_required)

    def patch(self, key: str, body: Body, waive_required: bool) -> Member:
        """Update the member `key`; 404 when there is none."""
        _check(body)
        return self.update(self.member(key), body, waive_required)

    def archive(self, key: str) -> None:
        """Archive a member (what DELETE does); 405 for those who bounced, are pending or archived already."""
        member = self.member(key)
        if member.status in ("cleaned", "pending", "archived"):
            reason = "Can not archive a contact that is bounced, pending or archived"
            raise Problem(405, "Method Not Allowed", f"This list member cannot be removed. {reason}", allow="GET, PUT")
        member.status, member.last_changed = "archived", stamp(self.clock.now())

    def member(self, key: str) -> Member:
        """The member `key`; 404 when there is none."""
        if (member := self.audience.find(key)) is None:
            raise not_found()
        return member

    def create(self, body: Body, status: str | None, waive_required: bool) -> Member:
        """A new member; 400 without a status, for a bad address and for one that was permanently deleted."""
        email = body.get("email_address", "")
        self._check_address(email)
        if status is None:
            raise invalid(("status", "This value should not be blank."))
        merge = checked_merge(self.audience.fields, body.get("merge_fields", {}), {}, waive_required)
        now = self.clock.now()
        member = Member(
            contact_id=digest("api", self._created, email),
            email=email,
            status=status,
            opted_at=stamp(now),
            last_changed=stamp(now),
            web_id=FIRST_API_WEB_ID + self._created,
            source="API - Generic",
            merge=merge,
            vip=body.get("vip", False),
            language=body.get("language", ""),
            email_type=body.get("email_type", "html"),
            unsubscribe_reason=BY_ADMIN if status == "unsubscribed" else "",
        )
        self._created += 1
        self.audience.add(member)
        self.audience.retag(member, body.get("tags", []), now)
        return member

    def update(self, member: Member, body: Body, waive_required: bool) -> Member:
        """Lay `body` over a member: what is not sent stays, and `status` counts only when it is sent."""
        status = body.get("status", member.status)
        if status == "subscribed" != member.status and member.compliance:
            state = "is in a compliance state due to unsubscribe, bounce, or compliance review"
            raise Problem(400, "Member In Compliance State", f"{member.email} {state} and cannot be subscribed.")
        email = body.get("email_address", member.email)
        moves = email.lower() != member.email.lower()
        if moves:
            self._check_address(email)
            if self.audience.find(email):
                raise _exists(email)
        merge = checked_merge(self.audience.fields, body.get("merge_fields", {}), member.merge, waive_required)
        after = {name: body.get(name, getattr(member, name)) for name in ("vip", "language", "email_type")}
        after |= {"merge": merge, "status": status}
        changed = {name: value for name, value in after.items() if getattr(member, name) != value}
        if moves:
            self.audience.readdress(member, email)
        if changed or moves:
            self._store(member, changed)
        return member

    def _store(self, member: Member, changed: dict[str, Any]) -> None:
        now = stamp(self.clock.now())
        for name, value in changed.items():
            setattr(member, name, value)
        if "status" in changed:
            member.unsubscribe_reason = BY_ADMIN if member.status == "unsubscribed" else ""
        if changed.get("status") == "subscribed":
            member.opted_at = now
        member.last_changed = now

    def _check_address(self, email: str) -> None:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}", email):
            raise invalid(("email_address", "This value is not a valid email address."))
        if email.lower().endswith("@example.com"):
            reason = "looks fake or invalid, please enter a real email address."
            raise Problem(400, "Invalid Resource", f"{email} {reason}")
        if address_hash(email) in self.audience.everywhere:
            reason = "has signed up to a lot of lists very recently; we're not allowing more signups for now"
            raise Problem(400, "Invalid Resource", f"{email} {reason}")
        if address_hash(email) in self.audience.forgotten:
            reason = "was permanently deleted and cannot be re-imported."
            hint = "The contact must re-subscribe to get back on the list."
            raise Problem(400, "Forgotten Email Not Subscribed", f"{email} {reason} {hint}")


def _exists(email: str) -> Problem:
    hint = "Use PUT to insert or update list members."
    return Problem(400, "Member Exists", f"{email} is already a list member. {hint}")


def _row_error(email: str, problem: Problem) -> Body:
    field, message = problem.errors[0] if problem.errors else ("", "")
    code = "ERROR_CONTACT_EXISTS" if problem.title == "Member Exists" else "ERROR_GENERIC"
    return {
        "email_address": email,
        "error": problem.detail,
        "error_code": code,
        "field": field,
        "field_message": message,
    }


def _check(body: Body, required: tuple[str, ...] = ()) -> None:
    missing = [(name, "This value should not be blank.") for name in required if not body.get(name)]
    if faults := _faults(body, "") + missing:
        raise invalid(*faults)


def _faults(row: Body, prefix: str) -> list[tuple[str, str]]:
    faults = [
        (prefix + name, f"Schema describes {word}, something else found instead")
        for name, (kind, word) in SHAPES.items()
        if name in row and not isinstance(row[name], kind)
    ]
    tags = row.get("tags")
    if isinstance(tags, list) and not all(isinstance(tag, str) for tag in tags):
        faults.append((f"{prefix}tags", "Schema describes string, something else found instead"))
    accepted = ", ".join(STATUSES)
    return faults + [
        (prefix + name, f"Data presented is not one of the accepted values: {accepted}.")
        for name in ("status", "status_if_new")
        if name in row and row[name] not in STATUSES
    ]
