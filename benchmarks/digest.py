"""Digests that compare results of different processes."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from benchmarks.job import Facts

_SEED = 1


def digest(facts: Facts) -> dict[str, str]:
    """Digest tables so that equal rows in any order give equal digests.

    Every table has a digest of its number of rows, one of complete rows, and one per column, which
    locates differences: sums of 64-bit hashes.
    """
    digests = {}
    for name, table in facts.items():
        frame = pl.DataFrame(_plain(table))
        digests[f"{name}: rows"] = str(table.num_rows)
        digests |= {f"{name}: {column}": _sum(frame.select(column)) for column in frame.columns}
        digests[f"{name}: whole rows"] = _sum(frame)
    return digests


def _plain(table: pa.Table) -> pa.Table:
    """Decode dictionaries and use one string type."""
    fields = [
        pa.field(field.name, pa.large_string()) if _is_string(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _is_string(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def _sum(frame: pl.DataFrame) -> str:
    hashes = frame.hash_rows(_SEED).to_numpy()
    return f"{int(hashes.sum()):016x}"
