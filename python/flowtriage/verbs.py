"""The verbs over flows: each takes flows in any form and returns a `pyarrow.Table`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage import _core
from flowtriage.arrow import as_reader, is_dataframe, is_stream
from flowtriage.asn import AsnDatabase, as_database
from flowtriage.errors import ArgumentError
from flowtriage.flows import Flows, stream_file
from flowtriage.networks import internal_networks
from flowtriage.reading import WINDOW, read_flows, window_of

_CANONICAL = {"src_ip", "dst_ip", "flows"}
_INDEX = {"source", "dest", "TotalAllowedFlows"}


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
    return _core.flow_index(flow_batches(flows))


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
        database.ask(pa.chunked_array(ends, pa.string()).combine_chunks())
    return _core.flow_summary(flow_batches(flows_or_index), database._files)


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
    return _core.timeline(flow_batches(flows), by, bins)


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
    return _core.top_n(flow_batches(flows), [key] if isinstance(key, str) else list(key), by, n)


def classify_direction(
    flows: Any,
    *,
    internal: str | os.PathLike[str] | Sequence[str] | None = None,
    host: str | Sequence[str] | None = None,
) -> pa.Table:
    """Tell the direction of every flow, and how it is known.

    Parameters
    ----------
    flows
        Flows in any form that `flow_index` takes.
    internal
        Networks that are internal, as CIDR prefixes or addresses; or the path of a file of
        them: an `ipranges.csv` (first address, last address, name), or what Zeek reads as
        `local_nets` (`networks.cfg`, or a script that redefines them). None takes RFC 1918,
        RFC 4193, carrier-grade NAT and link-local. Nothing outside of them is called internal.
    host
        Address, or addresses, of the host under investigation.

    Returns
    -------
    pyarrow.Table
        The flows with `direction` (inbound, outbound, internal, external, unknown) and
        `direction_reason`: `reported` by the source, `host`, `internal ranges` (those given),
        `private address` (the default ones) or `none`; the first that tells it counts. Where
        the addresses tell who is outside, but a record has one direction only (NetFlow, AWS,
        GCP), it may be that of an answer: if it comes from a well-known port (below 1024) to
        another, and not with SYN alone, the flow went the other way and the reason is
        `ports/flags`.

    Raises
    ------
    ArgumentError
        If `internal` is empty or holds what is no network, or `host` what is no address.
    FileNotFoundError
        If `internal` is a path and there is no such file.

    Examples
    --------
    >>> from flowtriage import sample
    >>> flows = classify_direction(sample.office_day(), host=sample.HOST_IP)
    >>> flows["direction_reason"].unique().to_pylist()
    ['reported']
    """
    hosts = [] if host is None else [host] if isinstance(host, str) else list(host)
    ranges = None if internal is None else internal_networks(internal)
    return _core.classify_direction(flow_batches(flows), ranges, hosts)


def stitch(flows: Any, *, window: float = WINDOW) -> pa.Table:
    """Join records of one direction each into flows of both.

    Parameters
    ----------
    flows
        Flows in any form that `flow_index` takes, but no index.
    window
        Seconds: a record answers an earlier one of the reversed 5-tuple, seen by the same
        `host`, that ended at most so long before it started.

    Returns
    -------
    pyarrow.Table
        The flows; of two records that answer each other there is one row, with the counters of
        both, the times of both together and the greater number of flows. SYN without ACK tells
        which of them began, else a well-known port (below 1024) at one end only, else the earlier
        start. Rows with both directions, without a start or with refused flows stay as they are.

    Raises
    ------
    ArgumentError
        If `window` is negative.
    InputError
        If a value cannot be used.

    Examples
    --------
    >>> asks = ("10.0.0.1", "192.0.2.1", 40000, 443, 900)
    >>> records = [asks, ("192.0.2.1", "10.0.0.1", 443, 40000, 70)]
    >>> names = ["src_ip", "dst_ip", "src_port", "dst_port", "src_bytes"]
    >>> table = pa.Table.from_pylist([dict(zip(names, record)) for record in records])
    >>> mapping = {name: name for name in names} | {"start_time": "at"}
    >>> flows = read_flows(table.append_column("at", pa.array([1, 2])), columns=mapping)
    >>> stitch(flows).select(["dst_port", "src_bytes", "dst_bytes"]).to_pylist()
    [{'dst_port': 443, 'src_bytes': 900, 'dst_bytes': 70}]
    """
    return _core.stitch(flow_batches(flows), window_of(window))


def flow_batches(flows: Any) -> pa.RecordBatchReader:
    """Hand flows over as batches in the canonical schema or that of the index."""
    if isinstance(flows, Flows):
        return flows.to_arrow().to_reader()
    if is_stream(flows) and not is_dataframe(flows):
        reader = as_reader(flows)
        names = set(reader.schema.names)
        if names >= _CANONICAL or names >= _INDEX:
            return reader
        flows = reader
    elif isinstance(flows, (str, os.PathLike)) and Path(flows).is_file():
        return stream_file(flows)
    elif is_dataframe(flows) and set(map(str, flows.columns)) >= _INDEX:
        return as_reader(flows)
    return read_flows(flows).to_arrow().to_reader()
