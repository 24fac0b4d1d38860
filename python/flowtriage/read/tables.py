"""Reader of tables: Parquet, Arrow files and streams of Arrow batches."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import Any

import pyarrow as pa

from flowtriage._core import normalise_table
from flowtriage.errors import FormatError, InputError
from flowtriage.formats.declaration import Binding, Outcome
from flowtriage.formats.metadata import table_metadata
from flowtriage.formats.projection import projected
from flowtriage.humanize import sanitize
from flowtriage.inputs.arrow import check_names
from flowtriage.progress import report_progress
from flowtriage.quality import ReadReport
from flowtriage.read.date_order import DateOrder
from flowtriage.read.detect import match
from flowtriage.read.extra_columns import (
    kept_columns,
    reading_rows,
    with_columns,
    with_row_numbers,
)
from flowtriage.read.options import Options
from flowtriage.read.outcomes import add_outcome
from flowtriage.read.record_batches import empty_batch, flat, groups_of

_ROWS = 1 << 17
"""Rows per batch of a Parquet file."""
_INDEX_BYTES = 3
_DICTIONARY_BYTES = 1 << 20
"""Maximum size of a value of a dictionary-encoded column in Parquet, and of its dictionary."""


def read_parquet(
    file: Any, source: str, options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    """Yield the flows of a Parquet file."""
    import pyarrow.parquet as pq

    kind = "Parquet file"
    with _damage_of(source, kind):
        parquet = pq.ParquetFile(file)
    with parquet:
        with _damage_of(source, kind):
            reading = _BatchReader(parquet.schema_arrow, source, options)
            rows = parquet.metadata.num_rows
            if options.targets is not None:
                parquet = _with_dictionaries(parquet, file, reading.columns)
            batches = parquet.iter_batches(batch_size=_ROWS, columns=reading.columns)
        for done, table in reading.tables(_readable(batches, source, kind), report):
            report_progress(f"reading {PurePath(source).name}", done, rows)
            yield table


def read_arrow(file: Any, source: str, options: Options, report: ReadReport) -> Iterator[pa.Table]:
    """Yield the flows of an Arrow file."""
    with (
        _damage_of(source, "Arrow file"),
        pa.memory_map(os.fspath(file)) if isinstance(file, os.PathLike) else file as opened_file,
    ):
        reader = pa.ipc.open_file(opened_file).read_all().to_reader()
    yield from read_batches(reader, source, options, report, "Arrow file")


@contextmanager
def _damage_of(source: str, kind: str) -> Iterator[None]:
    """Raise `FormatError` for errors of pyarrow about a damaged file or stream."""
    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = sanitize(str(error), 300)
        raise FormatError(f"{source}: cannot read this {kind} ({reason})") from None


def _readable(
    batches: Iterable[pa.RecordBatch], source: str, kind: str
) -> Iterator[pa.RecordBatch]:
    with _damage_of(source, kind):
        yield from batches


def read_batches(
    reader: pa.RecordBatchReader,
    source: str,
    options: Options,
    report: ReadReport,
    kind: str = "stream",
) -> Iterator[pa.Table]:
    """Yield the flows of a stream of Arrow batches with the columns of a declared format."""
    with _damage_of(source, kind):
        reading = _BatchReader(reader.schema, source, options)
    batches = _readable(reader, source, kind)
    yield from (table for _, table in reading.tables(batches, report))


class _BatchReader:
    """Reader of batches of one schema, of which it needs `columns`."""

    def __init__(self, schema: pa.Schema, source: str, options: Options) -> None:
        schema = flat(empty_batch(schema)).schema
        try:
            check_names(schema)
        except InputError as error:
            raise FormatError(f"{source}: {error}") from None
        names = schema.names
        self._source, self._names = source, names
        self._format = match(names, source, options.format)
        binding = self._format.bind(names)
        self._limits = binding.limits()
        self._kept = kept_columns(names, binding, options.keep)
        targets = options.targets_of(self._format)
        if targets is not None:
            binding = projected(binding, targets)
        self._used = [name for name in names if name in binding.columns()]
        binding = options.applied(binding, self._format)
        self._binding = reading_rows(binding) if self._kept else binding
        self.columns = [name for name in names if name in {*self._used, *self._kept}]
        self._metadata = table_metadata(self._format, binding)
        self._schema = pa.schema([schema.field(name) for name in self.columns])

    def tables(self, batches: Any, report: ReadReport) -> Iterator[tuple[int, pa.Table]]:
        """Yield the number of rows so far, and the flows, of each batch."""
        report.add_format(self._format)
        report.add_limits(self._limits)
        report.columns.update(self._names)
        dates: DateOrder[tuple[int, list[pa.RecordBatch]]]
        dates = DateOrder(self._source, self._binding, by_row=True)
        done = 0
        # The first, empty batch provides the types of extra columns if there is no other.
        for group in chain([[empty_batch(self._schema)]], groups_of(batches)):
            try:
                used = [self._used_columns(batch) for batch in group]
                part = partial(self._normalised, used, done)
                done += sum(batch.num_rows for batch in used)
                outcomes = list(dates.read((done, used), part))
            except (InputError, pa.ArrowInvalid) as error:
                raise FormatError(f"{self._source}: {error}") from None
            for (rows, read), outcome in outcomes:
                table = add_outcome(outcome, self._source, report, self._metadata, by_row=True)
                yield rows, with_columns(table, read, self._kept) if self._kept else table
        dates.finish()

    def _used_columns(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        batch.validate()
        return flat(batch).select(self.columns)

    def _normalised(
        self, batches: list[pa.RecordBatch], first_row: int, binding: Binding
    ) -> Outcome:
        if not self._kept:
            return normalise_table(batches, self._used, binding, first_row)
        numbered, row = with_row_numbers(batches)
        return normalise_table(numbered, [*self._used, row], binding, first_row)


def _with_dictionaries(parquet: Any, file: Any, columns: list[str]) -> Any:
    """Return a Parquet file whose strings stay encoded where all of a column are."""
    import pyarrow.parquet as pq

    strings = {field.name for field in parquet.schema_arrow if _is_string(field.type)}
    groups = [parquet.metadata.row_group(n) for n in range(parquet.metadata.num_row_groups)]
    chunks = (group.column(n) for group in groups for n in range(group.num_columns))
    plain = {
        chunk.path_in_schema
        for chunk in chunks
        if not chunk.has_dictionary_page
        or chunk.total_uncompressed_size > _INDEX_BYTES * chunk.num_values + _DICTIONARY_BYTES
    }
    encoded = [name for name in columns if name in strings - plain]
    if not encoded:
        return parquet
    return pq.ParquetFile(file, metadata=parquet.metadata, read_dictionary=encoded)


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
