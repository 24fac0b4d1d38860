"""Flows, and reading them from wherever they are, a part at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.inputs.arrow import as_reader, is_dataframe, is_stream
from flowtriage.inputs.timespan import Timespan, parse_timespan, within
from flowtriage.quality.report import ReadReport
from flowtriage.read.custom import Columns, field_names, mapped
from flowtriage.read.detect import by_name
from flowtriage.read.extra_columns import kept_names
from flowtriage.read.locate import handle
from flowtriage.read.logs import Options, read_batches, read_dataframe, read_file, read_place

if TYPE_CHECKING:
    import pandas as pd


class Flows:
    """Flows in the canonical schema, with the report of how they were read.

    Anything that takes Arrow takes it: `pyarrow.table(flows)`, `polars.DataFrame(flows)`, DuckDB.

    Attributes
    ----------
    report : Report
        What was found while reading.
    """

    def __init__(self, table: pa.Table, report: ReadReport) -> None:
        self._table = table
        self.report = report

    def to_arrow(self) -> pa.Table:
        """Return the flows as a `pyarrow.Table`, without a copy."""
        return self._table

    def to_pandas(self) -> pd.DataFrame:
        """Return the flows as a `pandas.DataFrame`, times in UTC."""
        frame: pd.DataFrame = self._table.to_pandas()
        return frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the flows over as an Arrow stream."""
        return self._table.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """Hand the schema over."""
        return self._table.schema.__arrow_c_schema__()

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        """Show the report."""
        return f"Flows\n{self.report}"

    def _repr_html_(self) -> str:
        return f"<b>Flows</b>{self.report._repr_html_()}"


@dataclass(frozen=True)
class ReadRequest:
    """A source, and how it is to be read.

    Parameters
    ----------
    source
        Anything that `read_flows` takes.
    options
        How to read it.
    span
        Only flows that start within it.
    """

    source: Any
    options: Options
    span: Timespan | None = None

    @classmethod
    def parse(
        cls,
        source: Any,
        *,
        format: str | None = None,
        timespan: Any = None,
        columns: Columns | str | Sequence[str] | None = None,
        keep: bool | Sequence[str] = False,
        tz: str | None = None,
    ) -> ReadRequest:
        """Take the options of `read_flows`.

        Raises
        ------
        ArgumentError
            If one cannot be.
        """
        wanted = by_name(format) if format else None
        names: tuple[str, ...] = ()
        if isinstance(columns, Mapping):
            if wanted:
                raise ArgumentError("give format= or columns= with canonical names, not both")
            wanted = mapped(columns)
        elif columns is not None:
            names = field_names(columns)
        options = Options(wanted, kept_names(keep), tz or "UTC", names)
        return cls(source, options, parse_timespan(timespan))

    def tables(self, report: ReadReport) -> Iterator[pa.Table]:
        """Read the flows, a part at a time; `report` takes note of what is found."""
        for table in read_tables(self.source, self.options, report):
            kept = within(table, self.span)
            report.rows_outside += table.num_rows - kept.num_rows
            yield kept


def read_tables(source: Any, options: Options, report: ReadReport) -> Iterator[pa.Table]:
    """Read flows from any source, a part at a time; `report` takes note of what is found."""
    if isinstance(source, (str, os.PathLike)):
        yield from read_place(source, options, report)
    elif isinstance(source, ReadRequest):
        yield from source.tables(report)
    elif isinstance(source, Flows):
        report.merge(source.report)
        yield source.to_arrow()
    elif is_dataframe(source):
        report.sources.append("DataFrame")
        yield from read_batches(read_dataframe(source, options), "DataFrame", options, report)
    elif is_stream(source):
        name = type(source).__name__
        report.sources.append(name)
        yield from read_batches(as_reader(source), name, options, report)
    elif hasattr(source, "read"):
        yield from read_file(handle(source), options, report)
    elif isinstance(source, Iterable):
        for part in source:
            yield from read_tables(part, options, report)
    else:
        raise ArgumentError(
            f"cannot read flows from {type(source).__name__}; give a path, an open file, "
            "a DataFrame, an Arrow table or stream, or a list of them"
        )
