from datetime import UTC, date, datetime

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from scoring.intake import intake, midnight_after
from scoring.objectives import Objective
from scoring.tables import DAY

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
MICROS = round(NOON.timestamp()) * 1_000_000


def rows(found):
    return nw.to_native(found.tables.activities.collect("pyarrow")).to_pylist()


def known(found):
    return {
        found.persons[row["person_id"]]: row["since"]
        for row in nw.to_native(found.tables.people.collect("pyarrow")).to_pylist()
    }


@pytest.mark.parametrize(
    ("moment", "instant"),
    [
        (NOON, MICROS),
        (NOON.replace(tzinfo=None), MICROS),
        (date(2024, 3, 1), MICROS // DAY * DAY),
        ("2024-03-01T12:00:00Z", MICROS),
        ("2024-03-01 12:00:00", MICROS),
        ("2024-03-01", MICROS // DAY * DAY),
        ("2024-03-01T13:00:00+01:00", MICROS),
        (MICROS, MICROS),
        (MICROS // 1000, MICROS),
        (MICROS // 1_000_000, MICROS),
        (float(MICROS // 1_000_000), MICROS),
        (MICROS * 1000, MICROS),
        (pd.Timestamp(NOON), MICROS),
        (np.datetime64("2024-03-01T12:00:00"), MICROS),
    ],
    ids=repr,
)
def test_an_instant_may_be_written_in_many_ways(moment, instant):
    found = intake({"person": ["a"], "time": [moment]})
    assert [row["at"] for row in rows(found)] == [instant]
    assert found.newest == instant


def test_any_library_and_any_id_will_do():
    table = {"who": [7, 7, 12], "when": [NOON, date_after(1), date_after(2)], "paid": [1.5, None, 3.0]}
    named = {"who": "person", "when": "time", "paid": "amount"}
    wanted = {("12", 300), ("7", None), ("7", 150)}
    for given in (
        table,
        pa.table(table),
        pd.DataFrame(table),
        [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)],
    ):
        found = intake(given, columns=named)
        told = [(found.persons[row["person_id"]], row["amount"]) for row in rows(found)]
        assert {(str(person), cents) for person, cents in told} == wanted


def date_after(days):
    return datetime.fromtimestamp((MICROS + days * DAY) / 1e6, UTC)


def test_odd_rows_are_put_right_and_counted():
    table = [
        {"person": "b", "time": NOON, "kind": "purchase", "amount": -4.0},
        {"person": "a", "time": NOON, "kind": "purchase", "amount": 1.0},
        {"person": "a", "time": NOON, "kind": "purchase", "amount": 1.0},
        {"person": "a", "time": NOON, "kind": "purchase", "amount": 2.5},
        {"person": "a", "time": NOON, "kind": "login", "amount": None},
        {"person": None, "time": NOON, "kind": "login", "amount": None},
        {"person": "a", "time": None, "kind": "login", "amount": None},
    ]
    found = intake(table)
    assert sorted((row["person_id"], row["kind"], row["amount"]) for row in rows(found) if row["amount"]) == [
        (0, "order", 350),
        (1, "refund", 400),
    ]
    assert len(rows(found)) == 3
    assert found.notes == (
        "2 row(s) without a person, a time or a kind were left out",
        "1 row(s) were there twice and count once",
        "1 order(s) of less than nothing are taken as refunds",
        "1 line(s) are parts of an order of the same person and instant",
    )


def test_the_order_of_the_rows_and_doubling_them_change_nothing():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "person": rng.integers(0, 20, 200).astype(str),
            "time": [date_after(int(day)) for day in rng.integers(0, 300, 200)],
            "kind": rng.choice(["order", "visit"], 200),
            "amount": rng.integers(1, 90, 200),
        }
    ).drop_duplicates()
    shuffled = pd.concat([table, table.iloc[:70]]).sample(frac=1, random_state=2)
    assert rows(intake(table)) == rows(intake(shuffled))


def test_one_kind_only_is_an_order_and_own_words_are_kept():
    assert {row["kind"] for row in rows(intake({"person": ["a"], "time": [NOON], "kind": ["visited museum"]}))} == {
        "order"
    }
    two = {"person": ["a", "a"], "time": [NOON, NOON], "kind": ["bought", "login"]}
    assert {row["kind"] for row in rows(intake(two))} == {"bought", "login"}
    assert {row["kind"] for row in rows(intake(two, kinds={"bought": "order"}))} == {"order", "login"}


def test_an_objective_may_name_its_event_as_the_table_does():
    found = intake({"person": ["a", "a"], "time": [NOON, NOON], "kind": ["Purchase", "login"]})
    wanted = Objective("buys", "conversion", 30, event="Purchase")
    assert found.asked(wanted).event == "order"
    assert found.asked(Objective("back", "conversion", 30, event="login")).event == "login"
    assert list(found.never_done([wanted])) == []
    (note,) = found.never_done([wanted, Objective("asks", "conversion", 30, event="demo")])
    assert note == 'asks: nobody did "demo" so far; there is: Purchase, login, order'


def test_people_are_known_since_their_word_or_their_first_activity():
    people = {"person": ["a", "b", "c"], "since": [date_after(-9), None, date_after(5)]}
    found = intake({"person": ["a", "c"], "time": [NOON, NOON]}, people)
    assert known(found) == {"a": MICROS - 9 * DAY, "b": MICROS - 1, "c": MICROS}


def test_a_value_that_was_reached_is_an_event():
    history = {"person": ["a"], "time": [NOON], "name": ["stage"], "value": ["customer"]}
    found = intake({"person": ["a"], "time": [NOON]}, history=history)
    assert [row["kind"] for row in rows(found)] == ["order", "stage=customer"]


def test_what_cannot_be_read_is_named():
    with pytest.raises(ValueError, match=r"activities lacks the column\(s\) person, time; it has 'x'"):
        intake({"x": [1]})
    with pytest.raises(ValueError, match=r"activities.time holds what is no instant"):
        intake({"person": ["a"], "time": ["yesterday"]})
    with pytest.raises(ValueError, match=r"activities.amount holds what is no number"):
        intake({"person": ["a"], "time": [NOON], "amount": ["much"]})
    with pytest.raises(ValueError, match="name the person"):
        intake({"person": ["a"], "time": [NOON]}, {"person": [None]})


def test_nobody_at_all_can_be_read():
    found = intake({"person": [], "time": []})
    assert found.persons.size == 0
    assert found.newest == 0


def test_midnight_comes_after():
    assert midnight_after(MICROS) == MICROS // DAY * DAY + DAY
    assert midnight_after(5 * DAY) == 6 * DAY
