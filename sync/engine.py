"""From the store to the tables that are scored: SQLite → Arrow → DuckDB in memory, or the company's Spark."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from scoring.tables import Tables
from sync.spark import on_spark
from sync.spark import predict as on_workers
from sync.store.properties import REACHED

if TYPE_CHECKING:
    import pyarrow as pa

    from scoring.model import Model
    from scoring.predict import Predictions
    from scoring.snapshots import Snapshots

ACTIVITIES = """
SELECT person_id, kind, at, CASE WHEN currency IS NULL OR currency = ? THEN amount END AS amount, campaign, machine
FROM person_activity WHERE person_id NOT IN (SELECT person_id FROM excluded)
ORDER BY person_id, at, kind, amount, campaign, machine
"""
PEOPLE = """
SELECT person_id, min(since) AS since FROM (
    SELECT person_id, created_at AS since FROM contact WHERE created_at IS NOT NULL
    UNION ALL SELECT person_id, min(at) FROM person_activity GROUP BY person_id
) WHERE person_id IN (SELECT person_id FROM contact GROUP BY person_id HAVING min(deleted) = 0)
    AND person_id NOT IN (SELECT person_id FROM excluded)
GROUP BY person_id ORDER BY person_id
"""
ROWS_AT_ONCE = 50_000
"""Rows that are Python objects at the same time."""


def tables(
    db: sqlite3.Connection,
    currency: str,
    spark_master: str = "",
    reached: Sequence[tuple[str, str]] = (),
    said: Iterable[tuple[int, str, int]] = (),
    without: Collection[int] = (),
) -> Tables:
    """All activities and people of the store, but not of those who objected to profiling, nor `without`.

    Amounts in another currency than `currency` (three capital letters) are left out; the activity itself stays.
    For each property and value of `reached` there is an activity NAME=VALUE when it was reached; what was `said`
    (person, kind, µs UTC) counts as activities too.
    The tables are computed on by DuckDB in memory, or by Spark at `spark_master` where there is one. Raises ValueError
    for what is no currency code, ForetagError without foretag[spark].
    """
    import duckdb
    import narwhals.stable.v2 as nw
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise ValueError(f"{currency!r} is no currency code such as EUR")
    number, text = pa.int64(), pa.string()
    kinds = {"person_id": number, "kind": text, "at": number, "amount": number, "campaign": text}
    schema = pa.schema({**kinds, "machine": pa.bool_()})
    parts = [_arrow(db.execute(ACTIVITIES, (currency,)), schema)]
    parts += [_arrow(db.execute(REACHED, {"name": name, "value": value}), schema) for name, value in reached]
    rows = ({"person_id": person, "kind": kind, "at": at, "machine": False} for person, kind, at in said)
    parts.append(pa.Table.from_pylist(list(rows), schema))
    found = [
        pa.concat_tables(parts),
        _arrow(db.execute(PEOPLE), pa.schema({"person_id": number, "since": number})),
    ]
    if without:
        left_out = pa.array(without, number)
        found = [each.filter(pc.invert(pc.is_in(each["person_id"], left_out))) for each in found]
    if spark_master:
        return Tables(*(nw.from_native(on_spark(table, spark_master)) for table in found))
    # One thread, and rows in one order: sums of decayed amounts would else differ in their last bits from run to run,
    # and with them, after training, the scores.
    engine = duckdb.connect(config={"threads": 1})
    return Tables(*(nw.from_native(engine.from_arrow(table)) for table in found))


def predict(model: "Model", past: "Snapshots") -> "Predictions":
    """What `model` says of everyone, by the engine the tables are on. ValueError when it was refused.

    Columns beside the features are known here only: with them the model is applied here.
    """
    from scoring.predict import predict as here

    if past.extras is None and past.tables.people.implementation.is_spark_like():
        return on_workers(model, past)
    return here(model, past.tables, past.as_of, known=past.matrix(past.as_of))


# Read through the connection that holds the store, never by a second SQLite library in this process (such as a
# driver that yields Arrow): closing its file would drop our locks, and it would take the write-ahead log away from us.
def _arrow(cursor: sqlite3.Cursor, schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    cursor.row_factory = None
    batches = []
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        columns = (
            pa.array(map(bool, column) if pa.types.is_boolean(field.type) else column, field.type)
            for field, column in zip(schema, zip(*rows, strict=True), strict=True)
        )
        batches.append(pa.record_batch(list(columns), schema=schema))
    return pa.Table.from_batches(batches, schema)
