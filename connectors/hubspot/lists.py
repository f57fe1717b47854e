"""Who is on a list of contacts, whether people put them there or a filter did."""

from collections.abc import Iterator

from connectors.hubspot.answers import next_page, stuck
from connectors.hubspot.sdk import RAW, Api
from connectors.naming import the_one

LISTS_PAGE = 500
MEMBERS_PAGE = 250
_CONTACTS = "0-1"


def members(api: Api, wanted: str) -> Iterator[str]:
    """Ids of the contacts on the list with this name or id, page by page. Raises Stop as `the_one` does."""
    list_id = the_one("list", wanted, _names(api))
    after: str | None = None
    while True:
        answer = api.list_members.get_page(list_id, limit=MEMBERS_PAGE, after=after, **RAW)
        yield from (str(row["recordId"]) for row in answer["results"])
        following = next_page(answer)
        if following is None:
            return
        if following == after:
            raise stuck("members of a list")
        after = following


def _names(api: Api) -> dict[str, str]:
    """The names of all lists of contacts, by id: an empty search finds all, one by name finds parts of names."""
    names: dict[str, str] = {}
    offset = 0
    while True:
        answer = api.lists.do_search({"query": "", "offset": offset, "count": LISTS_PAGE}, **RAW)
        names |= {
            str(row["listId"]): str(row["name"])
            for row in answer["lists"]
            if row.get("objectTypeId") == _CONTACTS and not row.get("deletedAt")
        }
        if not answer.get("hasMore"):
            return names
        if answer["offset"] <= offset:
            raise stuck("list of lists")
        offset = answer["offset"]
