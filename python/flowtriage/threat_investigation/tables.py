"""Peers in order: the four tables, and the dictionaries of the original."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from flowtriage.errors import ArgumentError

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
