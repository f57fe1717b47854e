"""Whatever table is given, there is a result or one sentence that says what is wrong with it."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.intake import intake
from scoring.score import Objective, score
from scoring.segments import SEGMENTS
from scoring.snapshots import MOST_CUTS, Snapshots
from scoring.tables import DAY

NEW_YEAR = datetime(2024, 1, 1, 12, tzinfo=UTC)
PLAIN = {
    "person": ["1", "1", "2", "3"],
    "time": [NEW_YEAR + timedelta(days=each) for each in (0, 3, 40, 41)],
    "amount": [2.5, 4.0, None, 10.0],
}
ASKED = [Objective("again", "repeat_purchase", 30), Objective("spend", "value", 30)]


def with_(**columns):
    return {**PLAIN, **columns}


def same(found, other):
    rows = [nw.to_native(each.tables.activities.collect("pyarrow")).to_pylist() for each in (found, other)]
    assert rows[0] == rows[1]
    assert found.persons.tolist() == other.persons.tolist()


@pytest.mark.parametrize(
    "table",
    [
        pa.table(PLAIN).to_batches()[0],
        pd.DataFrame(PLAIN).convert_dtypes(),
        pd.DataFrame(PLAIN).convert_dtypes(dtype_backend="pyarrow"),
        pd.DataFrame(PLAIN).astype({"person": "category"}),
        pd.DataFrame(PLAIN).set_index("person"),
        [{key: value for key, value in row.items() if value is not None} for row in pa.table(PLAIN).to_pylist()],
        with_(person=[1, 1, 2, 3]),
        with_(person=[1.0, 1.0, 2.0, 3.0]),
        with_(person=[1, "1", 2, "3"]),
        with_(person=pa.array(["1", "1", "2", "3"], pa.string_view())),
        with_(person=[b"1", b"1", b"2", b"3"]),
        with_(time=[each.replace(tzinfo=None) for each in PLAIN["time"]]),
        with_(time=[str(each) for each in PLAIN["time"]]),
        with_(
            time=[
                each.isoformat().replace("+00:00", end) for each, end in zip(PLAIN["time"], ("", "Z") * 2, strict=True)
            ]
        ),
        with_(time=pd.Series(PLAIN["time"]).dt.tz_convert("Asia/Tokyo")),
        with_(amount=[Decimal("2.50"), Decimal(4), None, Decimal(10)]),
        with_(amount=["2.5", " 4", "", "10"]),
        with_(amount=[2.5, "4", None, 10]),
        with_(amount=np.array([2.5, 4, np.nan, 10], dtype=np.float32)),
        with_(kind=["order", "Order ", "PURCHASE", "sale"]),
    ],
    ids=lambda table: type(table).__name__,
)
def test_a_table_may_come_in_many_ways(table):
    same(intake(table), intake(PLAIN))


def test_a_relation_of_duckdb_will_do():
    with duckdb.connect() as engine:
        same(intake(engine.from_arrow(pa.table(PLAIN))), intake(PLAIN))


def test_ids_of_any_type_are_told_apart():
    ids = [uuid.UUID(int=each) for each in (7, 7, 8, 9)]
    assert intake(with_(person=ids)).persons.size == 3
    assert intake(with_(person=["a\nb", "é", "漢", ""])).persons.size == 4
    assert score(with_(person=[True, True, False, False]), ASKED).persons.size == 2


@pytest.mark.parametrize(
    ("table", "error"),
    [
        (None, "must be a table .* not a NoneType"),
        ("file.csv", "must be a table .* not a str"),
        ([("1", NEW_YEAR)], "must be a table .* not a list"),
        (with_(time=["06/24/2024"] * 4), "holds what is no instant: .* Write instants as 2024-06-24"),
        (with_(amount=[1e16, 1, 1, 1]), r"activities\.amount holds 1e\+16: amounts are exact up to"),
        (with_(amount=["12,50"] * 4), r"activities\.amount holds what is no number"),
        (pd.DataFrame(PLAIN)[["person", "time", "time"]], "two columns of one name"),
        (with_(customer=PLAIN["person"]), "more than one column called person"),
        ({"Person": [], "Time": []}, r"lacks the column\(s\) person, time; it has 'Person', 'Time'"),
        (with_(time=[None] * 4), "nobody to score; 4 row.s. without a person, a time or a kind were left out"),
        (with_(amount=[-1, -2, -3, -4]), r"no order to predict among the kinds of activity \(refund\).*4 order"),
        (with_(kind=["login", "logout", "login", "login"]), "Say what counts"),
        (with_(kind=[1, 2, 1, 1]), r"kinds of activity \(1, 2\)"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(table, error):
    with pytest.raises((ValueError, TypeError), match=error):
        score(table, columns={"customer": "person"} if isinstance(table, dict) and "customer" in table else None)


def test_names_that_nothing_has_are_not_passed_over():
    with pytest.raises(ValueError, match="columns names what no table has: amont"):
        intake({"person": ["1"], "time": [NEW_YEAR]}, columns={"amont": "amount"})
    with pytest.raises(ValueError, match="would be called a, a_high"):
        score(PLAIN, [Objective("a", "churn", 30), Objective("a", "value", 30)])
    with pytest.raises(ValueError, match="would be called segment"):
        score(PLAIN, [Objective("segment", "churn", 30)])
    with pytest.raises(ValueError, match="as_of holds no instant"):
        score(PLAIN, ASKED, as_of="")


@pytest.mark.parametrize(
    "table",
    [
        with_(time=[NEW_YEAR] * 4),
        with_(amount=[0.0] * 4),
        with_(amount=[np.inf, -np.inf, np.nan, 1e-9]),
        with_(time=[date(1900, 1, 1), date(1970, 1, 1), date(2024, 1, 1), date(9999, 12, 30)]),
        {"person": ["1"] * 30, "time": [NEW_YEAR + timedelta(days=30 * each) for each in range(30)]},
        {
            "person": [str(each) for each in range(900)],
            "time": [NEW_YEAR + timedelta(hours=each) for each in range(900)],
        },
    ],
    ids=["one day", "free", "no amounts", "8,000 years", "one person", "each once, by the hour"],
)
def test_what_cannot_be_learned_is_refused_and_everyone_has_a_segment(table):
    found = score(table, ASKED)
    assert all(result.model.refused and result.predictions is None for result in found.results.values())
    assert set(found.table()["segment"].to_pylist()) <= set(SEGMENTS)
    assert found.persons.tolist() == sorted(set(table["person"]))


def test_as_of_may_be_a_day():
    days = [
        score(PLAIN, ASKED, as_of=each).as_of
        for each in ("2024-02-01", datetime(2024, 2, 1, tzinfo=UTC), 1_706_745_600_000_000)
    ]
    assert len(set(days)) == 1


def test_a_mistyped_year_is_named_and_costs_no_more():
    table = {
        "person": [str(each % 40) for each in range(400)],
        "time": [datetime(1970, 1, 1, tzinfo=UTC), *(NEW_YEAR + timedelta(days=each) for each in range(399))],
    }
    read = intake(table)
    assert read.notes == ("only 1 of 400 rows are before 1997-07-18: if these are mistakes, leave them out",)
    past = Snapshots(read.tables, read.newest + DAY)
    assert len(past.cuts(ASKED[0])) == MOST_CUTS


def test_odd_columns_of_people_are_taken_or_refused():
    ids = [str(each) for each in range(60)]
    people = {
        "person": ids,
        "constant": ["x"] * 60,
        "unique": ids,
        "mixed": [each if each % 2 else "few" for each in range(60)],
        "nested": [[1, 2] if each % 2 else None for each in range(60)],
        "endless": [np.inf if each % 3 == 0 else float(each) for each in range(60)],
        "day": [date(2020, 1, 1 + each % 28) for each in range(60)],
        "never": [None] * 60,
        "a=b": ["x"] * 60,
        "orders": [each % 7 for each in range(60)],
        "": ["x"] * 60,
    }
    table = {"person": ids * 2, "time": [NEW_YEAR + timedelta(days=each) for each in range(120)]}
    extras = intake(table, people).extras(2 * 10**15, immutable=[name for name in people if name != "person"])
    assert [each.split(" is left out")[0] for each in extras.refused] == ['"a=b"', '"orders"', '""']
    values = extras.at(2 * 10**15, np.arange(60))
    assert values.shape == (60, len(extras.names))
    assert not {"a=b", "orders", ""} & set(extras.names)
    assert intake(table, people).extras(2 * 10**15, immutable="constant").names == ("constant=x",)


ROW = st.fixed_dictionaries(
    {
        "person": st.one_of(st.none(), st.integers(-2, 3), st.sampled_from(["a", "", "é"])),
        "time": st.one_of(
            st.none(),
            st.just(""),
            st.integers(0, 1000).map(lambda hours: (NEW_YEAR - timedelta(hours=37 * hours)).isoformat()),
            st.dates(date(2019, 1, 1), date(2024, 1, 1)).map(str),
        ),
        "kind": st.one_of(st.none(), st.sampled_from(["order", "Purchase", "refund", "send", "login", "x=1"])),
        "amount": st.one_of(st.none(), st.floats(width=32), st.integers(-(10**12), 10**12)),
    }
)


@settings(max_examples=25, deadline=None)
@given(st.lists(ROW, max_size=12))
def test_any_rows_are_scored_or_refused(rows):
    try:
        found = score(rows, ASKED)
    except ValueError as error:
        assert str(error).startswith(("activities", "nobody was known"))  # noqa: PT017 - either end is right
    else:
        assert len(found.segments) == found.persons.size > 0
        assert all(result.model.refused for result in found.results.values())
