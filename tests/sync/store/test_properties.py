"""The dated history of properties: only what was seen to change is dated, and only from a full pass on."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Page
from connectors.records import Consent, Contact
from sync.engine import tables
from sync.instants import micros
from sync.store import facts, passes, people
from sync.store.database import open_store
from sync.store.properties import begin, thin_changes, watch, watched_since

DAY = timedelta(days=1)
NOW = datetime(2024, 5, 1, tzinfo=UTC)
BORN = NOW - 100 * DAY


@pytest.fixture
def db(tmp_path):
    made = open_store(tmp_path / "s.sqlite")
    yield made
    made.close()


def save(db, at, **stages) -> None:
    """What a pull at `at` does with contacts that are named by a letter, each in a stage ("" for none)."""
    contacts = tuple(
        Contact("contacts", name, f"{name}@shop.example", Consent.GRANTED, BORN, properties={"stage": s} if s else {})
        for name, s in stages.items()
    )
    facts.save_page(db, "crm", Page("contacts", "c", contacts), at)
    people.resolve(db)


def full_pass(db, at, **stages) -> None:
    """All contacts read anew from `at` on, which takes an hour."""
    watch(db, "crm", ["stage"], at)
    passes.begin_if_due(db, "crm", ("contacts",), at, DAY)
    save(db, at, **stages)
    passes.end(db, "crm", at + DAY / 24, 1.0)
    begin(db, "crm", at + DAY / 24)


def reached(db) -> set[tuple[str, int]]:
    owner = {row["person_id"]: row["id"] for row in db.execute("SELECT id, person_id FROM contact")}
    rows = tables(db, "EUR", reached=[("stage", "Customer")]).activities.collect("pyarrow").to_native().to_pylist()
    assert {row["kind"] for row in rows} <= {"stage=Customer"}
    return {(owner[row["person_id"]], row["at"]) for row in rows}


def test_a_change_is_dated_when_it_was_seen(db) -> None:
    full_pass(db, NOW, a="lead", b="customer", c="")
    assert watched_since(db, "stage") == micros(NOW + DAY / 24)
    later = NOW + 3 * DAY
    save(db, later, a="customer", c="customer")
    save(db, later + DAY, a="customer", b="lead")
    assert reached(db) == {("a", micros(later)), ("b", micros(BORN)), ("c", micros(later))}
    save(db, later + 2 * DAY, b="customer")
    assert ("b", micros(later + 2 * DAY)) in reached(db)


def test_what_was_not_asked_for_before_is_no_change(db) -> None:
    passes.begin_if_due(db, "crm", ("contacts",), NOW, DAY)
    save(db, NOW, a="")
    passes.end(db, "crm", NOW, 1.0)
    watch(db, "crm", ["stage"], NOW + DAY / 2)
    begin(db, "crm", NOW + DAY / 2)
    assert watched_since(db, "stage") is None
    save(db, NOW + DAY / 2, a="customer")
    assert db.execute("SELECT count(*) FROM property_change").fetchone()[0] == 0
    full_pass(db, NOW + 2 * DAY, a="customer")
    assert reached(db) == {("a", micros(BORN))}


def test_a_store_from_before_waits_for_its_next_full_pass(db) -> None:
    save(db, NOW, a="lead")
    full_pass(db, NOW + DAY / 24, a="customer")
    assert watched_since(db, "stage") is None
    full_pass(db, NOW + 2 * DAY, a="customer")
    assert watched_since(db, "stage") == micros(NOW + 2 * DAY + DAY / 24)


def test_a_property_that_is_named_no_more_is_forgotten(db) -> None:
    full_pass(db, NOW, a="lead")
    save(db, NOW + DAY, a="customer")
    watch(db, "crm", [], NOW + 2 * DAY)
    assert watched_since(db, "stage") is None
    assert db.execute("SELECT count(*) FROM property_change").fetchone()[0] == 0


def test_old_changes_go_and_what_they_led_to_stays(db) -> None:
    full_pass(db, NOW, a="lead", b="lead")
    save(db, NOW + DAY, a="customer")
    save(db, NOW + 9 * DAY, b="customer")
    limit = NOW + 5 * DAY
    assert thin_changes(db, limit) == 1
    assert watched_since(db, "stage") == micros(limit)
    assert reached(db) == {("a", micros(BORN)), ("b", micros(NOW + 9 * DAY))}
