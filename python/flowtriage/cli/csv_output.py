"""Tables as CSV, for spreadsheets and other programs."""

from __future__ import annotations

import csv
import sys

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.humanize import sanitize, spreadsheet_safe_array

_SEPARATOR = "; "
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_UNPRINTABLE = r"[\p{C}\p{Zl}\p{Zp}]"


def print_csv(data: pa.Table) -> None:
    """Print a table with its header to stdout.

    Times are in ISO 8601, UTC; lists are joined by semicolons. Control characters are escaped, and
    an apostrophe precedes texts that a spreadsheet would calculate.
    """
    columns = [_texts(data[name]).to_pylist() for name in data.column_names]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(data.column_names)
    writer.writerows(zip(*columns, strict=True))


def _texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = values.type
    if pa.types.is_timestamp(kind):
        return pc.strftime(values.cast(pa.timestamp("s", kind.tz), safe=False), format=_TIME)
    if pa.types.is_list(kind):
        values = pa.chunked_array([_joined(values.combine_chunks())])
    if not pa.types.is_string(values.type):
        return values
    return spreadsheet_safe_array(_printable(values))


def _joined(lists: pa.ListArray) -> pa.Array:
    items = lists.flatten()
    if pa.types.is_struct(items.type):
        items = _evidence(items)
    offsets = pa.concat_arrays(
        [pa.array([0], pa.int32()), pc.cumulative_sum(pc.list_value_length(lists))]
    )
    return pc.binary_join(pa.ListArray.from_arrays(offsets, items), _SEPARATOR)


def _evidence(parts: pa.StructArray) -> pa.Array:
    """Return the parts of scores as `jitter=0.02 (threshold 0.3)`."""
    value, threshold = (parts.field(name).cast(pa.string()) for name in ("value", "threshold"))
    limit = pc.binary_join_element_wise(" (threshold ", threshold, ")", "")
    named = pc.binary_join_element_wise(parts.field("name"), value, "=")
    return pc.binary_join_element_wise(named, pc.fill_null(limit, ""), "")


def _printable(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    unsafe = pc.unique(texts.filter(pc.match_substring_regex(texts, _UNPRINTABLE))).drop_null()
    if not len(unsafe):
        return texts
    safe = pa.array(map(sanitize, unsafe.to_pylist()), pa.string())
    at = pc.index_in(texts, value_set=unsafe)
    return pc.coalesce(pc.take(safe, at), texts)
