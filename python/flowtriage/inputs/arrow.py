"""Whatever hands its rows over as Arrow."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias

import pyarrow as pa


class ArrowStream(Protocol):
    """An object with the Arrow C stream interface, such as a table of pyarrow, polars or DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the rows as an Arrow C stream."""


class Readable(Protocol):
    """An open file, or any object with `read`."""

    def read(self, size: int, /) -> bytes | str | None:
        """Read up to `size` bytes or characters."""


FlowSource: TypeAlias = (
    "str | os.PathLike[str] | ArrowStream | pa.dataset.Dataset | Readable | Iterable[FlowSource]"
)
"""A path, glob or URL; pandas, Arrow or open-file objects; or several of them."""


def as_reader(source: Any, columns: list[str] | None = None) -> pa.RecordBatchReader:
    """Return the batches of anything Arrow; a reader is taken as it is, so its errors are too.

    Of a dataset only the `columns` are read, where they are given.
    """
    if isinstance(source, pa.RecordBatchReader):
        return source
    if is_dataset(source):
        # By default files are read so far ahead that they are in memory before they are needed.
        return source.scanner(columns, batch_readahead=4, fragment_readahead=1).to_reader()
    return pa.RecordBatchReader.from_stream(source)


def is_stream(source: Any) -> bool:
    """Tell what `as_reader` takes."""
    return hasattr(source, "__arrow_c_stream__") or is_dataset(source)


def is_dataset(source: Any) -> bool:
    """Tell a `pyarrow.dataset.Dataset` without importing that module."""
    dataset = sys.modules.get("pyarrow.dataset")
    return dataset is not None and isinstance(source, dataset.Dataset)


def is_dataframe(source: Any) -> bool:
    """Tell a `pandas.DataFrame` without importing pandas."""
    return type(source).__module__.partition(".")[0] == "pandas"
