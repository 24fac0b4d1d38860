"""The canonical flow schema."""

from __future__ import annotations

import pyarrow as pa

from flowtriage._core import canonical_schema

SCHEMA: pa.Schema = canonical_schema()
"""Canonical columns."""
PAYLOAD_SCHEMA: pa.Schema = pa.schema(
    [*SCHEMA, pa.field("src_payload_bytes", pa.int64()), pa.field("dst_payload_bytes", pa.int64())]
)
"""Canonical columns and the payload byte counters of some formats."""
ENDPOINTS = ("src_ip", "dst_ip")
"""Columns of the two addresses of a flow."""
FIVE_TUPLE = (*ENDPOINTS, "src_port", "dst_port", "protocol")
"""Columns that identify a flow, with its start."""
REQUIRED_COLUMNS = (*ENDPOINTS, "flows")
"""Columns by which a table in the canonical schema is recognised."""
INDEX_COLUMNS = ("source", "dest", "TotalAllowedFlows")
"""Columns by which a flow index is recognised."""
RECORD_COLUMNS = (
    *("start_time", "end_time", *FIVE_TUPLE),
    *("src_bytes", "dst_bytes", "flows", "denied_flows", "host"),
)
"""Columns by which superseded records are found."""
ENTRY_COLUMNS = (*INDEX_COLUMNS, "L7Protocol", "FlowDirection", "first_seen", "last_seen")
"""Columns that a flow index has under names of its own."""
AGGREGATED_COLUMNS = (
    *("start_time", "end_time", *ENDPOINTS, "src_port", "dst_port", "service"),
    *("src_bytes", "dst_bytes", "src_packets", "dst_packets", "flows", "denied_flows"),
    *("reported_direction", "direction", "tcp_flags"),
)
"""Columns of flows that aggregates need beside their keys."""
SEARCH_COLUMNS = (
    *("start_time", "end_time", *FIVE_TUPLE),
    *("src_bytes", "dst_bytes", "src_packets", "dst_packets", "flows", "denied_flows"),
)
"""Columns that the search for an address reads."""
