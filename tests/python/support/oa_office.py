"""A small office's day of flows, with a scan and an upload at an odd hour planted in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from flowtriage.schema import SCHEMA

DAY = datetime(2013, 9, 15, tzinfo=UTC)
SCANNER, SCANNED = "10.1.0.200", "10.1.0.7"
UPLOADER, DROP = "10.1.0.3", "198.51.100.66"


def flow(at: float, src: str, dst: str, ports: tuple[int, int], **values: Any) -> dict[str, Any]:
    """A flow that begins some hours after midnight and lasts a second."""
    start = DAY + timedelta(hours=at)
    usual = {
        "start_time": start,
        "end_time": start + timedelta(seconds=1),
        "src_ip": src,
        "dst_ip": dst,
        "src_port": ports[0],
        "dst_port": ports[1],
        "protocol": "tcp",
        "src_bytes": 3000,
        "dst_bytes": 9000,
        "src_packets": 12,
        "dst_packets": 14,
        "flows": 1,
    }
    return {**usual, **values}


def _usual(dice: random.Random) -> Iterator[dict[str, Any]]:
    servers = [f"203.0.113.{i}" for i in range(1, 21)]
    for host in (f"10.1.0.{i}" for i in range(1, 31)):
        for _ in range(300):
            at = 8 + 9 * dice.random()
            high = dice.randint(40_000, 60_000)
            if dice.random() < 0.4:
                lookup = {"protocol": "udp", "src_bytes": 70, "src_packets": 1}
                yield flow(at, host, "10.1.0.250", (high, 53), **lookup)
            else:
                yield flow(at, host, dice.choice(servers), (high, 443))


def _planted() -> Iterator[dict[str, Any]]:
    for i, port in enumerate((21, 22, 23, 25, 110, 111, 135, 139, 143, 445)):
        probe = {"src_bytes": 44, "src_packets": 1, "dst_bytes": 40, "dst_packets": 1}
        yield flow(11 + i / 3600, SCANNER, SCANNED, (50_000 + i, port), **probe)
    for i in range(3):
        sent = {"src_bytes": 900_000_000 << i, "src_packets": 600_000 << i}
        yield flow(3.2 + i / 60, UPLOADER, DROP, (50_000 + i, 443), **sent)


def office(seed: int = 0) -> pa.Table:
    """9,013 flows, 13 of them planted, in the order of time."""
    rows = [*_usual(random.Random(seed)), *_planted()]
    rows.sort(key=lambda row: row["start_time"])
    return pa.Table.from_pylist(rows, SCHEMA)
