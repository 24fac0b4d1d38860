"""Reader of logs of every declared format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import cast

import pyarrow as pa

from flowtriage._core import FlowParts, normalise_block, whole_records
from flowtriage.errors import FormatError
from flowtriage.formats.declaration import Binding, Outcome
from flowtriage.formats.layout import TextLayout
from flowtriage.formats.metadata import table_metadata
from flowtriage.formats.projection import projected
from flowtriage.humanize import counted
from flowtriage.progress import report_progress
from flowtriage.quality import BadRow, ReadReport
from flowtriage.read.date_order import DateOrder
from flowtriage.read.detect import container_of, detect_text, json_names
from flowtriage.read.extra_columns import kept_columns, reading_text, with_partitions
from flowtriage.read.locate import LogFile, locate
from flowtriage.read.options import Options
from flowtriage.read.outcomes import add_outcome
from flowtriage.read.parquet import read_parquet
from flowtriage.read.streams import BLOCK, Log, as_text, opened
from flowtriage.read.tables import read_arrow
from flowtriage.read.trailer import TrailerCheck

MAX_RECORD_BYTES = 4 * BLOCK
"""Maximum size of a record in a text log; a longer one is a bad row."""


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
            if isinstance(table, FlowParts):
                yield table
                continue
            yield with_partitions(table, file.partitions, options.keep)


def _read_binary(
    log: Log, container: str, blocks: Iterator[bytes], options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    with log.random_access(blocks) as whole:
        read = read_parquet if container == "parquet" else read_arrow
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
    targets = options.targets_of(found.format)
    if targets is not None:
        binding = projected(binding, targets)
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
            table = add_outcome(outcome, source, report, metadata)
            if found.format.trailer:
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
