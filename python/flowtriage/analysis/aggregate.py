"""Aggregates of flows: index, summary by AS, timeline, top groups."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from flowtriage._core import flow_index as _flow_index
from flowtriage._core import flow_summary as _flow_summary
from flowtriage._core import timeline as _timeline
from flowtriage._core import top_n as _top_n
from flowtriage.enrich.asn import AsnDatabase, as_database
from flowtriage.errors import ArgumentError, InputError
from flowtriage.humanize import NAME_LENGTH, did_you_mean, quoted, sanitize
from flowtriage.inputs.arrow import FlowReader, FlowSource
from flowtriage.inputs.integers import count_argument
from flowtriage.read.batches import over_flows

_NAMES = ("source", "dest", "L7Protocol", "FlowDirection")
_ALIASES = {"src_ip", "dst_ip", "service", "direction", "totalallowedflows"}
_SUMS = ("denied_flows", "src_bytes", "dst_bytes", "src_packets", "dst_packets")
_MEASURES = ("flows", "bytes", "packets", *_SUMS)


def flow_index(flows: FlowSource) -> pa.Table:
    """Group flows by source, destination, layer-7 protocol and direction.

    Parameters
    ----------
    flows
        A path, `Flows`, or any object with `__arrow_c_stream__` (pandas, polars, pyarrow,
        DuckDB) or `pyarrow.dataset.Dataset`, in the canonical schema or in a recognised format;
        or flow indices, which are merged.

    Returns
    -------
    pyarrow.Table
        Columns `source`, `dest`, `L7Protocol`, `FlowDirection` (I inbound, O outbound,
        L internal, X external, U unknown), `TotalAllowedFlows`, then `denied_flows`,
        `src_bytes`, `dst_bytes`, `src_packets`, `dst_packets` (null if the flows have none),
        `first_seen`, `last_seen`. Ordered by the first four columns, nulls last; a null
        protocol is a group of its own.

    Raises
    ------
    InputError
        If a value is invalid; the message names its row and column.

    Examples
    --------
    >>> from flowtriage import sample
    >>> index = flow_index(sample.office_day())
    >>> index.column_names[:5]
    ['source', 'dest', 'L7Protocol', 'FlowDirection', 'TotalAllowedFlows']
    """
    return over_flows(_flow_index, flows, keys=())


def flow_summary(
    flows_or_index: FlowSource, *, asn: AsnDatabase | str | os.PathLike[str] | None = None
) -> pa.Table:
    """Group flows by the autonomous systems of both endpoints.

    Parameters
    ----------
    flows_or_index
        Any source of `flow_index`, or its result.
    asn
        Database of autonomous systems, or its path; None for the bundled one, `"online"` to also
        look up unknown public addresses online (see `AsnDatabase`).

    Returns
    -------
    pyarrow.Table
        Columns `DestASN` and `SourceASN` (like `AS15169 Google LLC`; addresses without an AS
        are labelled by their type, never null), `TotalAllowedFlows`, `L7Protocols`,
        `source_ips`, `dest_ips` (sorted lists of distinct values), then the measures of
        `flow_index`. Ordered by flows, descending.

    Raises
    ------
    InputError
        If a value is invalid.
    DatabaseError
        If the database is damaged.

    Examples
    --------
    >>> from flowtriage import sample
    >>> flow_summary(sample.office_day()).column_names[:3]
    ['DestASN', 'SourceASN', 'TotalAllowedFlows']
    """
    database = as_database(asn)
    if database.online:
        flows_or_index = index = flow_index(flows_or_index)
        endpoints = [*index["source"].chunks, *index["dest"].chunks]
        database.query_online(pa.chunked_array(endpoints, pa.string()).unique())
    return over_flows(
        lambda batches: _flow_summary(batches, database._files), flows_or_index, keys=()
    )


def timeline(flows: FlowSource, *, by: str, bins: int | None = None) -> pa.Table:
    """Count flows in time bins, per series.

    Parameters
    ----------
    flows
        Any source of `flow_index`.
    by
        Column of the series: `L7Protocol`, `FlowDirection`, `source`, `dest`, or any other
        string or integer column.
    bins
        Maximum number of bins; None means 120. Bins have a round width (from 1 ms to 10 years).

    Returns
    -------
    pyarrow.Table
        Columns `bin_start`, `bin_end` (UTC), `series` (string), `flows` and the measures of
        `flow_index`; only bins with flows, ordered by time and series. Flows count in the bin of
        their start; those without a start time are in a null bin.

    Raises
    ------
    ArgumentError
        If `bins` is not an integer of 1 or more.
    InputError
        If there is no column `by`, or a value is invalid.

    Examples
    --------
    >>> from flowtriage import sample
    >>> table = timeline(sample.office_day(), by="FlowDirection", bins=24)
    >>> sorted(set(table["series"].to_pylist()))
    ['I', 'O']
    """
    bins = None if bins is None else count_argument("bins", bins)
    return over_flows(
        lambda batches: _timeline(_with_columns(batches, [by]), by, bins), flows, keys=[by]
    )


def top_n(flows: FlowSource, *, key: str | Sequence[str], by: str, n: int = 20) -> pa.Table:
    """Return the top groups by a measure.

    Parameters
    ----------
    flows
        Any source of `flow_index`.
    key
        Column to group by, or up to four: `source`, `dest`, `L7Protocol`, `FlowDirection`, or
        any other string or integer column.
    by
        Measure to rank by: `flows`, `bytes` and `packets` (both directions), `src_bytes`,
        `dst_bytes`, `src_packets`, `dst_packets`, `denied_flows`.
    n
        Maximum number of groups.

    Returns
    -------
    pyarrow.Table
        The key's columns, `flows` and the measures of `flow_index`, ordered by the measure,
        descending, then by key.

    Raises
    ------
    ArgumentError
        If `by` is not a measure, `key` has a column twice, or `n` is not an integer of 1 or more.
    InputError
        If there is no column `key`, or a value is invalid.

    Examples
    --------
    >>> from flowtriage import sample
    >>> top_n(sample.office_day(), key="dst_port", by="flows", n=1)["dst_port"].to_pylist()
    [443]
    """
    keys = [key] if isinstance(key, str) else list(key)
    return over_flows(top_function(keys, by, n), flows, keys=keys)


def top_function(key: str | Sequence[str], by: str, n: int) -> Callable[[FlowReader], pa.Table]:
    """Return the function of `top_n` over record batches."""
    n = count_argument("n", n)
    if by not in (*_MEASURES, "TotalAllowedFlows"):
        raise ArgumentError(f"unknown measure {quoted(by)}{did_you_mean(by, _MEASURES)}")
    keys: list[Any] = list(key) if isinstance(key, (list, tuple)) else [key]
    folded = [str(name).casefold() for name in keys]
    if repeated := [name for name in keys if folded.count(str(name).casefold()) > 1]:
        raise ArgumentError(f"key has {quoted(repeated[0])} twice; give each column once")
    return lambda batches: _top_n(_with_columns(batches, keys), keys, by, n)


def _with_columns(flows: FlowReader, names: Sequence[str]) -> FlowReader:
    """Return flows; raise `InputError` if they have no column of a name, in any case."""
    known = dict.fromkeys([*_NAMES, *flows.schema.names])
    folded = {name.casefold() for name in known} | _ALIASES
    for name in names:
        if not isinstance(name, str) or (name.casefold() not in folded and name not in _MEASURES):
            shown = did_you_mean(name, [name for name in known if name not in _MEASURES])
            quotation = sanitize(json.dumps(name, default=repr), NAME_LENGTH)
            raise InputError(f"column {quotation} is missing{shown}")
    return flows
