"""Flows of logs as a stream, for functions whose result is smaller than the logs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import FlowHashes, RepeatedFlows, classify_direction
from flowtriage.formats.metadata import COUNTERS, metadata_value
from flowtriage.quality import ReadReport
from flowtriage.quality.rows import EXACT_ROWS_OF_STREAM
from flowtriage.read.duplicates import Migration
from flowtriage.read.flows import ReadRequest
from flowtriage.read.locate import locate
from flowtriage.schema import RECORD_COLUMNS, SCHEMA

_T = TypeVar("_T")


def local_logs(source: Any) -> list[Path]:
    """Return the files of a source that is logs, by path, which can be read twice; else none."""
    paths = source if isinstance(source, (list, tuple)) else [source]
    if not all(isinstance(path, (str, os.PathLike)) for path in paths):
        return []
    files = [file.path for path in paths for file in locate(path)]
    local = [path for path in files if path is not None and path.is_file()]
    return local if len(local) == len(files) else []


def streamed(
    request: ReadRequest,
    function: Callable[[pa.RecordBatchReader], _T],
    *,
    measured: bool = False,
) -> tuple[_T, ReadReport]:
    """Call a function with the flows of logs as a stream; return its result and the report.

    The flows are those of `read_flows`. If flows have several records, the logs are read again to
    compare these; if some are superseded, or both tables of Azure are among the logs, the function
    is called again without them. `measured` gives the report the quality of the rows.
    """
    dropped = _Dropped()
    report = _report(request)
    tables = dropped.looking(request.tables(report))
    result = function(_reader(tables, request, report, measured))
    if dropped.found(request):
        report = _report(request)
        tables = dropped.without(request, report)
        result = function(_reader(tables, request, report, measured))
    return result, report


class _Dropped:
    """Superseded records and migrated rows, which `read_flows` drops."""

    def __init__(self) -> None:
        self._hashes = FlowHashes()
        self._repeated: RepeatedFlows | None = None
        self._migration = Migration()

    def looking(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Yield all flows."""
        for table in tables:
            if _is_cumulative(table):
                self._hashes.add(_records(table))
            self._migration.add(table)
            yield table

    def found(self, request: ReadRequest) -> bool:
        """Return whether there are any; compare the records of flows that have several."""
        repeated = self._hashes.take_repeated()
        if len(repeated):
            for table in filter(_is_cumulative, request.tables(_report(request))):
                repeated.note(_records(table))
            self._repeated = repeated if repeated.has_superseded() else None
        return bool(self._repeated or self._migration)

    def without(self, request: ReadRequest, report: ReadReport) -> Iterator[pa.Table]:
        """Yield the other flows; count those dropped."""
        for table in request.tables(report):
            kept = self._migration.without(table)
            report.rows_migrated += table.num_rows - kept.num_rows
            kept = request.options.hosts.select_all(kept, report)
            if self._repeated is not None and _is_cumulative(kept):
                superseded = self._repeated.superseded(_records(kept))["superseded"]
                report.rows_superseded += pc.sum(superseded).as_py() or 0
                kept = kept.filter(pc.invert(superseded))
            yield kept


def _report(request: ReadRequest) -> ReadReport:
    return ReadReport(internal=list(request.options.internal) or None)


def _reader(
    tables: Iterable[pa.Table], request: ReadRequest, report: ReadReport, measured: bool
) -> pa.RecordBatchReader:
    flows: Iterator[pa.Table] = (table.select(SCHEMA.names) for table in tables)
    if measured:
        flows = report.inspected(flows, max_rows=EXACT_ROWS_OF_STREAM)
    networks = list(request.options.internal)
    schema = SCHEMA
    if networks:
        schema = classify_direction(SCHEMA.empty_table().to_reader(), networks, []).schema
        flows = (classify_direction(table.to_reader(), networks, []) for table in flows)
    batches = (batch for table in flows for batch in table.to_batches())
    return pa.RecordBatchReader.from_batches(schema, batches)


def _is_cumulative(table: pa.Table) -> bool:
    return metadata_value(table, COUNTERS) == "flow"


def _records(table: pa.Table) -> pa.RecordBatchReader:
    return table.select(RECORD_COLUMNS).to_reader()
