"""What is known of all flows that are written, whatever the format."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage import _core
from flowtriage.write.lines import Values

SCHEMA: pa.Schema = pa.schema(
    [
        *_core.canonical_schema(),
        pa.field("src_payload_bytes", pa.int64()),
        pa.field("dst_payload_bytes", pa.int64()),
    ]
)
"""The canonical columns, and those of payload that some formats have."""


def denied(batch: pa.RecordBatch) -> Values:
    """Tell rows that stand for refused flows only."""
    refused = pc.fill_null(pc.greater(batch["denied_flows"], 0), False)
    return pc.and_(refused, pc.equal(batch["flows"], 0))


def number_of_flows(batch: pa.RecordBatch) -> Values:
    """Count the flows of each row: the refused ones if there are no others."""
    return pc.if_else(denied(batch), batch["denied_flows"], batch["flows"])
