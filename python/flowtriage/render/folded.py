"""Tables some of whose rows stand for many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from flowtriage.render.cells import LIST_FULL


@dataclass(frozen=True)
class FoldedTable:
    """A table to show, some of whose rows stand for many.

    Parameters
    ----------
    table
        The rows; a folded one has a text such as `24,000 addresses` in the column that differs.
    members
        By column and position of a folded row: what it stands for, `LIST_FULL` values at most.
    count
        Number of rows that are folded.
    """

    table: pa.Table
    members: Mapping[str, Mapping[int, Sequence[str]]]
    count: int

    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""
        return list(self.table.column_names)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the rows as an Arrow C stream."""
        return self.table.__arrow_c_stream__(requested_schema)

    def messages(self, rows: str, whole: str) -> list[str]:
        """State what is folded, if anything is; `whole` is where all rows are."""
        if not self.count:
            return []
        folds = sum(map(len, self.members.values()))
        into = "one row that opens" if folds == 1 else f"{folds:,} rows that open"
        return [
            f"{self.count:,} {rows} are folded into {into}, with up to {LIST_FULL:,} of them; "
            f"{whole} has all."
        ]
