"""Text formats, written column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

Values: TypeAlias = Any
"""A `pyarrow.Array` or `pyarrow.ChunkedArray`."""


@dataclass(frozen=True)
class TextFormat:
    """A text format to write.

    `carries` has the columns of flows that the format has; `lines` returns the lines, without line
    feeds, of flows that have all of these; `lost` returns the number of values that the format
    cannot represent, by column.
    """

    carries: tuple[str, ...]
    lines: Callable[[pa.RecordBatch], Values]
    header: str = ""
    lost: Callable[[pa.RecordBatch], Mapping[str, int]] = lambda _: {}


def as_bytes(lines: Values) -> pa.Buffer:
    """Join lines, with a line feed after each."""
    if isinstance(lines, pa.ChunkedArray):
        lines = lines.combine_chunks()
    ended = pc.binary_join_element_wise(lines, "", "\n")
    whole = pc.binary_join(pa.ListArray.from_arrays([0, len(ended)], ended), "")
    return whole[0].as_buffer()


def escaped(values: Values, escapes: Mapping[str, str]) -> Values:
    """Replace characters in the given order."""
    characters = "".join(f"\\x{{{ord(character):x}}}" for character in escapes)
    if not pc.any(pc.match_substring_regex(values, f"[{characters}]")).as_py():
        return values
    for character, escape in escapes.items():
        values = pc.replace_substring(values, character, escape)
    return values


def decimal_seconds(micros: Values) -> Values:
    """Return integer microseconds as seconds with six decimals."""
    size = pc.abs(micros)
    whole = pc.divide(size, 1_000_000)
    rest = pc.subtract(size, pc.multiply(whole, 1_000_000))
    sign = pc.if_else(pc.less(micros, 0), "-", "")
    fraction = pc.utf8_lpad(pc.cast(rest, pa.string()), 6, "0")
    number = pc.binary_join_element_wise(pc.cast(whole, pa.string()), fraction, ".")
    return pc.binary_join_element_wise(sign, number, "")


def micros(times: Values) -> Values:
    """Return times as microseconds since 1970."""
    return pc.cast(times, pa.int64())


def duration(batch: pa.RecordBatch) -> Values:
    """Return the microseconds from start to end, or null if the end is first."""
    length = pc.subtract(micros(batch["end_time"]), micros(batch["start_time"]))
    return pc.if_else(pc.greater_equal(length, 0), length, pa.scalar(None, pa.int64()))


def denied(batch: pa.RecordBatch) -> Values:
    """Return which rows have only denied flows."""
    some = pc.fill_null(pc.greater(batch["denied_flows"], 0), False)
    return pc.and_(some, pc.equal(batch["flows"], 0))


def number_of_flows(batch: pa.RecordBatch) -> Values:
    """Return the number of flows of each row: the denied ones if there are no others."""
    return pc.if_else(denied(batch), batch["denied_flows"], batch["flows"])
