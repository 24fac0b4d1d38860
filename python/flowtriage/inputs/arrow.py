"""Arrow data in any form, and the types of flow sources."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias, TypeGuard, runtime_checkable

import pyarrow as pa


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
"""A path, glob or URL; pandas, Arrow or open-file objects; or several of them."""


def as_reader(source: ArrowStream, columns: list[str] | None = None) -> pa.RecordBatchReader:
    """Return the record batches of an Arrow source; `columns` limits those read of a dataset.

    A reader is returned as is, so that exceptions of its producer pass through.
    """
    if isinstance(source, pa.RecordBatchReader):
        return source
    if is_dataset(source):
        # By default files are read so far ahead that they are in memory before they are needed.
        return source.scanner(columns, batch_readahead=4, fragment_readahead=1).to_reader()
    return pa.RecordBatchReader.from_stream(source)


def is_stream(source: object) -> TypeGuard[ArrowStream]:
    """Return whether `as_reader` accepts an object."""
    return hasattr(source, "__arrow_c_stream__") or is_dataset(source)


def is_dataset(source: object) -> TypeGuard[Any]:
    """Return whether an object is a `pyarrow.dataset.Dataset`, without importing that module."""
    dataset = sys.modules.get("pyarrow.dataset")
    return dataset is not None and isinstance(source, dataset.Dataset)


def is_dataframe(source: object) -> TypeGuard[Any]:
    """Return whether an object is a `pandas.DataFrame`, without importing pandas."""
    return type(source).__module__.partition(".")[0] == "pandas"
