"""From the store to the tables that are scored: SQLite → Arrow → DuckDB in memory, or the company's Spark."""

from pathlib import Path
from typing import Any

from scoring.tables import Tables
from sync.errors import ForetagError

# No empty values here: the driver tells a column's type by its first rows, which may all be empty.
ACTIVITIES = """
SELECT person_id, kind, at, coalesce(amount, 0) AS amount,
    amount IS NOT NULL AND (currency IS NULL OR currency = '{currency}') AS counts,
    coalesce(campaign, '') AS campaign, machine
FROM person_activity WHERE person_id NOT IN (SELECT person_id FROM excluded)
"""
TYPED = """
SELECT person_id, kind, "at", CASE WHEN counts = 1 THEN amount END AS amount, nullif(campaign, '') AS campaign,
    machine = 1 AS machine
FROM activities
"""
PEOPLE = """
SELECT person_id, min(since) AS since FROM (
    SELECT person_id, created_at AS since FROM contact WHERE created_at IS NOT NULL
    UNION ALL SELECT person_id, min(at) FROM person_activity GROUP BY person_id
) WHERE person_id IN (SELECT person_id FROM contact GROUP BY person_id HAVING min(deleted) = 0)
    AND person_id NOT IN (SELECT person_id FROM excluded)
GROUP BY person_id
"""


def tables(store: Path, currency: str, spark_master: str = "") -> Tables:
    """All activities and people of the store at `store`, without those who objected to profiling.

    Amounts in another currency than `currency` (three capital letters) are left out; the activity itself stays.
    The tables are computed on by DuckDB in memory, or by Spark at `spark_master` where there is one.
    """
    import adbc_driver_sqlite.dbapi as sqlite
    import duckdb
    import narwhals.stable.v2 as nw

    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise ValueError(f"{currency!r} is no currency code such as EUR")
    with sqlite.connect(str(store)) as connection, connection.cursor() as cursor:
        cursor.execute(ACTIVITIES.format(currency=currency))
        activities = cursor.fetch_arrow_table()
        cursor.execute(PEOPLE)
        people = cursor.fetch_arrow_table()
    engine = duckdb.connect()
    engine.register("activities", activities)
    engine.register("people", people)
    found = (engine.sql(TYPED), engine.sql("SELECT person_id, since FROM people"))
    if spark_master:
        return Tables(*(nw.from_native(_on_spark(relation.to_arrow_table(), spark_master)) for relation in found))
    return Tables(*map(nw.from_native, found))


def _on_spark(table: Any, master: str) -> Any:
    """The Arrow table as a Spark data frame. ForetagError without foretag[spark]."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ForetagError('engine.kind = "spark" needs Spark: install foretag[spark] and Java 17') from error
    builder = SparkSession.builder
    named = builder.remote(master) if master.startswith("sc://") else builder.master(master)
    return named.appName("foretag").getOrCreate().createDataFrame(table)
