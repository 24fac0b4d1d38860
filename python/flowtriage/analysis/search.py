"""Search for an address: its flows and its peers."""

from __future__ import annotations

import pyarrow as pa

from flowtriage._core import connection_sets as _connection_sets
from flowtriage._core import expanded_search as _expanded_search
from flowtriage.errors import ArgumentError
from flowtriage.inputs.addresses import HostsLike, hosts_argument
from flowtriage.inputs.arrow import ArrowStream, FlowSource, as_reader, is_dataset, is_stream
from flowtriage.inputs.networks import NetworksLike, parse_networks
from flowtriage.quality import warn_inside
from flowtriage.read.batches import over_flows
from flowtriage.schema import REQUIRED_COLUMNS, SEARCH_COLUMNS


def expanded_search(flows: FlowSource, ip: HostsLike) -> pa.Table:
    """Return all flows of an address, or of several.

    Parameters
    ----------
    flows
        Any source of `flow_index`. A row of a flow index counts as one record.
    ip
        IPv4 or IPv6 address in any notation, CIDR prefix, or a list of them.

    Returns
    -------
    pyarrow.Table
        The flows with such an address at either endpoint, one row per `src_ip`, `dst_ip`,
        `src_port` and `dst_port`, in numeric order, nulls last:

        - `first_seen`, `last_seen` (UTC);
        - `src_ip`, `dst_ip`, `src_port`, `dst_port`; flows without ports have a row of their own;
        - `connections`, the sum of `flows`;
        - `max_packets`, `mean_packets`, `max_bytes`, `mean_bytes`, of both directions: the maximum
          of a record, and the mean per flow, allowed or denied. Null if no record has a value, and
          the means also if there are no flows;
        - `src_bytes`, `dst_bytes`, `src_packets`, `dst_packets`, `denied_connections`: sums, null
          if no record has a value;
        - `protocols`: the distinct ones, sorted and joined by commas.

    Raises
    ------
    ArgumentError
        If `ip` is neither an address nor a network.
    InputError
        If a value is invalid; the message names its row and column.

    Examples
    --------
    >>> from flowtriage import sample
    >>> found = expanded_search(sample.office_day(), sample.HOST_IP)
    >>> found.column_names[2:7]
    ['src_ip', 'dst_ip', 'src_port', 'dst_port', 'connections']
    >>> expanded_search(sample.office_day(), "192.0.2.200").num_rows
    0
    """
    hosts = hosts_argument(ip)
    if is_dataset(flows) and set(flows.schema.names).issuperset(REQUIRED_COLUMNS):
        flows = as_reader(flows, [name for name in SEARCH_COLUMNS if name in flows.schema.names])
    return over_flows(lambda batches: _expanded_search(batches, hosts), flows)


def connection_sets(
    search: ArrowStream, ip: HostsLike, internal: NetworksLike | None = None
) -> pa.Table:
    """Summarise the peers of an address, or of several together, by direction.

    A peer is any address that is not among the given ones, or one that sends to itself.

    Parameters
    ----------
    search
        Result of `expanded_search` for the same addresses, as any Arrow table.
    ip
        The address, CIDR prefix or list of `expanded_search`.
    internal
        Internal networks, as for `classify_direction`.

    Returns
    -------
    pyarrow.Table
        One row per peer, in numeric order (a null address is a peer, too, and last):

        - `peer`;
        - `direction`: for an internal address `inbound` if the peer is only a source and `outbound`
          if it is only a destination, for any other address the opposite; `two-way` if there are
          flows of both directions;
        - `connections`, `connections_from_peer` (the peer is source), `connections_to_peer`,
          numbers of allowed flows; and `denied_connections`, that of denied ones;
        - `bytes`, `bytes_from_peer`, `bytes_to_peer`: sent by both, by the peer and by the address,
          over flows of both directions; null if no record has a value;
        - `packets`, `packets_from_peer`, `packets_to_peer`: likewise;
        - `max_packets`, `mean_packets`, `max_bytes`, `mean_bytes`: the maximum of a record, and
          the mean per flow, allowed or denied;
        - `first_seen`, `last_seen` (UTC);
        - `peer_ports`: the ten lowest ports of the peer, joined by commas.

        An address that sends to itself is its own peer, and its bytes count in both directions.

    Warns
    -----
    QualityWarning
        If there are flows between different addresses of a network or list: these have no peer.

    Raises
    ------
    ArgumentError
        If `ip` is not that of the search, or neither an address nor a network, or if `internal` is
        empty or contains an invalid network.
    InputError
        If a column is missing, or a value is invalid.
    FileNotFoundError
        If `internal` is the path of a file that does not exist.

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
            f"search is a {type(search).__name__}; give the table of expanded_search"
        )
    ranges = None if internal is None else parse_networks(internal)
    peers, inside = _connection_sets(as_reader(search), hosts_argument(ip), ranges)
    warn_inside(inside)
    return peers
