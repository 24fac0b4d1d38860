"""The head of any table as Arrow, whatever a notebook put into its cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa


def is_table(content: object) -> bool:
    """Tell whether `head` can read this: Arrow, or a pandas DataFrame of any version."""
    return hasattr(content, "__arrow_c_stream__") or _is_pandas(content)


def head(table: Any, rows: int) -> tuple[list[str], list[pa.ChunkedArray], int]:
    """Take the first rows of a table.

    Parameters
    ----------
    table
        `pyarrow.Table`, `pandas.DataFrame`, or anything with ``__arrow_c_stream__``.
    rows
        How many rows to take.

    Returns
    -------
    tuple
        Names of the columns, their first values, and how many rows the table has.

    Raises
    ------
    TypeError
        If this is no table.
    """
    if _is_pandas(table):
        return _pandas_head(table, rows)
    if not is_table(table):
        raise TypeError(f"expected a table, got {type(table).__name__}")
    arrow = table if isinstance(table, pa.Table) else pa.table(table)
    return list(arrow.column_names), list(arrow.slice(0, rows).columns), arrow.num_rows


def _is_pandas(content: object) -> bool:
    return (
        type(content).__module__.startswith("pandas.")
        and hasattr(content, "iloc")
        and (hasattr(content, "columns"))
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
    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        array = _mixed(series.tolist())
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _mixed(values: Sequence[Any]) -> pa.Array:
    lists = [sorted(map(str, v)) if isinstance(v, set | frozenset) else v for v in values]
    try:
        return pa.array(lists, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([None if _missing(v) else str(v) for v in values], pa.string())


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)
