"""Reader of Parquet files: the columns, and for hosts the row groups, that are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
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
    from pyarrow.parquet import ParquetFile, RowGroupMetaData

_KIND = "Parquet file"
_ROWS = 1 << 17
"""Rows per batch."""
_OF_SEARCH = ("rows_read", "rows_bad", "rows_of_other_hosts")
"""Counts that the search for hosts yields."""
_INDEX_BYTES = 3
_DICTIONARY_BYTES = 1 << 20
"""Maximum size of a value of a dictionary-encoded column, and of its dictionary."""


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
            names = [] if reading.keeps else _encoded(plain, reading.columns)
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
        first += parquet.metadata.row_group(number).num_rows


class _HostSearch:
    """Search of row groups for hosts, of which only the addresses are read."""

    def __init__(self, parquet: ParquetFile, binding: Binding) -> None:
        self._parquet = parquet
        search = replace(binding, fields=[], actions=[], initiator=Initiator(), translated=[])
        self._columns = sorted(search.columns())
        self._binding = reading_rows(search)
        ends = {name for e in binding.endpoints for name in (e.source, e.dest)}
        self._hosts = [_as_v4(host) for host in binding.hosts]
        self._only_ends = ends == set(self._columns)

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
        group = self._parquet.metadata.row_group(number)
        if self._is_excluded(group):
            counts = {"rows_read": group.num_rows, "rows_of_other_hosts": group.num_rows}
            return Searched(pa.array([], pa.int64()), counts, {}, [])
        batches = self._parquet.iter_batches(
            group.num_rows, row_groups=[number], columns=self._columns
        )
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

    def _is_excluded(self, group: RowGroupMetaData) -> bool:
        """Return whether statistics show that a row group has none of the hosts.

        They do for IPv4 hosts where all strings start with 1 to 9: other notations of these start
        with a colon, a bracket, a zero or a space.
        """
        if not self._only_ends or None in self._hosts:
            return False
        chunks = (group.column(n) for n in range(group.num_columns))
        found = [chunk for chunk in chunks if chunk.path_in_schema in self._columns]
        return len(found) == len(self._columns) and all(map(self._is_outside, found))

    def _is_outside(self, chunk: Any) -> bool:
        statistics = chunk.statistics
        if statistics is None or not statistics.has_min_max:
            return False
        first, last = statistics.min, statistics.max
        if not isinstance(first, str) or not isinstance(last, str):
            return False
        hosts = [host for host in self._hosts if host is not None]
        return first >= "1" and last < ":" and not any(first <= host <= last for host in hosts)


def _as_v4(host: str) -> str | None:
    """Return an IPv4 address; None for a network of several, or IPv6."""
    try:
        return str(IPv4Address(host.removesuffix("/32")))
    except ValueError:
        return None


def _encoded(parquet: ParquetFile, columns: list[str]) -> list[str]:
    """Return the columns of strings that are dictionary-encoded as a whole."""
    schema = parquet.schema_arrow
    groups = [parquet.metadata.row_group(n) for n in range(parquet.num_row_groups)]
    chunks = (group.column(n) for group in groups for n in range(group.num_columns))
    plain = {
        chunk.path_in_schema
        for chunk in chunks
        if not chunk.has_dictionary_page
        or chunk.total_uncompressed_size > _INDEX_BYTES * chunk.num_values + _DICTIONARY_BYTES
    }
    texts = {name for name in schema.names if _is_text(schema, name)}
    return [name for name in columns if name in texts - plain]


def _is_text(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
