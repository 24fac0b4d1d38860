"""Records of one direction, as an exporter without biflows writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from flowtriage.schema import SCHEMA

START = datetime(2024, 12, 20, 18, tzinfo=UTC)
CLIENT, SERVER = ("10.0.0.4", 50_000), ("192.0.2.1", 443)


def record(
    sender: tuple[str, int], receiver: tuple[str, int], at: float, size: int, **more: Any
) -> dict[str, Any]:
    """A record of what a sender sent, so many seconds after the start."""
    start = START + timedelta(seconds=at)
    return {
        "start_time": start,
        "end_time": start + timedelta(seconds=1),
        "src_ip": sender[0],
        "src_port": sender[1],
        "dst_ip": receiver[0],
        "dst_port": receiver[1],
        "protocol": "tcp",
        "src_bytes": size,
        "src_packets": 1,
        "flows": 1,
        **more,
    }


def table(*records: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(records), schema=SCHEMA)
