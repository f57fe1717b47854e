"""Who has left all platforms is let go of; nobody else notices, and nothing from before comes in again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Page
from connectors.records import Activity, ActivityKind, Consent, Contact
from sync.engine import tables
from sync.store.database import open_store, transaction
from sync.store.departed import contacts_of, left_before, let_go
from sync.store.facts import save_page
from sync.store.people import resolve

NOW = datetime(2020, 6, 30, 6, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)
LIMIT = NOW - timedelta(days=90)


def contact(id_: str, *emails: str, **more) -> Contact:
    created = NOW - timedelta(days=500)
    return Contact("contacts", id_, *emails[:1] or [None], Consent.GRANTED, created, other_emails=emails[1:], **more)


def order(id_: str, contact_id: str | None, email: str | None = None, days: float = 200) -> Activity:
    at = NOW - timedelta(days=days)
    return Activity(id_, ActivityKind.ORDER, at, contact_id, email, amount=1250, currency="EUR")


def see(db, *records, seen: datetime = LONG_AGO, account: str = "hubspot") -> None:
    contacts = tuple(each for each in records if isinstance(each, Contact))
    activities = tuple(each for each in records if isinstance(each, Activity))
    save_page(db, account, Page("contacts", "c", contacts, activities), seen)
    resolve(db)


def clear(db) -> None:
    for people in left_before(db, LIMIT):
        with transaction(db):
            let_go(db, people, NOW)


def ids(db, table: str) -> list[str]:
    return [row["id"] for row in db.execute(f"SELECT id FROM {table} ORDER BY id")]


@pytest.fixture
def shop(db):
    """Anna (two addresses, merged from 9) left long ago, Bert lately, Carla is here, Dora is on one of two."""
    see(
        db,
        contact("9", "a@old.example"),
        contact("1", "anna@shop.example", "a@old.example", aliases=("9",)),
        contact("2", "bert@shop.example"),
        contact("3", "carla@shop.example"),
        contact("4", "dora@shop.example"),
        order("o1", "1"),
        order("o2", None, "anna@shop.example"),
        order("o3", "9"),
        order("o4", "2"),
        order("o5", "3", "anna@shop.example"),
        order("o6", "4"),
    )
    see(db, contact("4", "dora@shop.example"), account="mailchimp")
    db.execute("INSERT INTO model VALUES (1, 'churn', 1, '', x'', '{}', '')")
    for row in db.execute("SELECT id FROM person").fetchall():
        person = row["id"]
        db.execute("INSERT INTO prediction VALUES ('churn', 1, ?, 1, 30, 0.5, 0.5, NULL, 'act')", (person,))
        db.execute("INSERT INTO standing VALUES (1, ?, 'Loyal', '{}', '{}', '{}', NULL)", (person,))
        db.execute("INSERT INTO move VALUES (?, 1, 'New', 'Loyal', 'event', 0)", (person,))
    for account, id_ in db.execute("SELECT account, id FROM contact").fetchall():
        db.execute(
            "INSERT INTO outbox (plan, account, contact_id, object, before, after, state) "
            "VALUES ('p', ?, ?, 'contacts', '{}', '{}', 'confirmed')",
            (account, id_),
        )
        db.execute("INSERT INTO property_change VALUES (?, ?, 'x', 1, '', 'y')", (account, id_))
    see(
        db,
        contact("9", "a@old.example", deleted=True, merged_into="1"),
        contact("1", "anna@shop.example", "a@old.example", aliases=("9",), deleted=True),
        contact("4", "dora@shop.example", deleted=True),
    )
    see(db, contact("2", "bert@shop.example", deleted=True), seen=NOW - timedelta(days=80))
    return db


def test_everything_about_who_left_goes_and_nothing_about_anybody_else(shop) -> None:
    others = {"hubspot": {"2", "3", "4"}, "mailchimp": {"4"}}
    clear(shop)
    assert [tuple(row) for row in shop.execute("SELECT account, id FROM contact ORDER BY account, id")] == [
        (account, id_) for account in others for id_ in sorted(others[account])
    ]
    assert ids(shop, "activity") == ["o4", "o5", "o6"], "o5 is Carla's: her record tells so"
    left = {row["id"] for row in shop.execute("SELECT id FROM person")}
    assert len(left) == 3
    for table in ("prediction", "standing", "move", "person_email"):
        assert {row["person_id"] for row in shop.execute(f"SELECT person_id FROM {table}")} == left
    for table in ("outbox", "property_change"):
        assert shop.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 4
    everything = "\n".join(shop.iterdump())
    assert "a@old.example" not in everything
    kept = [line for line in everything.splitlines() if "anna@shop.example" in line]
    assert [line for line in kept if "'o5'" not in line] == []


def test_a_repeated_pull_does_not_bring_it_back(shop) -> None:
    clear(shop)
    see(
        shop,
        contact("1", "anna@shop.example", "a@old.example", aliases=("9",), deleted=True),
        order("o1", "1"),
        order("o2", None, "Anna@Shop.example"),
        order("o3", "9"),
        order("o4", "2"),
        order("o5", "3", "anna@shop.example"),
        seen=NOW,
    )
    assert ids(shop, "activity") == ["o4", "o5", "o6"]
    assert ids(shop, "contact") == ["2", "3", "4", "4"]


def test_who_is_back_on_the_platform_is_taken_in_with_what_is_told_then(shop) -> None:
    clear(shop)
    see(shop, order("new", None, "anna@shop.example", days=-1), seen=NOW)
    see(shop, contact("1", "anna@shop.example"), order("o1", "1"), seen=NOW)
    (row,) = shop.execute("SELECT deleted, person_id FROM contact WHERE id = '1'")
    assert not row["deleted"]
    found = shop.execute("SELECT count(*) FROM person_activity WHERE person_id = ?", (row["person_id"],))
    assert found.fetchone()[0] == 2, "o1 is told again, and what came before the record did is there"
    clear(shop)
    assert "1" in ids(shop, "contact")


def test_who_shares_an_address_with_somebody_who_is_there_stays(db) -> None:
    see(db, contact("1", "one@shop.example"), contact("2", "two@shop.example"))
    see(db, contact("2", "two@shop.example", "one@shop.example"), contact("1", "one@shop.example", deleted=True))
    assert left_before(db, LIMIT) == []
    see(db, contact("2", "two@shop.example", "one@shop.example", deleted=True))
    assert [len(each) for each in left_before(db, LIMIT)] == [2]


def test_people_of_later_batches_wait_for_them_and_a_cut_takes_no_half(shop, monkeypatch) -> None:
    see(shop, contact("5", "e@shop.example", deleted=True), contact("6", "f@shop.example", deleted=True))
    monkeypatch.setattr("sync.store.departed.BATCH", 1)
    first, second, third = left_before(shop, LIMIT)
    assert {id_ for _, id_ in contacts_of(shop, first)} == {"1", "9"}
    with transaction(shop):
        let_go(shop, first, NOW)
    before = list(shop.iterdump())
    with pytest.raises(KeyboardInterrupt), transaction(shop):
        let_go(shop, second, NOW)
        raise KeyboardInterrupt
    assert list(shop.iterdump()) == before
    assert left_before(shop, LIMIT) == [second, third]
    clear(shop)
    assert ids(shop, "contact") == ["2", "3", "4", "4"]


def test_scores_are_found_without_reading_all_of_them(db) -> None:
    for table, where in (("prediction", "objective = 'churn' AND as_of = 1"), ("standing", "as_of = 1")):
        query = f"DELETE FROM {table} WHERE {where} AND person_id IN (SELECT value FROM json_each('[1]'))"
        (plan, *_) = db.execute(f"EXPLAIN QUERY PLAN {query}")
        assert "SEARCH" in plan["detail"]
        assert "person_id=?" in plan["detail"]


PERSON = st.tuples(
    st.sampled_from(["here", "left", "left lately", "left one"]),
    st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=4),
    st.none() | st.integers(0, 5),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(PERSON, min_size=1, max_size=6))
def test_the_tables_for_scoring_are_the_same_for_everybody_else(tmp_path_factory, people) -> None:
    db = open_store(tmp_path_factory.mktemp("store") / "foretag.sqlite")
    for number, (state, orders, shared) in enumerate(people):
        emails = (f"p{number}@shop.example", *([f"p{shared}@shop.example"] if shared is not None else []))
        told = [
            order(f"{number}-{at}-{i}", None if by_email else f"{number}", emails[0], at)
            for i, (at, by_email) in enumerate(orders)
        ]
        see(db, contact(f"{number}", *emails), *told)
        if state == "left one":
            see(db, contact(f"m{number}", emails[0]), account="mailchimp")
        seen = NOW if state == "left lately" else LONG_AGO
        see(db, contact(f"{number}", *emails, deleted=state != "here"), seen=seen)
    gone = {person for batch in left_before(db, LIMIT) for person in batch}
    before = [_rows(frame, gone) for frame in _tables(db)]
    stays = {row["id"] for row in db.execute("SELECT id FROM person")} - gone
    clear(db)
    assert [_rows(frame, set()) for frame in _tables(db)] == before
    assert {row["id"] for row in db.execute("SELECT id FROM person")} == stays
    assert left_before(db, LIMIT) == []
    db.close()


def _tables(db):
    found = tables(db, "EUR")
    return found.activities, found.people


def _rows(frame, without) -> list[tuple]:
    return [row for row in frame.collect("pyarrow").rows() if row[0] not in without]


def test_what_is_too_old_goes_and_does_not_come_in_again(db, monkeypatch) -> None:
    from sync.store import old_activities

    monkeypatch.setattr(old_activities, "BATCH", 2)
    told = [order(f"o{days}", "1", days=days) for days in (10, 399, 401, 500, 600, 700)]
    see(db, contact("1", "anna@shop.example"), *told)
    oldest = NOW - timedelta(days=400)
    assert old_activities.drop_before(db, oldest) == 4
    see(db, *told)
    assert ids(db, "activity") == ["o10", "o399"]
    assert old_activities.drop_before(db, oldest) == 0
    old_activities.drop_before(db, None)
    see(db, *told)
    assert len(ids(db, "activity")) == 6
