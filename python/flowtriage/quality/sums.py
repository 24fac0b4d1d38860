"""Sums of counters: exact, or an error where a 64-bit integer cannot hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import InputError

_WIDE = pa.decimal128(38, 0)


def exact_sum(counts: pa.Array | pa.ChunkedArray) -> int:
    """Return the exact sum of a column of integers, beyond 64 bits if need be."""
    if _may_overflow(counts):
        counts = counts.cast(_WIDE)
    return int(pc.sum(counts).as_py() or 0)


def aggregated(
    table: pa.Table, keys: str | Sequence[str], measures: Sequence[tuple[Any, ...]]
) -> pa.Table:
    """Group rows and aggregate them as pyarrow does, whose sums of integers wrap around.

    Raises
    ------
    InputError
        If a sum exceeds the range of a 64-bit integer.
    """
    names = {name for name, function, *_ in measures if function == "sum"}
    wide = [name for name in names if _may_overflow(table[name])]
    for name in wide:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(_WIDE))
    groups = table.group_by(keys, use_threads=False).aggregate(list(measures))
    for name in wide:
        at = groups.column_names.index(f"{name}_sum")
        groups = groups.set_column(at, f"{name}_sum", _narrow(groups[f"{name}_sum"], name))
    return groups


def added(one: pa.ChunkedArray, other: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Add counters row by row; null where one is null.

    Raises
    ------
    InputError
        If a sum exceeds the range of a 64-bit integer.
    """
    try:
        return pc.add_checked(one, other)
    except pa.ArrowInvalid:
        raise _overflow(name) from None


def _may_overflow(counts: pa.Array | pa.ChunkedArray) -> bool:
    largest = pc.max(counts).as_py() or 0
    return bool(pa.types.is_integer(counts.type) and largest * len(counts) >= 1 << 63)


def _narrow(sums: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    try:
        return sums.cast(pa.int64())
    except pa.ArrowInvalid:
        raise _overflow(name) from None


def _overflow(name: str) -> InputError:
    return InputError(f"the sum of {name} exceeds the range of a 64-bit integer")
