"""The expanded search: everything that an address did."""

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
from flowtriage.read.flows import Flows
from flowtriage.threat_investigation.story.globe import Location

_END = ["src_ip", "dst_ip", "src_port", "dst_port", "protocol"]


@dataclass(frozen=True)
class SearchResult:
    """What the expanded search found.

    Attributes
    ----------
    ip
        The address.
    flows
        Its flows.
    connections : pyarrow.Table
        Result of `flowtriage.expanded_search`.
    peers : pyarrow.Table
        Result of `flowtriage.connection_sets`, and what else is known of the peers.
    sources, destinations : pyarrow.Table
        The same of connections that peers began, and of those that the address began.
    top
        Number of peers in the tables and the timeline.
    home
        Where the address itself is, if that is known.
    """

    ip: str
    flows: Flows
    connections: pa.Table
    peers: pa.Table
    sources: pa.Table
    destinations: pa.Table
    top: int
    home: Location | None

    def direction(self, name: str) -> pa.Table:
        """Return the peers that are `inbound`, `outbound` or `two-way`."""
        return self.peers.filter(pc.equal(self.peers["direction"], name))

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        """The four tables of greatest peers, by name of their section."""
        return {
            f"top_{end}_by_{by}": greatest(peers, by, self.top)
            for end, peers in (("sources", self.sources), ("destinations", self.destinations))
            for by in ("connections", "bytes")
        }

    @cached_property
    def _flows_of_top(self) -> pa.Table:
        """Flows with the peers that have the most connections, and the peer of each."""
        flows = self.flows.to_arrow()
        flows = flows.append_column("peer", peers_of(flows, self.ip))
        wanted = greatest(self.peers, "connections", self.top)["peer"]
        return flows.filter(pc.is_in(flows["peer"], value_set=wanted.combine_chunks()))

    @cached_property
    def bins(self) -> pa.Table:
        """Result of `flowtriage.timeline` by peer."""
        return timeline(self._flows_of_top, by="peer")

    @cached_property
    def timeline(self) -> pa.Table:
        """Rows for `flow_timeline`: one for each peer, ports and protocol."""
        flows = self._flows_of_top
        ends = pc.coalesce(flows["end_time"], flows["start_time"])
        sums = [
            ("start_time", "min"),
            ("ended", "max"),
            ("src_packets", "sum"),
            ("src_bytes", "sum"),
        ]
        grouped = flows.append_column("ended", ends).group_by(_END).aggregate(sums)
        columns = {
            "ip_threat": pa.repeat(self.ip, grouped.num_rows),
            "tstart": as_text(grouped["start_time_min"]),
            "tend": as_text(grouped["ended_max"]),
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


def search(
    flows: Flows, ip: str, *, asn: AsnDatabase, context: ContextSettings, top: int
) -> SearchResult:
    """Search the flows of an address.

    Parameters
    ----------
    flows
        Its flows.
    ip
        The address, in canonical text.
    asn, context
        What is known of addresses.
    top
        Number of peers in the tables and the timeline.

    Raises
    ------
    FlowtriageError, OSError
        If a value of the flows cannot be used, or a file that is configured is broken.
    """
    ranges = context.ipranges
    internal = ranges if ranges is not None and Path(ranges).exists() else None
    connections = expanded_search(flows, ip)
    peers = add_facts(connection_sets(connections, ip, internal=internal), asn, context)

    def as_end(end: str) -> pa.Table:
        part = connection_sets(
            connections.filter(pc.equal(connections[end], ip)), ip, internal=internal
        )
        known = peers.take(pc.index_in(part["peer"], value_set=peers["peer"].combine_chunks()))
        part = part.set_column(
            part.column_names.index("direction"), "direction", known["direction"]
        )
        for field in FACTS:
            part = part.append_column(field, known[field.name])
        return part

    home = _place(add_facts(pa.table({"peer": [ip]}), asn, context))
    return SearchResult(
        ip, flows, connections, peers, as_end("dst_ip"), as_end("src_ip"), top, home
    )


def peers_of(rows: pa.Table, ip: str) -> pa.ChunkedArray:
    """Return the other end of each row."""
    return pc.if_else(pc.equal(rows["src_ip"], ip), rows["dst_ip"], rows["src_ip"])


def as_text(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write times as the store has them: `2013-09-15 23:44:10`, UTC."""
    seconds = pc.floor_temporal(times, unit="second").cast(pa.timestamp("s", "UTC"))
    return pc.strftime(seconds, format="%Y-%m-%d %H:%M:%S")


def _place(own: pa.Table) -> Location | None:
    [facts] = own.to_pylist()
    longitude, latitude = facts["longitude"], facts["latitude"]
    if longitude is None or latitude is None:
        return None
    return Location(facts["peer"], longitude, latitude, facts["location"] or "")


Connections = dict[str, dict[str, Any]]
"""What is known of peers, by address: `connections`, `bytes` and the other columns."""
SHOWN = (
    *("peer", "direction", "connections", "bytes", "bytes_from_peer", "bytes_to_peer"),
    *("asn", "as_name", "country", "context", "first_seen", "last_seen"),
    *("max_packets", "mean_packets", "max_bytes", "mean_bytes", "peer_ports"),
)
"""Columns of the four tables."""


def greatest(peers: pa.Table, by: str, top: int) -> pa.Table:
    """Return the peers with the most `connections` or `bytes`; of equals the lesser address."""
    return in_order(peers, by).slice(0, top)


def in_order(peers: pa.Table, by: str = "connections") -> pa.Table:
    """Return peers, those with the most `connections` or `bytes` first."""
    return peers.sort_by([(by, "descending")])


def as_connections(peers: pa.Table) -> Connections:
    """Return peers as a dictionary."""
    facts = peers.drop_columns(["peer"]).to_pylist()
    return dict(zip(peers["peer"].to_pylist(), facts, strict=True))


def top_of(connections: Mapping[str, Mapping[str, Any]], by: str, top: int) -> Connections:
    """Return the greatest of a dictionary of peers by `connections` or `bytes`.

    Raises
    ------
    ArgumentError
        If a peer lacks what to order by, or `top` is not positive.

    Examples
    --------
    >>> top_of({"10.0.0.1": {"bytes": 3}, "10.0.0.2": {"bytes": 7}}, "bytes", 1)
    {'10.0.0.2': {'bytes': 7}}
    """
    check_top(top)
    if lacking := [peer for peer, facts in connections.items() if by not in facts]:
        raise ArgumentError(
            f"{lacking[0]!r} has no {by!r}; take what get_in_out_and_twoway_conns returns"
        )

    def measure(peer: str) -> float:
        value = connections[peer][by]
        return -1 if value is None else value

    return {
        peer: dict(connections[peer])
        for peer in sorted(connections, key=measure, reverse=True)[:top]
    }


def check_top(top: int) -> None:
    """Refuse a number of rows that is none."""
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ArgumentError(f"the number of top results is {top!r}; give a whole number from 1")
