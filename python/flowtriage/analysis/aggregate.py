"""Aggregates of flows: index, summary by AS, timeline, top groups."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from flowtriage._core import flow_index as _flow_index
from flowtriage._core import flow_summary as _flow_summary
from flowtriage._core import timeline as _timeline
from flowtriage._core import top_n as _top_n
from flowtriage.enrich.asn import AsnDatabase, as_database
from flowtriage.errors import ArgumentError
from flowtriage.read.batches import flow_batches


def flow_index(flows: Any) -> pa.Table:
    """Group flows by source, destination, layer-7 protocol and direction.

    Parameters
    ----------
    flows
        A path, `Flows`, or any object with `__arrow_c_stream__` (pandas, polars, pyarrow,
        DuckDB) or `pyarrow.dataset.Dataset`, in the canonical schema or in a recognised format;
        or other flow indices, which are added up.

    Returns
    -------
    pyarrow.Table
        Columns `source`, `dest`, `L7Protocol`, `FlowDirection` (I inbound, O outbound,
        L internal, X external, U unknown), `TotalAllowedFlows`, then `denied_flows`,
        `src_bytes`, `dst_bytes`, `src_packets`, `dst_packets` (null where the flows have none),
        `first_seen`, `last_seen`. Ordered by the first four columns, nulls last; a null
        protocol is a group of its own.

    Raises
    ------
    InputError
        If a value cannot be used; the message tells its row and column.

    Examples
    --------
    >>> from flowtriage import sample
    >>> index = flow_index(sample.office_day())
    >>> index.column_names[:5]
    ['source', 'dest', 'L7Protocol', 'FlowDirection', 'TotalAllowedFlows']
    """
    return _flow_index(flow_batches(flows))


def flow_summary(
    flows_or_index: Any, *, asn: AsnDatabase | str | os.PathLike[str] | None = None
) -> pa.Table:
    """Group flows by the autonomous systems at both ends.

    Parameters
    ----------
    flows_or_index
        Flows in any form that `flow_index` takes, or its result.
    asn
        Database of autonomous systems, or its path; None takes the embedded one, and `"online"`
        that and, for public addresses that it does not know, services online (see `AsnDatabase`).

    Returns
    -------
    pyarrow.Table
        Columns `DestASN` and `SourceASN` (like `AS15169 Google LLC`; addresses without one are
        labelled by their type, and never null), `TotalAllowedFlows`, `L7Protocols`,
        `source_ips`, `dest_ips` (lists of distinct values in order), then the measures of
        `flow_index`. The groups with the most flows come first.

    Raises
    ------
    InputError
        If a value cannot be used.
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
        flows_or_index = flow_index(flows_or_index)
        ends = [*flows_or_index["source"].chunks, *flows_or_index["dest"].chunks]
        database.query_online(pa.chunked_array(ends, pa.string()).combine_chunks())
    return _flow_summary(flow_batches(flows_or_index), database._files)


def timeline(flows: Any, *, by: str, bins: int | None = None) -> pa.Table:
    """Count flows in slots of time, per series.

    Parameters
    ----------
    flows
        Flows in any form that `flow_index` takes.
    by
        Column that makes the series: `L7Protocol`, `FlowDirection`, `source`, `dest`, or any
        other column of text or whole numbers.
    bins
        Most slots wanted; None means 120. Slots have a round width (from 1 ms to 10 years).

    Returns
    -------
    pyarrow.Table
        Columns `bin_start`, `bin_end` (UTC), `series` (text), `flows` and the measures of
        `flow_index`; only slots that hold flows, ordered by time and series. Flows count in the
        slot of their start; those without a start time are in a null slot.

    Raises
    ------
    ArgumentError
        If `bins` is not positive.
    InputError
        If there is no column `by`, or a value cannot be used.

    Examples
    --------
    >>> from flowtriage import sample
    >>> table = timeline(sample.office_day(), by="FlowDirection", bins=24)
    >>> sorted(set(table["series"].to_pylist()))
    ['I', 'O']
    """
    if bins is not None and bins < 1:
        raise ArgumentError(f"bins is {bins}; at least one is needed")
    return _timeline(flow_batches(flows), by, bins)


def top_n(flows: Any, *, key: str | Sequence[str], by: str, n: int = 20) -> pa.Table:
    """Return the greatest groups by a measure.

    Parameters
    ----------
    flows
        Flows in any form that `flow_index` takes.
    key
        Column to group by, or up to four: `source`, `dest`, `L7Protocol`, `FlowDirection`, or
        any other column of text or whole numbers.
    by
        Measure to rank by: `flows`, `bytes` and `packets` (both ways), `src_bytes`, `dst_bytes`,
        `src_packets`, `dst_packets`, `denied_flows`.
    n
        Most groups wanted.

    Returns
    -------
    pyarrow.Table
        The key's columns, `flows` and the measures of `flow_index`; greatest first, of equals
        the lesser key first.

    Raises
    ------
    ArgumentError
        If `by` is no measure, or `n` is not positive.
    InputError
        If there is no column `key`, or a value cannot be used.

    Examples
    --------
    >>> from flowtriage import sample
    >>> top_n(sample.office_day(), key="dst_port", by="flows", n=1)["dst_port"].to_pylist()
    [443]
    """
    if n < 1:
        raise ArgumentError(f"n is {n}; at least one is needed")
    return _top_n(flow_batches(flows), [key] if isinstance(key, str) else list(key), by, n)
