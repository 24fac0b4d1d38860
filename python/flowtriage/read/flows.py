"""Flows, and reading them from any source in parts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import pyarrow as pa

from flowtriage._core import FlowParts
from flowtriage.errors import ArgumentError
from flowtriage.humanize import NAME_LENGTH, did_you_mean, quoted
from flowtriage.inputs.arrow import (
    FlowSource,
    Readable,
    as_reader,
    is_dataframe,
    is_rows,
    is_stream,
)
from flowtriage.inputs.texts import is_text
from flowtriage.inputs.timespan import (
    Timespan,
    TimespanLike,
    outside,
    parse_timespan,
    within,
)
from flowtriage.quality import ReadReport
from flowtriage.read.custom import Columns, custom_format, field_names
from flowtriage.read.detect import by_name
from flowtriage.read.extra_columns import kept_names
from flowtriage.read.hosts import Hosts
from flowtriage.read.locate import log_file_of
from flowtriage.read.logs import read_file, read_path
from flowtriage.read.objects import read_dataframe, read_rows
from flowtriage.read.options import Options
from flowtriage.read.shown_orders import with_date_orders
from flowtriage.read.tables import read_batches

if TYPE_CHECKING:
    import pandas as pd


class Flows:
    """Flows in the canonical schema, with the read report.

    Any Arrow consumer accepts them: `pyarrow.table(flows)`, `polars.DataFrame(flows)`, DuckDB.

    Attributes
    ----------
    report : ReadReport
        Report of reading the flows.
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
        """Export the flows as an Arrow C stream."""
        return self._table.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """Export the schema."""
        return self._table.schema.__arrow_c_schema__()

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        """Return the report as text."""
        return f"Flows\n{self.report}"

    def _repr_html_(self) -> str:
        return f"<b>Flows</b>{self.report._repr_html_()}"


@dataclass(frozen=True)
class ReadRequest:
    """A source of `read_flows` and its read options; without a timespan, all flows."""

    source: FlowSource
    options: Options
    span: Timespan | None = None

    @classmethod
    def parse(
        cls,
        source: FlowSource,
        *,
        format: str | None = None,
        timespan: TimespanLike | None = None,
        columns: Columns | str | Sequence[str] | None = None,
        keep: bool | Sequence[str] = False,
        tz: str | None = None,
        date_order: str | None = None,
        internal: Sequence[str] | None = None,
        hosts: Hosts | None = None,
    ) -> ReadRequest:
        """Parse the arguments of `read_flows`."""
        wanted = by_name(format) if format else None
        names: tuple[str, ...] = ()
        if isinstance(columns, Mapping):
            if wanted:
                raise ArgumentError("give format= or columns= with canonical names, not both")
            wanted = custom_format(columns)
        elif columns is not None:
            names = field_names(columns)
        for name, given in (("tz", tz), ("date_order", date_order)):
            if given is not None and not (isinstance(given, str) and is_text(given)):
                raise ArgumentError(f"invalid {name} {quoted(given)}")
            if given is not None and len(given) > NAME_LENGTH:
                raise ArgumentError(f"invalid {name} {quoted(given)}; it is too long")
        networks = tuple(internal or ())
        options = Options(
            wanted,
            kept_names(keep),
            tz or "UTC",
            names,
            networks,
            date_order=date_order,
            hosts=hosts or Hosts(),
        )
        return cls(source, options, parse_timespan(timespan))

    def tables(self, report: ReadReport) -> Iterator[pa.Table]:
        """Yield the flows in parts; update `report`."""
        try:
            yield from self._tables(report)
        except ArgumentError as error:
            if not str(error).startswith("invalid tz"):
                raise
            near = did_you_mean(self.options.zone, available_timezones())
            raise ArgumentError(f"{error}{near}") from None

    def _tables(self, report: ReadReport) -> Iterator[pa.Table]:
        for table in read_tables(self.source, self.options, report):
            if isinstance(table, FlowParts):
                yield table
                continue
            table = self.options.hosts.select(table, report)
            kept = within(table, self.span)
            if table.num_rows > kept.num_rows:
                starts = outside(table.select(["start_time"]), self.span)["start_time"]
                report.count_outside(starts)
            yield kept


def read_tables(
    source: FlowSource | ReadRequest, options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    """Yield flows of any source in parts; update `report`."""
    return _read(source, with_date_orders(options, source), report)


def _read(
    source: FlowSource | ReadRequest, options: Options, report: ReadReport
) -> Iterator[pa.Table]:
    if isinstance(source, (str, os.PathLike)):
        yield from read_path(source, options, report)
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
    elif isinstance(source, Readable):
        yield from read_file(log_file_of(source), options, report)
    elif is_rows(source):
        report.sources.append("rows")
        yield from read_batches(read_rows(source), "rows", options, report)
    elif isinstance(source, Iterable) and not isinstance(source, Mapping):
        for part in source:
            yield from _read(part, options, report)
    else:
        raise ArgumentError(
            f"cannot read flows from {type(source).__name__}; give a path, an open file, "
            "a DataFrame, an Arrow table or stream, a list of rows, or a list of these"
        )
