"""Extra columns: those of a source beside the canonical ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.formats.declaration import Binding, BoundColumn
from flowtriage.humanize import did_you_mean, quoted
from flowtriage.schema import SCHEMA

Kept: TypeAlias = bool | tuple[str, ...]
"""Names of the columns to keep, or True for all."""
_ROW = "row of the source"


def kept_columns(names: Iterable[str], binding: Binding, keep: Kept) -> dict[str, str]:
    """Choose the extra columns among those of a source; matching ignores case.

    Return their names in the source and in the flows: the same, with the suffix `_source` if
    another column has the name.
    """
    own = {(column.target, tuple(column.columns)) for column in binding.fields}
    targets = {target for target, _ in own}
    ends = {name for e in binding.endpoints for name in (e.source, e.dest)}
    chosen = {}
    for name in names:
        canonical = (name, (name,)) in own or (name in SCHEMA.names and name in ends)
        if not canonical and _is_kept(name, keep):
            taken = name in SCHEMA.names or name in targets
            chosen[name] = f"{name}_source" if taken else name
    return chosen


def _is_kept(name: str, keep: Kept) -> bool:
    return keep if isinstance(keep, bool) else name.casefold() in map(str.casefold, keep)


def kept_names(keep: bool | Iterable[str]) -> Kept:
    """Parse the argument `keep`."""
    if isinstance(keep, bool):
        return keep
    names = (keep,) if isinstance(keep, str) else tuple(keep)
    for name in names:
        if not isinstance(name, str):
            raise ArgumentError(f"keep= has {quoted(name)}; give names of columns")
    return names


def check_kept(keep: Kept, names: Iterable[str], of_sources: Iterable[str]) -> None:
    """Raise `ArgumentError` if a requested extra column is not in the flows.

    The message has the nearest columns `of_sources`, or else of the flows.
    """
    names = list(names)
    found = {name.casefold() for name in names}
    for name in () if isinstance(keep, bool) else keep:
        if not {name.casefold(), f"{name.casefold()}_source"} & found:
            near = did_you_mean(name, list(of_sources) or names)
            raise ArgumentError(f"keep= has {quoted(name)}, but no source has this column{near}")


def with_partitions(flows: pa.Table, partitions: Mapping[str, str | None], keep: Kept) -> pa.Table:
    """Append the requested Hive partitions to flows, as string columns."""
    for name, value in partitions.items():
        if name not in flows.column_names and _is_kept(name, keep):
            column = pa.repeat(pa.scalar(value, pa.string()), len(flows))
            flows = flows.append_column(name, column)
    return flows


def reading_text(binding: Binding, kept: Mapping[str, str]) -> Binding:
    """Return the binding with extra columns, as strings."""
    fields = [BoundColumn(target, "text", None, (name,)) for name, target in kept.items()]
    return replace(binding, fields=[*binding.fields, *fields])


def reading_rows(binding: Binding) -> Binding:
    """Return the binding with the row number of each flow."""
    return replace(binding, fields=[*binding.fields, BoundColumn(_ROW, "count", None, (_ROW,))])


def with_row_numbers(batches: Iterable[pa.RecordBatch]) -> tuple[list[pa.RecordBatch], str]:
    """Append the number of each row of all batches; also return the name of this column."""
    numbered, first = [], 0
    for batch in batches:
        ones = pa.repeat(pa.scalar(1, pa.int64()), batch.num_rows)
        numbered.append(batch.append_column(_ROW, pc.cumulative_sum(ones, start=first - 1)))
        first += batch.num_rows
    return numbered, _ROW


def with_columns(
    flows: pa.Table, batches: Sequence[pa.RecordBatch], kept: Mapping[str, str]
) -> pa.Table:
    """Replace the row numbers of flows by the extra columns of their batches."""
    rows = flows[_ROW] if flows.num_rows else pa.array([], pa.int64())
    flows = flows.select([name for name in flows.column_names if name != _ROW])
    for name, target in kept.items():
        column = pa.chunked_array([_selectable(batch[name]) for batch in batches])
        flows = flows.append_column(target, column.take(rows))
    return flows


def _selectable(array: pa.Array) -> pa.Array:
    """Convert string views, of which pyarrow cannot select rows."""
    if pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    if pa.types.is_dictionary(array.type) and pa.types.is_string_view(array.type.value_type):
        return pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(pa.string()))
    return array
