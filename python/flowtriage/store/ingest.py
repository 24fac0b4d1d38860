"""What was ingested, and what an ingest did."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.quality.report import ReadReport
from flowtriage.read.locate import LogFile
from flowtriage.schema import PAYLOAD_SCHEMA as FLOWS


@dataclass(frozen=True)
class Source:
    """A log file that was ingested.

    Attributes
    ----------
    path
        Where it was.
    digest
        SHA-256 of its content.
    size
        Bytes of its content.
    flows
        Rows of it that are kept.
    rows_bad
        Rows that could not be used.
    rows_timeless
        Rows without a start time, which belong to no day.
    format
        Its format.
    files
        Parquet files that hold its flows, within the folder.
    """

    path: str
    digest: str
    size: int
    flows: int
    rows_bad: int
    rows_timeless: int
    format: str
    files: tuple[str, ...]


@dataclass
class Ingested:
    """What an ingest did.

    Attributes
    ----------
    new
        Sources that were read.
    known
        Names of the files whose content is there already.
    reports
        What was found while reading each of `new`.
    passed_over
        Files of a folder that are no flow logs, and why.
    """

    new: list[Source] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    reports: list[ReadReport] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)

    @property
    def flows(self) -> int:
        """Number of flows that were added."""
        return sum(source.flows for source in self.new)

    def __str__(self) -> str:
        """Say what was added and what was not."""
        text = f"{self.flows:,} flows of {len(self.new):,} files ingested"
        if self.known:
            text += f"; {len(self.known):,} files were there already"
        if bad := sum(source.rows_bad for source in self.new):
            text += f"; {bad:,} bad rows left out"
        if timeless := sum(source.rows_timeless for source in self.new):
            text += f"; {timeless:,} rows without a start time left out"
        if self.passed_over:
            text += f"; {len(self.passed_over):,} files are no flow logs"
        return text


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


_BLOCK = 1 << 20


def digests(file: LogFile, sizes: Collection[int]) -> dict[int, str]:
    """Digest the whole content of a file, last, and before it the beginnings of certain sizes."""
    digest = hashlib.sha256()
    found: dict[int, str] = {}
    size = 0
    with closing(file.open()) as opened:
        for stop in sorted(sizes):
            size += _digest(opened, digest, stop - size)
            if size == stop:
                found[size] = digest.hexdigest()
        size += _digest(opened, digest, None)
    found.pop(size, None)
    return found | {size: digest.hexdigest()}


def _digest(opened: Any, digest: Any, most: int | None) -> int:
    done = 0
    while block := opened.read(_BLOCK if most is None else min(_BLOCK, most - done)):
        digest.update(block)
        done += len(block)
    return done
