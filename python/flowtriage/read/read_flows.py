"""Reading flows into memory, and reporting their quality."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from flowtriage._core import classify_direction, distinct_observations
from flowtriage._core import stitch as _stitch
from flowtriage.errors import ArgumentError, InputError
from flowtriage.inputs.addresses import HostsLike, hosts_argument
from flowtriage.inputs.arrow import FlowSource
from flowtriage.inputs.networks import NetworksLike, parse_networks
from flowtriage.inputs.timespan import TimespanLike
from flowtriage.quality import ReadReport
from flowtriage.quality.rows import Meter
from flowtriage.read.custom import Columns
from flowtriage.read.duplicates import drop_migrated, drop_superseded
from flowtriage.read.extra_columns import check_kept
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.hosts import Hosts
from flowtriage.schema import SCHEMA

STITCH_WINDOW = 60.0
"""Default window of `stitch`, in seconds."""


def read_flows(
    source: FlowSource,
    *,
    format: str | None = None,
    timespan: TimespanLike | None = None,
    columns: Columns | str | Sequence[str] | None = None,
    keep: bool | Sequence[str] = False,
    tz: str | None = None,
    date_order: str | None = None,
    stitch: bool | float = False,
    deduplicate: bool = False,
    internal: NetworksLike | None = None,
    hosts: HostsLike | None = None,
) -> Flows:
    """Read flows from log files, DataFrames or Arrow data into memory.

    Parameters
    ----------
    source
        Path of a log, a glob, a directory, a URL of fsspec, an open file, a
        `pandas.DataFrame`, any object with `__arrow_c_stream__`, or a list of such sources.
        Files may be text (plain, gzip or zstd), Parquet or Arrow IPC.
    format
        Short name of the format, such as `zeek`; None detects it from the content.
    timespan
        Return only flows that start within this timespan, start and end included: a msticpy
        `TimeSpan`, any object with `start` and `end`, or a pair. It excludes null starts.
    columns
        For a source of an unknown format: canonical names and the columns of the source, like
        `{"src_ip": "client", "dst_ip": "server", "start_time": ("epoch", "ms")}`. A pair gives
        the unit of a numeric time: s, ms or us; the default is seconds. `duration` may replace
        `end_time`; without `flows` every record counts as one flow.
        For a text log without a header: its field names in order, as a list or in the notation
        of AWS, like `"${version} ${srcaddr} ${dstaddr}"`.
    keep
        Extra columns of the source, by name, or True for all. They follow the canonical columns
        under their own names, with the suffix `_source` if the name is taken. Those of text logs
        are strings, and so are Hive partitions (`y=2024/`).
    tz
        Time zone of times without one, such as `Europe/Prague` or `+01:00`; None is UTC.
        nfdump and Argus write such times.
    date_order
        Order of day and month in dates such as `3/4/2025`: `mdy` or `dmy`. Without it, a date
        that could be either is an error.
    stitch
        Merge unidirectional records into biflows; a number is the window in seconds (see
        `stitch`).
    deduplicate
        Drop duplicate observations of a flow by several exporters. Records of one 5-tuple whose
        times touch belong to one flow; those of the exporter with the most bytes stay. Off by
        default, so that rows match the log; the report counts the duplicates.
    internal
        Internal networks, as for `classify_direction`: flows get its columns `direction` and
        `direction_reason`, which all functions use, and the report counts direction conflicts
        with these networks.
    hosts
        Return only flows with one of these addresses or networks (CIDR) at either endpoint. Other
        records are counted, but only searched for the hosts, so that bad ones are not found.

    Returns
    -------
    Flows
        One row per record, in the canonical schema, with the read report in `Flows.report`.

    Raises
    ------
    FileNotFoundError, PermissionError
        As raised by the operating system.
    FormatError
        If the format is not recognised; the message lists the candidates and their missing
        columns.
    ArgumentError
        If `format`, `tz`, `date_order` or a name in `columns` is unknown, a date is ambiguous, no
        source has a column of `keep`, `stitch` is negative, `internal` contains an invalid
        network, or `timespan` cannot be parsed or ends before it starts.
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
    ranges = None if internal is None else parse_networks(internal)
    request = ReadRequest.parse(
        source,
        format=format,
        timespan=timespan,
        columns=columns,
        keep=keep,
        tz=tz,
        date_order=date_order,
        internal=ranges,
        hosts=None if hosts is None else Hosts(tuple(hosts_argument(hosts))),
    )
    return read_request(request, stitch=stitch, deduplicate=deduplicate)


def read_request(
    request: ReadRequest, *, stitch: bool | float = False, deduplicate: bool = False
) -> Flows:
    """Read the flows of a request into memory, as `read_flows`."""
    networks = request.options.internal
    report = ReadReport(internal=list(networks) or None)
    tables = list(request.tables(report))
    read = _rows(tables)
    tables = drop_migrated(tables)
    report.rows_migrated += read - _rows(tables)
    tables = [request.options.hosts.select_all(table, report) for table in tables]
    read = _rows(tables)
    tables = drop_superseded(tables)
    report.rows_superseded += read - _rows(tables)
    joined = _concatenate([SCHEMA.empty_table(), *tables]).replace_schema_metadata(None)
    check_kept(request.options.keep, joined.column_names, report.columns)
    table = joined.select([*SCHEMA.names, *sorted(set(joined.column_names) - set(SCHEMA.names))])
    if deduplicate:
        distinct = distinct_observations(table.to_reader())
        report.rows_duplicate += table.num_rows - distinct.num_rows
        table = distinct
    if stitch:
        joined = _stitch(table.to_reader(), window_of(stitch))
        report.rows_stitched += table.num_rows - joined.num_rows
        table = joined
    if report.internal is not None:
        table = classify_direction(table.to_reader(), report.internal, [])
    report.describe(table)
    return Flows(table, report)


def flow_report(
    source: FlowSource,
    *,
    format: str | None = None,
    timespan: TimespanLike | None = None,
    columns: Columns | str | Sequence[str] | None = None,
    tz: str | None = None,
    date_order: str | None = None,
    internal: NetworksLike | None = None,
) -> ReadReport:
    """Report the quality of flows in one pass and bounded memory.

    Rows that `read_flows` drops only because it has all of them in memory are included here:
    `quality` counts superseded records, and migrated rows of the old Azure table are not counted.

    Parameters
    ----------
    source
        Any source of `read_flows`.
    format, timespan, columns, tz, date_order, internal
        As for `read_flows`.

    Returns
    -------
    ReadReport
        Report of reading, with the `quality` of all rows.

    Raises
    ------
    FileNotFoundError, PermissionError
        As raised by the operating system.
    FormatError
        If the format is not recognised.
    ArgumentError
        As for `read_flows`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> report = flow_report(sample.office_day(), internal=["10.20.0.0/16"])
    >>> report.records == sample.office_day().num_rows, report.quality.direction_conflicts
    (True, 0)
    """
    ranges = None if internal is None else parse_networks(internal)
    request = ReadRequest.parse(
        source,
        format=format,
        timespan=timespan,
        columns=columns,
        tz=tz,
        date_order=date_order,
        internal=ranges,
    )
    report = ReadReport(internal=ranges)
    tables = (table.select(SCHEMA.names) for table in request.tables(report))
    meter = Meter(ranges, exporters=True, superseded=True)
    for _ in report.inspected(tables, meter):
        pass
    return report


def window_of(window: bool | float) -> int:
    """Return the window of `stitch` in microseconds."""
    seconds = STITCH_WINDOW if window is True else float(window)
    if not 0 <= seconds < 1e9:
        raise ArgumentError(f"window must be 0 or more seconds, got {seconds}")
    return round(seconds * 1e6)


def _rows(tables: Iterable[pa.Table]) -> int:
    return sum(table.num_rows for table in tables)


def _concatenate(tables: list[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise InputError(
            f"an extra column has different types in the sources ({error}); read them one by one"
        ) from None
