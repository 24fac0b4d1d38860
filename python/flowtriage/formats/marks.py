"""What the schema of a table tells of the log that it was read from."""

from __future__ import annotations

import pyarrow as pa

from flowtriage.formats.declaration import Binding, Format

FORMAT = b"flowtriage.format"
"""Key of the format."""

COUNTERS = b"flowtriage.counters"
"""Key of what the counters are of."""


def marks(format: Format, binding: Binding) -> dict[bytes, str]:
    """Return the marks of tables that are read from a log.

    Records that say how many flows they stand for are no states of one.
    """
    counters = format.counters if binding.each_is_one() else None
    return {FORMAT: format.name, COUNTERS: counters or ""}


def mark(table: pa.Table, key: bytes) -> str | None:
    """Return a mark of a table."""
    found = (table.schema.metadata or {}).get(key)
    return None if found is None else found.decode()
