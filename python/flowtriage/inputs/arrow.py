"""Arrow data in any form, and the types of flow sources."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, TypeGuard, runtime_checkable

import pyarrow as pa

from flowtriage._core import FlowParts
from flowtriage.errors import InputError
from flowtriage.schema import SCHEMA


class ArrowStream(Protocol):
    """An object with the Arrow C stream interface, such as a table of pyarrow, polars or DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the rows as an Arrow C stream."""


@runtime_checkable
class Readable(Protocol):
    """An open file, or any object with `read`."""

    def read(self, size: int, /) -> bytes | str | None:
        """Read up to `size` bytes or characters."""


FlowSource: TypeAlias = (
    "str | os.PathLike[str] | ArrowStream | pa.dataset.Dataset | Readable | Iterable[FlowSource]"
)
"""A path, glob or URL; pandas, Arrow or open-file objects; a list of rows; or several of them."""


class PartsReader:
    """Reader of flows of which only the columns that the core needs were read.

    It has the interface of a `pyarrow.RecordBatchReader` as far as the core uses it.
    """

    schema = SCHEMA

    def __init__(self, flows: Iterable[pa.Table | FlowParts]) -> None:
        self._parts = _batches(flows)

    def read_next_batch(self) -> pa.RecordBatch | FlowParts:
        """Return the next flows.

        Raises
        ------
        StopIteration
            After the last ones.
        """
        return next(self._parts)


FlowReader: TypeAlias = "pa.RecordBatchReader | PartsReader"
"""Flows as the functions of the core take them."""


def _batches(flows: Iterable[pa.Table | FlowParts]) -> Iterator[pa.RecordBatch | FlowParts]:
    for part in flows:
        if isinstance(part, FlowParts):
            yield part
        else:
            yield from part.select(SCHEMA.names).to_batches()


def as_reader(source: ArrowStream, columns: list[str] | None = None) -> pa.RecordBatchReader:
    """Return the record batches of an Arrow source; `columns` limits those read of a dataset.

    A reader is returned as is, so that exceptions of its producer pass through.

    Raises
    ------
    InputError
        If a column name occurs twice.
    """
    if isinstance(source, pa.RecordBatchReader):
        reader = source
    elif is_dataset(source):
        # By default files are read so far ahead that they are in memory before they are needed.
        scanner = source.scanner(columns, batch_readahead=4, fragment_readahead=1)
        reader = scanner.to_reader()
    elif isinstance(source, pa.Table):
        # The C interface loses the sizes of buffers, which show whether they are damaged.
        reader = source.to_reader()
    elif isinstance(source, pa.RecordBatch):
        reader = pa.RecordBatchReader.from_batches(source.schema, [source])
    elif _is_lazy(source):
        reader = pa.RecordBatchReader.from_stream(source.collect())
    else:
        reader = pa.RecordBatchReader.from_stream(source)
    check_names(reader.schema)
    return reader


def check_names(schema: pa.Schema) -> None:
    """Raise `InputError` if a column name occurs twice or cannot be read."""
    try:
        names = Counter(schema.names)
    except UnicodeDecodeError as error:
        raise InputError(f"a column name is not UTF-8 ({error})") from None
    duplicates = [repr(name) for name, count in names.items() if count > 1]
    if duplicates:
        raise InputError(
            f"several columns are named {', '.join(duplicates)}; rename or drop all but one"
        )


def is_stream(source: object) -> TypeGuard[ArrowStream]:
    """Return whether `as_reader` accepts an object."""
    return hasattr(source, "__arrow_c_stream__") or is_dataset(source) or _is_lazy(source)


def is_dataset(source: object) -> TypeGuard[Any]:
    """Return whether an object is a `pyarrow.dataset.Dataset`, without importing that module."""
    dataset = sys.modules.get("pyarrow.dataset")
    return dataset is not None and isinstance(source, dataset.Dataset)


def is_dataframe(source: object) -> TypeGuard[Any]:
    """Return whether an object is a `pandas.DataFrame`, without importing pandas."""
    return type(source).__module__.partition(".")[0] == "pandas"


def is_rows(source: object) -> TypeGuard[list[Mapping[str, Any]]]:
    """Return whether an object is a list of rows, each a dictionary."""
    return (
        isinstance(source, (list, tuple))
        and len(source) > 0
        and all(isinstance(row, Mapping) for row in source)
    )


def _is_lazy(source: object) -> TypeGuard[Any]:
    """Return whether an object is a `polars.LazyFrame`, without importing polars."""
    return (
        type(source).__module__.partition(".")[0] == "polars"
        and type(source).__name__ == "LazyFrame"
    )
