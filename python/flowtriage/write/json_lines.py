"""Flows as JSON lines, a whole column at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.write.text import Values, escaped

Column: TypeAlias = Callable[[pa.RecordBatch], Values]
"""Makes JSON text, or null, for each flow."""
Value: TypeAlias = "Column | Mapping[str, Value]"
"""How a value is made: as a column, or as an object of others."""
_ESCAPES = {"\\": r"\\", '"': r"\""} | {chr(c): f"\\u{c:04x}" for c in (*range(32), 127)}


def lines(record: Mapping[str, Value]) -> Column:
    """Make a writer of records: one JSON object for each flow."""
    return lambda batch: _object(record, batch)


def number(name: str) -> Column:
    """Write a column of numbers."""
    return lambda batch: pc.cast(batch[name], pa.string())


def text(name: str, words: Mapping[str, str] | None = None) -> Column:
    """Write a column of text; `words` are written as others."""
    return lambda batch: quoted(replaced(batch[name], words or {}))


def code(name: str, words: Mapping[str, int]) -> Column:
    """Write a column of text as numbers."""
    codes = {word: str(value) for word, value in words.items()}
    return lambda batch: replaced(batch[name], codes, others=None)


def constant(value: object) -> Column:
    """Write the same value in every record."""
    return lambda batch: pa.repeat(json.dumps(value), len(batch))


def exactly(value: Column) -> Column:
    """Write a null too, as one."""
    return lambda batch: pc.coalesce(value(batch), pa.scalar("null"))


def iso_time(name: str) -> Column:
    """Write a column of times as ISO 8601 in UTC with microseconds."""

    def value(batch: pa.RecordBatch) -> Values:
        text = pc.cast(pc.cast(batch[name], pa.timestamp("us")), pa.string())
        time = pc.replace_substring(text, " ", "T")
        return pc.binary_join_element_wise('"', time, 'Z"', "")

    return value


def milliseconds(name: str) -> Column:
    """Write a column of times as whole milliseconds since 1970, rounded down."""

    def value(batch: pa.RecordBatch) -> Values:
        times = pc.floor_temporal(batch[name], unit="millisecond")
        return pc.cast(pc.divide(pc.cast(times, pa.int64()), 1000), pa.string())

    return value


def quoted(values: Values) -> Values:
    """Write text as JSON strings."""
    return pc.binary_join_element_wise('"', escaped(values, _ESCAPES), '"', "")


def replaced(values: Values, words: Mapping[str, str], others: str | None = "") -> Values:
    """Replace whole words; what is none of them stays, or is null if `others` is None."""
    place = pc.index_in(values, pa.array(list(words), pa.string()))
    found = pc.take(pa.array(list(words.values()), pa.string()), place)
    return found if others is None else pc.coalesce(found, values)


def _object(record: Mapping[str, Value], batch: pa.RecordBatch) -> Values:
    """Write an object without its null members; one without any is null."""
    members = []
    for key, value in record.items():
        made = _object(value, batch) if isinstance(value, Mapping) else value(batch)
        member = pc.binary_join_element_wise(f",{json.dumps(key)}:", made, "")
        members.append(pc.coalesce(member, ""))
    # Joined without separators, because pyarrow's skipping of nulls loses rows of nothing else.
    joined = pc.utf8_slice_codeunits(pc.binary_join_element_wise(*members, ""), 1)
    whole = pc.binary_join_element_wise("{", joined, "}", "")
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), whole)
