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
LARGEST = 2.0**53
"""Cents up to which amounts are exact."""


def arrow(name: str, table: Any, columns: Mapping[str, str], needed: tuple[str, ...]) -> pa.Table:
    """`table` (of any library narwhals reads, or a mapping of columns, or a list of dicts) as Arrow, renamed.

    Raises ValueError when it lacks a column that is needed or has two of a name, TypeError when it is no table.
    """
    found = pa.table(_columns(name, table))
    names = [columns.get(column, column) for column in found.column_names]
    if twice := sorted({column for column in names if names.count(column) > 1}):
        raise ValueError(f"{name} has more than one column called {', '.join(twice)}: leave out all but one")
    missing = [column for column in needed if column not in names]
    if missing:
        raise ValueError(
            f"{name} lacks the column(s) {', '.join(missing)}; it has {', '.join(map(repr, names))}. "
            f'Say which is which: columns={{"their name": "{missing[0]}"}}'
        )
    return found.rename_columns(names)


def _columns(name: str, table: Any) -> pa.Table | dict[str, pa.Array]:
    if isinstance(table, pa.Table):
        return table
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table])
    if isinstance(table, list) and all(isinstance(row, Mapping) for row in table):
        keys = dict.fromkeys(key for row in table for key in row)
        table = {key: [row.get(key) for row in table] for key in keys}
    if isinstance(table, Mapping):
        return {key: _array(values) for key, values in table.items()}
    try:
        frame = nw.from_native(table)
    except TypeError as error:
        raise TypeError(
            f"{name} must be a table (of pandas, polars, Arrow, DuckDB …), a mapping of columns or a list of dicts, "
            f"not a {type(table).__name__}"
        ) from error
    except nw.exceptions.DuplicateError as error:
        raise ValueError(f"{name} has two columns of one name: {error}") from error
    frame = frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame
    if frame.implementation.is_pandas() and any(table.index.names):
        frame = nw.from_native(table.reset_index())
    return {column: _array(frame[column].to_native()) for column in frame.columns}


def _array(values: Any) -> pa.Array | pa.ChunkedArray:
    """A column as Arrow; of values of several types, their texts."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if hasattr(values, "to_arrow"):
        return values.to_arrow()
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if _missing(value) else str(value) for value in values], pa.string())


def _missing(value: Any) -> bool:
    return value is None or str(value) in ("nan", "NaT", "<NA>")


def texts(column: pa.ChunkedArray) -> NDArray[Any]:
    """Each value as text, None where there is none; whole numbers without a decimal point."""
    values = column.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type) and bool(pc.all(pc.equal(values, pc.round(values))).as_py()):
        values = pc.cast(values, pa.int64(), safe=False)
    try:
        said = pc.cast(values, pa.string()).to_pylist()
    except pa.ArrowException:
        said = [None if value is None else str(value) for value in values.to_pylist()]
    found: NDArray[Any] = np.array(said, dtype=object)
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
        if _is_text(values.type):
            values = _moments(values)
        moments = pc.cast(pc.cast(values, pa.timestamp("us", getattr(values.type, "tz", None)), safe=False), pa.int64())
    except pa.ArrowException as error:
        raise ValueError(
            f"{name} holds what is no instant: {error}. Write instants as 2024-06-24 or 2024-06-24T09:30:00Z"
        ) from error
    known = pc.is_valid(moments).to_numpy(zero_copy_only=False)
    return pc.fill_null(moments, 0).to_numpy(zero_copy_only=False).astype(np.int64), known


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _stripped(values: pa.Array) -> pa.Array:
    """Texts without space around them; empty ones are missing."""
    values = pc.utf8_trim_whitespace(pc.cast(values, pa.string()))
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def _moments(values: pa.Array) -> pa.Array:
    """ISO texts as timestamps: with a zone as they say, the others in UTC."""
    values = _stripped(values)
    zoned = pc.match_substring_regex(values, r":.*(Z|[+-]\d\d(:?\d\d)?)$")
    nothing = pa.scalar(None, pa.string())
    with_zone = pc.cast(pc.if_else(zoned, values, nothing), pa.timestamp("us", "UTC"))
    without = pc.cast(pc.if_else(zoned, nothing, values), pa.timestamp("us"))
    return pc.coalesce(with_zone, pc.assume_timezone(without, "UTC"))


def instant(name: str, moment: Any) -> int:
    """One instant in µs UTC: a number is that already, a datetime or ISO text without a zone is UTC. ValueError."""
    if isinstance(moment, int):
        return moment
    at, known = at_micros(name, pa.chunked_array([_array([moment])]), [])
    if not known[0]:
        raise ValueError(f"{name} holds no instant: {moment!r}")
    return int(at[0])


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
    values = column.combine_chunks()
    try:
        numbers = pc.cast(_stripped(values) if _is_text(values.type) else values, pa.float64())
    except pa.ArrowException as error:
        raise ValueError(f"{name} holds what is no number: {error}") from error
    found: Floats = pc.fill_null(numbers, np.nan).to_numpy(zero_copy_only=False).astype(np.float64)
    cents = np.where(np.isfinite(found), found if in_cents else np.rint(found * 100), np.nan)
    if np.nanmax(np.abs(cents), initial=0.0) > LARGEST:
        raise ValueError(f"{name} holds {np.nanmax(np.abs(found)):g}: amounts are exact up to {LARGEST / 100:g} only")
    return cents


def flags(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Yes or no; unknown is no."""
    found: NDArray[np.bool_] = pc.fill_null(pc.cast(column.combine_chunks(), pa.bool_()), False).to_numpy(
        zero_copy_only=False
    )
    return found
