from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Change, Outcome, Page, Result
from connectors.records import Consent, Contact
from sync.instants import micros
from sync.store import facts, outbox

NOW = datetime(2017, 9, 30, tzinfo=UTC)


@pytest.fixture
def shop(db):
    contacts = tuple(Contact("contacts", str(n), f"p{n}@shop.example", Consent.GRANTED) for n in (1, 2, 3))
    facts.save_page(db, "shop", Page("contacts", "c", contacts), NOW)
    return db


def changes(*numbers: int, score: float = 50.0) -> dict[str, list[Change]]:
    return {"shop": [Change("contacts", str(n), f"p{n}@shop.example", {"buy_score": score}) for n in numbers]}


def states(db) -> dict[str, str]:
    return {row["contact_id"]: row["state"] for row in db.execute("SELECT * FROM outbox ORDER BY id")}


def owned(db, number: int):
    row = db.execute("SELECT owned FROM contact WHERE id = ?", (str(number),)).fetchone()
    return facts.load_owned(row["owned"])


def test_what_was_enqueued_comes_out_as_it_was(shop) -> None:
    change = Change("contacts", "1", "p1@shop.example", {"tags": ("A", "B"), "reasons": None}, {"tags": ("A",)})
    assert outbox.enqueue(shop, "plan", {"shop": [change]}) == 1
    assert outbox.open_changes(shop, "plan", "shop") == [change]
    assert outbox.open_changes(shop, "plan", "other") == []


def test_a_confirmed_row_is_known_to_be_there_and_not_sent_again(shop) -> None:
    outbox.enqueue(shop, "plan", changes(1, 2))
    outbox.mark_sent(shop, "plan", "shop", changes(1, 2)["shop"])
    outbox.settle(shop, "plan", "shop", [Outcome("contacts", "1", Result.WRITTEN)], NOW)
    assert owned(shop, 1) == {"buy_score": 50.0}
    assert owned(shop, 2) == {}
    assert outbox.enqueue(shop, "plan", changes(1, 2)) == 1
    assert [change.id for change in outbox.open_changes(shop, "plan", "shop")] == ["2"]


def test_sent_without_an_answer_is_sent_again(shop) -> None:
    outbox.enqueue(shop, "plan", changes(1))
    outbox.mark_sent(shop, "plan", "shop", changes(1)["shop"])
    outbox.settle(shop, "plan", "shop", [Outcome("contacts", "1", Result.UNKNOWN, "no answer")], NOW)
    assert [change.id for change in outbox.open_changes(shop, "plan", "shop")] == ["1"]


def test_what_was_sent_without_an_answer_and_is_seen_to_be_there_counts_as_confirmed(shop) -> None:
    outbox.enqueue(shop, "plan", changes(1, 2, 3))
    outbox.mark_sent(shop, "plan", "shop", changes(1, 2)["shop"])
    for number in ("1", "3"):
        facts.note_owned(shop, "shop", number, {"buy_score": 50.0, "segment": "New"})
    outbox.resolve(shop, NOW)
    assert states(shop) == {"1": "confirmed", "2": "sent", "3": "pending"}
    confirmed = shop.execute("SELECT confirmed FROM contact WHERE id = '1'").fetchone()[0]
    assert facts.load_owned(confirmed) == {"buy_score": 50.0}


def test_what_got_there_of_a_change_is_not_sent_again(shop) -> None:
    change = Change("contacts", "1", None, {"buy_score": 50.0, "reasons": None, "tags": ("A", "B")}, {"reasons": "old"})
    outbox.enqueue(shop, "plan", {"shop": [change]})
    outbox.mark_sent(shop, "plan", "shop", [change])
    facts.note_owned(shop, "shop", "1", {"buy_score": 50.0, "tags": ("A",)})
    outbox.resolve(shop, NOW)
    confirmed = shop.execute("SELECT confirmed FROM contact WHERE id = '1'").fetchone()[0]
    assert facts.load_owned(confirmed) == {"buy_score": 50.0}
    (rest,) = outbox.open_changes(shop, "plan", "shop")
    assert rest.after == {"tags": ("A", "B")}
    assert rest.before["tags"] == ("A",)
    outbox.settle(shop, "plan", "shop", [Outcome("contacts", "1", Result.WRITTEN)], NOW)
    assert owned(shop, 1) == {"buy_score": 50.0, "tags": ("A", "B")}


def test_a_newer_plan_supersedes_what_is_open(shop) -> None:
    outbox.enqueue(shop, "old", changes(1, 2))
    outbox.settle(shop, "old", "shop", [Outcome("contacts", "1", Result.WRITTEN)], NOW)
    outbox.enqueue(shop, "new", changes(2, score=60.0))
    assert outbox.open_changes(shop, "old", "shop") == []
    assert [row["state"] for row in shop.execute("SELECT state FROM outbox ORDER BY id")] == [
        "confirmed", "superseded", "pending",
    ]  # fmt: skip


def test_a_plan_for_some_accounts_leaves_what_is_open_on_others(shop) -> None:
    outbox.enqueue(shop, "old", changes(1, 2) | {"other": changes(1, 2)["shop"]})
    outbox.mark_sent(shop, "old", "other", changes(1)["shop"])
    outbox.enqueue(shop, "new", {"shop": []})
    assert outbox.open_changes(shop, "old", "shop") == []
    rows = shop.execute("SELECT contact_id, state FROM outbox WHERE account = 'other' ORDER BY id")
    assert [tuple(row) for row in rows] == [("1", "sent"), ("2", "pending")]
    outbox.enqueue(shop, "newest", {"other": []})
    assert outbox.open_changes(shop, "old", "other") == []


def refuse(shop, plan, at, score=50.0, **more) -> None:
    change = Change("contacts", "1", None, {"buy_score": score, **more})
    outbox.enqueue(shop, plan, {"shop": [change]})
    outbox.mark_sent(shop, plan, "shop", [change])
    outbox.settle(shop, plan, "shop", [Outcome("contacts", "1", Result.REJECTED, "required field missing")], at)


def test_a_contact_that_is_always_refused_is_tried_less_and_less_often_and_then_given_up(shop) -> None:
    waits = []
    for attempt in range(outbox.ATTEMPTS):
        at = NOW + timedelta(days=10 * attempt)
        refuse(shop, f"plan {attempt}", at, score=50.0 + attempt, scored_on=f"{at:%Y-%m-%d}")
        next_try = outbox.refusals(shop)["shop", "1"].next_try
        waits.append(next_try and (next_try - at) / timedelta(hours=1))
    assert waits == [1, 4, 16, 64, None]
    assert states(shop) == {"1": "failed"}
    assert owned(shop, 1) == {}


def test_other_lasting_values_are_counted_anew(shop) -> None:
    for number, segment in enumerate(["Lost", "Lost", "Loyal"]):
        refuse(shop, f"plan {number}", NOW, segment=segment)
    assert outbox.refusals(shop)["shop", "1"].attempts == 1


def test_a_change_on_the_platform_or_a_success_ends_a_refusal(shop) -> None:
    refuse(shop, "plan", NOW)
    shop.execute("UPDATE contact SET changed_at = ? WHERE id = '1'", (micros(NOW + timedelta(hours=1)),))
    assert outbox.refusals(shop) == {}
    refuse(shop, "later", NOW + timedelta(hours=2))
    assert outbox.refusals(shop)["shop", "1"].attempts == 1
    outbox.enqueue(shop, "mended", changes(1))
    outbox.settle(shop, "mended", "shop", [Outcome("contacts", "1", Result.WRITTEN)], NOW)
    assert outbox.refusals(shop) == {}


def test_a_contact_that_is_gone_is_not_planned_for_again(shop) -> None:
    outbox.enqueue(shop, "plan", changes(1))
    outbox.settle(shop, "plan", "shop", [Outcome("contacts", "1", Result.GONE, "deleted")], NOW)
    assert states(shop) == {"1": "failed"}
    assert [row["id"] for row in shop.execute("SELECT id FROM contact WHERE NOT deleted")] == ["2", "3"]


def test_changes_come_sorted_by_a_property_where_the_platform_wishes_it(shop) -> None:
    outbox.enqueue(shop, "plan", changes(1, 2, 3))
    shop.execute("""UPDATE contact SET properties = '{"AccountId": "b"}' WHERE id = '1'""")
    shop.execute("""UPDATE contact SET properties = '{"AccountId": "a"}' WHERE id IN ('2', '3')""")
    by = [change.id for change in outbox.open_changes(shop, "plan", "shop", "AccountId")]
    assert by == ["2", "3", "1"]
    assert [change.id for change in outbox.open_changes(shop, "plan", "shop")] == ["1", "2", "3"]
