"""The columns of raw flows, and of the folders that they lie in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.write.canonical import SCHEMA as FLOWS

EXTRA = {"tos": ("stos", "tos", "srctos"), "input": ("input", "in"), "output": ("output", "out")}
"""Columns beyond the canonical ones that `flow_edge` has, and their names in logs."""

SCHEMA: pa.Schema = pa.schema([*FLOWS, *(pa.field(name, pa.int32()) for name in EXTRA)])
"""Columns of the raw flows."""

PARTITIONS: pa.Schema = pa.schema([(name, pa.int32()) for name in "ymdh"])
"""Year, month, day and hour, which folders are named after."""


@dataclass
class Counts:
    """Rows that are kept, and rows without a start time, which belong to no day."""

    flows: int = 0
    timeless: int = 0


def raw_batches(tables: Iterator[pa.Table], counts: Counts) -> Iterator[pa.RecordBatch]:
    """Bring flows into the columns of raw flows, with the partition of each."""
    for table in tables:
        timed = table.filter(pc.is_valid(table["start_time"]))
        counts.timeless += table.num_rows - timed.num_rows
        counts.flows += timed.num_rows
        start = timed["start_time"]
        there = {name: timed[name] for name in FLOWS.names if name in timed.column_names}
        columns = {f.name: there.get(f.name, pa.nulls(len(timed), f.type)) for f in FLOWS}
        columns |= {name: _numbers(timed, names) for name, names in EXTRA.items()}
        parts = {"y": pc.year, "m": pc.month, "d": pc.day, "h": pc.hour}
        columns |= {name: part(start).cast(pa.int32()) for name, part in parts.items()}
        yield from pa.table(columns).combine_chunks().to_batches()


def _numbers(table: pa.Table, names: Sequence[str]) -> pa.ChunkedArray:
    """Take the first of several columns as numbers; what is none becomes null."""
    by_name = {name.casefold(): name for name in table.column_names}
    for name in names:
        if name in by_name:
            text = table[by_name[name]].cast(pa.string())
            number = pc.match_substring_regex(text, r"^\d{1,9}$")
            return pc.if_else(number, text, None).cast(pa.int32())
    return pa.chunked_array([pa.nulls(table.num_rows, pa.int32())])
