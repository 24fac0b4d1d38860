"""Sources of raw flows, reports of an ingest, and the columns of raw flows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.humanize import counted
from flowtriage.quality.report import ReadReport
from flowtriage.read.locate import LogFile
from flowtriage.schema import PAYLOAD_SCHEMA as FLOWS


@dataclass(frozen=True)
class Source:
    """An ingested log file.

    Attributes
    ----------
    path, format
        Path and log format of the file.
    digest, size
        SHA-256 and number of bytes of the content.
    flows, rows_bad, rows_timeless
        Number of stored rows, of rejected ones, and of those dropped for lack of a start time.
    files
        Paths of its Parquet files, relative to the folder of raw flows.
    report
        What reading it counted (`flowtriage.quality.stored`); empty in records of earlier versions.
    """

    path: str
    digest: str
    size: int
    flows: int
    rows_bad: int
    rows_timeless: int
    format: str
    files: tuple[str, ...]
    report: dict[str, Any] = field(default_factory=dict)


@dataclass
class Ingested:
    """Report of an ingest.

    Attributes
    ----------
    new
        Ingested sources.
    known
        Names of files whose content was ingested before.
    reports
        Read report of each source in `new`.
    skipped
        Files of a folder that are not flow logs, and the reason for each.
    """

    new: list[Source] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    reports: list[ReadReport] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def flows(self) -> int:
        """Number of ingested flows."""
        return sum(source.flows for source in self.new)

    def __str__(self) -> str:
        """Summarise the ingest in one line."""
        text = f"{counted(self.flows, 'record')} of {counted(len(self.new), 'file')} ingested"
        counts = (
            (len(self.known), "file", "already ingested"),
            (sum(source.rows_bad for source in self.new), "bad row", "dropped"),
            (sum(one.rows_timeless for one in self.new), "row", "without a start time dropped"),
            (len(self.skipped), "file", "skipped"),
        )
        return text + "".join(f"; {counted(n, noun)} {what}" for n, noun, what in counts if n)


EXTRA = {"tos": ("stos", "tos", "srctos"), "input": ("input", "in"), "output": ("output", "out")}
"""Additional columns for `flow_edge`, with their names in logs."""
SCHEMA: pa.Schema = pa.schema([*FLOWS, *(pa.field(name, pa.int32()) for name in EXTRA)])
"""Columns of raw flows."""
PARTITIONS: pa.Schema = pa.schema([(name, pa.int32()) for name in "ymdh"])
"""Partition columns: year, month, day and hour of the start time."""


@dataclass
class Counts:
    """Number of stored rows, and of rows dropped for lack of a start time."""

    flows: int = 0
    timeless: int = 0


def raw_batches(tables: Iterator[pa.Table], counts: Counts) -> Iterator[pa.RecordBatch]:
    """Convert flows to the columns of raw flows and their partition columns."""
    for table in tables:
        timed = table.filter(pc.is_valid(table["start_time"]))
        counts.timeless += table.num_rows - timed.num_rows
        counts.flows += timed.num_rows
        start = timed["start_time"]
        present = {name: timed[name] for name in FLOWS.names if name in timed.column_names}
        columns = {f.name: present.get(f.name, pa.nulls(len(timed), f.type)) for f in FLOWS}
        columns |= {name: _numbers(timed, names) for name, names in EXTRA.items()}
        parts = {"y": pc.year, "m": pc.month, "d": pc.day, "h": pc.hour}
        columns |= {name: part(start).cast(pa.int32()) for name, part in parts.items()}
        yield from pa.table(columns).combine_chunks().to_batches()


def _numbers(table: pa.Table, names: Sequence[str]) -> pa.ChunkedArray:
    """Parse the first of several columns as integers; invalid values become null."""
    by_name = {name.casefold(): name for name in table.column_names}
    for name in names:
        if name in by_name:
            strings = table[by_name[name]].cast(pa.string())
            valid = pc.match_substring_regex(strings, r"^\d{1,9}$")
            return pc.if_else(valid, strings, None).cast(pa.int32())
    return pa.chunked_array([pa.nulls(table.num_rows, pa.int32())])


_BLOCK = 1 << 20


def digests(file: LogFile, sizes: Collection[int]) -> dict[int, str]:
    """Return the digests of the first bytes of a file, by size; the whole content comes last."""
    digest, size = hashlib.sha256(), 0
    found: dict[int, str] = {}
    with closing(file.open()) as opened:
        for stop in (*sorted(sizes), None):
            while block := opened.read(_BLOCK if stop is None else min(_BLOCK, stop - size)):
                digest.update(block)
                size += len(block)
            found[size] = digest.hexdigest()
    return found
