"""Functions over single records: direction, and merging into biflows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from flowtriage._core import classify_direction as _classify_direction
from flowtriage._core import stitch as _stitch
from flowtriage.inputs.networks import parse_networks
from flowtriage.read.batches import flow_batches
from flowtriage.read.read_flows import WINDOW, window_of


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
    ranges = None if internal is None else parse_networks(internal)
    return _classify_direction(flow_batches(flows), ranges, hosts)


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
    return _stitch(flow_batches(flows), window_of(window))
