"""Record batches: grouped, empty, and without nested columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

_MIN_ROWS = 1 << 16
_MAX_BATCHES = 1 << 10
"""Rows or batches from which batches are read together."""


def groups_of(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Yield small batches together, because each takes more memory than its rows."""
    group: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        group.append(batch)
        rows += batch.num_rows
        if rows >= _MIN_ROWS or len(group) == _MAX_BATCHES:
            yield group
            group, rows = [], 0
    if group:
        yield group


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch without rows; other constructors do not support every type."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in schema.types], schema=schema)


def flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Flatten nested columns, as in `src_endpoint.ip`."""
    while any(pa.types.is_struct(field.type) for field in batch.schema):
        table = pa.Table.from_batches([batch]).flatten()
        arrays = [column.chunk(0) for column in table.columns]
        batch = pa.RecordBatch.from_arrays(arrays, schema=table.schema)
    return batch
