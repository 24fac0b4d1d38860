"""Flows of logs as a stream, for functions whose result is smaller than the logs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import pyarrow as pa

from flowtriage._core import FlowHashes, FlowParts, RepeatedFlows, classify_direction
from flowtriage.inputs.arrow import FlowReader, PartsReader
from flowtriage.quality import ReadReport
from flowtriage.quality.rows import EXACT_ROWS_OF_STREAM, Meter
from flowtriage.read.duplicates import Migration, latest
from flowtriage.read.flows import ReadRequest
from flowtriage.read.locate import locate
from flowtriage.read.outcomes import is_cumulative
from flowtriage.schema import SCHEMA

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
    function: Callable[[FlowReader], _T],
    *,
    targets: Iterable[str] | None = None,
    measured: bool = False,
) -> tuple[_T, ReadReport]:
    """Call a function with the flows of logs as a stream; return its result and the report.

    The flows are those of `read_flows`. If flows have several records, the logs are read again to
    compare these; if some are superseded, or both tables of Azure are among the logs, the function
    is called again without them. `targets` are the canonical columns that a function of the core
    needs; None for all. `measured` gives the report the quality of the rows.
    """
    if targets is not None:
        needed = frozenset([*targets, *(SCHEMA.names if measured else ())])
        request = _projected(request, needed)
    dropped = _Dropped()
    report = _report(request)
    tables = dropped.looking(request.tables(report))
    result = function(_reader(tables, request, report, measured))
    if dropped.found(request):
        report = _report(request)
        tables = dropped.without(request, report)
        result = function(_reader(tables, request, report, measured))
    return result, report


def _projected(request: ReadRequest, targets: frozenset[str]) -> ReadRequest:
    """Return a request for some columns, unless its options need others in `pyarrow`."""
    options = request.options
    if request.span or options.internal or options.hosts or options.keep:
        return request
    several = len(local_logs(request.source)) > 1
    return replace(request, options=replace(options, targets=targets, several=several))


_Flows: TypeAlias = "pa.Table | FlowParts"


class _Dropped:
    """Superseded records and migrated rows, which `read_flows` drops."""

    def __init__(self) -> None:
        self._hashes = FlowHashes()
        self._repeated: RepeatedFlows | None = None
        self._migration = Migration()

    def looking(self, tables: Iterable[_Flows]) -> Iterator[_Flows]:
        """Yield all flows."""
        for table in tables:
            if is_cumulative(table):
                self._hashes.add(PartsReader([table]))
            if not isinstance(table, FlowParts):
                self._migration.add(table)
            yield table

    def found(self, request: ReadRequest) -> bool:
        """Return whether there are any; compare the records of flows that have several."""
        repeated = self._hashes.take_repeated()
        if len(repeated):
            for table in filter(is_cumulative, request.tables(_report(request))):
                repeated.note(PartsReader([table]))
            self._repeated = repeated if repeated.has_superseded() else None
        return bool(self._repeated or self._migration)

    def without(self, request: ReadRequest, report: ReadReport) -> Iterator[_Flows]:
        """Yield the other flows; count those dropped."""
        for table in request.tables(report):
            if isinstance(table, FlowParts):
                yield self._latest_parts(table, report)
                continue
            kept = self._migration.without(table)
            report.rows_migrated += table.num_rows - kept.num_rows
            kept = request.options.hosts.select_all(kept, report)
            yield self._latest(kept, report)

    def _latest_parts(self, flows: FlowParts, report: ReadReport) -> FlowParts:
        if self._repeated is None or not is_cumulative(flows):
            return flows
        kept = self._repeated.latest(flows)
        report.rows_superseded += flows.num_rows - kept.num_rows
        return kept

    def _latest(self, flows: pa.Table, report: ReadReport) -> pa.Table:
        if self._repeated is None or not is_cumulative(flows):
            return flows
        kept = latest(flows, self._repeated)
        report.rows_superseded += flows.num_rows - kept.num_rows
        return kept


def _report(request: ReadRequest) -> ReadReport:
    return ReadReport(internal=list(request.options.internal) or None)


def _reader(
    tables: Iterable[_Flows], request: ReadRequest, report: ReadReport, measured: bool
) -> FlowReader:
    if measured:
        max_rows = EXACT_ROWS_OF_STREAM
        meter = Meter(report.internal, exporters=True, superseded=False, max_rows=max_rows)
        tables = report.inspected(tables, meter)
    if request.options.targets is not None:
        return PartsReader(tables)
    networks = list(request.options.internal)
    schema = SCHEMA
    flows: Iterator[Any] = (cast("pa.Table", table).select(SCHEMA.names) for table in tables)
    if networks:
        schema = classify_direction(SCHEMA.empty_table().to_reader(), networks, []).schema
        flows = (classify_direction(table.to_reader(), networks, []) for table in flows)
    batches = (batch for table in flows for batch in table.to_batches())
    return pa.RecordBatchReader.from_batches(schema, batches)
