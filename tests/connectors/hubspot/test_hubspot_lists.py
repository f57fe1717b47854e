"""Lists of contacts, on answers written by hand."""

import json

import pytest
from responses.matchers import json_params_matcher, query_param_matcher

from connectors.errors import Stop, Unavailable

LISTS = "https://api.hubapi.com/crm/v3/lists"


def row(list_id, name, **more):
    return {"listId": list_id, "name": name, "objectTypeId": "0-1", "processingType": "DYNAMIC", **more}


def lists(web, *rows, offset=0, ends_at=None, more=False):
    """One page of lists."""
    answer = {"offset": len(rows) if ends_at is None else ends_at, "hasMore": more, "total": 9, "lists": list(rows)}
    asked = json_params_matcher({"query": "", "offset": offset, "count": 500})
    return web.add("POST", f"{LISTS}/search", json=answer, match=[asked])


def people(web, *ids, after=None, following=None, list_id="4"):
    """One page of those on a list. The link leads to somebody else."""
    answer = {"total": 9, "results": [{"recordId": id_, "membershipTimestamp": "2026-01-01T00:00:00Z"} for id_ in ids]}
    if following:
        answer["paging"] = {"next": {"after": following, "link": "https://elsewhere.example/lists"}}
    asked = query_param_matcher({"limit": "250", **({"after": after} if after else {})})
    return web.add("GET", f"{LISTS}/{list_id}/memberships", json=answer, match=[asked])


def test_trap_short_and_empty_pages_of_a_list_are_not_the_last(web, connect):
    lists(web, row("4", "Spring"))
    people(web, "7001", following="a")
    people(web, after="a", following="b")
    people(web, "7009", "7001", after="b")
    assert set(connect().members("Spring")) == {"7001", "7009"}


def test_trap_lists_come_in_pages_and_are_told_by_their_whole_name(web, connect):
    lists(web, row("3", "Spring pilot"), ends_at=1, more=True)
    lists(web, row("4", "Spring"), row("5", "spring"), offset=1, ends_at=3)
    people(web, "7001")
    assert set(connect().members("Spring")) == {"7001"}


def test_trap_lists_of_companies_and_deleted_ones_are_not_ours(web, connect):
    lists(
        web,
        row("1", "Spring", objectTypeId="0-2"),
        row("2", "Spring", deletedAt="2026-01-01T00:00:00Z"),
        row("4", "Spring"),
    )
    people(web, "7001")
    assert set(connect().members("Spring")) == {"7001"}


def test_two_of_one_name_are_no_choice_of_ours(web, connect):
    lists(web, row("4", "Spring"), row("8", "Spring"))
    with pytest.raises(Stop, match=r'2 lists are called "Spring" \(4, 8\): rename one, or write its id'):
        set(connect().members("Spring"))


@pytest.mark.parametrize("what", ["lists", "members"])
def test_trap_pages_of_a_list_that_lead_to_themselves_end_with_an_error(web, connect, what):
    if what == "lists":
        lists(web, row("4", "Spring"), ends_at=0, more=True)
    else:
        lists(web, row("4", "Spring"))
        people(web, "7001", following="a")
        people(web, "7002", after="a", following="a")
    with pytest.raises(Unavailable, match="again and again"):
        set(connect().members("Spring"))


def test_a_list_that_goes_while_it_is_read_is_an_error(web, connect):
    lists(web, row("4", "Spring"))
    web.add("GET", f"{LISTS}/4/memberships", status=404, body=json.dumps({"message": "List does not exist with ID 4."}))
    with pytest.raises(Stop):
        set(connect().members("Spring"))


def test_a_dated_account_asks_by_dated_paths(web, connect):
    dated = "https://api.hubapi.com/crm/lists/2026-09"
    web.add("POST", f"{dated}/search", json={"offset": 1, "hasMore": False, "lists": [row("4", "Spring")]})
    web.add("GET", f"{dated}/4/memberships", json={"total": 1, "results": [{"recordId": 7001}]})
    assert set(connect(api_version="2026-09").members("4")) == {"7001"}
