"""A pilot of the people on a list: who gets in, who stays in, and what happens while the list cannot be read."""

import pytest

from connectors.contract import Page
from connectors.errors import NotPermitted, Stop, Unavailable
from connectors.records import Consent, Contact
from sync.conditions import of_run
from sync.outcome import Outcome, summary
from sync.plan import Plan, make_plan
from sync.privacy import export
from sync.pull import pull
from sync.rosters import BEAT, read_rosters
from sync.show import plan_lines
from sync.store import pilots, rosters
from sync.store.database import transaction
from sync.store.exclusion import people_with
from sync.store.forgotten import erase
from sync.store.scores import save_standings

ONLY = {"only": ["hubspot:list:Spring"], "share": 1}


def contact(number, **more):
    return Contact("contacts", str(number), f"p{number}@shop.example", Consent.GRANTED, **more)


@pytest.fixture
def shop(site, platform, helpers, tmp_path):
    """Five people, 1 to 5, on HubSpot; two of them on its list."""
    site.__dict__["config"] = helpers.config(tmp_path, mode="pilot", pilot=ONLY)
    platform.pages = {"contacts": [Page("contacts", "c1", tuple(contact(n) for n in range(1, 6)))]}
    platform.lists = {"Spring": {"1", "2"}}
    return site


def planned(shop, helpers):
    """Pull, and what scoring does about the pilot; then plan."""
    now = shop.clock.now()
    pull(shop, now)
    numbers = [row["person_id"] for row in shop.db.execute("SELECT person_id FROM contact ORDER BY id")]
    standings = [helpers.standing(number) for number in numbers]
    with transaction(shop.db):
        save_standings(shop.db, now, standings)
    pilots.note(shop.db, shop.config, pilots.chosen(shop.db, shop.config, {each.person_id: each for each in standings}))
    return make_plan(shop.db, shop.config, shop.connectors, now)


def inside(plan):
    return {change.id for change in plan.changes["hubspot"]}


def test_those_on_the_list_are_in_and_it_grows_with_the_list(shop, platform, helpers):
    made = planned(shop, helpers)
    assert (inside(made), made.unlisted) == ({"1", "2"}, [])
    platform.lists["Spring"] |= {"4"}
    assert inside(planned(shop, helpers)) == {"1", "2", "4"}


def test_who_leaves_the_list_stays_in(shop, platform, helpers):
    planned(shop, helpers)
    platform.lists["Spring"] = {"2", "3"}
    assert inside(planned(shop, helpers)) == {"1", "2", "3"}


@pytest.mark.parametrize(
    "error", [NotPermitted("the token lacks the scope crm.lists.read."), Unavailable("it is down"), None]
)
def test_while_it_cannot_be_read_nobody_gets_in_and_nobody_out(shop, platform, helpers, error, monkeypatch):
    def refuse(name):
        if error:
            raise error
        raise Stop(f'there is no list "{name}"')

    platform.lists = {}
    monkeypatch.setattr(platform, "members", refuse, raising=False)
    made = planned(shop, helpers)
    assert inside(made) == set()
    assert made.skipped["hubspot"]["outside the pilot"] == 5
    why = str(error) if error else 'there is no list "Spring"'
    [told] = made.unlisted
    assert told.startswith(f"hubspot: {why} - until then nobody new comes into the pilot by it")
    assert f"pilot        ! {told}" in list(plan_lines(made))
    assert of_run(shop, Outcome(1, shop.clock.now(), plan=made))["pilot"] == f"{told}. More: foretag doctor"
    monkeypatch.undo()
    platform.lists = {"Spring": {"1", "2"}}
    assert inside(planned(shop, helpers)) == {"1", "2"}
    platform.lists = {"Autumn": {"3"}}
    made = planned(shop, helpers)
    assert (inside(made), len(made.unlisted)) == ({"1", "2"}, 1)


def test_a_list_that_was_never_read_lets_nobody_in(shop, helpers, tmp_path):
    planned(shop, helpers)
    shop.db.execute("DELETE FROM pilot")
    shop.__dict__["config"] = helpers.config(tmp_path, mode="pilot", pilot={"only": ["hubspot:list:Autumn"]})
    made = make_plan(shop.db, shop.config, shop.connectors, shop.clock.now())
    assert inside(made) == set()
    assert made.unlisted[0].startswith('hubspot: "Autumn" has not been read yet: foretag pull')


def test_what_could_not_be_read_takes_nothing_from_the_other_marks(shop, platform, helpers, tmp_path):
    only = ["hubspot:list:Autumn", "hubspot:property:owner=7"]
    shop.__dict__["config"] = helpers.config(tmp_path, mode="pilot", pilot={"only": only, "share": 1})
    platform.pages["contacts"].append(Page("contacts", "c2", (contact(3, properties={"owner": "7"}),)))
    made = planned(shop, helpers)
    assert (inside(made), len(made.unlisted)) == ({"3"}, 1)


def test_a_merged_contact_counts_by_its_new_id(shop, platform, helpers):
    platform.lists["Spring"] = {"1", "77"}
    platform.pages["contacts"].append(Page("contacts", "c2", (contact(5, aliases=("77",)),)))
    assert inside(planned(shop, helpers)) == {"1", "5"}


def test_nothing_is_kept_of_strangers_and_of_the_forgotten(shop, platform, helpers):
    platform.lists["Spring"] = {"1", "2", "999"}
    planned(shop, helpers)
    on_it = "SELECT contact_id FROM on_roster ORDER BY contact_id"
    assert [row[0] for row in shop.db.execute(on_it)] == ["1", "2"]
    [person] = people_with(shop.db, shop.config, shop.config.pilot.marks) - {
        shop.db.execute("SELECT person_id FROM contact WHERE id = '1'").fetchone()[0]
    }
    with transaction(shop.db):
        erase(shop.db, person)
    assert [row[0] for row in shop.db.execute(on_it)] == ["1"]
    pull(shop, shop.clock.now())
    assert [row[0] for row in shop.db.execute(on_it)] == ["1"]


@pytest.mark.parametrize(("mode", "asked"), [("shadow", 1), ("pilot", 1), ("full", 0)])
def test_lists_are_read_for_a_pilot_and_before_it(shop, platform, helpers, tmp_path, mode, asked):
    shop.__dict__["config"] = helpers.config(tmp_path, mode=mode, pilot=ONLY)
    made = planned(shop, helpers)
    assert (platform.calls["members"], made.unlisted) == (asked, [])
    assert len(rosters.asked(shop.config)) == asked


def test_what_is_not_asked_for_any_more_is_forgotten(shop, helpers, tmp_path):
    planned(shop, helpers)
    shop.__dict__["config"] = helpers.config(tmp_path, mode="full", pilot=ONLY)
    pull(shop, shop.clock.now())
    assert shop.db.execute("SELECT count(*) FROM roster").fetchone()[0] == 0
    assert shop.db.execute("SELECT count(*) FROM on_roster").fetchone()[0] == 0


def test_an_account_that_cannot_be_read_at_all_is_not_asked_for_its_lists(shop, platform, helpers):
    planned(shop, helpers)
    platform.fail_stream = {"contacts": Unavailable("it is down")}
    platform.lists = {}
    made = planned(shop, helpers)
    assert (platform.calls["members"], made.unlisted, inside(made)) == (1, [], {"1", "2"})


def test_a_stop_in_the_middle_of_a_long_list_leaves_what_was_read_before(shop, platform, helpers, monkeypatch):
    planned(shop, helpers)
    seen = []

    def long(name):
        for number in range(10 * BEAT):
            seen.append(number)
            if number == BEAT // 2:
                shop.clock.stop.set()
            yield str(number)

    monkeypatch.setattr(platform, "members", long, raising=False)
    read_rosters(shop, shop.connectors)
    assert len(seen) == BEAT
    assert rosters.problems(shop.db, shop.config) == []
    assert shop.db.execute("SELECT count(*) FROM on_roster").fetchone()[0] == 2


def test_an_export_names_the_lists_and_the_book_of_runs_the_reason(shop, platform, helpers):
    planned(shop, helpers)
    assert export(shop, "p1@shop.example")["lists"] == [{"account": "hubspot", "name": "Spring"}]
    assert export(shop, "p3@shop.example")["lists"] == []
    platform.lists = {}
    found = summary(Outcome(1, shop.clock.now(), plan=planned(shop, helpers)))
    assert found["unlisted"][0].startswith('hubspot: there is no list "Spring"')


def test_a_plan_keeps_it_in_its_file(shop, platform, helpers):
    platform.lists = {}
    made = planned(shop, helpers)
    assert Plan.from_json(made.to_json()).unlisted == made.unlisted != []
