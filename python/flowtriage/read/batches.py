"""Flows in any form as batches in the canonical schema."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage.inputs.arrow import as_reader, is_dataframe, is_stream
from flowtriage.quality.report import ReadReport
from flowtriage.read.flows import Flows, read_tables
from flowtriage.read.logs import Options
from flowtriage.read.read_flows import read_flows
from flowtriage.schema import SCHEMA


def stream_file(path: str | os.PathLike[str]) -> pa.RecordBatchReader:
    """Return the flows of a log file as it is read, so that it need not fit into memory.

    Bad rows lead to a warning at the end, since there is no report.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        report = ReadReport()
        for table in read_tables(path, Options(), report):
            yield from table.select(SCHEMA.names).to_batches()
        if report.rows_bad:
            warnings.warn(
                f"{os.fspath(path)}: {report.rows_bad} of {report.rows_read} rows could not be "
                "used and are left out; the report of read_flows tells which and why",
                stacklevel=2,
            )

    return pa.RecordBatchReader.from_batches(SCHEMA, batches())


_CANONICAL = {"src_ip", "dst_ip", "flows"}
_INDEX = {"source", "dest", "TotalAllowedFlows"}


def flow_batches(flows: Any) -> pa.RecordBatchReader:
    """Hand flows over as batches in the canonical schema or that of the index."""
    if isinstance(flows, Flows):
        return flows.to_arrow().to_reader()
    if is_stream(flows) and not is_dataframe(flows):
        reader = as_reader(flows)
        names = set(reader.schema.names)
        if names >= _CANONICAL or names >= _INDEX:
            return reader
        flows = reader
    elif isinstance(flows, (str, os.PathLike)) and Path(flows).is_file():
        return stream_file(flows)
    elif is_dataframe(flows) and set(map(str, flows.columns)) >= _INDEX:
        return as_reader(flows)
    return read_flows(flows).to_arrow().to_reader()
