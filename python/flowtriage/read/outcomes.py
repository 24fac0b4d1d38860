"""Outcomes of the core, and what a report says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from flowtriage._core import FlowParts
from flowtriage.formats.declaration import Outcome
from flowtriage.formats.metadata import COUNTERS, metadata_value
from flowtriage.quality import BadRow, ReadReport


def add_outcome(
    outcome: Outcome,
    source: str,
    report: ReadReport,
    metadata: Mapping[bytes, str],
    *,
    by_row: bool = False,
) -> Any:
    """Add an outcome to a report; return its flows, with the metadata of their format."""
    flows, counts, by_value, _, bad_rows = outcome
    report.add(counts, by_value)
    report.list_bad_rows(BadRow(source, *row, by_row=by_row) for row in bad_rows)
    if isinstance(flows, FlowParts):
        flows.counters = metadata[COUNTERS]
        return flows
    return flows.replace_schema_metadata(metadata)


def is_cumulative(flows: pa.Table | FlowParts) -> bool:
    """Return whether later records of a flow supersede earlier ones."""
    if isinstance(flows, FlowParts):
        return flows.counters == "flow"
    return metadata_value(flows, COUNTERS) == "flow"
