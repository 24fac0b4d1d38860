"""The engine that reads logs of every declared format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import PurePath
from typing import Any, cast

import pyarrow as pa

from flowtriage._core import normalise_block, normalise_table, whole_records
from flowtriage.errors import FormatError, InputError
from flowtriage.formats.declaration import Format, Outcome, TextLayout, table_metadata
from flowtriage.progress import report_progress
from flowtriage.quality.report import BadRow, ReadReport
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
from flowtriage.read.locate import LogFile, locate
from flowtriage.read.streams import BLOCK, Log, as_text, opened
from flowtriage.read.trailer import Ending

MAX_LENGTH = 4 * BLOCK
"""Longest record of a text, in bytes; a longer one is a bad row."""
_ROWS = 1 << 17
"""Rows of a Parquet file that are read at once."""


@dataclass(frozen=True)
class Options:
    """How logs are to be read.

    Parameters
    ----------
    format
        Their format, or None to detect it from the content.
    keep
        Columns of the source that are kept beside the canonical ones: their names, or True for
        all.
    zone
        Zone of times that are written without one.
    names
        Names of the fields of a text without a header; none where it has one.
    """

    format: Format | None = None
    keep: Kept = False
    zone: str = "UTC"
    names: tuple[str, ...] = ()


def read_place(
    place: str | os.PathLike[str], options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    """Read the files that a path, a glob, a folder or a URL stands for.

    In a folder, files that are no flow logs are passed over and told.

    Yields
    ------
    pyarrow.Table
        Flows in the canonical schema.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    FormatError
        If a format is not recognised, or there is no flow log in a folder.
    """
    files = locate(place)
    for file in files:
        if file.hidden:
            report.skip_file(file.name, "its name says that it holds no data")
        elif file.found:
            yield from _read_found(file, options, report)
        else:
            yield from read_file(file, options, report)
    if all(file.name in report.skipped_files for file in files):
        name, reason = next(iter(report.skipped_files.items()))
        raise FormatError(
            f"none of the {len(files):,} files in this folder is a flow log; {name}: {reason}"
        )


def _read_found(file: LogFile, options: Options, report: ReadReport) -> Iterator[pa.Table]:
    """Read a file found in a folder, unless it turns out to be something else."""
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
    """Read a log file.

    Parameters
    ----------
    file
        The file: text (plain, gzip or zstd), Parquet or Arrow IPC.
    options
        How to read it.
    report
        Takes note of what is found.

    Yields
    ------
    pyarrow.Table
        Flows in the canonical schema.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    FormatError
        If the format is not recognised, or the file is damaged beyond reading on.
    """
    report.sources.append(file.name)
    with opened(file) as log, closing(log.blocks()) as blocks:
        first = next(blocks, b"")
        container = container_of(first)
        everything = chain([first], blocks)
        if container == "text":
            tables = _read_text(log, as_text(everything), options, report)
        else:
            tables = _read_binary(log, container, everything, options, report)
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
    layout = cast("TextLayout", found.layout)
    names = layout.names or (json_names(rest) if options.keep is True else options.keep or ())
    binding = reading_text(found.binding, kept_columns(names, found.binding, options.keep))
    binding = replace(binding, zone=options.zone)
    ending = Ending(found.format.trailer)
    of_log = table_metadata(found.format, found.binding)
    line = 1 + found.header_lines
    rest = rest[found.header :]

    def normalised(text: bytes, end: int) -> pa.Table:
        _same_header(text, end, layout, source, line)
        report_progress(f"reading {PurePath(source).name}", log.done, log.size)
        outcome = normalise_block(text, ending.cut(text, end), layout, binding, line)
        table = _note(outcome, source, report).replace_schema_metadata(of_log)
        ending.add(table)
        return table

    while True:
        end, lines = whole_records(rest, layout)
        if end:
            yield normalised(rest, end)
            line += lines
            rest = rest[end:]
        if len(rest) > MAX_LENGTH:
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
    if log.damage:
        report.reject(BadRow(source, line - 1, None, None, f"after this line {log.damage}"))
    elif rest and log.grew:
        report.rows_read += 1
        reason = "is not whole; the log was still being written"
        report.reject(BadRow(source, line, None, None, reason))
    elif rest:
        yield normalised(rest, len(rest))
    ending.tell(report, source)


def _too_long(layout: TextLayout) -> str:
    size = f"is longer than {MAX_LENGTH >> 20} MB"
    if layout.objects:
        return f"{size}; nothing after the beginning of this record was read"
    return f"{size}; is a quotation mark not closed?"


def _after_line(rest: bytes, blocks: Iterator[bytes]) -> bytes:
    while (end := rest.find(b"\n")) < 0:
        rest = next(blocks, b"\n")
    return rest[end + 1 :]


def _same_header(block: bytes, end: int, layout: TextLayout, source: str, line: int) -> None:
    """Refuse a log put together from parts whose columns differ."""
    if layout.comment is None or block.find(layout.comment.encode(), 0, end) < 0:
        return
    place = block.find(b"#fields", 0, end)
    while place >= 0:
        if place == 0 or block[place - 1 : place] == b"\n":
            text = block[place : block.find(b"\n", place)].decode("utf-8", "replace")
            if text.rstrip("\r").split(layout.delimiter)[1:] != layout.names:
                number = line + block.count(b"\n", 0, place)
                raise FormatError(
                    f"{source}, line {number}: the columns change "
                    "here (#fields); split the file at this line and read its parts as a list"
                )
        place = block.find(b"#fields", place + 1, end)


def _read_parquet(
    place: Any, source: str, options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(place)
    except pa.ArrowInvalid as error:
        raise FormatError(f"{source}: this Parquet file cannot be read ({error})") from None
    with file:
        reading = _Reading(file.schema_arrow, source, options)
        rows = file.metadata.num_rows
        batches = file.iter_batches(batch_size=_ROWS, columns=reading.columns)
        for done, table in reading.tables(batches, report):
            report_progress(f"reading {PurePath(source).name}", done, rows)
            yield table


def _read_arrow(
    place: Any, source: str, options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    try:
        with pa.memory_map(os.fspath(place)) if isinstance(place, os.PathLike) else place as file:
            table = pa.ipc.open_file(file).read_all()
    except pa.ArrowInvalid as error:
        raise FormatError(f"{source}: this Arrow file cannot be read ({error})") from None
    yield from read_batches(table.to_reader(), source, options, report)


def read_batches(
    reader: pa.RecordBatchReader, source: str, options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    """Read flows from a stream of Arrow batches.

    Parameters
    ----------
    reader
        Batches in the columns of any declared format.
    source
        What to call the stream in messages.
    options
        How to read it.
    report
        Takes note of what is found.

    Yields
    ------
    pyarrow.Table
        Flows in the canonical schema.
    """
    reading = _Reading(reader.schema, source, options)
    yield from (table for _, table in reading.tables(reader, report))


class _Reading:
    """Reading of batches that have their columns in common.

    Attributes
    ----------
    columns
        Columns that are read.
    """

    def __init__(self, schema: pa.Schema, source: str, options: Options) -> None:
        schema = flat(pa.RecordBatch.from_pylist([], schema)).schema
        names = schema.names
        self._source = source
        self._format = match(names, source, options.format)
        binding = self._format.bind(names)
        self._kept = kept_columns(names, binding, options.keep)
        self._used = [name for name in names if name in binding.columns()]
        binding = replace(binding, zone=options.zone)
        self._binding = reading_rows(binding) if self._kept else binding
        self.columns = [name for name in names if name in {*self._used, *self._kept}]
        self._marks = table_metadata(self._format, binding)
        self._schema = pa.schema([schema.field(name) for name in self.columns])

    def tables(self, batches: Any, report: ReadReport) -> Iterator[tuple[int, pa.Table]]:
        """Read batches: for each, the number of rows so far and its flows."""
        report.add_format(self._format)
        done = 0
        # The first, empty one tells the types of kept columns where there are no others.
        for batch in chain([pa.RecordBatch.from_pylist([], self._schema)], batches):
            batch = flat(batch)
            used = batch.select(self._used)
            if self._kept:
                used = with_row_numbers(used)
            outcome = normalise_table(used, self._binding, done)
            table = _note(outcome, self._source, report, by_row=True)
            table = table.replace_schema_metadata(self._marks)
            if self._kept:
                table = with_columns(table, batch, self._kept)
            done += batch.num_rows
            yield done, table


def flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give the fields of nested columns columns of their own, as in `src_endpoint.ip`."""
    while any(pa.types.is_struct(field.type) for field in batch.schema):
        table = pa.Table.from_batches([batch]).flatten()
        arrays = [column.combine_chunks() for column in table.columns]
        batch = pa.RecordBatch.from_arrays(arrays, schema=table.schema)
    return batch


def _note(outcome: Outcome, source: str, report: ReadReport, *, by_row: bool = False) -> pa.Table:
    table, counts, skipped, told = outcome
    report.add(counts, skipped)
    report.list_bad_rows(BadRow(source, *row, by_row=by_row) for row in told)
    return table


def _is_nested(column: Any) -> bool:
    """Tell a column of dictionaries by the first of them."""
    if column.dtype != object:
        return False
    place = column.first_valid_index()
    return place is not None and isinstance(column.loc[[place]].iloc[0], dict)


def read_dataframe(frame: Any, options: Options) -> pa.RecordBatchReader:
    """Hand a pandas DataFrame over as Arrow, only the columns that are read.

    Columns of mixed Python objects become text, so that a bad value is found in its row.
    """
    from flowtriage.formats import FORMATS

    names = [str(name) for name in frame.columns]
    bindings = [f.bind(names) for f in ([options.format] if options.format else FORMATS)]
    wanted = set().union(*(binding.columns() for binding in bindings))
    wanted.update(*(kept_columns(names, binding, options.keep) for binding in bindings))
    arrays, kept = [], []
    for name in frame.columns:
        if str(name) not in wanted and not _is_nested(frame[name]):
            continue
        try:
            array = pa.array(frame[name], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            array = pa.array(frame[name].astype("string"), from_pandas=True)
        arrays.append(array)
        kept.append(str(name))
    if not kept:
        raise InputError(f"none of the columns of the DataFrame is known: {', '.join(names)}")
    return pa.table(arrays, names=kept).to_reader()
