"""Peers of a host in a flow index, with the text that maps show."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.humanize import human_bytes, joined, sanitize_array, thousands
from flowtriage.quality.sums import added, aggregated, exact_sum

_MAX_PROTOCOLS = 6


def index_peers(index: pa.Table, hosts: pa.Array) -> tuple[pa.Table, int]:
    """Sum the flows of a host, with canonical addresses, in a flow index by peer.

    Without addresses, the host is the source of outbound flows and the destination of inbound
    ones.

    Returns
    -------
    pyarrow.Table
        One row per peer: `address`, `kind` (outbound, inbound, both, other), `flows`, `allowed`
        flows, and as text `count`, `direction`, `protocols`, `from_host`, `to_host`,
        `first_seen`, `last_seen`.
    int
        Number of flows excluded because neither endpoint is the host.
    """
    direction = index["FlowDirection"].fill_null("U")
    if len(hosts):
        endpoints = [index[end].cast(hosts.type) for end in ("source", "dest")]
        is_source, is_dest = (pc.is_in(end, value_set=hosts) for end in endpoints)
    else:
        is_source, is_dest = pc.equal(direction, "O"), pc.equal(direction, "I")
    denied = index["denied_flows"].fill_null(0)
    flows = added(index["TotalAllowedFlows"], denied, "flows")
    other = pc.invert(pc.or_(is_source, is_dest))
    outward, inward = pc.equal(direction, "O"), pc.equal(direction, "I")
    rows = pa.table(
        {
            "address": pc.if_else(is_source, index["dest"], index["source"]),
            "protocol": sanitize_array(index["L7Protocol"].fill_null("not known")),
            "outward": outward,
            "inward": inward,
            "flows": flows,
            "allowed": index["TotalAllowedFlows"],
            "denied": denied,
            "flows_out": pc.if_else(outward, flows, 0),
            "flows_in": pc.if_else(inward, flows, 0),
            "from_host": pc.if_else(is_source, index["src_bytes"], index["dst_bytes"]),
            "to_host": pc.if_else(is_source, index["dst_bytes"], index["src_bytes"]),
            "first_seen": index["first_seen"],
            "last_seen": index["last_seen"],
        }
    )
    rows = rows.filter(pc.and_(pc.xor(is_source, is_dest), rows["address"].is_valid()))
    return _by_address(rows), exact_sum(flows.filter(other))


def _by_address(rows: pa.Table) -> pa.Table:
    sums = ("flows", "allowed", "denied", "flows_out", "flows_in", "from_host", "to_host")
    merged = [("outward", "any"), ("inward", "any"), ("first_seen", "min"), ("last_seen", "max")]
    measures = [*merged, *((name, "sum") for name in sums)]
    peers = aggregated(rows, "address", measures).sort_by("address")
    outward, inward = peers["outward_any"], peers["inward_any"]
    kinds = pc.make_struct(pc.and_(outward, inward), outward, inward)
    allowed = thousands(peers["allowed_sum"])
    with_denied = joined(allowed, " allowed, ", thousands(peers["denied_sum"]), " denied")
    flows_out, flows_in = (thousands(peers[f"flows_{way}_sum"]) for way in ("out", "in"))
    balance = joined("outbound ", flows_out, ", inbound ", flows_in)
    neither = "neither inbound nor outbound"
    return pa.table(
        {
            "address": peers["address"],
            "kind": pc.case_when(kinds, "both", "outbound", "inbound", "other"),
            "flows": peers["flows_sum"],
            "allowed": peers["allowed_sum"],
            "count": pc.if_else(pc.greater(peers["denied_sum"], 0), with_denied, allowed),
            "direction": pc.case_when(kinds, balance, "outbound", "inbound", neither),
            "protocols": _protocols(rows),
            "from_host": human_bytes(peers["from_host_sum"]),
            "to_host": human_bytes(peers["to_host_sum"]),
            "first_seen": _moment(peers["first_seen_min"]),
            "last_seen": _moment(peers["last_seen_max"]),
        }
    )


def _protocols(rows: pa.Table) -> pa.ChunkedArray:
    """Return the protocols of each address by flows, descending; ordered by address."""
    lists = (
        aggregated(rows, ["address", "protocol"], [("flows", "sum")])
        .sort_by([("flows_sum", "descending"), ("protocol", "ascending")])
        .group_by("address", use_threads=False)
        .aggregate([("protocol", "list")])
        .sort_by("address")["protocol_list"]
    )
    names = pc.binary_join(pc.list_slice(lists, 0, _MAX_PROTOCOLS), ", ")
    more = pc.subtract(pc.list_value_length(lists), _MAX_PROTOCOLS)
    return pc.if_else(pc.greater(more, 0), joined(names, " and ", thousands(more), " more"), names)


def _moment(times: pa.ChunkedArray) -> pa.ChunkedArray:
    seconds = times.cast(pa.timestamp("us")).cast(pa.timestamp("s"), safe=False)
    return pc.strftime(seconds, format="%Y-%m-%d %H:%M:%S")
