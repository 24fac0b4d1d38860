"""Flows of a table that the conditions of findings select."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.detect.filter import COLUMNS, parse_filter

_ROW = "row"


class MatchingFlows:
    """A table of flows, prepared for many conditions."""

    def __init__(self, flows: pa.Table) -> None:
        self.flows = flows

    @cached_property
    def _columns(self) -> pa.Table:
        count = self.flows.num_rows
        columns = {name: self.flows[name].cast(kind) for name, kind in COLUMNS.items()}
        rows = pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), count), start=-1)
        return pa.table({**columns, _ROW: rows})

    def rows(self, condition: str) -> pa.ChunkedArray:
        """Return the positions of the flows that fulfil the `flows_filter` of a finding.

        Raises
        ------
        ArgumentError
            If the condition is not of the form that `flows_of` describes.
        """
        return self._columns.filter(parse_filter(condition))[_ROW]

    def columns(self, condition: str, names: Sequence[str]) -> pa.Table:
        """Return columns of the flows that fulfil the `flows_filter` of a finding.

        Raises
        ------
        ArgumentError
            If the condition is not of the form that `flows_of` describes.
        """
        table = self._columns
        for name in names:
            if name not in table.column_names:
                table = table.append_column(name, self.flows[name])
        return table.filter(parse_filter(condition)).select(names)
