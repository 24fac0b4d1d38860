"""Flows, and reading them from wherever they are."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage import _core
from flowtriage.errors import ArgumentError, InputError
from flowtriage.formats.detect import by_name
from flowtriage.formats.keep import check_kept, kept_names
from flowtriage.formats.mapping import Columns, field_names, mapped
from flowtriage.formats.migration import without_migrated
from flowtriage.formats.read import Options, read_batches, read_dataframe, read_file, read_place
from flowtriage.formats.report import COUNTS, Report
from flowtriage.formats.sources import handle
from flowtriage.formats.states import without_earlier_states
from flowtriage.networks import internal_networks
from flowtriage.timespan import Span, resolve

if TYPE_CHECKING:
    import pandas as pd

SCHEMA: pa.Schema = _core.canonical_schema()
"""The canonical flow schema."""

WINDOW = 60.0
"""Seconds after which nothing is taken for an answer any more, unless told otherwise."""


class Flows:
    """Flows in the canonical schema, with the report of how they were read.

    Anything that takes Arrow takes it: `pyarrow.table(flows)`, `polars.DataFrame(flows)`, DuckDB.

    Attributes
    ----------
    report : Report
        What was found while reading.
    """

    def __init__(self, table: pa.Table, report: Report) -> None:
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


def read_flows(
    source: Any,
    *,
    format: str | None = None,
    timespan: Any = None,
    columns: Columns | str | Sequence[str] | None = None,
    keep: bool | Sequence[str] = False,
    tz: str | None = None,
    stitch: bool | float = False,
    deduplicate: bool = False,
    internal: str | os.PathLike[str] | Sequence[str] | None = None,
) -> Flows:
    """Read flows from a log file, several, a DataFrame or anything Arrow.

    Parameters
    ----------
    source
        Path of a log, a glob, a folder, a URL that fsspec knows, an open file, a
        `pandas.DataFrame`, any object with `__arrow_c_stream__`, or a list of such sources.
        Files may be text (plain, gzip or zstd), Parquet or Arrow IPC.
    format
        Short name of the format, such as `zeek`; None detects it from the content.
    timespan
        Only flows that start within this span, both ends included: a msticpy `TimeSpan`, any
        object with `start` and `end`, or a pair. Flows without a start time are left out then.
    columns
        For a source of no known format: canonical names and the columns of the source, like
        `{"src_ip": "client", "dst_ip": "server", "start_time": ("epoch", "ms")}`. A pair tells
        the unit of a time that is a number: s, ms or us; without it numbers are seconds.
        `duration` may stand for `end_time`; without `flows` every record is one flow.
        For text without a header, of a known format: the names of its fields in order, as a list
        or as AWS writes them, like `"${version} ${srcaddr} ${dstaddr}"`.
    keep
        Columns of the source to keep, by name, or True for all. They stand after the canonical
        columns under their own names; one whose name is taken has `_source` after it. Those of
        text logs are text. Hive partitions (`y=2024/`) are columns of text, too.
    tz
        Zone of times that are written without one, such as `Europe/Prague` or `+01:00`; None is
        UTC. nfdump and Argus write such times.
    stitch
        Whether to join records of one direction each to the records that answer them; a number
        is the window in seconds (see `stitch`).
    deduplicate
        Whether to leave out what several machines reported of one flow. Not by default, since
        the rows are then no more those of the log; the report tells how many there are. Records
        of one 5-tuple whose times touch are of one flow; those of the machine that saw the most
        bytes stay.
    internal
        Networks that are internal, as for `classify_direction`: the flows get its columns
        `direction` and `direction_reason`, which all verbs go by, and the report counts reported
        directions against these networks.

    Returns
    -------
    Flows
        One row per record, in the canonical schema; `Flows.report` tells what was found.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    FormatError
        If the format is not recognised; the message names the candidates and what each lacks.
    ArgumentError
        If `format`, `tz` or a name in `columns` is not known, no source has a column to `keep`,
        `stitch` is negative, `internal` holds what is no network, or `timespan` cannot be read or
        ends before it starts.
    MissingExtraError
        If a URL needs a library that is not installed.

    Examples
    --------
    >>> from flowtriage import sample
    >>> flows = read_flows(sample.office_day())
    >>> flows.report.format
    'canonical'
    >>> table = pa.table({"client": ["10.0.0.1"], "server": ["192.0.2.1"], "rule": ["web"]})
    >>> flows = read_flows(table, columns={"src_ip": "client", "dst_ip": "server"}, keep=["rule"])
    >>> flows.to_arrow().select(["src_ip", "dst_ip", "flows", "rule"]).to_pylist()
    [{'src_ip': '10.0.0.1', 'dst_ip': '192.0.2.1', 'flows': 1, 'rule': 'web'}]
    """
    reading = Reading.asked(
        source, format=format, timespan=timespan, columns=columns, keep=keep, tz=tz
    )
    report = Report(internal=None if internal is None else internal_networks(internal))
    tables = list(reading.tables(report))
    read = _rows(tables)
    tables = without_migrated(tables)
    report.rows_migrated += read - (read := _rows(tables))
    tables = without_earlier_states(tables)
    report.rows_superseded += read - _rows(tables)
    joined = _joined([SCHEMA.empty_table(), *tables]).replace_schema_metadata(None)
    check_kept(reading.options.keep, joined.column_names)
    table = joined.select([*SCHEMA.names, *sorted(set(joined.column_names) - set(SCHEMA.names))])
    if deduplicate:
        distinct = _core.distinct_reports(table.to_reader())
        report.rows_reported_again += table.num_rows - distinct.num_rows
        table = distinct
    if stitch:
        joined = _core.stitch(table.to_reader(), window_of(stitch))
        report.rows_stitched += table.num_rows - joined.num_rows
        table = joined
    if report.internal is not None:
        table = _core.classify_direction(table.to_reader(), report.internal, [])
    report.about(table)
    return Flows(table, report)


def flow_report(
    source: Any,
    *,
    format: str | None = None,
    timespan: Any = None,
    columns: Columns | str | Sequence[str] | None = None,
    tz: str | None = None,
    internal: str | os.PathLike[str] | Sequence[str] | None = None,
) -> Report:
    """Tell how far flows can be trusted, without keeping them in memory.

    A log larger than memory is read once, a part at a time. What `read_flows` leaves out only
    when it has all rows is counted here as it stands: earlier states of flows in `quality`, and
    rows of the old Azure table about machines that moved not at all.

    Parameters
    ----------
    source
        Flows in any form that `read_flows` takes.
    format, timespan, columns, tz, internal
        As for `read_flows`.

    Returns
    -------
    Report
        What was found while reading; its `quality` is that of all rows.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    FormatError
        If the format is not recognised.
    ArgumentError
        As for `read_flows`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> report = flow_report(sample.office_day(), internal=["10.20.0.0/16"])
    >>> report.flows == sample.office_day().num_rows, report.quality.contradictions
    (True, 0)
    """
    reading = Reading.asked(source, format=format, timespan=timespan, columns=columns, tz=tz)
    report = Report(internal=None if internal is None else internal_networks(internal))
    tables = reading.tables(report)
    batches = (batch for table in tables for batch in table.select(SCHEMA.names).to_batches())
    report.look_at(pa.RecordBatchReader.from_batches(SCHEMA, batches))
    return report


@dataclass(frozen=True)
class Reading:
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
    span: Span | None = None

    @classmethod
    def asked(
        cls,
        source: Any,
        *,
        format: str | None = None,
        timespan: Any = None,
        columns: Columns | str | Sequence[str] | None = None,
        keep: bool | Sequence[str] = False,
        tz: str | None = None,
    ) -> Reading:
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
        return cls(source, options, resolve(timespan))

    def tables(self, report: Report) -> Iterator[pa.Table]:
        """Read the flows, a part at a time; `report` takes note of what is found."""
        for table in read_tables(self.source, self.options, report):
            yield _within(table, self.span, report)


def _rows(tables: Iterable[pa.Table]) -> int:
    return sum(table.num_rows for table in tables)


def read_tables(source: Any, options: Options, report: Report) -> Iterator[pa.Table]:
    """Read flows from any source, a part at a time; `report` takes note of what is found."""
    if isinstance(source, (str, os.PathLike)):
        yield from read_place(source, options, report)
    elif isinstance(source, Reading):
        yield from source.tables(report)
    elif isinstance(source, Flows):
        _inherit(report, source.report)
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


def _joined(tables: list[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise InputError(
            f"a column to keep has not the same type in all sources ({error}); read them one by one"
        ) from None


def window_of(window: bool | float) -> int:
    """Return a window of `stitch` in microseconds."""
    seconds = WINDOW if window is True else float(window)
    if not 0 <= seconds < 1e9:
        raise ArgumentError(f"the window to stitch is {seconds} seconds; it cannot be negative")
    return round(seconds * 1e6)


def is_dataframe(source: Any) -> bool:
    """Tell a `pandas.DataFrame` without importing pandas."""
    return type(source).__module__.partition(".")[0] == "pandas"


def as_reader(source: Any, columns: list[str] | None = None) -> pa.RecordBatchReader:
    """Return the batches of anything Arrow; a reader is taken as it is, so its errors are too.

    Of a dataset only the `columns` are read, where they are given.
    """
    if isinstance(source, pa.RecordBatchReader):
        return source
    if is_dataset(source):
        # By default files are read so far ahead that they are in memory before they are needed.
        return source.scanner(columns, batch_readahead=4, fragment_readahead=1).to_reader()
    return pa.RecordBatchReader.from_stream(source)


def stream_file(path: str | os.PathLike[str]) -> pa.RecordBatchReader:
    """Return the flows of a log file as it is read, so that it need not fit into memory.

    Bad rows lead to a warning at the end, since there is no report.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        report = Report()
        for table in read_tables(path, Options(), report):
            yield from table.select(SCHEMA.names).to_batches()
        if report.rows_bad:
            warnings.warn(
                f"{os.fspath(path)}: {report.rows_bad} of {report.rows_read} rows could not be "
                "used and are left out; the report of read_flows tells which and why",
                stacklevel=2,
            )

    return pa.RecordBatchReader.from_batches(SCHEMA, batches())


def is_dataset(source: Any) -> bool:
    """Tell a `pyarrow.dataset.Dataset` without importing that module."""
    dataset = sys.modules.get("pyarrow.dataset")
    return dataset is not None and isinstance(source, dataset.Dataset)


def is_stream(source: Any) -> bool:
    """Tell what `as_reader` takes."""
    return hasattr(source, "__arrow_c_stream__") or is_dataset(source)


def _inherit(report: Report, earlier: Report) -> None:
    report.formats |= earlier.formats
    report.sources += earlier.sources
    report.add({name: getattr(earlier, name) for name in COUNTS}, earlier.skipped)
    report.tell(earlier.bad_rows)
    report.passed_over |= earlier.passed_over
    report.totals += earlier.totals
    report.limits += [limit for limit in earlier.limits if limit not in report.limits]
    report.counters |= earlier.counters
    report._reporters |= earlier._reporters


def _within(table: pa.Table, span: Span | None, report: Report) -> pa.Table:
    if span is None:
        return table
    times = table["start_time"]
    inside = pc.is_valid(times)
    if span.start is not None:
        inside = pc.and_(inside, pc.greater_equal(times, pa.scalar(span.start, times.type)))
    if span.end is not None:
        inside = pc.and_(inside, pc.less_equal(times, pa.scalar(span.end, times.type)))
    kept = table.filter(pc.fill_null(inside, False))
    report.rows_outside += table.num_rows - kept.num_rows
    return kept
