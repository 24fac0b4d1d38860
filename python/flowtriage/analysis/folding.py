"""Fold rows of peers that share one pattern, such as the forged sources of a flood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.humanize import UNKNOWN
from flowtriage.quality.sums import exact_sum
from flowtriage.render.cells import LIST_FULL
from flowtriage.render.folded import FoldedTable
from flowtriage.render.html_tables import MAX_ROWS

FOLD_FROM = 500
"""Rows of one pattern from which they are folded."""
FOLD_FLOWS = 3
"""Flows per address, allowed and denied, up to which a row is folded."""
_FLOWS = "TotalAllowedFlows"
_FOLD, _KEY, _KEPT = "_fold", "_key", "_kept"


@dataclass(frozen=True)
class _Pattern:
    """What the rows of a fold have in common, and what differs."""

    varied: str
    fixed: tuple[str, ...]
    word: str
    addresses: str | None = None


_INDEX = tuple(
    _Pattern(varied, (fixed, "L7Protocol", "FlowDirection"), "addresses")
    for varied, fixed in (("source", "dest"), ("dest", "source"))
)
_SUMMARY = (
    _Pattern("SourceASN", ("DestASN", "L7Protocols"), "AS", "source_ips"),
    _Pattern("DestASN", ("SourceASN", "L7Protocols"), "AS", "dest_ips"),
)


def fold_index(index: pa.Table, keep: pa.Array | None = None) -> FoldedTable:
    """Fold a flow index to be shown, the most frequent flows first.

    Parameters
    ----------
    index
        Result of `flow_index`.
    keep
        Addresses whose rows are not folded, and are among the first `MAX_ROWS`.

    Returns
    -------
    FoldedTable
        From `FOLD_FROM` rows on that differ in one address only and have `FOLD_FLOWS` flows at
        most, one row with their sums.
    """
    kept = _any_in(index, ("source", "dest"), keep)
    return _folded(index, kept, _INDEX)


def fold_summary(summary: pa.Table, keep: pa.Array | None = None) -> FoldedTable:
    """Fold a summary by AS to be shown, the most frequent flows first.

    Parameters
    ----------
    summary
        Result of `flow_summary`.
    keep
        Addresses whose rows are not folded, and are among the first `MAX_ROWS`.

    Returns
    -------
    FoldedTable
        From `FOLD_FROM` rows on that differ in one AS only and have `FOLD_FLOWS` flows per address
        at most, one row with their sums.
    """
    kept = _any_in(summary, ("source_ips", "dest_ips"), keep)
    return _folded(summary, kept, _SUMMARY)


def folded_addresses(index: pa.Table, keep: pa.Array | None = None) -> pa.Array:
    """Return the addresses whose rows in a flow index are folded."""
    kept = _any_in(index, ("source", "dest"), keep)
    found = [pa.array([], pa.string())]
    for pattern in _INDEX:
        member = _members(index, _key(index, pattern), kept, pattern)
        found += index.filter(member)[pattern.varied].chunks
    return pc.unique(pa.chunked_array(found, pa.string()))


def _any_in(table: pa.Table, columns: Sequence[str], keep: pa.Array | None) -> pa.Array:
    """Return which rows have one of some addresses in one of the columns."""
    found = pa.chunked_array([pa.repeat(False, table.num_rows)])
    if keep is None or not len(keep):
        return found
    for name in columns:
        values = table[name].combine_chunks()
        if pa.types.is_list(values.type):
            hits = pc.is_in(pc.list_flatten(values), value_set=keep)
            rows = pc.unique(pc.list_parent_indices(values).filter(hits))
            positions = pc.cumulative_sum(pa.repeat(pa.scalar(1, rows.type), len(values)), start=-1)
            found = pc.or_(found, pc.is_in(positions, value_set=rows))
        else:
            found = pc.or_(found, pc.is_in(values, value_set=keep))
    return found


def _folded(table: pa.Table, kept: pa.Array, patterns: Sequence[_Pattern]) -> FoldedTable:
    rest = table.append_column(_KEPT, kept)
    folds: list[tuple[str, list[str]]] = []
    rows = []
    for pattern in patterns:
        key = _key(rest, pattern)
        member = _members(rest, key, rest[_KEPT], pattern)
        chosen = rest.append_column(_KEY, key).filter(member)
        rest = rest.filter(pc.invert(member))
        for common in pc.unique(chosen[_KEY]).to_pylist():
            part = chosen.filter(pc.equal(chosen[_KEY], common))
            folds.append((pattern.varied, _largest(part, pattern.varied)))
            rows.append(_row(part.select(table.column_names), pattern))
    made = pa.Table.from_pylist(rows, table.schema)
    plain = rest.append_column(_FOLD, pa.nulls(rest.num_rows, pa.int32()))
    numbered = made.append_column(_KEPT, pa.repeat(True, len(rows)))
    numbered = numbered.append_column(_FOLD, pa.array(range(len(rows)), pa.int32()))
    shown = _ordered(pa.concat_tables([plain, numbered]))
    members: dict[str, dict[int, list[str]]] = {}
    for position, fold in enumerate(shown[_FOLD].slice(0, MAX_ROWS).to_pylist()):
        if fold is not None:
            column, values = folds[fold]
            members.setdefault(column, {})[position] = values
    count = table.num_rows - rest.num_rows
    return FoldedTable(shown.select(table.column_names), members, count)


def _members(table: pa.Table, key: pa.Array, kept: pa.Array, pattern: _Pattern) -> pa.Array:
    """Return which rows are folded: few flows, and a pattern that many rows share."""
    allowed, denied = (
        pc.cast(pc.fill_null(table[name], 0), pa.float64(), safe=False)
        for name in (_FLOWS, "denied_flows")
    )
    most = FOLD_FLOWS
    if pattern.addresses:
        most = pc.multiply(pc.fill_null(pc.list_value_length(table[pattern.addresses]), 0), most)
    few = pc.and_not(pc.less_equal(pc.add(allowed, denied), most), kept)
    counts = pc.value_counts(key.filter(few))
    common = counts.field("values").filter(pc.greater_equal(counts.field("counts"), FOLD_FROM))
    return pc.and_(few, pc.is_in(key, value_set=common))


def _key(table: pa.Table, pattern: _Pattern) -> pa.ChunkedArray:
    """Return what the rows of a fold have in common as one string."""
    parts = (table[name] for name in pattern.fixed)
    texts = (pc.binary_join(p, "\x1f") if pa.types.is_list(p.type) else p for p in parts)
    return pc.binary_join_element_wise(*(pc.fill_null(text, "\x00") for text in texts), "\x1e")


def _largest(part: pa.Table, name: str) -> list[str]:
    """Return the values of a column, those with the most bytes first."""
    sizes = (
        pc.cast(pc.fill_null(part[size], 0), pa.float64(), safe=False)
        for size in ("src_bytes", "dst_bytes")
    )
    order = pc.sort_indices(pa.table({"bytes": pc.add(*sizes)}), [("bytes", "descending")])
    values = part[name].take(order.slice(0, LIST_FULL))
    listed: list[str] = pc.fill_null(values, UNKNOWN).to_pylist()
    return listed


def _row(part: pa.Table, pattern: _Pattern) -> dict[str, Any]:
    """Return the row that stands for the rows of a fold."""
    row: dict[str, Any] = {name: part[name][0].as_py() for name in pattern.fixed}
    row[pattern.varied] = f"{part.num_rows:,} {pattern.word}"
    for name in set(part.column_names) - {*pattern.fixed, pattern.varied}:
        column = part[name]
        if pa.types.is_list(column.type):
            row[name] = pc.unique(pc.list_flatten(column)).to_pylist()
        elif pa.types.is_integer(column.type):
            total = exact_sum(column)
            row[name] = total if column.null_count < len(column) and total < 1 << 63 else None
        else:
            row[name] = pc.min_max(column)["max" if name == "last_seen" else "min"].as_py()
    return row


def _ordered(table: pa.Table) -> pa.Table:
    """Sort by flows; rows to keep are among the first `MAX_ROWS`."""
    by_flows = [(_FLOWS, "descending")]
    if table.num_rows <= MAX_ROWS:
        return table.sort_by(by_flows)
    ordered = table.sort_by([(_KEPT, "descending"), *by_flows])
    first, others = ordered.slice(0, MAX_ROWS), ordered.slice(MAX_ROWS)
    return pa.concat_tables([first.sort_by(by_flows), others])
