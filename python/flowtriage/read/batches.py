"""Flows in any form as record batches in the canonical schema."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import pyarrow as pa

from flowtriage._core import FlowParts
from flowtriage.formats import FORMATS
from flowtriage.inputs.arrow import FlowSource, as_reader, is_dataframe, is_dataset, is_stream
from flowtriage.quality import ReadReport, warn_reading
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.options import Options
from flowtriage.read.read_flows import read_flows
from flowtriage.read.record_batches import empty_batch, flat
from flowtriage.schema import AGGREGATED_COLUMNS, INDEX_COLUMNS, REQUIRED_COLUMNS, SCHEMA

_ARROW = (pa.Table, pa.RecordBatch, pa.RecordBatchReader)


def stream(request: ReadRequest) -> pa.RecordBatchReader:
    """Return the flows of a request as a stream, for logs larger than memory.

    Warns
    -----
    UserWarning
        At the end of the stream, if rows were lost or repeat counters.
    """
    return pa.RecordBatchReader.from_batches(SCHEMA, _parts(request))


def _parts(request: ReadRequest) -> Iterator[Any]:
    report = ReadReport()
    for table in request.tables(report):
        if isinstance(table, FlowParts):
            yield table
        else:
            yield from table.select(SCHEMA.names).to_batches()
    warn_reading(report)


class ProjectedReader:
    """Reader of flows of which the core needs some columns: of tables, these only.

    It has the interface of a `pyarrow.RecordBatchReader` as far as the core uses it.
    """

    schema = SCHEMA

    def __init__(self, request: ReadRequest) -> None:
        self._parts = _parts(request)

    def read_next_batch(self) -> pa.RecordBatch | FlowParts:
        """Return the next flows.

        Raises
        ------
        StopIteration
            After the last ones.
        """
        return next(self._parts)


def aggregated_batches(
    flows: FlowSource, keys: Sequence[str] = ()
) -> pa.RecordBatchReader | ProjectedReader:
    """Return flows as `flow_batches`, but only the columns that an aggregate by `keys` needs."""
    if not (_is_file(flows) or _is_log_table(flows)):
        return flow_batches(flows)
    targets = frozenset({*AGGREGATED_COLUMNS, *(key.lower() for key in keys)})
    return ProjectedReader(ReadRequest(flows, Options(targets=targets)))


def _is_file(flows: FlowSource) -> TypeGuard[str | os.PathLike[str]]:
    return isinstance(flows, (str, os.PathLike)) and Path(flows).is_file()


def _is_log_table(flows: FlowSource) -> bool:
    """Return whether flows are a table whose records are not compared with each other."""
    if isinstance(flows, Flows):
        return False
    if is_dataframe(flows):
        names = [*map(str, flows.columns), *(str(name) for name in flows.index.names if name)]
    elif isinstance(flows, _ARROW) or is_dataset(flows):
        names = flat(empty_batch(flows.schema)).schema.names
    else:
        return False
    if set(names).issuperset(REQUIRED_COLUMNS) or set(names).issuperset(INDEX_COLUMNS):
        return is_dataframe(flows) and not set(names).issuperset(INDEX_COLUMNS)
    found = next((format for format in FORMATS if not format.missing(names)), None)
    return found is not None and found.counters != "flow"


def flow_batches(flows: FlowSource) -> pa.RecordBatchReader:
    """Return flows as record batches in the canonical schema or that of the flow index.

    Warns
    -----
    UserWarning
        If rows were lost or repeat counters, because no report is returned.
    """
    if isinstance(flows, Flows):
        return flows.to_arrow().to_reader()
    if is_stream(flows) and not is_dataframe(flows):
        flows = as_reader(flows)
        names = set(flows.schema.names)
        if names.issuperset(REQUIRED_COLUMNS) or names.issuperset(INDEX_COLUMNS):
            return flows
    elif _is_file(flows):
        return stream(ReadRequest(flows, Options()))
    elif is_dataframe(flows) and set(map(str, flows.columns)).issuperset(INDEX_COLUMNS):
        return as_reader(flows)
    read = read_flows(flows)
    warn_reading(read.report)
    return read.to_arrow().to_reader()
