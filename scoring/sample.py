"""The people who are learned from: everyone of a small shop, enough of a large one."""

import duckdb
import narwhals.stable.v2 as nw

from scoring.tables import Frame, Tables

MOST_PEOPLE = 50_000
"""Learning curves are flat long before this many people; more of them would only take memory and time."""
_PRIME = 2_147_483_647
_FACTOR = 1_583_458_089
"""Spreads neighbouring numbers: people numbered one after the other joined one after the other."""


def count(tables: Tables) -> int:
    """How many people there are."""
    return int(tables.people.select(nw.len().alias("people")).collect("pyarrow")["people"].to_list()[0])


def sample(tables: Tables) -> Tables:
    """What is known of at most about MOST_PEOPLE people, in DuckDB on one thread, whatever engine `tables` are on.

    Who is chosen follows from their `person_id` and from how many people there are. Rows stand in one order, so that
    sums over them have the same bits on every engine.
    """
    many = count(tables)
    limit = _PRIME * MOST_PEOPLE // many if many > MOST_PEOPLE else _PRIME
    engine = duckdb.connect(config={"threads": 1})

    def held(frame: Frame, *order: str) -> Frame:
        chosen = frame.filter(nw.col("person_id") * _FACTOR % _PRIME < limit)
        rows = chosen.sort(*order, nulls_last=True).collect("pyarrow").to_native()
        return nw.from_native(engine.from_arrow(rows))

    return Tables(
        held(tables.activities, "person_id", "at", "kind", "amount", "campaign", "machine"),
        held(tables.people, "person_id"),
    )
