"""Search all connections of an address, and rank its peers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.aggregate import timeline
from flowtriage.analysis.search import connection_sets, expanded_search
from flowtriage.configuration import ContextSettings
from flowtriage.enrich.address_facts import FACTS, add_facts
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import ArgumentError
from flowtriage.quality.sums import aggregated
from flowtriage.read.flows import Flows
from flowtriage.threat_investigation.story.globe import Location

Connections = dict[str, dict[str, Any]]
"""Facts of peers by address: `connections`, `bytes` and the other columns of the peers."""
TABLE_COLUMNS = (
    *(
        "peer",
        "direction",
        "connections",
        "denied_connections",
        "bytes",
        "bytes_from_peer",
        "bytes_to_peer",
    ),
    *("asn", "as_name", "country", "context", "first_seen", "last_seen"),
    *("max_packets", "mean_packets", "max_bytes", "mean_bytes", "peer_ports"),
)
"""Columns of the peers that tables show."""
_CONNECTION_KEY = ["src_ip", "dst_ip", "src_port", "dst_port", "protocol"]


@dataclass(frozen=True)
class SearchResult:
    """Flows, connections and peers of an address.

    Attributes
    ----------
    ip
        The address.
    flows
        Its flows.
    connections : pyarrow.Table
        Result of `flowtriage.expanded_search`.
    peers : pyarrow.Table
        Result of `flowtriage.connection_sets`, with address facts.
    sources, destinations : pyarrow.Table
        The same for connections that peers initiated, and for those that the address initiated.
    top
        Number of peers in the tables and the timeline.
    origin
        Location of the address; None if unknown.
    """

    ip: str
    flows: Flows
    connections: pa.Table
    peers: pa.Table
    sources: pa.Table
    destinations: pa.Table
    top: int
    origin: Location | None

    def direction(self, name: str) -> pa.Table:
        """Return the peers of a direction: `inbound`, `outbound` or `two-way`."""
        return self.peers.filter(pc.equal(self.peers["direction"], name))

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        """The four tables of top peers, by section name."""
        return {
            f"top_{end}_by_{by}": sort_peers(peers, by).slice(0, self.top)
            for end, peers in (("sources", self.sources), ("destinations", self.destinations))
            for by in ("connections", "bytes")
        }

    @cached_property
    def _top_flows(self) -> pa.Table:
        """Flows with the top peers by connections, with the column `peer`."""
        flows = self.flows.to_arrow()
        flows = flows.append_column("peer", peers_of(flows, self.ip))
        peers = sort_peers(self.peers)["peer"].slice(0, self.top)
        return flows.filter(pc.is_in(flows["peer"], value_set=peers.combine_chunks()))

    @cached_property
    def bins(self) -> pa.Table:
        """Result of `flowtriage.timeline` by peer, for the top peers."""
        return timeline(self._top_flows, by="peer")

    @cached_property
    def timeline(self) -> pa.Table:
        """Rows of `flow_timeline`: one per peer, ports and protocol, for the top peers."""
        flows = self._top_flows
        last_seen = pc.coalesce(flows["end_time"], flows["start_time"])
        flows = flows.append_column("last_seen", last_seen)
        sums = [(name, "sum") for name in ("src_packets", "src_bytes")]
        measures = [("start_time", "min"), ("last_seen", "max"), *sums]
        grouped = aggregated(flows, _CONNECTION_KEY, measures)
        columns = {
            "ip_threat": pa.repeat(self.ip, grouped.num_rows),
            "tstart": format_times(grouped["start_time_min"]),
            "tend": format_times(grouped["last_seen_max"]),
            "srcip": grouped["src_ip"],
            "dstip": grouped["dst_ip"],
            "proto": grouped["protocol"],
            "sport": grouped["src_port"].cast(pa.int32()),
            "dport": grouped["dst_port"].cast(pa.int32()),
            "ipkt": grouped["src_packets_sum"],
            "ibyt": grouped["src_bytes_sum"],
        }
        order = ["tstart", "tend", "srcip", "dstip", "sport", "dport", "proto"]
        return pa.table(columns).sort_by([(name, "ascending") for name in order])


def search_address(
    flows: Flows, ip: str, *, asn: AsnDatabase, context: ContextSettings, top: int
) -> SearchResult:
    """Search the flows of an address in canonical notation; `asn` and `context` give facts."""
    ranges = context.ipranges
    internal = ranges if ranges is not None and Path(ranges).exists() else None
    connections = expanded_search(flows, ip)
    peers = add_facts(connection_sets(connections, ip, internal=internal), asn, context)

    def peers_with_address_at(end: str) -> pa.Table:
        rows = connections.filter(pc.equal(connections[end], ip))
        sets = connection_sets(rows, ip, internal=internal)
        known = peers.take(pc.index_in(sets["peer"], value_set=peers["peer"].combine_chunks()))
        at = sets.column_names.index("direction")
        sets = sets.set_column(at, "direction", known["direction"])
        for field in FACTS:
            sets = sets.append_column(field, known[field.name])
        return sets

    return SearchResult(
        ip,
        flows,
        connections,
        peers,
        sources=peers_with_address_at("dst_ip"),
        destinations=peers_with_address_at("src_ip"),
        top=top,
        origin=_location(add_facts(pa.table({"peer": [ip]}), asn, context)),
    )


def _location(facts: pa.Table) -> Location | None:
    [row] = facts.to_pylist()
    longitude, latitude = row["longitude"], row["latitude"]
    if longitude is None or latitude is None:
        return None
    return Location(row["peer"], longitude, latitude, row["location"] or "")


def peers_of(rows: pa.Table, ip: str) -> pa.ChunkedArray:
    """Return the peer in each row: the endpoint that is not `ip`."""
    return pc.if_else(pc.equal(rows["src_ip"], ip), rows["dst_ip"], rows["src_ip"])


def format_times(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Format times as in the store: `2013-09-15 23:44:10`, UTC."""
    seconds = pc.floor_temporal(times, unit="second").cast(pa.timestamp("s", "UTC"))
    return pc.strftime(seconds, format="%Y-%m-%d %H:%M:%S")


def sort_peers(peers: pa.Table, by: str = "connections") -> pa.Table:
    """Sort peers by `connections` or `bytes`, descending."""
    return peers.sort_by([(by, "descending")])


def as_connections(peers: pa.Table) -> Connections:
    """Return peers as a dictionary by address."""
    facts = peers.drop_columns(["peer"]).to_pylist()
    return dict(zip(peers["peer"].to_pylist(), facts, strict=True))


def top_connections(connections: Mapping[str, Mapping[str, Any]], by: str, top: int) -> Connections:
    """Return the top peers of a dictionary by `connections` or `bytes`; null comes last.

    Examples
    --------
    >>> top_connections({"10.0.0.1": {"bytes": 3}, "10.0.0.2": {"bytes": 7}}, "bytes", 1)
    {'10.0.0.2': {'bytes': 7}}
    """
    check_top(top)
    if lacking := [peer for peer, facts in connections.items() if by not in facts]:
        raise ArgumentError(
            f"{lacking[0]!r} has no {by!r}; give a result of get_in_out_and_twoway_conns()"
        )

    def measure(peer: str) -> float:
        value = connections[peer][by]
        return -1 if value is None else value

    return {
        peer: dict(connections[peer])
        for peer in sorted(connections, key=measure, reverse=True)[:top]
    }


def check_top(top: int) -> None:
    """Raise `ArgumentError` unless the number of results is a positive integer."""
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ArgumentError(f"number of top results must be an integer of 1 or more, got {top!r}")
