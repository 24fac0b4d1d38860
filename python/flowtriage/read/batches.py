"""Flows in any form as record batches in the canonical schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import pyarrow as pa

from flowtriage.formats import FORMATS
from flowtriage.inputs.arrow import (
    FlowReader,
    FlowSource,
    PartsReader,
    as_reader,
    is_dataframe,
    is_dataset,
    is_stream,
)
from flowtriage.quality import ReadReport, warn_reading
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.options import Options
from flowtriage.read.read_flows import read_flows, read_request
from flowtriage.read.record_batches import empty_batch, flat
from flowtriage.read.streaming import local_logs, streamed
from flowtriage.schema import (
    AGGREGATED_COLUMNS,
    ENTRY_COLUMNS,
    INDEX_COLUMNS,
    REQUIRED_COLUMNS,
)

_ARROW = (pa.Table, pa.RecordBatch, pa.RecordBatchReader)
_T = TypeVar("_T")


def aggregated_columns(keys: Sequence[str]) -> frozenset[str]:
    """Return the canonical columns that an aggregate by `keys` needs."""
    return frozenset({*AGGREGATED_COLUMNS, *(str(key).lower() for key in keys)})


def over_flows(
    function: Callable[[FlowReader], _T],
    flows: FlowSource | ReadRequest,
    *,
    keys: Sequence[str] | None = None,
) -> _T:
    """Call a function with flows as record batches, in the canonical schema or that of the index.

    Logs are streamed; the function may be called twice (see `streamed`). `keys` are those of an
    aggregate of the core, for which only the columns that it needs are read; None for others.

    Warns
    -----
    UserWarning
        If rows were lost or repeat counters, because no report is returned.
    """
    request = flows if isinstance(flows, ReadRequest) else ReadRequest(flows, Options())
    if keys is not None and is_dataset(flows):
        columns = _columns_of_flows(flows.schema.names, keys)
        if columns:
            return function(as_reader(flows, columns))
    targets = None if keys is None else aggregated_columns(keys)
    if local_logs(request.source):
        result, report = streamed(request, function, targets=targets)
    elif targets is not None and _is_log_table(flows):
        report = ReadReport()
        request = replace(request, options=replace(request.options, targets=targets))
        result = function(PartsReader(request.tables(report)))
    else:
        return function(_batches(flows))
    warn_reading(report)
    return result


def _columns_of_flows(names: Sequence[str], keys: Sequence[str]) -> list[str]:
    """Return the columns of flows or indices that an aggregate needs; none of other tables."""
    if not (set(names).issuperset(REQUIRED_COLUMNS) or set(names).issuperset(INDEX_COLUMNS)):
        return []
    if not {key.casefold() for key in keys} <= {name.casefold() for name in names}:
        return list(names)
    needed = {*AGGREGATED_COLUMNS, *ENTRY_COLUMNS, "protocol", *keys}
    folded = {name.casefold() for name in needed}
    return [name for name in names if name.casefold() in folded]


def _is_log_table(flows: FlowSource | ReadRequest) -> bool:
    """Return whether flows are a table whose records are not compared with each other."""
    if isinstance(flows, (Flows, ReadRequest)):
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
