"""The engine that reads logs of every declared format."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeAlias, cast

import pyarrow as pa

from flowtriage import _core
from flowtriage.errors import FormatError, InputError
from flowtriage.formats.declaration import Binding, Format, Outcome, TextLayout
from flowtriage.formats.detect import Detected, container_of, detect_text, match
from flowtriage.formats.report import BadRow, Report
from flowtriage.progress import advance

Stream: TypeAlias = BufferedReader | gzip.GzipFile

_BLOCK = 8 << 20
_GZIP = b"\x1f\x8b"
_CUT_SHORT = (EOFError, zlib.error, gzip.BadGzipFile)


def read_file(path: Path, wanted: Format | None, report: Report) -> Iterator[pa.Table]:
    """Read a log file.

    Parameters
    ----------
    path
        The file: text (plain or gzip), Parquet or Arrow IPC.
    wanted
        Its format, or None to detect it from the content.
    report
        Takes note of what is found.

    Yields
    ------
    pyarrow.Table
        Flows in the canonical schema.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        As the operating system says.
    FormatError
        If the format is not recognised, or the file is damaged beyond reading on.
    """
    source = str(path)
    report.sources.append(source)
    if path.is_dir():
        raise IsADirectoryError(f"{source} is a directory; name the files in it")
    with path.open("rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        with _decompressed(raw) as file:
            first, ended = _read(file, source, report, 0)
            container = container_of(first)
            if container == "text":
                found = detect_text(first, source, wanted)
                report.formats.add(found.format.name)
                for table in _read_text(file, first, ended, found, source, report):
                    advance(f"reading {path.name}", min(raw.tell(), size), size)
                    yield table
                return
    if container == "parquet":
        yield from _read_parquet(path, wanted, report)
    else:
        yield from _read_arrow(path, wanted, report)


@contextmanager
def _decompressed(raw: BufferedReader) -> Iterator[Stream]:
    magic = raw.read(len(_GZIP))
    raw.seek(0)
    if magic == _GZIP:
        with gzip.GzipFile(fileobj=raw) as file:
            yield file
    else:
        yield raw


def _read(file: Stream, source: str, report: Report, line: int) -> tuple[bytes, bool]:
    """Read a block; the end of a damaged gzip stream is noted and taken as the end."""
    parts: list[bytes] = []
    left = _BLOCK
    while left:
        try:
            part = file.read1(min(left, 1 << 20))
        except _CUT_SHORT as error:
            reason = f"the gzip stream is cut short or damaged ({error})"
            if not parts and not line:
                raise FormatError(f"{source}: {reason}; nothing could be read") from None
            report.refuse(BadRow(source, line, None, None, f"after this line {reason}"))
            return b"".join(parts), True
        if not part:
            return b"".join(parts), True
        parts.append(part)
        left -= len(part)
    return b"".join(parts), False


def _read_text(
    file: Stream, first: bytes, ended: bool, found: Detected, source: str, report: Report
) -> Iterator[pa.Table]:
    layout = cast("TextLayout", found.layout)
    rest = first[found.header :]
    line = 1 + found.header_lines
    while True:
        end = len(rest) if ended else _core.whole_records(rest, layout)
        if end:
            block = rest[:end]
            _same_header(block, layout, source, line)
            outcome = _core.normalise_block(block, layout, found.binding, line)
            yield _note(outcome, source, report)
            line += block.count(b"\n")
        if ended:
            return
        block, ended = _read(file, source, report, line)
        rest = rest[end:] + block


def _same_header(block: bytes, layout: TextLayout, source: str, line: int) -> None:
    """Refuse a log put together from parts whose columns differ."""
    if layout.comment is None:
        return
    place = block.find(b"#fields")
    while place >= 0:
        if place == 0 or block[place - 1 : place] == b"\n":
            text = block[place : block.find(b"\n", place)].decode("utf-8", "replace")
            if text.rstrip("\r").split(layout.delimiter)[1:] != layout.names:
                number = line + block.count(b"\n", 0, place)
                raise FormatError(
                    f"{source}, line {number}: the columns change "
                    "here (#fields); split the file at this line and read its parts as a list"
                )
        place = block.find(b"#fields", place + 1)


def _read_parquet(path: Path, wanted: Format | None, report: Report) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise FormatError(f"{path}: this Parquet file cannot be read ({error})") from None
    with file:
        names = file.schema_arrow.names
        chosen = match(names, str(path), wanted)
        binding = chosen.bind(names)
        columns = [name for name in names if name in binding.columns()]
        rows = file.metadata.num_rows
        batches = file.iter_batches(batch_size=1 << 20, columns=columns)
        for done, table in _batches(batches, binding, chosen, str(path), report):
            advance(f"reading {path.name}", done, rows)
            yield table


def _read_arrow(path: Path, wanted: Format | None, report: Report) -> Iterator[pa.Table]:
    try:
        with pa.memory_map(os.fspath(path)) as file:
            table = pa.ipc.open_file(file).read_all()
    except pa.ArrowInvalid as error:
        raise FormatError(f"{path}: this Arrow file cannot be read ({error})") from None
    yield from read_batches(table.to_reader(), wanted, str(path), report)


def read_batches(
    reader: pa.RecordBatchReader, wanted: Format | None, source: str, report: Report
) -> Iterator[pa.Table]:
    """Read flows from a stream of Arrow batches.

    Parameters
    ----------
    reader
        Batches in the columns of any declared format.
    wanted
        Their format, or None to detect it from the columns.
    source
        What to call the stream in messages.
    report
        Takes note of what is found.

    Yields
    ------
    pyarrow.Table
        Flows in the canonical schema.
    """
    names = reader.schema.names
    chosen = match(names, source, wanted)
    yield from (t for _, t in _batches(reader, chosen.bind(names), chosen, source, report))


def _batches(
    batches: Any, binding: Binding, chosen: Format, source: str, report: Report
) -> Iterator[tuple[int, pa.Table]]:
    report.formats.add(chosen.name)
    wanted = binding.columns()
    row = 0
    for batch in batches:
        used = batch.select([name for name in batch.schema.names if name in wanted])
        outcome = _core.normalise_table(used, binding, row)
        row += batch.num_rows
        yield row, _note(outcome, source, report, by_row=True)


def _note(outcome: Outcome, source: str, report: Report, *, by_row: bool = False) -> pa.Table:
    table, records, expanded, skipped, bad, told = outcome
    report.rows_read += records
    report.rows_expanded += expanded
    report.rows_skipped += skipped
    report.rows_bad += bad
    report.tell(BadRow(source, *row, by_row=by_row) for row in told)
    return table


def read_dataframe(frame: Any) -> pa.RecordBatchReader:
    """Hand a pandas DataFrame over as Arrow, only the columns that some format knows.

    Columns of mixed Python objects become text, so that a bad value is found in its row.
    """
    from flowtriage.formats import FORMATS

    names = [str(name) for name in frame.columns]
    wanted = set().union(*(f.bind(names).columns() for f in FORMATS))
    arrays, kept = [], []
    for name in frame.columns:
        if str(name) not in wanted:
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
