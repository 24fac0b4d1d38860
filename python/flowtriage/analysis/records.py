"""Functions over records: direction, and merging into biflows."""

from __future__ import annotations

import pyarrow as pa

from flowtriage._core import classify_direction as _classify_direction
from flowtriage._core import stitch as _stitch
from flowtriage.analysis.addresses import addresses_in
from flowtriage.inputs.addresses import HostsLike, hosts_argument
from flowtriage.inputs.arrow import FlowSource
from flowtriage.inputs.hosts import is_network
from flowtriage.inputs.networks import NetworksLike, parse_networks
from flowtriage.read.batches import over_flows
from flowtriage.read.read_flows import STITCH_WINDOW, window_of


def classify_direction(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    host: HostsLike | None = None,
) -> pa.Table:
    """Classify the direction of every flow, with the reason.

    Parameters
    ----------
    flows
        Any source of `flow_index`.
    internal
        Internal networks, as CIDR prefixes or addresses; or the path of a file: `ipranges.csv`
        (first address, last address, name), or `local_nets` of Zeek (`networks.cfg`, or a script
        that redefines it). None means RFC 1918, RFC 4193, carrier-grade NAT and link-local. All
        other addresses are external. Networks that cover most of IPv4 or IPv6 are an error;
        `all-ipv4` and `all-ipv6` say that every address is internal.
    host
        The host under investigation: one or more addresses or CIDR prefixes. A prefix stands for
        all of its addresses in the flows.

    Returns
    -------
    pyarrow.Table
        The flows with `direction` (inbound, outbound, internal, external, unknown) and
        `direction_reason`: `reported` (logged by the source), `host`, `internal ranges` (given),
        `private address` (default ranges) or `none`; the first that applies counts. A
        unidirectional record (NetFlow, AWS, GCP) may be the response: if it is one packet with SYN
        and ACK, or comes from a well-known port (below 1024), goes to another port, and is not a
        SYN without ACK, the direction is reversed and the reason is `ports/flags`. So is that of a
        flow from a broadcast or multicast address, with the reason `destination-only address`.

    Raises
    ------
    ArgumentError
        If `internal` or `host` is empty, contains an invalid address or network, or covers more
        than half of IPv4 or IPv6.
    FileNotFoundError
        If `internal` is the path of a file that does not exist.

    Examples
    --------
    >>> from flowtriage import sample
    >>> flows = classify_direction(sample.office_day(), host=sample.HOST_IP)
    >>> flows["direction_reason"].unique().to_pylist()
    ['reported']
    """
    hosts = [] if host is None else hosts_argument(host)
    ranges = None if internal is None else parse_networks(internal)

    def classified(batches: pa.RecordBatchReader) -> pa.Table:
        if not any(map(is_network, hosts)):
            return _classify_direction(batches, ranges, hosts)
        table = batches.read_all()
        return _classify_direction(table.to_reader(), ranges, addresses_in(table, hosts))

    return over_flows(classified, flows)


def stitch(flows: FlowSource, *, window: float = STITCH_WINDOW) -> pa.Table:
    """Merge unidirectional records into biflows (RFC 5103).

    Parameters
    ----------
    flows
        Any source of `flow_index`, except an index.
    window
        Maximum time in seconds from the end of a record to the start of its response: a record of
        the reversed 5-tuple with the same `host`.

    Returns
    -------
    pyarrow.Table
        The flows; a biflow has the counters of both records, the times that span both, and the
        larger number of flows. The initiator is the source of a SYN without ACK, else the
        endpoint without a well-known port (below 1024) if the other has one, else the source of
        the earlier record. Bidirectional rows, rows without a start and rows with denied flows
        are unchanged.

    Raises
    ------
    ArgumentError
        If `window` is negative.
    InputError
        If a value is invalid.

    Examples
    --------
    >>> from flowtriage import read_flows
    >>> request = ("10.0.0.1", "192.0.2.1", 40000, 443, 900)
    >>> records = [request, ("192.0.2.1", "10.0.0.1", 443, 40000, 70)]
    >>> names = ["src_ip", "dst_ip", "src_port", "dst_port", "src_bytes"]
    >>> table = pa.Table.from_pylist([dict(zip(names, record)) for record in records])
    >>> mapping = {name: name for name in names} | {"start_time": "at"}
    >>> flows = read_flows(table.append_column("at", pa.array([1, 2])), columns=mapping)
    >>> stitch(flows).select(["dst_port", "src_bytes", "dst_bytes"]).to_pylist()
    [{'dst_port': 443, 'src_bytes': 900, 'dst_bytes': 70}]
    """
    return over_flows(lambda batches: _stitch(batches, window_of(window)), flows)
