"""Reads what our merge fields and tags hold right now: members one by one, or the whole audience where that is less."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial

from connectors.ahead import ahead
from connectors.contract import Change, Held
from connectors.errors import Rejected
from connectors.mailchimp.members import COLUMNS, Members
from connectors.mailchimp.pages import AT_ONCE, Pages
from connectors.mailchimp.sdk import PAGE, Answer, Api
from connectors.records import Contact


def held(api: Api, members: Members, changes: Sequence[Change], statuses: dict[str, str]) -> Iterator[list[Held]]:
    """One list per page, or per audience for members that are asked for one by one; notes their `statuses` alone."""
    statuses.clear()
    wanted: dict[str, set[str]] = {}
    for change in changes:
        wanted.setdefault(change.object, set()).add(change.id)
    for audience, ids in wanted.items():
        for rows in _audience(api, audience, ids):
            statuses.update({row["contact_id"]: row["status"] for row in rows})
            yield _writable(members.contacts(audience, rows))


def _audience(api: Api, audience: str, missing: set[str]) -> Iterator[list[Answer]]:
    """Their rows: pages, as long as there are fewer of them left than members still to be seen.

    A member whom the list did not show, because it changed meanwhile, is left out like one who is gone.
    """
    left, offset = 1, 0
    with closing(Pages(partial(_page, api, audience), PAGE)) as pages:
        while left < len(missing):
            answer = pages.at(offset)
            rows = [row for row in answer["members"] if row["contact_id"] in missing]
            missing = missing - {row["contact_id"] for row in rows}
            yield rows
            offset += PAGE
            left = -(-(answer["total_items"] - offset) // PAGE)
            if left <= 0:
                return
    with closing(ahead((partial(_one, api, audience, id_) for id_ in sorted(missing)), AT_ONCE)) as answers:
        yield [row for row in answers if row is not None]


def _page(api: Api, audience: str, offset: int) -> Answer:
    columns = [*(f"members.{name}" for name in COLUMNS), "total_items"]
    return api.call(api.lists.get_list_members_info, audience, count=PAGE, offset=offset, fields=columns)


def _one(api: Api, audience: str, contact_id: str) -> Answer | None:
    try:
        return api.call(api.lists.get_list_member, audience, contact_id, fields=list(COLUMNS))
    except Rejected as error:
        if error.status != 404:
            raise
        return None


def _writable(contacts: Sequence[Contact]) -> list[Held]:
    return [Held(each.object, each.id, each.owned) for each in contacts if each.writable]
