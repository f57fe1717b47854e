"""Getting out: after a cleanup the platforms are as before foretag came, after an undo as before the run."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from sandbox.server import Sandbox
from sync import cli

pytestmark = pytest.mark.slow

# The only values that may differ afterwards: when and by whom a record was last changed.
STAMPS = re.compile(r"(hs_)?lastmodifieddate|last_changed|updated_at|LastModifiedDate|LastModifiedById|SystemModstamp")
LIST = "/mailchimp/3.0/lists/4f2a9c17be"


def records(loop: Any, values_of: Any) -> dict[tuple[str, ...], Any]:
    """Every value of every record, without stamps. Empty texts and boxes that are not ticked are no values."""
    return {
        place: value
        for place, value in values_of(loop.sandbox.snapshot()).items()
        if not STAMPS.fullmatch(place[-1]) and value not in ("", None, False)
    }


def ours(found: dict[tuple[str, ...], Any]) -> dict[tuple[str, ...], Any]:
    """What members, contacts and leads hold of foretag's fields and tags."""
    names = re.compile(r"ft_\w+|merge FT_\w+|tags|FT_\w+__c")
    return {place: value for place, value in found.items() if names.fullmatch(place[-1])}


def foretag(loop: Any, *words: str, typed: str = "") -> Any:
    """One command, as it is typed."""
    line = ["--now", f"{loop.now:%Y-%m-%d}", "--config", str(loop.config_file), *words]
    return CliRunner().invoke(cli.main, line, input=typed)


@pytest.fixture
def small_shop(small_world, tmp_path: Path, install_in, loops):
    """Two hundred people; the shop has tags and a property of its own."""
    with Sandbox(small_world, loops.date, limits=False) as sandbox:
        emails = [row["email_address"] for row in sandbox.snapshot()["mailchimp"]["members"].values()]
        act(sandbox, "POST", f"{LIST}/segments", {"name": "FTP customers", "static_segment": emails[:20]})
        home = "/hubspot/crm/v3/properties/contacts"
        size = {"name": "ft_size", "label": "Feet", "type": "string", "fieldType": "text"}
        act(sandbox, "POST", home, {**size, "groupName": "contactinformation"})
        yield install_in(sandbox, tmp_path)


def act(sandbox: Sandbox, method: str, path: str, body: object) -> None:
    """Somebody else's act on a platform."""
    kind = path.split("/")[1]
    token = sandbox.platform(kind).token
    by_key = {"auth": ("", token)} if kind == "mailchimp" else {"headers": {"Authorization": f"Bearer {token}"}}
    answer = requests.request(method, sandbox.url + path, json=body, timeout=5, **by_key)
    assert answer.ok, answer.text


def test_after_a_cleanup_the_platforms_are_as_before_foretag_came(small_shop, loops):
    before = records(small_shop, loops.values_of)
    assert small_shop.run().verdict == "ok"
    assert len(ours(records(small_shop, loops.values_of))) > 1000
    subscribed = next(
        row for row in small_shop.sandbox.snapshot()["mailchimp"]["members"].values() if "FT: Loyal" in row["tags"]
    )
    member = f"{LIST}/members/{subscribed['id']}"
    act(small_shop.sandbox, "PATCH", member, {"status": "unsubscribed"})
    done = foretag(small_shop, "cleanup", "--yes")
    assert done.exit_code == 0, done.output
    assert "nothing of foretag is left" in done.output
    act(small_shop.sandbox, "PATCH", member, {"status": "subscribed"})
    after = records(small_shop, loops.values_of)
    for found in (before, after):
        del found["mailchimp", "members", subscribed["contact_id"], "timestamp_opt"]  # moved by the two acts
    assert after == before
    assert small_shop.ask("SELECT DISTINCT owned FROM contact") == [("{}",)]


def test_run_and_cleanup_can_follow_each_other(tiny, loops):
    before = records(tiny, loops.values_of)
    numbers = re.compile(r"id|DurableId|Id|ParentId|PermissionSetId|merge_id|display_order")
    looked = []
    for _ in range(2):
        assert tiny.run(accept_large_change=True).verdict == "ok"
        looked.append({key: value for key, value in tiny.records().items() if not numbers.fullmatch(key[-1])})
        assert foretag(tiny, "cleanup", "--yes").exit_code == 0
        tiny.provisioned = False
        assert records(tiny, loops.values_of) == before
    assert looked[0] == looked[1]
    tiny.sandbox.reset_calls()
    again = foretag(tiny, "cleanup", "--yes")
    assert (again.exit_code, tiny.writes()) == (0, {})
    assert "Nothing of foretag is on the platforms." in again.output


def test_a_dry_run_and_a_no_change_nothing(tiny, monkeypatch):
    tiny.run()
    monkeypatch.setattr("sync.commands.asking.in_terminal", lambda: True)
    tiny.sandbox.reset_calls()
    dry = foretag(tiny, "cleanup", "--dry-run")
    assert dry.exit_code == 2
    assert "would remove the property group foretag" in dry.output
    assert "would remove the tag FT: Lost of audience 4f2a9c17be" in dry.output
    assert "would remove the permission set foretag" in dry.output
    assert foretag(tiny, "cleanup", typed="n\n").exit_code == 1
    assert foretag(tiny, "undo", "--run", "1", "--dry-run").exit_code == 2
    assert foretag(tiny, "undo", "--run", "1", typed="n\n").exit_code == 1
    assert tiny.writes() == {}


def test_an_undone_run_leaves_everything_as_it_was_before_it(small_shop, loops):
    assert small_shop.run().verdict == "ok"
    first = ours(records(small_shop, loops.values_of))
    small_shop.sandbox.advance(loops.date.replace(month=11, day=30))
    before = records(small_shop, loops.values_of)
    outcome = small_shop.run(accept_large_change=True)
    assert (outcome.number, outcome.verdict) == (2, "ok")
    assert sum(each.written for each in outcome.applied) > 50
    done = foretag(small_shop, "undo", "--run", "2", "--yes")
    assert done.exit_code == 0, done.output
    assert "it undid run 2" in done.output
    after = records(small_shop, loops.values_of)
    out = {
        id_ for (id_,) in small_shop.ask("SELECT id FROM contact WHERE person_id IN (SELECT person_id FROM excluded)")
    }
    changed = {place for place in before | after if before.get(place) != after.get(place)}
    assert {place[2] for place in changed} <= out  # who has opted out since: nothing is put back on them
    assert changed <= set(ours(before))
    kept = {place: value for place, value in ours(after).items() if place in first}
    assert kept == {place: value for place, value in first.items() if place in kept}
    assert small_shop.ask("SELECT verdict, json_extract(summary, '$.undoes') FROM run WHERE id = 3") == [("ok", 2)]
    again = foretag(small_shop, "undo", "--run", "2", "--yes")
    assert again.exit_code == 1
    assert "run 2 was undone already, by run 3" in again.stderr
    assert foretag(small_shop, "cleanup", "--yes").exit_code == 0
    names = re.compile(r"FT: .+|.*ft_(?!size).+|.*FT_.+|foretag")
    assert {place for place in records(small_shop, loops.values_of) if any(map(names.fullmatch, place[1:]))} == set()


def test_what_somebody_changed_since_stays(tiny, loops):
    tiny.run()
    contacts = tiny.sandbox.snapshot()["hubspot"]["contacts"]
    id_ = next(id_ for id_, row in contacts.items() if row.get("ft_segment"))
    home = f"/hubspot/crm/v3/objects/contacts/{id_}"
    act(tiny.sandbox, "PATCH", home, {"properties": {"ft_reasons": "Anna says so"}})
    tiny.sandbox.advance(tiny.now.replace(month=10, day=1))
    done = foretag(tiny, "undo", "--run", "1", "--yes")
    assert done.exit_code == 0, done.output
    assert "leave 1 alone: changed since, in part" in done.output
    left = [
        (place[2], place[3], value)
        for place, value in ours(records(tiny, loops.values_of)).items()
        if place[1] == "contacts" and not place[3].startswith("tags")
    ]
    assert left == [(id_, "ft_reasons", "Anna says so")]


def test_a_cleanup_says_what_is_left_and_goes_on_where_it_stopped(tiny, loops):
    from sandbox.faults import Fault

    before = records(tiny, loops.values_of)
    tiny.run()
    quoted = '{"message": "last changed by ada@post.example"}'
    tiny.sandbox.inject(Fault("hubspot", "^DELETE", "status", status=400, body=quoted))
    broken = foretag(tiny, "cleanup", "--yes")
    assert broken.exit_code == 1
    assert "STOPPED" in broken.output
    assert "last changed by <email " in broken.output
    assert "ada@post.example" not in broken.output + broken.stderr
    assert "foretag cleanup again" in broken.stderr
    there = {place[0] for place in records(tiny, loops.values_of).keys() - before.keys()}
    assert there == {"hubspot"}
    assert foretag(tiny, "cleanup", "--yes").exit_code == 0
    assert records(tiny, loops.values_of) == before
    verdicts = [row[0] for row in tiny.ask("SELECT verdict FROM run ORDER BY id")]
    assert verdicts == ["ok", "partial", "ok"]
