"""Lists of contacts: made, found, filled, deleted."""

from typing import Any

from flask import Response, jsonify, request

from sandbox.hubspot.errors import bad_request, refuse
from sandbox.hubspot.portal import Portal
from sandbox.hubspot.router import DATED, Router, body, next_page, page_limit
from sandbox.hubspot.values import instant, millis

SEARCH_PAGE, USER_ID = 20, "1"
LARGEST_SEARCH, LARGEST_PAGE = 500, 250


class ListRoutes:
    """The views; `add` mounts them."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def add(self, router: Router) -> None:
        router.add("POST", _lists(""), self.create, "crm.lists.write")
        router.add("POST", _lists("/search"), self.search, "crm.lists.read")
        router.add("GET", _lists("/<list_id>"), self.one, "crm.lists.read")
        router.add("DELETE", _lists("/<list_id>"), self.delete, "crm.lists.write")
        router.add("GET", _lists("/<list_id>/memberships"), self.members, "crm.lists.read")
        router.add("PUT", _lists("/<list_id>/memberships/add"), self.add_members, "crm.lists.write")

    def create(self) -> Response:
        wanted, lists, at = body(), self._portal.lists, self._portal.now()
        if any(each["name"] == wanted.get("name") for each in lists.values()):
            raise bad_request(f"A list named {wanted['name']} already exists")
        list_id = str(len(lists) + 1)
        lists[list_id] = {
            "listId": list_id,
            "listVersion": 1,
            "createdAt": at,
            "updatedAt": at,
            "filtersUpdatedAt": at,
            "processingStatus": "COMPLETE",
            "createdById": USER_ID,
            "updatedById": USER_ID,
            **{key: wanted.get(key) for key in ("processingType", "objectTypeId", "name")},
            "members": [],
        }
        return jsonify({"list": _shown(lists[list_id])})

    def search(self) -> Response:
        """Lists whose name holds the `query`, from `offset` on."""
        wanted = body()
        offset, count = int(wanted.get("offset") or 0), int(wanted.get("count") or SEARCH_PAGE)
        if count > LARGEST_SEARCH:
            raise bad_request(f"count must be at most {LARGEST_SEARCH}")
        text = str(wanted.get("query") or "").lower()
        found = [each for each in self._portal.lists.values() if text in str(each["name"]).lower()]
        page = [_sized(each) for each in found[offset : offset + count]]
        following = offset + len(page)
        return jsonify({"offset": following, "hasMore": following < len(found), "lists": page, "total": len(found)})

    def one(self, list_id: str) -> Response:
        return jsonify({"list": _shown(self._find(list_id))})

    def delete(self, list_id: str) -> tuple[str, int]:
        self._find(list_id)
        del self._portal.lists[list_id]
        return "", 204

    def members(self, list_id: str) -> Response:
        """A page of those on the list, by record id: the survivor for who was merged, nobody for who was deleted."""
        found, contacts = self._find(list_id), self._portal.contacts
        there = {record.id for each in found["members"] if (record := contacts.get(each))}
        after, limit = int(request.args.get("after") or 0), page_limit(LARGEST_PAGE, 100)
        ids = sorted(each for each in map(int, there) if each > after)
        page, more = ids[:limit], len(ids) > limit
        rows = [{"recordId": str(each), "membershipTimestamp": found["updatedAt"]} for each in page]
        return jsonify({"total": len(there), "results": rows, **next_page(str(page[-1]) if more else None)})

    def add_members(self, list_id: str) -> Response:
        found, ids = self._find(list_id), [str(each) for each in request.get_json(silent=True) or []]
        if found["processingType"] == "DYNAMIC":
            raise bad_request("Members of a DYNAMIC list cannot be set")
        added = [id_ for id_ in ids if id_ in self._portal.contacts.live and id_ not in found["members"]]
        missing = [id_ for id_ in ids if id_ not in self._portal.contacts.live]
        found["members"] += added
        found["updatedAt"] = self._portal.now()
        return jsonify({"recordsIdsAdded": added, "recordIdsMissing": missing, "recordIdsRemoved": []})

    def _find(self, list_id: str) -> dict[str, Any]:
        if list_id not in self._portal.lists:
            raise refuse(404, f"List does not exist with ID {list_id}.", "OBJECT_NOT_FOUND")
        return self._portal.lists[list_id]


def _lists(rest: str) -> tuple[str, str]:
    return f"/crm/v3/lists{rest}", f"/crm/lists/{DATED}{rest}"


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "members"}


def _sized(found: dict[str, Any]) -> dict[str, Any]:
    size = {"hs_list_size": str(len(found["members"])), "hs_list_reference_count": "0"}
    if found["members"]:
        size["hs_last_record_added_at"] = str(millis(instant(found["updatedAt"])))
    return {**_shown(found), "additionalProperties": size}
