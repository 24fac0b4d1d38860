"""The columns of the DataFrames that flows were read from, beside those of the flows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from flowtriage.inputs.arrow import FlowSource, is_dataframe
from flowtriage.read.detect import match
from flowtriage.read.extra_columns import kept_columns
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import read_flows

if TYPE_CHECKING:
    import pandas as pd

SOURCE_ROW = "source row"
"""Column with the number of the row that a flow was read from."""


@dataclass(frozen=True)
class SourceColumns:
    """DataFrames that flows were read from; rows are numbered through all of them."""

    frames: tuple[pd.DataFrame, ...] = ()

    def pairs(
        self, rows: pa.ChunkedArray | pa.Array, one: str, other: str
    ) -> list[tuple[str, str]]:
        """Return the distinct values of two columns in rows by number, as text; no nulls.

        The letter case of the names is ignored.
        """
        numbers = np.unique(rows.to_numpy(zero_copy_only=False))
        found: dict[tuple[str, str], None] = {}
        first = 0
        for frame in self.frames:
            positions = {str(name).casefold(): n for n, name in enumerate(frame.columns)}
            chosen = [positions[n] for name in (one, other) if (n := name.casefold()) in positions]
            inside = numbers[(numbers >= first) & (numbers < first + len(frame))] - first
            if len(chosen) == 2:
                cells = frame.iloc[:, chosen].iloc[inside].dropna().astype(str).drop_duplicates()
                found |= dict.fromkeys(cells.itertuples(index=False, name=None))
            first += len(frame)
        return list(found)

    def of(self, rows: pa.ChunkedArray | pa.Array, taken: Collection[str]) -> pd.DataFrame:
        """Return the columns of rows by number, under their own names.

        Leaves out columns that the canonical schema has unchanged; a column whose name is `taken`
        has the suffix `_source`.
        """
        import pandas as pd

        numbers = rows.to_numpy(zero_copy_only=False)
        parts, first = [], 0
        for frame in self.frames:
            chosen = np.flatnonzero((numbers >= first) & (numbers < first + len(frame)))
            names = _names(frame)
            part = _plain(frame.iloc[numbers[chosen] - first])
            part = part[list(names)].rename(columns=names).set_axis(chosen)
            parts.append(part.rename(columns={n: f"{n}_source" for n in part if n in taken}))
            first += len(frame)
        if not parts:
            return pd.DataFrame(index=range(len(rows)))
        filled = [part for part in parts if len(part)] or parts[:1]
        joined = filled[0] if len(filled) == 1 else pd.concat(filled)
        return joined.sort_index()


def read_frames(
    frames: Sequence[pd.DataFrame], *, tz: str | None = None, date_order: str | None = None
) -> tuple[Flows, SourceColumns]:
    """Read the flows of DataFrames, with the column `SOURCE_ROW`."""
    numbered, first = [], 0
    for frame in frames:
        copy = frame.copy(deep=False)
        copy.columns = [str(name) for name in frame.columns]
        copy[SOURCE_ROW] = np.arange(first, first + len(frame))
        numbered.append(copy)
        first += len(frame)
    if not numbered:
        flows = read_flows([])
        rows = pa.array([], pa.int64())
        return Flows(
            flows.to_arrow().append_column(SOURCE_ROW, rows), flows.report
        ), SourceColumns()
    flows = read_flows(numbered, keep=[SOURCE_ROW], tz=tz, date_order=date_order)
    flows.report.columns.discard(SOURCE_ROW)
    return flows, SourceColumns(tuple(frame.copy(deep=False) for frame in frames))


def frames_of(source: FlowSource) -> list[Any]:
    """Return the DataFrames that a source consists of; none if it has other parts."""
    parts = source if isinstance(source, (list, tuple)) else [source]
    return list(parts) if all(map(is_dataframe, parts)) else []


def column_names(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns, after those of the named levels of the index."""
    return list(_plain(frame.iloc[:0]).columns)


def _names(frame: pd.DataFrame) -> dict[str, str]:
    """Return the columns that the flows do not have, each with the name it gets beside them."""
    names = column_names(frame)
    return kept_columns(names, match(names, "DataFrame").bind(names), True)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with names that are strings, and the named levels of its index as columns."""
    names = [str(name) for name in frame.columns]
    levels: list[Any] = [n for n in frame.index.names if n is not None and str(n) not in names]
    plain = frame.set_axis(names, axis="columns")
    for position, level in enumerate(levels):
        plain.insert(position, str(level), frame.index.get_level_values(level))
    return plain
