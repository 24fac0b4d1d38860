"""Reader of tables: Arrow files, and streams of Arrow batches."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

import pyarrow as pa

from flowtriage._core import normalise_table
from flowtriage.errors import FormatError, InputError
from flowtriage.formats.declaration import BadRowTuple, Binding, Outcome
from flowtriage.formats.metadata import table_metadata
from flowtriage.formats.projection import projected
from flowtriage.humanize import sanitize
from flowtriage.inputs.arrow import check_names
from flowtriage.quality import ReadReport
from flowtriage.quality.numbers import MAX_LISTED
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


def read_arrow(file: Any, source: str, options: Options, report: ReadReport) -> Iterator[pa.Table]:
    """Yield the flows of an Arrow file."""
    with (
        damage_of(source, "Arrow file"),
        pa.memory_map(os.fspath(file)) if isinstance(file, os.PathLike) else file as opened_file,
    ):
        reader = pa.ipc.open_file(opened_file).read_all().to_reader()
    yield from read_batches(reader, source, options, report, "Arrow file")


@contextmanager
def damage_of(source: str, kind: str) -> Iterator[None]:
    """Raise `FormatError` for errors of pyarrow about a damaged file or stream."""
    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = sanitize(str(error), 300)
        raise FormatError(f"{source}: cannot read this {kind} ({reason})") from None


def readable(batches: Iterable[pa.RecordBatch], source: str, kind: str) -> Iterator[pa.RecordBatch]:
    """Yield batches; raise `FormatError` for errors about a damaged file or stream."""
    with damage_of(source, kind):
        yield from batches


def read_batches(
    reader: pa.RecordBatchReader,
    source: str,
    options: Options,
    report: ReadReport,
    kind: str = "stream",
) -> Iterator[pa.Table]:
    """Yield the flows of a stream of Arrow batches with the columns of a declared format."""
    with damage_of(source, kind):
        reading = TableReader(reader.schema, source, options)
    batches = readable(reader, source, kind)
    yield from (table for _, table in reading.tables(batches, report))


@dataclass(frozen=True)
class Searched:
    """The rows of a part of a table that have flows of a host, and what is known of the others."""

    rows: pa.Array
    counts: Mapping[str, float]
    by_value: Mapping[str, Mapping[str, int]]
    bad_rows: Sequence[BadRowTuple]


def checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a valid batch without nested columns."""
    batch.validate()
    return flat(batch)


_Part: TypeAlias = tuple[int, list[pa.RecordBatch]]
"""Number of rows up to the end of some batches, and these."""


class TableReader:
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
        self._kept = kept_columns(names, binding, options.kept(self._format))
        self._orders = options.orders
        targets = options.targets_of(self._format)
        if targets is not None:
            binding = projected(binding, targets)
        self._used = [name for name in names if name in binding.columns()]
        binding = options.applied(binding, self._format)
        self._binding = reading_rows(binding) if self._kept else binding
        self.columns = [name for name in names if name in {*self._used, *self._kept}]
        self.binding = binding
        self._metadata = table_metadata(self._format, binding)
        self._schema = pa.schema([schema.field(name) for name in self.columns])

    @property
    def keeps(self) -> bool:
        """Whether extra columns are kept."""
        return bool(self._kept)

    def tables(
        self, batches: Any, report: ReadReport, first_row: int = 0
    ) -> Iterator[tuple[int, pa.Table]]:
        """Yield the number of rows so far, and the flows, of each batch."""
        report.add_format(self._format)
        report.add_limits(self._limits)
        report.columns.update(self._names)
        dates: DateOrder[_Part] = DateOrder(self._source, self._binding, self._orders, by_row=True)
        done = first_row
        # The first, empty batch provides the types of extra columns if there is no other.
        for group in chain([[empty_batch(self._schema)]], groups_of(batches)):
            try:
                used = [self._used_columns(batch) for batch in group]
                part = partial(self._normalised, used, done)
                done += sum(batch.num_rows for batch in used)
                outcomes = list(dates.read((done, used), part))
            except (InputError, pa.ArrowInvalid) as error:
                raise FormatError(f"{self._source}: {error}") from None
            yield from self._added(outcomes, report)
        yield from self._added(dates.finish(), report)
        report.date_orders += dates.orders()

    def _added(
        self, outcomes: Iterable[tuple[_Part, Outcome]], report: ReadReport
    ) -> Iterator[tuple[int, pa.Table]]:
        for (rows, read), outcome in outcomes:
            table = add_outcome(outcome, self._source, report, self._metadata, by_row=True)
            yield rows, with_columns(table, read, self._kept) if self._kept else table

    def selected(
        self, batch: pa.RecordBatch, report: ReadReport, first_row: int, searched: Searched
    ) -> Iterator[tuple[int, pa.Table]]:
        """Yield the flows of a batch of the rows that a search has found."""
        outcome = self._normalised([batch.select(self.columns)], first_row, self._binding)
        flows, counts, by_value, dates, bad_rows = outcome
        numbers = searched.rows.to_pylist() if bad_rows else []
        listed = [(first_row + numbers[row[0] - first_row], *row[1:]) for row in bad_rows]
        counts = {name: count for name, count in counts.items() if name != "rows_read"}
        listed = sorted([*searched.bad_rows, *listed])[:MAX_LISTED]
        outcome = (flows, counts, by_value, dates, listed)
        yield (
            first_row,
            add_outcome(outcome, self._source, report, self._metadata, by_row=True),
        )

    def _used_columns(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return checked(batch).select(self.columns)

    def _normalised(
        self, batches: list[pa.RecordBatch], first_row: int, binding: Binding
    ) -> Outcome:
        if not self._kept:
            return normalise_table(batches, self._used, binding, first_row)
        numbered, row = with_row_numbers(batches)
        return normalise_table(numbered, [*self._used, row], binding, first_row)
