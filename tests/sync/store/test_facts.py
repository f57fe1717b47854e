import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Page
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync.emails import email_key
from sync.store import facts, people
from sync.store.database import open_store

NOW = datetime(2017, 9, 30, tzinfo=UTC)


def contact(number: int = 1, email: str | None = None, **more) -> Contact:
    address = email if email is not None else f"person{number}@shop.example"
    return Contact("contacts", str(number), address, Consent.GRANTED, created_at=NOW, **more)


def order(number: int, contact_id: str = "1", **more) -> Activity:
    return Activity(f"o{number}", ActivityKind.ORDER, NOW - timedelta(days=number), contact_id, amount=1250, **more)


def resolved(db) -> int:
    """How many people there are after everyone was told apart."""
    people.resolve(db)
    return db.execute("SELECT count(DISTINCT person_id) FROM contact WHERE NOT deleted").fetchone()[0]


def dump(db) -> list[tuple]:
    tables = ("contact", "activity", "cursor", "alias")
    return [tuple(row) for table in tables for row in db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]


def test_a_page_and_its_cursor_arrive_together(db) -> None:
    page = Page("contacts", "after-1", (contact(),), (order(1), order(2)))
    saved = facts.save_page(db, "shop", page, NOW)
    assert (saved.contacts, saved.activities, saved.contacts_changed, saved.activities_new) == (1, 2, 1, 2)
    assert facts.cursor(db, "shop", "contacts") == "after-1"
    assert facts.cursor(db, "shop", "deals") is None


def test_a_page_that_cannot_be_stored_moves_no_cursor(db) -> None:
    broken = replace(order(2), at=datetime(2017, 1, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="no time zone"):
        facts.save_page(db, "shop", Page("contacts", "after-1", (contact(),), (order(1), broken)), NOW)
    assert facts.cursor(db, "shop", "contacts") is None
    assert dump(db) == []


def test_pulling_a_page_again_changes_nothing(db) -> None:
    page = Page("contacts", "c", (contact(1), contact(2)), (order(1), order(2)))
    facts.save_page(db, "shop", page, NOW)
    before = dump(db)
    saved = facts.save_page(db, "shop", page, NOW + timedelta(days=1))
    assert (saved.contacts_changed, saved.activities_new) == (0, 0)
    assert dump(db) == before


def test_our_own_writes_coming_back_are_no_change(db) -> None:
    facts.save_page(db, "shop", Page("contacts", "c", (contact(1),)), NOW)
    echo = contact(1, owned={"buy_score": 81.0, "tags": ("Control", "Loyal")}, modified_at=NOW)
    saved = facts.save_page(db, "shop", Page("contacts", "c", (echo,)), NOW + timedelta(hours=1))
    assert saved.contacts_changed == 0
    stored = db.execute("SELECT owned FROM contact").fetchone()["owned"]
    assert facts.load_owned(stored) == {"buy_score": 81.0, "tags": ("Control", "Loyal")}


def test_a_removed_activity_is_forgotten(db) -> None:
    facts.save_page(db, "shop", Page("orders", "c", (), (order(1), order(2))), NOW)
    facts.save_page(db, "shop", Page("orders", "d", (), (order(1, removed=True),)), NOW)
    assert [row["id"] for row in db.execute("SELECT id FROM activity")] == ["o2"]


def test_what_a_whole_group_no_longer_holds_is_forgotten(db) -> None:
    def deal(*ids: str) -> Page:
        orders = tuple(Activity(each, ActivityKind.ORDER, NOW, contact_id=each[-1]) for each in ids)
        return Page("deals", "c", (), orders, whole=("7:",))

    facts.save_page(db, "shop", Page("deals", "b", (), (*deal("70:1", "7:1", "7:2").activities, order(7))), NOW)
    facts.save_page(db, "other", deal("7:1"), NOW)
    saved = facts.save_page(db, "shop", deal("7:2", "7:3"), NOW)
    assert saved.activities_new == 2
    told = [tuple(row) for row in db.execute("SELECT account, id FROM activity ORDER BY 1, 2")]
    assert told == [("other", "7:1"), ("shop", "70:1"), ("shop", "7:2"), ("shop", "7:3"), ("shop", "o7")]
    assert facts.save_page(db, "shop", deal("7:2", "7:3"), NOW).activities_new == 0
    assert facts.save_page(db, "shop", deal(), NOW).activities_new == 2


def test_confirming_merges_and_empties_fields(db) -> None:
    facts.save_page(db, "shop", Page("contacts", "c", (contact(1, owned={"a": 1.0, "b": "x"}),)), NOW)
    facts.confirm_owned(db, "shop", "1", {"a": 2.0, "b": None, "tags": ("Loyal",)})
    assert facts.load_owned(db.execute("SELECT owned FROM contact").fetchone()["owned"]) == {
        "a": 2.0,
        "tags": ("Loyal",),
    }


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_any_order_of_pages_gives_the_same_store(tmp_path_factory, seed: int) -> None:
    pages = [
        ("hub", Page("contacts", "same", (contact(1), contact(2, email="Anna@shop.example")))),
        ("hub", Page("contacts", "same", (contact(3, other_emails=("old@shop.example",)),))),
        ("hub", Page("deals", "same", (), tuple(order(n, contact_id=str(1 + n % 3)) for n in range(6)))),
        (
            "mail",
            Page("members", "same", (contact(9, email="anna@SHOP.example"), contact(8, email="old@shop.example"))),
        ),
        ("mail", Page("orders", "same", (), (Activity("x", ActivityKind.CLICK, NOW, email="ANNA@shop.example"),))),
    ]
    stores = []
    for shuffled in (pages, random.Random(seed).sample(pages, len(pages))):
        db = open_store(tmp_path_factory.mktemp("s") / "s.sqlite")
        for account, page in shuffled:
            facts.save_page(db, account, page, NOW)
        people.resolve(db)
        stores.append(dump(db))
        db.close()
    assert stores[0] == stores[1]


def persons(db) -> dict[tuple[str, str], int]:
    return {(row["account"], row["id"]): row["person_id"] for row in db.execute("SELECT * FROM contact")}


def test_one_person_per_address_over_platforms(db) -> None:
    facts.save_page(db, "hub", Page("contacts", "c", (contact(1, email="Anna@Shop.example"), contact(2))), NOW)
    facts.save_page(db, "mail", Page("members", "c", (contact(7, email=" anna@shop.example "),)), NOW)
    assert resolved(db) == 2
    who = persons(db)
    assert who["hub", "1"] == who["mail", "7"] != who["hub", "2"]
    assert people.person_of(db, "anna@shop.example") == who["hub", "1"]
    assert people.person_of(db, "nobody@shop.example") is None


def test_who_moves_stays_the_same_person(db) -> None:
    facts.save_page(db, "hub", Page("contacts", "c", (contact(1, email="old@shop.example"),)), NOW)
    facts.save_page(db, "mail", Page("members", "c", (contact(7, email="old@shop.example"),)), NOW)
    people.resolve(db)
    before = persons(db)
    facts.save_page(db, "hub", Page("contacts", "d", (contact(1, email="new@shop.example"),)), NOW)
    people.resolve(db)
    facts.save_page(db, "mail", Page("members", "d", (contact(7, email="NEW@shop.example"),)), NOW)
    people.resolve(db)
    assert persons(db) == before


def test_contacts_without_an_address_are_people_of_their_own(db) -> None:
    facts.save_page(db, "hub", Page("contacts", "c", (contact(1, email=""), contact(2, email=""))), NOW)
    assert resolved(db) == 2
    assert resolved(db) == 2


def test_activities_follow_merges_and_addresses(db) -> None:
    merged = contact(1, deleted=True, merged_into="2")
    facts.save_page(db, "hub", Page("contacts", "c", (merged, contact(2, aliases=("5",)))), NOW)
    told_by_address = Activity("form", ActivityKind.FORM, NOW, email="Person2@shop.example")
    facts.save_page(db, "hub", Page("deals", "c", (), (order(1), order(2, "5"), order(3, "2"), told_by_address)), NOW)
    people.resolve(db)
    found = [row["person_id"] for row in db.execute("SELECT person_id FROM person_activity")]
    assert found == [persons(db)["hub", "2"]] * 4


def test_people_are_the_same_whatever_is_looked_at_together(tmp_path, monkeypatch) -> None:
    """Shared, moved and missing addresses, over three pulls: in batches of two as all at once."""
    dice = random.Random(11)
    pulls = []
    for _ in range(3):
        page = []
        for number in range(1, 15):
            email = dice.choice(["", "a@x.example", "b@x.example", f"p{number}@x.example"])
            others = tuple(dice.sample(["c@x.example", "a@x.example", "d@x.example"], dice.randint(0, 2)))
            page.append(contact(number, email=email, other_emails=others))
        pulls.append(Page("contacts", "c", tuple(page)))
    told = []
    for size in (2, 3, 5_000):
        monkeypatch.setattr(people, "BATCH", size)
        db = open_store(tmp_path / f"{size}.sqlite")
        for page in pulls:
            facts.save_page(db, "shop", page, NOW)
            people.resolve(db)
        told.append([tuple(row) for row in db.execute("SELECT id, person_id FROM contact ORDER BY id")])
        before = db.total_changes
        people.resolve(db)
        assert db.total_changes == before, "who is settled is not touched again"
        db.close()
    assert told[0] == told[1] == told[2]


@given(st.emails() | st.text(max_size=30) | st.from_regex(r"[\w.+-]{1,8}@[\w.-]{1,12}", fullmatch=True))
def test_plain_addresses_need_no_validator_for_the_same_normal_form(written) -> None:
    try:
        normal = validate_email(written.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        normal = written.strip().lower()
    assert email_key(written) == (normal or None)
