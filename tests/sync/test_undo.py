"""What an undo puts back and what it leaves alone; what a cleanup empties."""

from datetime import timedelta

import pytest

from connectors.contract import Outcome, Page, Result
from connectors.errors import ConnectorError
from connectors.records import Consent, Contact
from sync import cycle
from sync.cleanup import emptying_plan
from sync.clock import FixedClock
from sync.config import Config
from sync.errors import ForetagError
from sync.fields import every_field, field_specs
from sync.plan import make_plan
from sync.progress import Silent
from sync.pull import pull_contacts
from sync.store import facts, outbox, people, runs
from sync.store.database import transaction
from sync.store.exclusion import exclude
from sync.store.scores import save_standings
from sync.undo import undo_plan


class Shop:
    """A site on a platform in memory, and what happens to it."""

    def __init__(self, site, platform, helpers) -> None:
        self.site, self.platform, self._helpers = site, platform, helpers

    def see(self, *contacts: Contact) -> None:
        """The platform tells of these contacts; their fields hold what was written, unless they say otherwise."""
        facts.save_page(self.site.db, "hubspot", Page("contacts", "c", contacts), self.site.clock.now())
        people.resolve(self.site.db)
        exclude(self.site.db, self.site.config)

    def contact(self, number: int, owned: dict | None = None, **more) -> Contact:
        held = self.platform.stored.get(str(number), {}) if owned is None else owned
        more.setdefault("consent", Consent.GRANTED)
        return Contact("contacts", str(number), f"p{number}@shop.example", owned=held, **more)

    def write(self, *scores: float, **fields: object):
        """A run: people 1, 2, … have these scores; returns its outcome."""
        self.site.clock = FixedClock(self.site.clock.now() + timedelta(days=1))
        standings = [self._helpers.standing(n, score=score, **fields) for n, score in enumerate(scores, start=1)]
        with transaction(self.site.db):
            save_standings(self.site.db, self.site.clock.now(), standings)
        return cycle.write(self.site, Silent())

    def undo(self, number: int):
        plan = undo_plan(self.site, number)
        return cycle.carry_out(self.site, plan, (), undoes=number)

    def scores(self) -> dict[str, object]:
        return {id_: fields.get("buy_score") for id_, fields in self.platform.stored.items()}


@pytest.fixture
def shop(site, platform, helpers) -> Shop:
    shop = Shop(site, platform, helpers)
    shop.see(*(shop.contact(number) for number in (1, 2, 3)))
    return shop


def test_the_values_from_before_come_back(shop) -> None:
    shop.write(10.0, 20.0, 30.0)
    second = shop.write(90.0, 20.0, 80.0)
    plan = undo_plan(shop.site, second.number)
    assert {
        change.id: (change.before["buy_score"], change.after["buy_score"]) for change in plan.changes["hubspot"]
    } == {
        "1": (90.0, 10.0),
        "3": (80.0, 30.0),
    }
    assert plan.calls == {"hubspot": 1}
    assert shop.undo(second.number).verdict == "ok"
    assert shop.scores() == {"1": 10.0, "2": 20.0, "3": 30.0}


def test_a_first_run_undone_leaves_empty_fields(shop) -> None:
    shop.undo(shop.write(10.0, 20.0, 30.0).number)
    assert all(value is None for fields in shop.platform.stored.values() for value in fields.values())


def test_runs_are_undone_one_after_the_other_from_the_last(shop) -> None:
    first, second = shop.write(10.0), shop.write(90.0)
    early = undo_plan(shop.site, first.number)
    changed = early.changes["hubspot"][0].after
    assert "buy_score" not in changed  # that of the second run
    assert "segment" in changed  # the second run did not touch it
    assert early.skipped["hubspot"] == {"changed since, in part": 1}
    shop.undo(second.number)
    assert undo_plan(shop.site, first.number).changes["hubspot"][0].after["buy_score"] is None


def test_an_undo_is_undone_too(shop) -> None:
    shop.write(10.0)
    second = shop.write(90.0)
    undoing = shop.undo(second.number)
    with pytest.raises(ForetagError, match=f"undone already, by run {undoing.number}"):
        undo_plan(shop.site, second.number)
    shop.undo(undoing.number)
    assert shop.scores() == {"1": 90.0}
    shop.undo(second.number)
    assert shop.scores() == {"1": 10.0}


def test_an_undo_that_broke_off_goes_on(shop) -> None:
    shop.write(10.0, 20.0, 30.0)
    second = shop.write(60.0, 70.0, 80.0)
    shop.platform.fail_write_after = 2
    assert shop.undo(second.number).verdict == "failed"
    assert shop.scores() == {"1": 10.0, "2": 20.0, "3": 80.0}
    shop.platform.fail_write_after = None
    assert shop.undo(second.number).verdict == "ok"
    assert shop.scores() == {"1": 10.0, "2": 20.0, "3": 30.0}


def test_what_a_human_changed_since_stays(shop) -> None:
    run = shop.write(10.0, 20.0)
    shop.see(shop.contact(1, {**shop.platform.stored["1"], "segment": "Friends"}), shop.contact(2, {}))
    plan = undo_plan(shop.site, run.number)
    (change,) = plan.changes["hubspot"]
    assert change.id == "1"
    assert "segment" not in change.after
    assert plan.skipped["hubspot"] == {"changed since, in part": 1, "changed since": 1}


def test_nothing_is_put_back_on_who_opted_out_or_objects_since_but_emptied_it_is(shop) -> None:
    shop.write(10.0)
    second = shop.write(90.0, 20.0, 30.0)
    shop.see(
        *(shop.contact(n, consent=Consent.OPTED_OUT) for n in (1, 2)), shop.contact(3, consent=Consent.NO_PROFILING)
    )
    plan = undo_plan(shop.site, second.number)
    assert {change.id for change in plan.changes["hubspot"]} == {"2", "3"}
    assert all(value is None for change in plan.changes["hubspot"] for value in change.after.values())
    assert plan.skipped["hubspot"] == {"opted out of marketing": 1}


def test_scores_never_come_back_to_who_objects_to_profiling(shop) -> None:
    shop.write(10.0)
    shop.see(shop.contact(1, consent=Consent.NO_PROFILING))
    emptied = shop.write(10.0)
    assert emptied.applied[0].written == 1
    plan = undo_plan(shop.site, emptied.number)
    assert (plan.size, plan.skipped["hubspot"]) == (0, {"objects to profiling": 1})


def test_the_deleted_and_the_archived_are_left_alone(shop) -> None:
    run = shop.write(10.0, 20.0, 30.0)
    shop.see(shop.contact(1, deleted=True), shop.contact(2, writable=False))
    plan = undo_plan(shop.site, run.number)
    assert [change.id for change in plan.changes["hubspot"]] == ["3"]
    assert sum(plan.skipped["hubspot"].values()) == 2


def test_an_account_that_is_gone_from_the_config_is_said(shop) -> None:
    run = shop.write(10.0)
    shop.site.__dict__["connectors"] = {}
    plan = undo_plan(shop.site, run.number)
    assert plan.size == 0
    assert plan.skipped["hubspot"] == {"the account is not in the config any more": 1}


def test_a_contact_that_was_refused_is_not_undone(shop) -> None:
    shop.platform.outcomes["2"] = Outcome("contacts", "2", Result.REJECTED, "no")
    run = shop.write(10.0, 20.0)
    assert [change.id for change in undo_plan(shop.site, run.number).changes["hubspot"]] == ["1"]


def test_a_run_that_was_cut_off_can_be_undone(shop, monkeypatch) -> None:
    """Killed between a write and its answer: what the next pull finds there tells what to take back."""

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            shop.write(10.0, 20.0, 30.0)
    shop.see(*(shop.contact(number) for number in (1, 2, 3)))
    (run,) = runs.last(shop.site.db)
    assert run.verdict is None
    assert sorted(change.id for change in undo_plan(shop.site, run.id).changes["hubspot"]) == ["1", "2"]


def test_a_plan_applied_by_hand_is_in_the_book_and_can_be_undone(shop) -> None:
    shop.site.config = shop.site.config.model_copy(update={"mode": "shadow"})
    assert shop.write(10.0).applied == []
    plan = make_plan(shop.site.db, shop.site.config, shop.site.connectors, shop.site.clock.now())
    outcome = cycle.carry_out(shop.site, plan, field_specs(shop.site.config))
    assert runs.last(shop.site.db)[0].summary["written"]["hubspot"]["contacts"] == 1
    shop.undo(outcome.number)
    assert shop.scores() == {"1": None}


@pytest.mark.parametrize(("number", "text"), [(7, "no run 7"), (1, "run 1 wrote nothing")])
def test_where_nothing_was_written_nothing_is_undone(shop, number, text) -> None:
    now = shop.site.clock.now()
    runs.end(shop.site.db, runs.begin(shop.site.db, now, now), now, "refused", {"plan": ""})
    with pytest.raises(ForetagError, match=text):
        undo_plan(shop.site, number)


def test_nothing_is_judged_by_contacts_that_could_not_be_read(shop) -> None:
    now = shop.site.clock.now()
    shop.platform.pages["deals"] = []
    shop.platform.fail_stream["deals"] = ConnectorError("no right")
    pull_contacts(shop.site, now)
    assert [stream for stream, _ in shop.platform.asked] == ["contacts"]
    shop.platform.fail_stream["contacts"] = ConnectorError("no answer")
    with pytest.raises(ForetagError, match="hubspot contacts: no answer"):
        pull_contacts(shop.site, now)


def test_a_cleanup_empties_whatever_is_held_also_by_who_opted_out(shop) -> None:
    shop.write(10.0, 20.0, 30.0)
    shop.see(
        shop.contact(1, consent=Consent.OPTED_OUT),
        shop.contact(2, writable=False),
        shop.contact(3, {"control_group": False}),
        shop.contact(4, {}),
    )
    plan = emptying_plan(shop.site)
    (change,) = plan.changes["hubspot"]
    assert change.id == "1"
    assert change.after == dict.fromkeys(shop.platform.stored["1"])
    assert change.before == shop.platform.stored["1"]
    assert list(plan.skipped["hubspot"].values()) == [1]


@pytest.mark.parametrize("profile", ["compact", "default", "full"])
def test_every_field_that_was_ever_made_is_known(profile) -> None:
    config = Config(
        timezone="UTC", hubspot=[{}], objectives=[{"predict": "value"}], write={"profile": profile, "prefix": "z_"}
    )
    known = {spec.key: spec for spec in every_field(config)}
    for objectives in ([{"predict": "churn"}], None):
        more = {"objectives": objectives} if objectives else {}
        other = Config(timezone="UTC", hubspot=[{}], write={"profile": profile}, **more)
        for spec in field_specs(other):
            assert (known[spec.key].short, known[spec.key].type) == (spec.short, spec.type)
    assert len(known) == 13
