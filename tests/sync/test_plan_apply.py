import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Outcome, Page, Result
from connectors.errors import SchemaDrift
from connectors.records import Consent, Contact
from sync.apply import apply
from sync.clock import FixedClock
from sync.errors import ForetagError
from sync.fields import field_specs
from sync.plan import Plan, make_plan
from sync.plan_files import save
from sync.rollout import in_pilot
from sync.store import facts, people, pilots
from sync.store.database import transaction
from sync.store.exclusion import exclude
from sync.store.scores import save_standings

NOW = datetime(2017, 9, 30, 12, tzinfo=UTC)


def fill(site, *contacts: Contact, standings=()) -> None:
    facts.save_page(site.db, "hubspot", Page("contacts", "c", contacts), NOW)
    people.resolve(site.db)
    exclude(site.db, site.config)
    with transaction(site.db):
        save_standings(site.db, NOW, standings)


def contact(number: int, **more) -> Contact:
    more.setdefault("consent", Consent.GRANTED)
    return Contact("contacts", str(number), f"p{number}@shop.example", **more)


def plan(site) -> Plan:
    return make_plan(site.db, site.config, site.connectors, NOW)


def carry_out(site):
    return apply(site, plan(site), field_specs(site.config))


def test_before_anyone_is_scored_there_is_no_plan(site) -> None:
    with pytest.raises(ForetagError, match="foretag score"):
        plan(site)


def test_a_new_contact_gets_every_field(site, helpers) -> None:
    fill(site, contact(1), standings=[helpers.standing(1, score=81.5)])
    (change,) = plan(site).changes["hubspot"]
    assert change.before == {}
    assert change.after == {
        "segment": "Loyal",
        "tags": ("Loyal",),
        "buy_score": 81.5,
        "reasons": "score 81.5",
        "scored_on": "2017-09-30",
        "control_group": False,
    }


def test_plan_apply_plan_is_empty(site, platform, helpers) -> None:
    fill(site, contact(1), contact(2), contact(3), standings=[helpers.standing(n) for n in (1, 2, 3)])
    (applied,) = carry_out(site)
    assert (applied.written, applied.calls, applied.problem) == (3, 2, None)
    again = plan(site)
    assert again.size == 0
    assert again.skipped["hubspot"] == {"unchanged": 3}
    assert apply(site, again, field_specs(site.config)) == []
    assert platform.calls["write"] == 2


def test_an_account_whose_part_is_written_already_is_not_looked_at(site, platform, helpers) -> None:
    fill(site, contact(1), standings=[helpers.standing(1)])
    made = plan(site)
    apply(site, made, field_specs(site.config))
    platform.provisioned = platform.provision_works = False  # a look at the fields would tell
    (applied,) = apply(site, made, field_specs(site.config))
    assert (applied.written, applied.problem) == (0, None)


@settings(max_examples=30, deadline=None)
@given(
    runs=st.lists(st.lists(st.floats(0, 100).map(lambda score: round(score, 1)), max_size=5), min_size=1, max_size=4)
)
def test_plan_apply_plan_is_empty_for_any_scores(tmp_path_factory, helpers, runs) -> None:
    site = helpers.site(tmp_path_factory.mktemp("site"), helpers.Platform())
    fill(site, *(contact(n) for n in range(1, 6)), standings=[helpers.standing(9)])
    for scores in runs:
        fill(
            site,
            standings=[helpers.standing(n, score=score) for n, score in enumerate(scores, 1)] or [helpers.standing(9)],
        )
        carry_out(site)
        assert plan(site).size == 0
    site.db.close()


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [(50.0, 54.9, False), (50.0, 55.0, True), (32.9, 33.1, False), (32.0, 33.1, True), (66.0, 67.5, True)],
)
def test_a_score_moves_by_the_deadband_or_its_band(site, helpers, old, new, moves) -> None:
    fill(site, contact(1), standings=[helpers.standing(1, score=old)])
    carry_out(site)
    fill(site, standings=[helpers.standing(1, score=new)])
    made = plan(site)
    changes = made.changes["hubspot"]
    assert bool(changes) is moves
    assert made.skipped["hubspot"] == ({} if moves else {"moved too little to be rewritten": 1})
    if moves:
        assert set(changes[0].after) == {"buy_score", "reasons"}


def test_reasons_and_dates_follow_but_never_lead(site, helpers) -> None:
    fill(site, contact(1), standings=[helpers.standing(1)])
    carry_out(site)
    fill(site, standings=[helpers.standing(1, reasons="other words")])
    assert plan(site).size == 0


def test_people_whom_hysteresis_keeps_are_counted(site, helpers) -> None:
    held = replace(helpers.standing(1), membership={"held_from": "Lost"})
    fill(site, contact(1), contact(2), standings=[held, helpers.standing(2)])
    assert plan(site).flips_held == 1


def test_money_moves_by_a_tenth(site, helpers) -> None:
    fill(site, contact(1), standings=[helpers.standing(1, expected_value=100.0)])
    carry_out(site)
    fill(site, standings=[helpers.standing(1, expected_value=109.0)])
    assert plan(site).size == 0
    fill(site, standings=[helpers.standing(1, expected_value=111.0)])
    assert plan(site).changes["hubspot"][0].after["expected_value"] == 111.0


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"consent": Consent.OPTED_OUT}, "opted out of marketing"),
        ({"consent": Consent.NO_PROFILING}, "objects to profiling"),
        ({"writable": False}, "not writable there (archived, cleaned or converted)"),
    ],
)
def test_who_is_left_alone(site, helpers, more, reason) -> None:
    fill(site, contact(1, **more), standings=[helpers.standing(1)])
    made = plan(site)
    assert made.size == 0
    assert made.skipped["hubspot"] == {reason: 1}


def test_the_strictest_consent_of_a_person_counts_everywhere(tmp_path, site, helpers) -> None:
    fill(site, contact(1), standings=[helpers.standing(1)])
    other = Contact("audience", "m1", "P1@shop.example", Consent.OPTED_OUT)
    facts.save_page(site.db, "mailchimp", Page("members", "c", (other,)), NOW)
    people.resolve(site.db)
    assert plan(site).skipped["hubspot"] == {"opted out of marketing": 1}


@pytest.mark.parametrize("consent", [Consent.OPTED_OUT, Consent.NO_PROFILING])
def test_who_opted_out_or_objects_to_profiling_gets_our_fields_emptied(site, helpers, consent) -> None:
    fill(site, contact(1), standings=[helpers.standing(1)])
    carry_out(site)
    owned = facts.load_owned(site.db.execute("SELECT owned FROM contact").fetchone()["owned"])
    fill(site, contact(1, consent=consent, owned=owned), standings=[helpers.standing(2)])
    (change,) = plan(site).changes["hubspot"]
    assert set(change.after.values()) == {None}
    carry_out(site)
    assert plan(site).size == 0


def test_a_deleted_contact_is_not_planned(site, helpers) -> None:
    fill(site, contact(1, deleted=True), standings=[helpers.standing(1)])
    assert plan(site).size == 0
    assert plan(site).skipped["hubspot"] == {}


def test_the_pilot_is_sticky_and_grows(tmp_path, helpers) -> None:
    first = {n for n in range(1000) if in_pilot(n, 0.2)}
    assert 150 < len(first) < 250
    assert first < {n for n in range(1000) if in_pilot(n, 0.5)}


@pytest.mark.parametrize(
    ("pilot", "first", "then"),
    [
        ({"only": ["hubspot:property:owner=77"]}, {"1", "2"}, {"1", "2", "3"}),
        ({"only": ["hubspot:tag:friends"]}, {"3"}, {"3", "4"}),
        ({"segments": ["At risk"]}, {"2", "4"}, {"1", "2", "4"}),
        (
            {"segments": ["At risk"], "only": ["hubspot:property:owner=77", "hubspot:tag:friends"]},
            {"2"},
            {"2", "4"},
        ),
    ],
)
def test_a_pilot_of_some_people_only_grows(site, helpers, tmp_path, pilot, first, then) -> None:
    def at_risk(person):
        return replace(helpers.standing(person), segment="At risk")

    site.__dict__["config"] = config = helpers.config(tmp_path, mode="pilot", pilot={"share": 1, **pilot})
    people = [contact(1, properties={"owner": "77"}), contact(2, properties={"owner": "77"})]
    people += [contact(3, properties={"tags": "Friends;x"}), contact(4)]
    standings = [helpers.standing(1), at_risk(2), helpers.standing(3), at_risk(4)]
    fill(site, *people, standings=standings)
    made = plan(site)
    assert {change.id for change in made.changes["hubspot"]} == first
    assert (made.pilot["hubspot"], made.skipped["hubspot"]["outside the pilot"]) == (len(first), 4 - len(first))
    pilots.note(site.db, config, pilots.chosen(site.db, config, {each.person_id: each for each in standings}))
    moved = [contact(1, properties={"owner": "5"}), contact(3, properties={"owner": "77"})]
    moved += [contact(4, properties={"tags": "friends"})]
    fill(site, *moved, standings=[at_risk(1), *standings[1:]])
    assert {change.id for change in plan(site).changes["hubspot"]} == then
    site.__dict__["config"] = helpers.config(tmp_path, mode="pilot", pilot={"share": 0.0001, **pilot})
    assert plan(site).size == 0


def test_a_plan_survives_its_file(site, helpers, tmp_path) -> None:
    fill(site, contact(1), standings=[helpers.standing(1)])
    made = plan(site)
    read = Plan.from_json(save(made, tmp_path / "plans").read_text())
    assert read == made
    assert read.id == made.id


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"changes": 7}', json.dumps({"as_of": "x", "changes": {}})])
def test_a_file_that_is_no_plan_says_so(text) -> None:
    with pytest.raises(ForetagError, match="not a plan"):
        Plan.from_json(text)


def test_missing_fields_are_made_first(site, platform, helpers) -> None:
    platform.provisioned = False
    fill(site, contact(1), standings=[helpers.standing(1)])
    (applied,) = carry_out(site)
    assert applied.created == ["ft_segment"]
    assert applied.written == 1


def test_fields_that_stay_wrong_stop_the_account(site, platform, helpers) -> None:
    platform.provisioned = platform.provision_works = False
    fill(site, contact(1), standings=[helpers.standing(1)])
    (applied,) = carry_out(site)
    assert applied.problem == "the field ft_segment is missing: foretag provision makes it"
    assert platform.stored == {}
    assert issubclass(SchemaDrift, Exception)


def test_a_refused_contact_is_kept_with_its_reason_and_tried_again(site, platform, helpers) -> None:
    fill(site, contact(1), contact(2), standings=[helpers.standing(1), helpers.standing(2)])
    platform.outcomes = {"1": Outcome("contacts", "1", Result.REJECTED, "country is required")}
    (applied,) = carry_out(site)
    assert (applied.written, applied.failed) == (1, {"country is required": 1})
    waiting = plan(site)
    assert (waiting.size, waiting.skipped["hubspot"]["refused by the platform, not yet tried again"]) == (0, 1)
    site.clock = FixedClock(NOW + timedelta(hours=1))
    made = make_plan(site.db, site.config, site.connectors, site.clock.now())
    assert [change.id for change in made.changes["hubspot"]] == ["1"]
    platform.outcomes = {}
    apply(site, made, field_specs(site.config))
    assert plan(site).size == 0


def test_after_a_break_the_rest_is_written_and_nothing_twice(site, platform, helpers) -> None:
    fill(site, *(contact(n) for n in range(1, 7)), standings=[helpers.standing(n) for n in range(1, 7)])
    platform.fail_write_after = 4
    made = plan(site)
    (applied,) = apply(site, made, field_specs(site.config))
    assert (applied.written, applied.problem) == (4, "the platform is on fire")
    platform.fail_write_after = None
    (applied,) = apply(site, made, field_specs(site.config))
    assert (applied.written, applied.calls) == (2, 1)
    assert len(platform.stored) == 6


def test_an_address_that_a_platform_quotes_is_not_passed_on(site, platform, helpers) -> None:
    fill(site, contact(1), contact(2), standings=[helpers.standing(1), helpers.standing(2)])
    platform.outcomes = {"1": Outcome("contacts", "1", Result.REJECTED, "p1@shop.example looks fake")}
    (applied,) = carry_out(site)
    assert [reason.endswith("looks fake") for reason in applied.failed] == [True]
    assert "p1@shop.example" not in str(applied)


def test_a_box_that_is_not_ticked_is_empty_enough(site, helpers) -> None:
    bare = contact(1, consent=Consent.OPTED_OUT, owned={"control_group": False})
    ticked = contact(2, consent=Consent.OPTED_OUT, owned={"control_group": True})
    fill(site, bare, ticked, standings=[helpers.standing(9)])
    (change,) = plan(site).changes["hubspot"]
    assert (change.id, change.after) == ("2", {"control_group": None})
