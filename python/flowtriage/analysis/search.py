"""Everything about one address: its flows, and its peers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from flowtriage._core import connection_sets as _connection_sets
from flowtriage._core import expanded_search as _expanded_search
from flowtriage.errors import ArgumentError
from flowtriage.inputs.arrow import as_reader, is_dataset, is_stream
from flowtriage.inputs.networks import parse_networks
from flowtriage.read.batches import flow_batches
from flowtriage.schema import REQUIRED_COLUMNS, SEARCH_COLUMNS


def expanded_search(flows: Any, ip: str) -> pa.Table:
    """Find all flows of an address.

    Parameters
    ----------
    flows
        Flows in any form that `flow_index` takes. An entry of a flow index counts as one record.
    ip
        IPv4 or IPv6 address in any spelling.

    Returns
    -------
    pyarrow.Table
        The flows that have the address at either end, a row for each `src_ip`, `dst_ip`,
        `src_port` and `dst_port`, in their numeric order, nulls last:

        - `first_seen`, `last_seen` (UTC);
        - `src_ip`, `dst_ip`, `src_port`, `dst_port`; flows without ports have a row of their own;
        - `connections`, the sum of `flows`;
        - `max_packets`, `mean_packets`, `max_bytes`, `mean_bytes`, both ways together: the most of
          one record, and the sum for each connection. Null where no record told, the means also
          where there are no connections (refused flows only);
        - `src_bytes`, `dst_bytes`, `src_packets`, `dst_packets`, `denied_connections`: sums, null
          where no record told;
        - `protocols`: the distinct ones in order, with commas between them.

    Raises
    ------
    ArgumentError
        If `ip` is no address.
    InputError
        If a value cannot be used; the message tells its row and column.

    Examples
    --------
    >>> from flowtriage import sample
    >>> found = expanded_search(sample.office_day(), sample.HOST_IP)
    >>> found.column_names[2:7]
    ['src_ip', 'dst_ip', 'src_port', 'dst_port', 'connections']
    >>> expanded_search(sample.office_day(), "192.0.2.200").num_rows
    0
    """
    return _expanded_search(_batches(flows), ip)


def connection_sets(
    search: Any, ip: str, internal: str | os.PathLike[str] | Sequence[str] | None = None
) -> pa.Table:
    """Tell the peers of an address, and who sends to whom.

    Parameters
    ----------
    search
        What `expanded_search` found of the address, or the same in another form of Arrow.
    ip
        The address, in any spelling.
    internal
        Networks that are internal, as for `classify_direction`.

    Returns
    -------
    pyarrow.Table
        A row for each peer, in numeric order (a missing address is a peer, too, and last):

        - `peer`;
        - `direction`: `two-way` if the peer is source of some flows and destination of others; for
          an internal address `inbound` if the peer is source only and `outbound` if it is
          destination only, for any other address the opposite;
        - `connections`, `connections_from_peer` (the peer is source), `connections_to_peer`;
        - `bytes`, `bytes_from_peer`, `bytes_to_peer`: what both, the peer and the address sent,
          over flows of both directions; null where no record told;
        - `packets`, `packets_from_peer`, `packets_to_peer`: likewise;
        - `max_packets`, `mean_packets`, `max_bytes`, `mean_bytes`: the most of one record, and the
          sum for each connection;
        - `first_seen`, `last_seen` (UTC);
        - `peer_ports`: the lowest ten ports of the peer, with commas between them.

        An address that sends to itself is its own peer: all that is sent is from it and to it.

    Raises
    ------
    ArgumentError
        If `ip` is no address, or not that of the search, or if `internal` is empty or holds what
        is no network.
    InputError
        If a column is missing, or a value cannot be used.
    FileNotFoundError
        If `internal` is a path and there is no such file.

    Examples
    --------
    >>> from flowtriage import sample
    >>> found = expanded_search(sample.office_day(), sample.HOST_IP)
    >>> peers = connection_sets(found, sample.HOST_IP)
    >>> sorted(set(peers["direction"].to_pylist()))
    ['inbound', 'outbound']
    >>> sum(peers["connections"].to_pylist()) == sum(found["connections"].to_pylist())
    True
    """
    if not is_stream(search):
        raise ArgumentError(
            f"search is a {type(search).__name__}; give the table that expanded_search returns"
        )
    ranges = None if internal is None else parse_networks(internal)
    return _connection_sets(as_reader(search), ip, ranges)


def _batches(flows: Any) -> pa.RecordBatchReader:
    if is_dataset(flows) and set(flows.schema.names).issuperset(REQUIRED_COLUMNS):
        return as_reader(flows, [name for name in SEARCH_COLUMNS if name in flows.schema.names])
    return flow_batches(flows)
