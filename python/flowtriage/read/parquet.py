"""Reader of Parquet files: the columns, and for hosts the rows, that are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import normalise_table
from flowtriage.formats.declaration import Binding
from flowtriage.formats.initiator import Initiator
from flowtriage.progress import report_progress
from flowtriage.quality import ReadReport
from flowtriage.read.extra_columns import reading_rows, with_row_numbers
from flowtriage.read.options import Options
from flowtriage.read.record_batches import empty_batch
from flowtriage.read.tables import Searched, TableReader, checked, damage_of, readable

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_KIND = "Parquet file"
_ROWS = 1 << 17
"""Rows per batch."""
_OF_SEARCH = ("rows_read", "rows_bad", "rows_of_other_hosts")
"""Counts that the search for hosts yields."""


def read_parquet(
    file: Any, source: str, options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    """Yield the flows of a Parquet file."""
    import pyarrow.parquet as pq

    with damage_of(source, _KIND):
        plain = pq.ParquetFile(file)
    with plain:
        with damage_of(source, _KIND):
            reading = TableReader(plain.schema_arrow, source, options)
            names = [] if reading.keeps else _repetitive(plain.schema_arrow, reading)
            parquet = pq.ParquetFile(file, metadata=plain.metadata, read_dictionary=names)
        with parquet:
            for done, table in _tables(parquet, reading, source, report):
                report_progress(f"reading {PurePath(source).name}", done, plain.metadata.num_rows)
                yield table


def _tables(
    parquet: ParquetFile, reading: TableReader, source: str, report: ReadReport
) -> Iterator[tuple[int, pa.Table]]:
    """Yield the number of rows so far, and the flows, of each part."""
    search = _HostSearch.of(parquet, reading)
    if search is None:
        batches = parquet.iter_batches(batch_size=_ROWS, columns=reading.columns)
        yield from reading.tables(readable(batches, source, _KIND), report)
        return
    yield from reading.tables([], report)
    first = 0
    for number in range(parquet.num_row_groups):
        with damage_of(source, _KIND):
            searched = search.rows(number, first)
            batch = search.batch(number, searched.rows, reading.columns)
        report.add(searched.counts, searched.by_value)
        yield from reading.selected(batch, report, first, searched)
        first += int(searched.counts["rows_read"])


class _HostSearch:
    """Search of row groups for hosts, of which only the addresses are read."""

    def __init__(self, parquet: ParquetFile, binding: Binding) -> None:
        self._parquet = parquet
        search = replace(binding, fields=[], actions=[], initiator=Initiator(), translated=[])
        self._columns = sorted(search.columns())
        self._binding = reading_rows(search)

    @classmethod
    def of(cls, parquet: ParquetFile, reading: TableReader) -> _HostSearch | None:
        """Return the search, unless all flows are wanted, or other columns tell which are."""
        binding, schema = reading.binding, parquet.schema_arrow
        times = {name for f in binding.fields if f.kind == "time" for name in f.columns}
        has_texts = any(name not in schema.names or _is_text(schema, name) for name in times)
        if not binding.hosts or binding.host_names or reading.keeps or has_texts:
            return None
        return cls(parquet, binding)

    def rows(self, number: int, first_row: int) -> Searched:
        """Return the rows of a row group that have flows of a host."""
        batches = self._parquet.iter_batches(_ROWS, row_groups=[number], columns=self._columns)
        numbered, row = with_row_numbers(checked(batch) for batch in batches)
        flows, counts, by_value, _, bad_rows = normalise_table(
            numbered, [*self._columns, row], self._binding, first_row
        )
        counts = {name: counts[name] for name in _OF_SEARCH}
        by_value = {"skipped": by_value["skipped"]}
        found = flows[row].unique() if flows.num_rows else pa.array([], pa.int64())
        return Searched(found, counts, by_value, bad_rows)

    def batch(self, number: int, rows: pa.Array, columns: list[str]) -> pa.RecordBatch:
        """Read these rows of a row group."""
        group = self._parquet.schema_arrow
        if not len(rows):
            return empty_batch(pa.schema([group.field(name) for name in columns]))
        parts, first = [], 0
        for batch in self._parquet.iter_batches(_ROWS, row_groups=[number], columns=columns):
            inside = pc.and_(pc.greater_equal(rows, first), pc.less(rows, first + batch.num_rows))
            own = pc.subtract(rows.filter(inside), first)
            parts.append(checked(batch).take(own))
            first += batch.num_rows
        return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]


def _repetitive(schema: pa.Schema, reading: TableReader) -> list[str]:
    """Return the columns of strings that repeat, because they are no addresses.

    What the file says about its columns is not read: `pyarrow` ends the process if it is damaged.
    """
    ends = {name for e in reading.binding.endpoints for name in (e.source, e.dest, e.among)}
    names = [name for name in reading.columns if name in schema.names and name not in ends]
    return [name for name in names if _is_text(schema, name)]


def _is_text(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
