"""Columns of any library, read as what they mean: text, instants, amounts, yes and no."""

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scoring.tables import Floats, Ints

_UNITS = ((10**11, 1_000_000, "seconds"), (10**14, 1_000, "milliseconds"), (10**17, 1, "microseconds"))
"""Whole numbers below the first are instants in the unit that makes so many microseconds."""


def arrow(name: str, table: Any, columns: Mapping[str, str], needed: tuple[str, ...]) -> pa.Table:
    """`table` (of any library narwhals reads, or a mapping of columns, or a list of dicts) as Arrow, renamed.

    Raises ValueError when it lacks a column that is needed, TypeError when it is no table.
    """
    if isinstance(table, pa.Table):
        found = table
    elif isinstance(table, Mapping):
        found = pa.table({key: pa.array(values, from_pandas=True) for key, values in table.items()})
    elif isinstance(table, list):
        found = pa.Table.from_pylist(table)
    else:
        frame = nw.from_native(table)
        found = (frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame).to_arrow()
    found = found.rename_columns([columns.get(column, column) for column in found.column_names])
    missing = [column for column in needed if column not in found.column_names]
    if missing:
        raise ValueError(
            f"{name} lacks the column(s) {', '.join(missing)}; it has {', '.join(found.column_names)}. "
            f'Say which is which: columns={{"their name": "{missing[0]}"}}'
        )
    return found


def texts(column: pa.ChunkedArray) -> NDArray[Any]:
    """Each value as text, None where there is none; whole numbers without a decimal point."""
    values = column.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type) and bool(pc.all(pc.equal(values, pc.round(values))).as_py()):
        values = pc.cast(values, pa.int64(), safe=False)
    found: NDArray[Any] = np.array(pc.cast(values, pa.string()).to_pylist(), dtype=object)
    return found


def at_micros(name: str, column: pa.ChunkedArray, notes: list[str]) -> tuple[Ints, NDArray[np.bool_]]:
    """Instants in µs UTC and where they are known, from timestamps, dates, ISO texts or numbers.

    Without a zone UTC is meant. Numbers are seconds, milli-, micro- or nanoseconds since 1970, by their size.
    Raises ValueError for anything else.
    """
    values = column.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_null(values.type):
        return np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=bool)
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return _numbers(values, notes)
    try:
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            values = pc.cast(values, pa.timestamp("us", "UTC" if _zoned(values) else None))
        moments = pc.cast(pc.cast(values, pa.timestamp("us", getattr(values.type, "tz", None)), safe=False), pa.int64())
    except pa.ArrowException as error:
        raise ValueError(f"{name} holds what is no instant: {error}") from error
    known = pc.is_valid(moments).to_numpy(zero_copy_only=False)
    return pc.fill_null(moments, 0).to_numpy(zero_copy_only=False).astype(np.int64), known


def _zoned(values: pa.Array) -> bool:
    first = next((value for value in values.to_pylist() if value), "")
    return first.endswith("Z") or (len(first) > 19 and any(sign in first[19:] for sign in "+-"))


def _numbers(values: pa.Array, notes: list[str]) -> tuple[Ints, NDArray[np.bool_]]:
    numbers = pc.fill_null(pc.cast(values, pa.float64(), safe=False), np.nan).to_numpy(zero_copy_only=False)
    known = np.isfinite(numbers)
    size = float(np.median(np.abs(numbers[known]))) if known.any() else 10**16
    whole = np.where(known, numbers, 0)
    for below, factor, unit in _UNITS:
        if size < below:
            if unit != "microseconds":
                notes.append(f"times are read as {unit} since 1970")
                return np.rint(whole * factor).astype(np.int64), known
            if pa.types.is_integer(values.type):
                # Not by way of floats: they are exact up to 2 ** 53 only.
                return pc.fill_null(values, 0).to_numpy(zero_copy_only=False).astype(np.int64), known
            return np.rint(whole).astype(np.int64), known
    notes.append("times are read as nanoseconds since 1970")
    return np.rint(whole / 1000).astype(np.int64), known


def amounts(name: str, column: pa.ChunkedArray, in_cents: bool) -> Floats:
    """Amounts in cents, NaN where unknown. Raises ValueError for what is no number."""
    try:
        numbers = pc.cast(column.combine_chunks(), pa.float64())
    except pa.ArrowException as error:
        raise ValueError(f"{name} holds what is no number: {error}") from error
    found: Floats = pc.fill_null(numbers, np.nan).to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(np.isfinite(found), found if in_cents else np.rint(found * 100), np.nan)


def flags(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Yes or no; unknown is no."""
    found: NDArray[np.bool_] = pc.fill_null(pc.cast(column.combine_chunks(), pa.bool_()), False).to_numpy(
        zero_copy_only=False
    )
    return found
