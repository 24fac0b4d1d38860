"""The first rows of any table as Arrow, whatever its cells contain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from flowtriage.humanize import sanitize


def is_table(content: object) -> bool:
    """Check whether `head` can read an object: Arrow, or a pandas DataFrame of any version."""
    return hasattr(content, "__arrow_c_stream__") or _is_pandas(content)


def head(table: Any, rows: int) -> tuple[list[str], list[pa.ChunkedArray], int]:
    """Return the column names, their first values, and the number of rows of a table.

    Raises
    ------
    TypeError
        If `table` is not a table.
    """
    if _is_pandas(table):
        return _pandas_head(table, rows)
    if not is_table(table):
        raise TypeError(f"expected a table, got {type(table).__name__}")
    arrow = table if isinstance(table, pa.Table) else pa.table(table)
    return list(arrow.column_names), list(arrow.slice(0, rows).columns), arrow.num_rows


def _is_pandas(content: object) -> bool:
    return any(
        base.__name__ == "DataFrame" and base.__module__.split(".")[0] == "pandas"
        for base in type(content).__mro__
    )


def _pandas_head(frame: Any, rows: int) -> tuple[list[str], list[pa.ChunkedArray], int]:
    top = frame.head(rows)
    if any(name is not None for name in top.index.names):
        top = top.reset_index(allow_duplicates=True)
    columns = [_pandas_column(top.iloc[:, at]) for at in range(top.shape[1])]
    return [_column_name(name) for name in top.columns], columns, len(frame)


def _column_name(name: object) -> str:
    return " ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)


def _pandas_column(series: Any) -> pa.ChunkedArray:
    array = None if series.dtype == object else _array(series)
    if array is None:
        array = _mixed(series.tolist())
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _mixed(values: Sequence[Any]) -> pa.Array:
    lists = [sorted(map(str, v)) if isinstance(v, set | frozenset) else v for v in values]
    # Arrow would give each dictionary the keys of all others.
    array = None if any(isinstance(v, dict) for v in values) else _array(lists)
    if array is None:
        texts = [None if _missing(v) else sanitize(str(v), multiline=True) for v in values]
        array = pa.array(texts, pa.string())
    return array


def _array(values: Any) -> pa.Array | None:
    try:
        return pa.array(values, from_pandas=True)
    except (ValueError, TypeError, OverflowError, NotImplementedError):
        return None


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)
