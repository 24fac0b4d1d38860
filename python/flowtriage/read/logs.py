"""Reader of logs of every declared format."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import Any, TypeAlias, cast

import pyarrow as pa

from flowtriage._core import normalise_block, normalise_table, whole_records
from flowtriage.errors import FormatError, InputError
from flowtriage.formats.azure_nta import AZURE_NTA
from flowtriage.formats.declaration import Binding, Format, Outcome
from flowtriage.formats.layout import TextLayout
from flowtriage.formats.metadata import table_metadata
from flowtriage.humanize import counted, sanitize
from flowtriage.inputs.arrow import check_names
from flowtriage.progress import report_progress
from flowtriage.quality import BadRow, ReadReport
from flowtriage.read.date_order import DateOrder, DateOrders
from flowtriage.read.detect import container_of, detect_text, json_names, match
from flowtriage.read.extra_columns import (
    Kept,
    kept_columns,
    reading_rows,
    reading_text,
    with_columns,
    with_partitions,
    with_row_numbers,
)
from flowtriage.read.hosts import NAMED_ENDS, Hosts
from flowtriage.read.locate import LogFile, locate
from flowtriage.read.record_batches import empty_batch, flat, groups_of
from flowtriage.read.streams import BLOCK, Log, as_text, opened
from flowtriage.read.trailer import TrailerCheck

MAX_RECORD_BYTES = 4 * BLOCK
"""Maximum size of a record in a text log; a longer one is a bad row."""
_ROWS = 1 << 17
"""Rows per batch of a Parquet file."""


@dataclass(frozen=True)
class Options:
    """Read options of logs, as in `read_flows`; `names` is for text logs without a header.

    `named_ends` keeps the columns of `NAMED_ENDS`, too.
    """

    format: Format | None = None
    keep: Kept = False
    zone: str = "UTC"
    names: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    date_order: str | None = None
    hosts: Hosts = field(default_factory=Hosts)
    named_ends: bool = False
    orders: DateOrders = field(default_factory=DateOrders, compare=False)

    def applied(self, binding: Binding, format: Format) -> Binding:
        """Return a binding with the notation of times, internal networks and wanted hosts."""
        hosts = self.hosts.searched(format)
        return replace(
            binding,
            zone=self.zone,
            date_order=self.date_order,
            initiator=replace(binding.initiator, networks=self.internal),
            hosts=list(hosts.networks),
            host_names=hosts.texts(),
        )

    def kept(self, format: Format) -> Kept:
        """Return the extra columns of a log of this format."""
        if not self.named_ends or self.keep is True or format.name != AZURE_NTA.name:
            return self.keep
        return tuple(dict.fromkeys([*(self.keep or ()), *NAMED_ENDS, *NAMED_ENDS.values()]))


def read_path(
    path: str | os.PathLike[str], options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    """Yield the flows of the files of a path, glob, directory or URL.

    Skip files of a directory that are not flow logs; list them in the report.

    Raises
    ------
    FormatError
        If a format is not recognised, or a directory contains no flow log.
    """
    files = locate(path)
    for file in files:
        if file.hidden:
            report.skip_file(file.name, "hidden file: the name starts with . or _")
        elif file.found:
            yield from _read_found(file, options, report)
        else:
            yield from read_file(file, options, report)
    if all(file.name in report.skipped_files for file in files):
        name, reason = next(iter(report.skipped_files.items()))
        raise FormatError(
            f"none of the {counted(len(files), 'file')} in this directory is a flow log; "
            f"{name}: {reason}"
        )


def _read_found(file: LogFile, options: Options, report: ReadReport) -> Iterator[pa.Table]:
    """Read a file found in a directory; skip it if it is not a flow log."""
    tables = read_file(file, options, report)
    try:
        first = next(tables, None)
    except FormatError as error:
        report.sources.remove(file.name)
        report.skip_file(file.name, str(error).removeprefix(f"{file.name}: "))
        return
    if first is not None:
        yield first
        yield from tables


def read_file(file: LogFile, options: Options, report: ReadReport) -> Iterator[pa.Table]:
    """Yield the flows of a file: text (plain, gzip or zstd), Parquet or Arrow IPC.

    Raises
    ------
    FormatError
        If the format is not recognised, or the file is too damaged to continue.
    """
    report.sources.append(file.name)
    with opened(file) as log, closing(log.blocks()) as blocks:
        first = next(blocks, b"")
        container = container_of(first)
        all_blocks = chain([first], blocks)
        if container == "text":
            tables = _read_text(log, as_text(all_blocks), options, report)
        else:
            tables = _read_binary(log, container, all_blocks, options, report)
        for table in tables:
            yield with_partitions(table, file.partitions, options.keep)


def _read_binary(
    log: Log, container: str, blocks: Iterator[bytes], options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    with log.random_access(blocks) as whole:
        read = _read_parquet if container == "parquet" else _read_arrow
        yield from read(whole, log.name, options, report)


def _read_text(
    log: Log, blocks: Iterator[bytes], options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    source = log.name
    rest = next(blocks, b"")
    found = detect_text(rest, source, options.format, options.names)
    report.add_format(found.format)
    report.add_limits(found.binding.limits())
    layout = cast("TextLayout", found.layout)
    report.columns.update(layout.names)
    keep = options.kept(found.format)
    names = layout.names or (json_names(rest) if keep is True else keep or ())
    names = [name for name in names if not (layout.tuples and layout.tuples.is_in(name))]
    binding = reading_text(found.binding, kept_columns(names, found.binding, keep))
    binding = options.applied(binding, found.format)
    trailer = TrailerCheck(found.format.trailer)
    metadata = table_metadata(found.format, found.binding)
    line = 1 + found.header_lines
    rest = rest[found.header :]

    dates: DateOrder[None] = DateOrder(source, binding, options.orders)

    def normalised(text: bytes, end: int) -> Iterator[pa.Table]:
        _check_header(text, end, layout, source, line)
        report_progress(f"reading {PurePath(source).name}", log.done, log.size)
        part = partial(_text_outcome, text, trailer.cut(text, end), layout, line)
        yield from added(dates.read(None, part))

    def added(outcomes: Iterator[tuple[None, Outcome]]) -> Iterator[pa.Table]:
        for _, outcome in outcomes:
            table = _add(outcome, source, report).replace_schema_metadata(metadata)
            trailer.add(table)
            yield table

    while True:
        end, lines = whole_records(rest, layout)
        if end:
            yield from normalised(rest, end)
            line += lines
            rest = rest[end:]
        if len(rest) > MAX_RECORD_BYTES:
            report.rows_read += 1
            report.reject(BadRow(source, line, None, None, _too_long(layout)))
            if layout.objects:
                rest = b""
                break
            rest = _after_line(rest, blocks)
            line += 1
        elif (block := next(blocks, None)) is not None:
            rest += block
        else:
            break
    if layout.quoted and (log.damage or log.grew):
        # Whole lines after an unclosed quotation mark.
        end = rest.rfind(b"\n") + 1
        if end:
            yield from normalised(rest, end)
            line += rest.count(b"\n", 0, end)
            rest = rest[end:]
    if log.damage:
        report.rows_read += 1
        report.reject(BadRow(source, line - 1, None, None, f"after this line {log.damage}"))
    elif rest and log.grew:
        report.rows_read += 1
        reason = "is incomplete; the log was still being written"
        report.reject(BadRow(source, line, None, None, reason))
    elif rest:
        yield from normalised(rest, len(rest))
    yield from added(dates.finish())
    report.date_orders += dates.orders()
    if not options.hosts:
        trailer.add_totals(report, source)


def _text_outcome(
    text: bytes, end: int, layout: TextLayout, line: int, binding: Binding
) -> Outcome:
    return normalise_block(text, end, layout, binding, line)


def _too_long(layout: TextLayout) -> str:
    size = f"is longer than {MAX_RECORD_BYTES >> 20} MB"
    if layout.objects:
        return f"{size}; nothing after the start of this record was read"
    return f"{size}; is there an unclosed quotation mark?"


def _after_line(rest: bytes, blocks: Iterator[bytes]) -> bytes:
    while (end := rest.find(b"\n")) < 0:
        rest = next(blocks, b"\n")
    return rest[end + 1 :]


def _check_header(block: bytes, end: int, layout: TextLayout, source: str, line: int) -> None:
    """Reject a concatenated log whose columns change."""
    if layout.comment is None or block.find(layout.comment.encode(), 0, end) < 0:
        return
    at = block.find(b"#fields", 0, end)
    while at >= 0:
        if at == 0 or block[at - 1 : at] == b"\n":
            text = block[at : block.find(b"\n", at)].decode("utf-8", "replace")
            if text.rstrip("\r").split(layout.delimiter)[1:] != layout.names:
                number = line + block.count(b"\n", 0, at)
                raise FormatError(
                    f"{source}, line {number}: the columns change "
                    "here (#fields); split the file at this line and read its parts as a list"
                )
        at = block.find(b"#fields", at + 1, end)


def _read_parquet(
    file: Any, source: str, options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    kind = "Parquet file"
    with _damage_of(source, kind):
        parquet = pq.ParquetFile(file)
    with parquet:
        with _damage_of(source, kind):
            reading = _BatchReader(parquet.schema_arrow, source, options)
            rows = parquet.metadata.num_rows
            batches = parquet.iter_batches(batch_size=_ROWS, columns=reading.columns)
        for done, table in reading.tables(_readable(batches, source, kind), report):
            report_progress(f"reading {PurePath(source).name}", done, rows)
            yield table


def _read_arrow(file: Any, source: str, options: Options, report: ReadReport) -> Iterator[pa.Table]:
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


_Part: TypeAlias = tuple[int, list[pa.RecordBatch]]
"""Number of rows up to the end of some batches, and these."""


class _BatchReader:
    """Reader of batches of one schema, of which it needs `columns`."""

    def __init__(self, schema: pa.Schema, source: str, options: Options) -> None:
        schema = flat(empty_batch(schema)).schema
        try:
            check_names(schema)
        except InputError as error:
            raise FormatError(f"{source}: {error}") from None
        names = schema.names
        self._source, self._names, self._orders = source, names, options.orders
        self._format = match(names, source, options.format)
        binding = self._format.bind(names)
        self._kept = kept_columns(names, binding, options.kept(self._format))
        self._used = [name for name in names if name in binding.columns()]
        binding = options.applied(binding, self._format)
        self._binding = reading_rows(binding) if self._kept else binding
        self.columns = [name for name in names if name in {*self._used, *self._kept}]
        self._metadata = table_metadata(self._format, binding)
        self._schema = pa.schema([schema.field(name) for name in self.columns])

    def tables(self, batches: Any, report: ReadReport) -> Iterator[tuple[int, pa.Table]]:
        """Yield the number of rows so far, and the flows, of each batch."""
        report.add_format(self._format)
        report.add_limits(self._binding.limits())
        report.columns.update(self._names)
        dates: DateOrder[_Part] = DateOrder(self._source, self._binding, self._orders, by_row=True)
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
            yield from self._added(outcomes, report)
        yield from self._added(dates.finish(), report)
        report.date_orders += dates.orders()

    def _added(
        self,
        outcomes: Iterable[tuple[tuple[int, list[pa.RecordBatch]], Outcome]],
        report: ReadReport,
    ) -> Iterator[tuple[int, pa.Table]]:
        for (rows, read), outcome in outcomes:
            table = _add(outcome, self._source, report, by_row=True)
            table = table.replace_schema_metadata(self._metadata)
            yield rows, with_columns(table, read, self._kept) if self._kept else table

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


def _add(outcome: Outcome, source: str, report: ReadReport, *, by_row: bool = False) -> pa.Table:
    table, counts, by_value, _, bad_rows = outcome
    report.add(counts, by_value)
    report.list_bad_rows(BadRow(source, *row, by_row=by_row) for row in bad_rows)
    return table
