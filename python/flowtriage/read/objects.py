"""Python objects as Arrow data: DataFrames, and lists of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from flowtriage.errors import InputError
from flowtriage.formats import FORMATS
from flowtriage.formats.projection import projected
from flowtriage.inputs.arrow import check_names
from flowtriage.inputs.texts import escaped
from flowtriage.read.detect import match
from flowtriage.read.extra_columns import kept_columns
from flowtriage.read.options import Options
from flowtriage.read.shared_objects import shared_strings

_HEAD = 64


def read_dataframe(frame: Any, options: Options) -> pa.RecordBatchReader:
    """Convert the columns of a pandas DataFrame that are read, and named levels of its index.

    Columns of mixed Python objects become strings, so that bad values are reported by row.
    """
    names = [str(name) for name in frame.columns]
    check_names(pa.schema([(name, pa.null()) for name in names]))
    levels = [name for name in frame.index.names if name is not None and str(name) not in names]
    columns = {str(name): frame.index.get_level_values(name).to_series() for name in levels}
    columns |= {str(name): frame[name] for name in frame.columns}
    formats = [options.format] if options.format else FORMATS
    if options.targets is not None:
        formats = [match(columns, "DataFrame", options.format)]
        bindings = [projected(formats[0].bind(list(columns)), options.targets)]
    else:
        bindings = [format.bind(list(columns)) for format in formats]
    wanted = set().union(*(binding.columns() for binding in bindings))
    wanted.update(*(format.signature_of(columns) for format in formats))
    wanted.update(*(kept_columns(columns, binding, options.keep) for binding in bindings))
    arrays = {
        name: _column(column, options)
        for name, column in columns.items()
        if name in wanted or _is_nested(column)
    }
    if not arrays:
        raise InputError(f"unknown columns in the DataFrame: {', '.join(columns)}; give columns=")
    return pa.table(arrays).to_reader()


def read_rows(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatchReader:
    """Convert rows, each a dictionary; a column of mixed Python objects becomes one of strings."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table(
        {str(name): _array([row.get(name) for row in rows]) for name in names}
    ).to_reader()


def _column(column: Any, options: Options) -> pa.Array:
    """Convert a column; a dictionary of strings does where the flows are only aggregated."""
    shared = shared_strings(column) if options.targets is not None else None
    return _array(column) if shared is None else shared


def _array(values: Any) -> pa.Array:
    """Convert a column, to strings if its values have no common type."""
    try:
        return pa.array(values, from_pandas=True)
    except UnicodeEncodeError:
        values = values if isinstance(values, list) else values.to_numpy(object, na_value=None)
        return pa.array([None if value is None else escaped(str(value)) for value in values])
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        if isinstance(values, list):
            return pa.array([None if value is None else str(value) for value in values])
        return pa.array(values.astype("string"), from_pandas=True)


def _is_nested(column: Any) -> bool:
    """Return whether the first value of a column is a dictionary."""
    if column.dtype != object:
        return False
    # The usual case: one of the first values is valid, so the others need no look.
    for values in (column.iloc[:_HEAD], column):
        label = values.first_valid_index()
        if label is not None:
            return isinstance(values.loc[[label]].iloc[0], dict)
    return False
