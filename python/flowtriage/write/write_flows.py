"""Writing flows of any source to a file."""

from __future__ import annotations

import html
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO

import pyarrow as pa

from flowtriage.atomic import compressed, replacing
from flowtriage.errors import ArgumentError
from flowtriage.humanize import counted, did_you_mean, quoted, sanitize
from flowtriage.inputs.arrow import FlowSource
from flowtriage.progress import report_progress
from flowtriage.quality import ReadReport
from flowtriage.read.flows import ReadRequest, read_tables
from flowtriage.read.options import Options
from flowtriage.schema import PAYLOAD_SCHEMA, SCHEMA
from flowtriage.write.asim import ASIM
from flowtriage.write.ocsf import OCSF
from flowtriage.write.text import TextFormat, as_bytes
from flowtriage.write.zeek import ZEEK

_ROWS = 1 << 16
_COMPRESSED = (".gz", ".zst", ".zstd")
_TEXT = {"zeek": ZEEK, "ocsf": OCSF, "asim": ASIM}
FORMATS: tuple[str, ...] = (*_TEXT, "parquet")
"""Short names of the formats to write."""


@dataclass
class Written:
    """Result of writing flows.

    Attributes
    ----------
    path
        The file.
    format
        Short name of its format.
    records
        Number of records, one per row.
    dropped
        Number of values that the format cannot represent, by column.
    report
        Report of reading the flows.
    """

    path: Path
    format: str
    records: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    report: ReadReport = field(default_factory=ReadReport)

    def __str__(self) -> str:
        """Return the numbers of written and dropped records and values."""
        records = counted(self.records, "record")
        text = f"{records} written to {sanitize(str(self.path))} ({self.format})"
        if self.report.rows_bad:
            text += f"; {counted(self.report.rows_bad, 'bad row')} dropped"
        if self.dropped:
            lost = ", ".join(f"{count:,} of {name}" for name, count in self.dropped.items())
            text += f"; values that the format cannot represent: {sanitize(lost)}"
        return text

    def _repr_html_(self) -> str:
        return html.escape(str(self))


def write_flows(
    flows: FlowSource | ReadRequest, path: str | os.PathLike[str], *, format: str
) -> Written:
    """Write flows to a file, in a format of other tools.

    The file is replaced when it is complete; an interrupt leaves the old one. Flows are read and
    written in parts, so they may exceed memory.

    Parameters
    ----------
    flows
        Any source of `read_flows`.
    path
        The file to create or replace. The suffix `.gz` or `.zst` compresses text.
    format
        `zeek` (TSV), `ocsf` (JSON lines, class 4001), `asim` (JSON lines, NetworkSession) or
        `parquet` (the canonical schema).

    Returns
    -------
    Written
        Number of records, and of values that the format cannot represent. Reading the file returns
        the same flows without these values.

    Raises
    ------
    ArgumentError
        If `format` is unknown, or `path` does not suit it.
    FormatError
        If the format of `flows` is not recognised.
    OSError
        As raised by the operating system.

    Examples
    --------
    >>> import tempfile
    >>> from flowtriage import read_flows, sample
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_flows(sample.office_day(), f"{folder}/day.log.gz", format="zeek")
    ...     again = read_flows(written.path)
    >>> written.records == len(again)
    True
    """
    path = Path(path)
    if not isinstance(format, str) or format not in FORMATS:
        raise ArgumentError(f"cannot write format {quoted(format)}{did_you_mean(format, FORMATS)}")
    if format == "parquet" and path.suffix in _COMPRESSED:
        raise ArgumentError(
            f"{sanitize(str(path))}: Parquet compresses its columns; omit {path.suffix}"
        )
    written = Written(path, format)
    tables = read_tables(flows, Options(), written.report)
    with replacing(path) as file:
        if format == "parquet":
            _write_parquet(tables, file, written)
        else:
            with compressed(file, path) as out:
                _write_text(tables, out, _TEXT[format], written)
    return written


def _write_text(
    tables: Iterator[pa.Table], out: IO[bytes], chosen: TextFormat, to: Written
) -> None:
    out.write(chosen.header.encode())
    for part in _parts(tables, chosen.carries, to):
        to.dropped.update(chosen.lost(part))
        out.write(as_bytes(chosen.lines(part)))


def _write_parquet(tables: Iterator[pa.Table], out: IO[bytes], to: Written) -> None:
    import pyarrow.parquet as pq

    filled = (table for table in tables if table.num_rows)
    first = next(filled, SCHEMA.empty_table())
    schema = first.schema.remove_metadata()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for part in _parts(chain([first], filled), schema.names, to):
            writer.write_batch(part.cast(schema))


def _parts(
    tables: Iterable[pa.Table], carries: Sequence[str], to: Written
) -> Iterator[pa.RecordBatch]:
    """Slice tables into batches with exactly the columns to write."""
    for table in tables:
        for name in table.column_names:
            if name not in carries and (values := len(table) - table[name].null_count):
                to.dropped[name] += values
        columns = {
            name: table[name] if name in table.column_names else _nulls(table, name)
            for name in carries
        }
        yield from pa.table(columns).combine_chunks().to_batches(_ROWS)
        to.records += len(table)
        report_progress(f"writing {to.path.name}", to.records)


def _nulls(table: pa.Table, name: str) -> pa.Array:
    known = name in PAYLOAD_SCHEMA.names
    return pa.nulls(len(table), PAYLOAD_SCHEMA.field(name).type if known else pa.null())
