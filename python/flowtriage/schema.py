"""Canonical columns."""

from __future__ import annotations

import pyarrow as pa

from flowtriage._core import canonical_schema

SCHEMA: pa.Schema = canonical_schema()
"""The canonical flow schema."""
PAYLOAD_SCHEMA: pa.Schema = pa.schema(
    [
        *canonical_schema(),
        pa.field("src_payload_bytes", pa.int64()),
        pa.field("dst_payload_bytes", pa.int64()),
    ]
)
"""The canonical columns, and those of payload that some formats have."""
