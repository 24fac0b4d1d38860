"""The canonical flow schema."""

from __future__ import annotations

import pyarrow as pa

from flowtriage._core import canonical_schema

SCHEMA: pa.Schema = canonical_schema()
"""Canonical columns."""
PAYLOAD_SCHEMA: pa.Schema = pa.schema(
    [
        *canonical_schema(),
        pa.field("src_payload_bytes", pa.int64()),
        pa.field("dst_payload_bytes", pa.int64()),
    ]
)
"""Canonical columns and the payload byte counters of some formats."""
