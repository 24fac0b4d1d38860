"""Flows in any form as record batches in the canonical schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from flowtriage.inputs.arrow import FlowSource, as_reader, is_dataframe, is_stream
from flowtriage.quality import ReadReport, warn_reading
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.logs import Options
from flowtriage.read.read_flows import read_flows
from flowtriage.schema import INDEX_COLUMNS, REQUIRED_COLUMNS, SCHEMA


def stream(request: ReadRequest) -> pa.RecordBatchReader:
    """Return the flows of a request as a stream, for logs larger than memory.

    Warns
    -----
    UserWarning
        At the end of the stream, if rows were lost or repeat counters.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        report = ReadReport()
        for table in request.tables(report):
            yield from table.select(SCHEMA.names).to_batches()
        warn_reading(report)

    return pa.RecordBatchReader.from_batches(SCHEMA, batches())


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
    elif isinstance(flows, (str, os.PathLike)) and Path(flows).is_file():
        return stream(ReadRequest(flows, Options()))
    elif is_dataframe(flows) and set(map(str, flows.columns)).issuperset(INDEX_COLUMNS):
        return as_reader(flows)
    read = read_flows(flows)
    warn_reading(read.report)
    return read.to_arrow().to_reader()
