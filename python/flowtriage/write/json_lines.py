"""Flows as JSON lines, column by column."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.write.text import Values, escaped

JsonColumn: TypeAlias = Callable[[pa.RecordBatch], Values]
"""Returns a JSON value, or null, for each flow."""
Value: TypeAlias = "JsonColumn | Mapping[str, Value]"
"""A JSON column, or an object of further values."""
_ESCAPES = {"\\": r"\\", '"': r"\""} | {chr(c): f"\\u{c:04x}" for c in (*range(32), 127)}


def lines(record: Mapping[str, Value]) -> JsonColumn:
    """Return a writer of records: one JSON object per flow."""
    return lambda batch: _object(record, batch)


def number(name: str) -> JsonColumn:
    """Return a writer of a numeric column."""
    return lambda batch: pc.cast(batch[name], pa.string())


def text(name: str, words: Mapping[str, str] | None = None) -> JsonColumn:
    """Return a writer of a string column; `words` maps values to others."""
    return lambda batch: quoted(replaced(batch[name], words or {}))


def code(name: str, words: Mapping[str, int]) -> JsonColumn:
    """Return a writer of a string column as numeric codes."""
    codes = {word: str(value) for word, value in words.items()}
    return lambda batch: replaced(batch[name], codes, others=None)


def constant(value: object) -> JsonColumn:
    """Return a writer of the same value in every record."""
    return lambda batch: pa.repeat(json.dumps(value), len(batch))


def exactly(value: JsonColumn) -> JsonColumn:
    """Return a writer that keeps nulls."""
    return lambda batch: pc.coalesce(value(batch), pa.scalar("null"))


def iso_time(name: str) -> JsonColumn:
    """Return a writer of times in ISO 8601, UTC with microseconds."""

    def value(batch: pa.RecordBatch) -> Values:
        text = pc.cast(pc.cast(batch[name], pa.timestamp("us")), pa.string())
        time = pc.replace_substring(text, " ", "T")
        return pc.binary_join_element_wise('"', time, 'Z"', "")

    return value


def milliseconds(name: str) -> JsonColumn:
    """Return a writer of times as milliseconds since 1970, rounded down."""

    def value(batch: pa.RecordBatch) -> Values:
        times = pc.floor_temporal(batch[name], unit="millisecond")
        return pc.cast(pc.divide(pc.cast(times, pa.int64()), 1000), pa.string())

    return value


def quoted(values: Values) -> Values:
    """Return strings as JSON."""
    return pc.binary_join_element_wise('"', escaped(values, _ESCAPES), '"', "")


def replaced(values: Values, words: Mapping[str, str], others: str | None = "") -> Values:
    """Replace whole values; others stay, or become null if `others` is None."""
    index = pc.index_in(values, pa.array(list(words), pa.string()))
    found = pc.take(pa.array(list(words.values()), pa.string()), index)
    return found if others is None else pc.coalesce(found, values)


def _object(record: Mapping[str, Value], batch: pa.RecordBatch) -> Values:
    """Return objects without null members; an empty object is null."""
    members = []
    for key, value in record.items():
        made = _object(value, batch) if isinstance(value, Mapping) else value(batch)
        member = pc.binary_join_element_wise(f",{json.dumps(key)}:", made, "")
        members.append(pc.coalesce(member, ""))
    # Joined without separators: if pyarrow skips nulls, it drops rows that have nulls only.
    joined = pc.utf8_slice_codeunits(pc.binary_join_element_wise(*members, ""), 1)
    whole = pc.binary_join_element_wise("{", joined, "}", "")
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), whole)
