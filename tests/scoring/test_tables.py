import narwhals.stable.v2 as nw
import pyarrow as pa
import pytest

from scoring.tables import Tables


def test_a_missing_column_is_named(facts):
    good = facts.tables()
    with pytest.raises(ValueError, match="activities lacks the column\\(s\\) amount, machine"):
        Tables(good.activities.select("person_id", "kind", "at", "campaign"), good.people)


def test_a_wrong_type_is_named(facts):
    good = facts.tables()
    with pytest.raises(TypeError, match=r"people\.since must be Int64, not Float64"):
        Tables(good.activities, good.people.with_columns(nw.col("since").cast(nw.Float64)))


def test_an_eager_table_is_refused(facts):
    eager = nw.from_native(pa.table({"person_id": [1], "since": [1]}))
    with pytest.raises(TypeError, match="people must be a narwhals LazyFrame"):
        Tables(facts.tables().activities, eager)


def test_until_is_strict_and_between_is_half_open(facts, at):
    facts.person(1, 0)
    facts.person(2, 10)
    for day in (5, 10, 15):
        facts.add(1, "visit", day)
    tables = facts.tables()
    known = tables.until(at(10))
    assert known.people.collect("pyarrow")["person_id"].to_list() == [1]
    assert known.activities.collect("pyarrow")["at"].to_list() == [at(5)]
    assert tables.between(at(10), at(15)).collect("pyarrow")["at"].to_list() == [at(10)]
