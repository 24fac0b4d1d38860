"""Connection sets as the core returns them, with what is known of each peer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

START = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
WHOLE = (
    *("connections", "connections_from_peer", "connections_to_peer"),
    "denied_connections",
)
MEASURES = (
    *("bytes", "bytes_from_peer", "bytes_to_peer", "packets", "packets_from_peer"),
    *("packets_to_peer", "max_packets", "max_bytes"),
)
SCHEMA = pa.schema(
    [
        ("peer", pa.string()),
        ("direction", pa.string()),
        *((name, pa.int64()) for name in (*WHOLE, *MEASURES)),
        *((name, pa.float64()) for name in ("mean_packets", "mean_bytes")),
        *((name, pa.timestamp("us", "UTC")) for name in ("first_seen", "last_seen")),
        ("peer_ports", pa.string()),
        ("asn", pa.int64()),
        *((name, pa.string()) for name in ("as_name", "country", "context")),
        *((name, pa.float64()) for name in ("latitude", "longitude")),
        *((name, pa.string()) for name in ("location", "domain")),
    ]
)
_FROM_AND_TO = {"inbound": (3, 0), "outbound": (0, 2), "two-way": (1, 4)}


def peer(address: str, direction: str, **facts: Any) -> dict[str, Any]:
    """One row; what is not given is usual for an internal sought address."""
    sent, received = _FROM_AND_TO[direction]
    usual = {
        "connections": sent + received,
        "connections_from_peer": sent,
        "connections_to_peer": received,
        "denied_connections": 0,
        "bytes": 900,
        "bytes_from_peer": 600,
        "bytes_to_peer": 300,
        "max_bytes": 500,
        "first_seen": START,
        "last_seen": START + dt.timedelta(hours=2),
        "peer_ports": "443",
    }
    return {"peer": address, "direction": direction, **usual, **facts}


def connection_sets(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)
