"""How many calls a run costs: no more than pages and batches make necessary, and none to write what is there."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests

from sandbox.server import Sandbox
from sandbox.world import load
from sync import configfile as config_file
from sync.plan import PINNED

LIST = "/3.0/lists/4f2a9c17be"
# Which routes read which object; describes and the list of audiences are the price of looking at all.
OBJECTS = {
    ("hubspot", "GET /crm/v3/objects/contacts"): "hubspot contacts",
    ("hubspot", "POST /crm/v3/objects/contacts/search"): "hubspot contacts",
    ("hubspot", "GET /crm/v3/objects/deals"): "hubspot deals",
    ("hubspot", "POST /crm/v3/objects/deals/search"): "hubspot deals",
    ("hubspot", "POST /crm/v4/associations/deals/contacts/batch/read"): "hubspot deals",
    ("hubspot", "GET /marketing/v3/forms/"): "hubspot forms",
    ("hubspot", "GET /form-integrations/v1/submissions/forms/<guid>"): "hubspot submissions",
    ("mailchimp", "GET /3.0/lists"): "mailchimp members",
    ("mailchimp", f"GET {LIST}/members"): "mailchimp members",
    ("mailchimp", "GET /3.0/reports"): "mailchimp campaigns",
    ("mailchimp", "GET /3.0/ecommerce/stores"): "mailchimp orders",
    ("mailchimp", "GET /3.0/ecommerce/stores/cornershop/orders"): "mailchimp orders",
}
SALESFORCE = ("Contact", "Lead", "OpportunityContactRole", "CampaignMember", "Task", "Event")


def pages(rows: int, size: int) -> int:
    """Calls to read so many rows; looking costs one even where there are none."""
    return max(1, -(-rows // size))


@dataclass
class Seen:
    """A first run and one right behind it with nothing changed: outcomes, calls, and the records in between."""

    outcome: Any
    calls: dict[tuple[str, str], int]
    again: Any
    reads_again: dict[tuple[str, str], int]
    writes_again: dict[tuple[str, str], int]
    records: dict[str, Any]


@pytest.fixture(scope="module", params=["200 people", pytest.param("2,469 people", marks=pytest.mark.slow)])
def seen(request, small_world, tmp_path_factory, install_in, loops) -> Iterator[Seen]:
    world = small_world if request.param == "200 people" else load()
    with Sandbox(world, loops.date, limits=False) as sandbox:
        loop = install_in(sandbox, tmp_path_factory.mktemp("thrift"))
        outcome = loop.run()
        calls = sandbox.calls()
        again = loop.run()
        yield Seen(outcome, calls, again, loop.reads(), loop.writes(), sandbox.snapshot())


def test_a_first_pull_of_hubspot_costs_a_call_per_page_and_one_for_the_bin(seen):
    hubspot = seen.records["hubspot"]
    assert seen.calls["hubspot", "GET /crm/v3/objects/contacts"] == pages(len(hubspot["contacts"]), 100) + 1
    assert seen.calls["hubspot", "GET /crm/v3/objects/deals"] == pages(len(hubspot["deals"]), 100) + 1
    assert seen.calls["hubspot", "GET /marketing/v3/forms/"] == 1
    submissions = sum(each.activities for each in seen.outcome.pulled if each.stream == "forms")
    assert seen.calls["hubspot", "GET /form-integrations/v1/submissions/forms/<guid>"] == pages(submissions, 50)
    assert ("hubspot", "POST /crm/v3/objects/contacts/search") not in seen.calls


def test_a_first_pull_of_mailchimp_costs_a_call_per_page_and_one_batch(seen):
    states = Counter(row["status"] == "archived" for row in seen.records["mailchimp"]["members"].values())
    before_writing = pages(states[False], 1000)
    read = pages(states[False], 1000) + pages(states[True], 1000)
    assert seen.calls["mailchimp", f"GET {LIST}/members"] == read + before_writing
    orders = len(seen.records["mailchimp"]["orders"])
    assert seen.calls["mailchimp", "GET /3.0/ecommerce/stores/cornershop/orders"] == pages(orders, 1000)
    assert seen.calls["mailchimp", "GET /3.0/reports"] == 1
    tagging = pages(sum(each.written for each in seen.outcome.applied if each.account == "mailchimp"), 1000)
    assert seen.calls["mailchimp", "POST /3.0/batches"] == 1 + tagging
    assert seen.calls["mailchimp", "GET /batch-results/<batch_id>-response.tar.gz"] == 1 + tagging


def test_a_first_pull_of_salesforce_costs_a_call_per_page_and_a_describe_per_stream(seen):
    calls = {
        route.partition("/services/data/v<version>")[2]: n for (p, route), n in seen.calls.items() if p == "salesforce"
    }
    wanted = sum(pages(len(seen.records["salesforce"][name]), 2000) for name in SALESFORCE)
    assert calls["/queryAll"] == len(SALESFORCE)
    assert calls["/queryAll"] + calls.get("/query/<locator>", 0) == wanted
    streams = sum(each.account == "salesforce" for each in seen.outcome.pulled)
    looks_at_our_fields = 4  # before the last look at values, before they are made, while they are made, after
    assert calls["/composite/batch"] == streams - 1 + looks_at_our_fields  # contacts and leads share one


def test_a_second_run_with_nothing_changed_writes_nothing(seen):
    assert seen.again.verdict == "ok"
    assert seen.again.plan.size == 0
    assert seen.writes_again == {}


def test_a_second_run_with_nothing_changed_reads_each_object_in_three_calls(seen):
    found: Counter[str] = Counter()
    for (platform, route), count in seen.reads_again.items():
        if platform == "salesforce":
            found[platform] += count
        else:
            found[OBJECTS[platform, route]] += count
    assert found.pop("salesforce") <= 2 * len(SALESFORCE)
    found["hubspot contacts"] -= 1  # for the forms: whether anybody filled one in is asked of the contacts
    assert max(found.values()) <= 3


def test_writing_costs_ten_two_and_one_call_a_thousand(seen):
    written = {each.account: each.written for each in seen.outcome.applied}
    assert seen.calls["hubspot", "POST /crm/v3/objects/contacts/batch/update"] == pages(written["hubspot"], 100)
    assert seen.calls["mailchimp", f"POST {LIST}"] == 1 + pages(written["mailchimp"], 500)  # the first holds a handful
    collections = ("PATCH /services/data/v<version>/composite/sobjects", "POST /services/data/v<version>/composite")
    assert sum(seen.calls.get(("salesforce", route), 0) for route in collections) == pages(written["salesforce"], 1000)
    assert seen.calls["mailchimp", "POST /3.0/batches"] == 1 + pages(written["mailchimp"], 1000)


def test_the_last_look_before_writing_costs_ten_one_and_half_a_call_a_thousand(seen):
    planned = {account: len(changes) for account, changes in seen.outcome.plan.changes.items()}
    assert seen.calls["hubspot", "POST /crm/v3/objects/contacts/batch/read"] == pages(planned["hubspot"], 100)
    by_object = Counter(change.object for change in seen.outcome.plan.changes["salesforce"])
    looks = sum(n for (_, route), n in seen.calls.items() if "/composite/sobjects/<" in route)
    assert looks == sum(pages(count, 2000) for count in by_object.values())


def empty_on_hubspot(sandbox: Sandbox, call: Callable[..., Any]) -> None:
    contact = next(i for i, row in sandbox.snapshot()["hubspot"]["contacts"].items() if row.get("ft_segment"))
    row = {"id": contact, "properties": {"ft_segment": ""}}
    call("POST", "hubspot", "/crm/v3/objects/contacts/batch/update", {"inputs": [row]})


def empty_on_mailchimp(sandbox: Sandbox, call: Callable[..., Any]) -> None:
    members = sandbox.snapshot()["mailchimp"]["members"].values()
    member = next(row["id"] for row in members if row["merge_fields"]["FT_SEGMENT"])
    call("PATCH", "mailchimp", f"{LIST}/members/{member}", {"merge_fields": {"FT_SEGMENT": ""}})


def empty_on_salesforce(sandbox: Sandbox, call: Callable[..., Any]) -> None:
    contact = next(i for i, row in sandbox.snapshot()["salesforce"]["Contact"].items() if row["FT_Segment__c"])
    row = {"attributes": {"type": "Contact"}, "id": contact, "FT_Segment__c": None}
    call("PATCH", "salesforce", "/services/data/v62.0/composite/sobjects", {"allOrNone": False, "records": [row]})


@pytest.fixture
def settled(tiny):
    """A tiny loop that has run, and a way for people to change something by hand."""
    assert tiny.run().verdict == "ok"

    def call(method: str, platform: str, path: str, body: object) -> None:
        headers = {"Authorization": f"Bearer {tiny.sandbox.platform(platform).token}"}
        answer = requests.request(
            method, f"{tiny.sandbox.url}/{platform}{path}", json=body, headers=headers, timeout=10
        )
        assert answer.status_code == 200, answer.text

    tiny.call = call
    return tiny


PLATFORMS = pytest.mark.parametrize(
    ("platform", "empty", "most"),
    [("hubspot", empty_on_hubspot, 3), ("mailchimp", empty_on_mailchimp, 6), ("salesforce", empty_on_salesforce, 4)],
)


def emptied(settled, empty):
    """The calls of a run with nothing to do, and the outcome of one behind a value that was emptied by hand."""
    settled.sandbox.advance(settled.now + timedelta(minutes=1))
    settled.run()
    idle = sum(settled.sandbox.calls().values())
    empty(settled.sandbox, settled.call)
    settled.sandbox.advance(settled.now + timedelta(minutes=1))
    return idle, settled.run()


@PLATFORMS
def test_one_value_that_was_lost_is_put_back_in_a_few_calls(settled, platform, empty, most):
    text = settled.config_file.read_text()
    settled.config_file.write_text(text.replace("[write]\n", '[write]\nrespect_manual = "0d"\n'))
    settled.config = config_file.load(settled.config_file)
    before = settled.records()
    idle, outcome = emptied(settled, empty)
    assert settled.records() == before
    assert {account: len(changes) for account, changes in outcome.plan.changes.items() if changes} == {platform: 1}
    assert {where for where, _ in settled.writes()} == {platform}
    assert sum(settled.sandbox.calls().values()) <= idle + most


@PLATFORMS
def test_a_value_that_somebody_emptied_stays_empty_for_now(settled, platform, empty, most):
    idle, outcome = emptied(settled, empty)
    assert settled.writes() == {}
    assert outcome.plan.skipped[platform][PINNED] == 1
    assert sum(settled.sandbox.calls().values()) <= idle + most
    again = settled.run()
    assert again.plan.skipped[platform][PINNED] == 1
    assert sum(settled.sandbox.calls().values()) <= idle


def test_a_name_changed_by_hand_costs_nothing_and_stays(settled):
    contact = next(iter(settled.sandbox.snapshot()["hubspot"]["contacts"]))
    row = {"id": contact, "properties": {"firstname": "Somebody"}}
    settled.call("POST", "hubspot", "/crm/v3/objects/contacts/batch/update", {"inputs": [row]})
    settled.sandbox.advance(settled.now + timedelta(minutes=1))
    outcome = settled.run()
    assert settled.writes() == {}
    assert sum(each.contacts_changed for each in outcome.pulled) == 1
    assert settled.sandbox.snapshot()["hubspot"]["contacts"][contact]["firstname"] == "Somebody"


def test_what_a_plan_says_it_costs_is_what_it_costs(settled, loops):
    """With the fields in place, writing costs what was foretold and a look at the fields."""
    settled.sandbox.advance(loops.date + timedelta(days=31))
    outcome = settled.run()
    looks = {"hubspot": 1, "mailchimp": 3, "salesforce": 1}
    for applied in outcome.applied:
        assert applied.written
        foretold = outcome.plan.calls[applied.account]
        spared = 2  # the guard may have listed the tags, the last look have shown the statuses
        assert foretold - spared <= applied.calls <= foretold + looks[applied.account]
