"""Columns of a source that are kept beside the canonical ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.formats.declaration import Binding, BoundColumn
from flowtriage.schema import SCHEMA

Kept: TypeAlias = bool | tuple[str, ...]
"""Names of the columns to keep, or True for all."""
_ROW = "row of the source"


def kept_columns(names: Iterable[str], binding: Binding, keep: Kept) -> dict[str, str]:
    """Choose the columns of a source to keep.

    Parameters
    ----------
    names
        Columns of the source.
    binding
        What is read of it.
    keep
        What was asked for; names are matched without regard to case.

    Returns
    -------
    dict
        Names in the source, and the names in the flows: the same, but for a column whose name
        is taken by another, which has `_source` after it.
    """
    if keep is False:
        return {}
    asked = None if keep is True else {name.casefold() for name in keep}
    targets = {column.target: tuple(column.columns) for column in binding.fields}
    ends = {name for e in binding.endpoints for name in (e.source, e.dest)}
    chosen = {}
    for name in names:
        there = targets.get(name) == (name,) or (name in SCHEMA.names and name in ends)
        if there or (asked is not None and name.casefold() not in asked):
            continue
        taken = name in SCHEMA.names or name in targets
        chosen[name] = f"{name}_source" if taken else name
    return chosen


def kept_names(keep: bool | Iterable[str]) -> Kept:
    """Read what somebody asks to keep."""
    if isinstance(keep, bool):
        return keep
    return (keep,) if isinstance(keep, str) else tuple(keep)


def check_kept(keep: Kept, names: Iterable[str]) -> None:
    """Refuse a column to keep that no source had.

    Raises
    ------
    ArgumentError
        If there is one.
    """
    found = {name.casefold() for name in names}
    for name in () if isinstance(keep, bool) else keep:
        if not {name.casefold(), f"{name.casefold()}_source"} & found:
            raise ArgumentError(f"keep= names {name!r}, a column that no source has")


def with_partitions(flows: pa.Table, partitions: Mapping[str, str | None], keep: Kept) -> pa.Table:
    """Put the values of Hive partitions that were asked for beside flows, as text."""
    if keep is False:
        return flows
    asked = None if keep is True else {name.casefold() for name in keep}
    for name, value in partitions.items():
        if name not in flows.column_names and (asked is None or name.casefold() in asked):
            column = pa.repeat(pa.scalar(value, pa.string()), len(flows))
            flows = flows.append_column(name, column)
    return flows


def reading_text(binding: Binding, kept: Mapping[str, str]) -> Binding:
    """Have kept columns read as text."""
    fields = [BoundColumn(target, "text", None, (name,)) for name, target in kept.items()]
    return replace(binding, fields=[*binding.fields, *fields])


def reading_rows(binding: Binding) -> Binding:
    """Have the number of its row read for each flow."""
    return replace(binding, fields=[*binding.fields, BoundColumn(_ROW, "count", None, (_ROW,))])


def with_row_numbers(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give every row its number."""
    return batch.append_column(_ROW, pa.array(range(batch.num_rows), pa.int64()))


def with_columns(flows: pa.Table, batch: pa.RecordBatch, kept: Mapping[str, str]) -> pa.Table:
    """Put the columns of a batch beside the flows that came from it, in place of row numbers."""
    rows = flows[_ROW] if flows.num_rows else pa.array([], pa.int64())
    flows = flows.select([name for name in flows.column_names if name != _ROW])
    for name, target in kept.items():
        flows = flows.append_column(target, pa.chunked_array([batch[name]]).take(rows))
    return flows
