"""What scoring reads from the store: types, money, who is there, and the store is none the worse for it."""

import random
import subprocess
import sys
from datetime import timedelta

import pytest

from connectors.contract import Page
from connectors.records import Activity, ActivityKind, Consent, Contact
from scoring.snapshots import matrix
from sync import engine
from sync.engine import tables
from sync.errors import ForetagError
from sync.instants import micros
from sync.store.people import person_of


@pytest.fixture
def tell(site, helpers):
    """Store contacts and activities as a pull would."""

    def save(contacts=(), activities=()) -> None:
        helpers.fill(site, {"all": [Page("all", "c", tuple(contacts), tuple(activities))]})

    return save


@pytest.fixture
def at(helpers):
    return lambda days: helpers.now - timedelta(days=days)


def contact(number: int, consent: Consent = Consent.GRANTED, **more) -> Contact:
    return Contact("contacts", str(number), f"p{number}@shop.example", consent, **more)


def activities(site, currency: str = "EUR") -> list[dict]:
    return tables(site.db, currency).activities.collect("pyarrow").to_native().to_pylist()


def people(site) -> dict[int, int]:
    rows = tables(site.db, "EUR").people.collect("pyarrow").to_native().to_pylist()
    assert len({row["person_id"] for row in rows}) == len(rows)
    return {row["person_id"]: row["since"] for row in rows}


def person(site, number: int) -> int:
    return person_of(site.db, f"p{number}@shop.example")


def test_activities_come_with_all_they_carry(site, tell, at) -> None:
    click = Activity("b", ActivityKind.CLICK, at(1), email="P1@Shop.example ", campaign="spring", machine=True)
    tell([contact(1)], [Activity("a", ActivityKind.ORDER, at(2), "1", amount=1250, currency="EUR"), click])
    who = person(site, 1)
    assert sorted(activities(site), key=lambda row: row["at"]) == [
        {"person_id": who, "kind": "order", "at": micros(at(2)), "amount": 1250, "campaign": None, "machine": False},
        {"person_id": who, "kind": "click", "at": micros(at(1)), "amount": None, "campaign": "spring", "machine": True},
    ]


def test_an_empty_store_gives_empty_tables_of_the_right_types(site) -> None:
    assert activities(site) == []
    assert people(site) == {}


def test_foreign_amounts_are_left_out_and_their_orders_stay(site, tell, at) -> None:
    amounts = [("EUR", 100), ("USD", 200), (None, 300), ("EUR", None)]
    tell(
        [contact(1)],
        [
            Activity(f"o{n}", ActivityKind.ORDER, at(n), "1", amount=amount, currency=currency)
            for n, (currency, amount) in enumerate(amounts)
        ],
    )
    found = {row["at"]: row["amount"] for row in activities(site)}
    assert found == {micros(at(0)): 100, micros(at(1)): None, micros(at(2)): 300, micros(at(3)): None}
    assert {row["at"]: row["amount"] for row in activities(site, "USD")}[micros(at(1))] == 200


@pytest.mark.parametrize("code", ["", "eur", "EURO", "E1", "'; ", "ÄÖÜ"])
def test_what_is_no_currency_code_is_refused(site, code) -> None:
    with pytest.raises(ValueError, match="currency code"):
        tables(site.db, code)


def test_who_objects_is_in_neither_table(site, tell, at) -> None:
    orders = [Activity(f"o{n}", ActivityKind.ORDER, at(n), str(n), amount=1) for n in (1, 2)]
    tell([contact(1), contact(2, Consent.NO_PROFILING)], orders)
    assert people(site).keys() == {person(site, 1)}
    assert [row["person_id"] for row in activities(site)] == [person(site, 1)]


def test_people_without_any_contact_left_are_gone_but_one_left_is_enough(site, tell) -> None:
    both = Contact("contacts", "9", "p1@shop.example", Consent.GRANTED, created_at=None, deleted=True)
    known = site.clock.now()
    tell([contact(1, created_at=known), both, contact(2, created_at=known, deleted=True)])
    assert people(site).keys() == {person(site, 1)}


def test_people_are_known_since_the_first_thing_known_of_them(site, tell, at) -> None:
    tell(
        [contact(1, created_at=at(10)), contact(2, created_at=at(10)), contact(3), contact(4)],
        [Activity("a", ActivityKind.VISIT, at(20), "2"), Activity("b", ActivityKind.VISIT, at(5), "3")],
    )
    known = people(site)
    assert known == {
        person(site, 1): micros(at(10)),
        person(site, 2): micros(at(20)),
        person(site, 3): micros(at(5)),
    }


def test_what_a_merged_contact_did_belongs_to_the_survivor(site, tell, at) -> None:
    tell([contact(1, created_at=at(9), aliases=("77",))], [Activity("a", ActivityKind.ORDER, at(2), "77", amount=5)])
    assert [row["person_id"] for row in activities(site)] == [person(site, 1)]


def test_an_activity_of_nobody_known_is_left_out(site, tell, at) -> None:
    tell([contact(1)], [Activity("a", ActivityKind.ORDER, at(2), "404", email="ghost@shop.example", amount=5)])
    assert activities(site) == []


def test_rows_come_in_portions_and_late_values_keep_their_type(site, tell, at, monkeypatch) -> None:
    monkeypatch.setattr(engine, "ROWS_AT_ONCE", 64)
    late = Activity("z", ActivityKind.ORDER, at(0), "1", amount=7, campaign="late", currency="EUR")
    early = [Activity(f"a{n:04}", ActivityKind.VISIT, at(300 - n / 10), "1") for n in range(2100)]
    tell([contact(1)], [*early, late])
    found = activities(site)
    assert len(found) == 2101
    assert [(row["amount"], row["campaign"]) for row in found if row["kind"] == "order"] == [(7, "late")]


def test_what_is_written_after_reading_is_there_for_other_processes(site, tell, at) -> None:
    """A second SQLite library in this process would take the write-ahead log away when it closes the file."""
    tell([contact(1)], [Activity("a", ActivityKind.ORDER, at(2), "1", amount=5)])
    tables(site.db, "EUR")
    tell([contact(2)])
    count = (
        "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM contact').fetchone())"
    )
    seen = subprocess.run([sys.executable, "-c", count, site.store], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "2"
    assert site.store.with_name(f"{site.store.name}-wal").exists()


def test_spark_that_is_not_installed_is_named(site, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ForetagError, match=r"foretag\[spark\]"):
        tables(site.db, "EUR", "local[1]")


@pytest.mark.slow
def test_the_same_facts_give_the_same_bits_whatever_order_they_came_in(tmp_path, helpers) -> None:
    """Sums of many decayed amounts differ in their last bits with the order of adding, unless that is fixed."""
    chance = random.Random(7)
    everyone = [contact(number) for number in range(300)]
    done = [
        Activity(
            f"o{number}",
            ActivityKind.ORDER,
            helpers.now - timedelta(minutes=chance.randrange(60 * 24 * 300)),
            str(chance.randrange(300)),
            amount=chance.randrange(100, 90_000),
        )
        for number in range(130_000)  # more than one portion of DuckDB's work
    ]
    found = []
    for name in ("one", "other"):
        site = helpers.site(tmp_path / name, helpers.Platform())
        helpers.fill(site, {"all": [Page("all", "c", tuple(everyone), tuple(done))]})
        found.append(matrix(tables(site.db, "EUR"), micros(helpers.now)).values.tobytes())
        site.db.close()
        chance.shuffle(done)
    assert found[0] == found[1]
