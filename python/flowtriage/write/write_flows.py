"""Flows in any form into a file of any format that is written."""

from __future__ import annotations

import html
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from flowtriage._core import canonical_schema
from flowtriage.atomic import compressed, replacing
from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.progress import report_progress
from flowtriage.quality.report import ReadReport
from flowtriage.read.flows import read_tables
from flowtriage.read.logs import Options
from flowtriage.schema import PAYLOAD_SCHEMA as SCHEMA
from flowtriage.write.asim import ASIM
from flowtriage.write.ocsf import OCSF
from flowtriage.write.text import TextFormat, as_bytes
from flowtriage.write.zeek import ZEEK

_ROWS = 1 << 16
_PACKED = (".gz", ".zst", ".zstd")
_TEXT = {"zeek": ZEEK, "ocsf": OCSF, "asim": ASIM}
FORMATS: tuple[str, ...] = (*_TEXT, "parquet")
"""Short names of the formats that are written."""


@dataclass
class Written:
    """What was written.

    Attributes
    ----------
    path
        The file.
    format
        Short name of its format.
    flows
        Rows in it.
    left_out
        Values that the format has no place for, by their column.
    report
        What was found while reading the flows.
    """

    path: Path
    format: str
    flows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    report: ReadReport = field(default_factory=ReadReport)

    def __str__(self) -> str:
        """Say what was written and what was not."""
        text = f"{self.flows:,} flows written to {sanitize(str(self.path))} ({self.format})"
        if self.report.rows_bad:
            text += f"; {self.report.rows_bad:,} bad rows were not"
        if self.left_out:
            lost = ", ".join(f"{count:,} of {name}" for name, count in self.left_out.items())
            text += f"; values that the format has no place for: {sanitize(lost)}"
        return text

    def _repr_html_(self) -> str:
        return html.escape(str(self))


def write_flows(flows: Any, path: str | os.PathLike[str], *, format: str) -> Written:
    """Write flows into a file, in a format of other tools.

    The file takes its place only when all of it is written; an interrupt leaves what was there.
    Flows are read and written in parts, so that they need not fit into memory.

    Parameters
    ----------
    flows
        Flows in any form that `read_flows` takes.
    path
        The file; it is replaced if there is one. An ending `.gz` or `.zst` packs text.
    format
        `zeek` (TSV), `ocsf` (JSON lines, class 4001), `asim` (JSON lines, NetworkSession) or
        `parquet` (the canonical schema).

    Returns
    -------
    Written
        Number of flows, and of values that the format has no place for. Reading the file gives
        the same flows but for these.

    Raises
    ------
    ArgumentError
        If `format` is not known, or `path` is no place for such a file.
    FormatError
        If the format of `flows` is not recognised.
    OSError
        As the operating system says.

    Examples
    --------
    >>> import tempfile
    >>> from flowtriage import read_flows, sample
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_flows(sample.office_day(), f"{folder}/day.log.gz", format="zeek")
    ...     again = read_flows(written.path)
    >>> written.flows == len(again)
    True
    """
    path = Path(path)
    if format not in FORMATS:
        raise ArgumentError(
            f"format {format!r} cannot be written; choose one of {', '.join(FORMATS)}"
        )
    if format == "parquet" and path.suffix in _PACKED:
        raise ArgumentError(
            f"{sanitize(str(path))}: Parquet packs its columns itself; leave {path.suffix} away"
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


def _write_text(tables: Iterator[pa.Table], out: Any, chosen: TextFormat, to: Written) -> None:
    out.write(chosen.header.encode())
    for part in _parts(tables, chosen.carries, to):
        to.left_out.update(chosen.lost(part))
        out.write(as_bytes(chosen.lines(part)))


def _write_parquet(tables: Iterator[pa.Table], out: IO[bytes], to: Written) -> None:
    import pyarrow.parquet as pq

    filled = (table for table in tables if table.num_rows)
    first = next(filled, canonical_schema().empty_table())
    schema = first.schema.remove_metadata()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for part in _parts(chain([first], filled), schema.names, to):
            writer.write_batch(part.cast(schema))


def _parts(
    tables: Iterable[pa.Table], carries: Sequence[str], to: Written
) -> Iterator[pa.RecordBatch]:
    """Cut tables into parts that have just the columns that can be written."""
    for table in tables:
        for name in table.column_names:
            if name not in carries and (values := len(table) - table[name].null_count):
                to.left_out[name] += values
        columns = {
            name: table[name] if name in table.column_names else _nulls(table, name)
            for name in carries
        }
        yield from pa.table(columns).combine_chunks().to_batches(_ROWS)
        to.flows += len(table)
        report_progress(f"writing {to.path.name}", to.flows)


def _nulls(table: pa.Table, name: str) -> pa.Array:
    return pa.nulls(len(table), SCHEMA.field(name).type if name in SCHEMA.names else pa.null())
