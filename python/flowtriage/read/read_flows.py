"""Reading flows as a whole, and telling how far they can be trusted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from flowtriage._core import classify_direction, distinct_observations
from flowtriage._core import stitch as _stitch
from flowtriage.errors import ArgumentError, InputError
from flowtriage.inputs.networks import internal_networks
from flowtriage.quality.report import ReadReport
from flowtriage.read.custom import Columns
from flowtriage.read.duplicates import without_earlier_states, without_migrated
from flowtriage.read.extra_columns import check_kept
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.schema import SCHEMA

WINDOW = 60.0
"""Seconds after which nothing is taken for an answer any more, unless told otherwise."""


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
    reading = ReadRequest.parse(
        source, format=format, timespan=timespan, columns=columns, keep=keep, tz=tz
    )
    report = ReadReport(internal=None if internal is None else internal_networks(internal))
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
        distinct = distinct_observations(table.to_reader())
        report.rows_reported_again += table.num_rows - distinct.num_rows
        table = distinct
    if stitch:
        joined = _stitch(table.to_reader(), window_of(stitch))
        report.rows_stitched += table.num_rows - joined.num_rows
        table = joined
    if report.internal is not None:
        table = classify_direction(table.to_reader(), report.internal, [])
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
) -> ReadReport:
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
    reading = ReadRequest.parse(source, format=format, timespan=timespan, columns=columns, tz=tz)
    report = ReadReport(internal=None if internal is None else internal_networks(internal))
    tables = reading.tables(report)
    batches = (batch for table in tables for batch in table.select(SCHEMA.names).to_batches())
    report.look_at(pa.RecordBatchReader.from_batches(SCHEMA, batches))
    return report


def window_of(window: bool | float) -> int:
    """Return a window of `stitch` in microseconds."""
    seconds = WINDOW if window is True else float(window)
    if not 0 <= seconds < 1e9:
        raise ArgumentError(f"the window to stitch is {seconds} seconds; it cannot be negative")
    return round(seconds * 1e6)


def _rows(tables: Iterable[pa.Table]) -> int:
    return sum(table.num_rows for table in tables)


def _joined(tables: list[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise InputError(
            f"a column to keep has not the same type in all sources ({error}); read them one by one"
        ) from None
