"""Schema metadata of the flows of a source."""

from __future__ import annotations

import pyarrow as pa

from flowtriage.formats.declaration import Binding, Format

FORMAT = b"flowtriage.format"
"""Metadata key of the format."""
COUNTERS = b"flowtriage.counters"
"""Metadata key of the counter semantics."""


def table_metadata(format: Format, binding: Binding) -> dict[bytes, str]:
    """Return the schema metadata of a source: format and counter semantics.

    Records that count several flows are not records of one flow, so they supersede no other.
    """
    counters = format.counters if binding.each_is_one() else None
    return {FORMAT: format.name, COUNTERS: counters or ""}


def metadata_value(table: pa.Table, key: bytes) -> str | None:
    """Return a value of the schema metadata of a table."""
    found = (table.schema.metadata or {}).get(key)
    return None if found is None else found.decode()
