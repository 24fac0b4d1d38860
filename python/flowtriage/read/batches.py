"""Flows in any form as record batches in the canonical schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pyarrow as pa

from flowtriage.inputs.arrow import FlowSource, as_reader, is_dataframe, is_stream
from flowtriage.quality import warn_reading
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.logs import Options
from flowtriage.read.read_flows import read_flows, read_request
from flowtriage.read.streaming import local_logs, streamed
from flowtriage.schema import INDEX_COLUMNS, REQUIRED_COLUMNS

_T = TypeVar("_T")


def over_flows(
    function: Callable[[pa.RecordBatchReader], _T], flows: FlowSource | ReadRequest
) -> _T:
    """Call a function with flows as record batches, in the canonical schema or that of the index.

    Logs are streamed; the function may be called twice (see `streamed`).

    Warns
    -----
    UserWarning
        If rows were lost or repeat counters, because no report is returned.
    """
    request = flows if isinstance(flows, ReadRequest) else ReadRequest(flows, Options())
    if not local_logs(request.source):
        return function(_batches(flows))
    result, report = streamed(request, function)
    warn_reading(report)
    return result


def _batches(flows: FlowSource | ReadRequest) -> pa.RecordBatchReader:
    if isinstance(flows, ReadRequest):
        read = read_request(flows)
    elif isinstance(flows, Flows):
        return flows.to_arrow().to_reader()
    else:
        if is_stream(flows) and not is_dataframe(flows):
            flows = as_reader(flows)
            names = set(flows.schema.names)
            if names.issuperset(REQUIRED_COLUMNS) or names.issuperset(INDEX_COLUMNS):
                return flows
        elif is_dataframe(flows) and set(map(str, flows.columns)).issuperset(INDEX_COLUMNS):
            return as_reader(flows)
        read = read_flows(flows)
    warn_reading(read.report)
    return read.to_arrow().to_reader()
