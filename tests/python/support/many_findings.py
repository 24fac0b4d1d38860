"""Flows with many findings about one host, and of a flood from forged sources."""

from __future__ import annotations

import datetime as dt
import random

import pyarrow as pa

from flowtriage.sample import SCHEMA

START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
SERVER = "198.51.100.7"
FORGED = 24_000
UPLOADED_TO = "77.71.113.58"


def _table(rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMA)


def _row(second: float, source: str, dest: str, port: int, **values: object) -> dict[str, object]:
    start = START + dt.timedelta(seconds=second)
    row: dict[str, object] = {
        "start_time": start,
        "end_time": start,
        "src_ip": source,
        "dst_ip": dest,
        "src_port": 50_000,
        "dst_port": port,
        "protocol": "tcp",
        "src_bytes": 60,
        "dst_bytes": 0,
        "src_packets": 1,
        "dst_packets": 0,
        "flows": 1,
        "denied_flows": 0,
        "state": "S0",
    }
    return row | values


def _public(roll: random.Random) -> str:
    """Draw an address of many networks, none of them reserved."""
    return f"{roll.choice((45, 62, 77, 91, 103, 145, 177, 185, 201, 212))}." + ".".join(
        str(roll.randint(1, 254)) for _ in range(3)
    )


def flood(sources: int = FORGED, seed: int = 3) -> pa.Table:
    """Make two minutes of a flood from forged sources, beside some real clients of the server."""
    roll = random.Random(seed)
    forged: dict[str, None] = {}
    while len(forged) < sources:
        forged[_public(roll)] = None
    rows = [_row(36_000 + 120 * roll.random(), one, SERVER, 80) for one in forged]
    answered = {"state": "SF", "src_bytes": 900, "dst_bytes": 40_000, "dst_packets": 30}
    answered |= {"src_packets": 9, "service": "http"}
    for client in range(20):
        rows += [
            _row(600 * at + client, f"8.8.{client}.9", SERVER, 80, **answered) for at in range(30)
        ]
    return _table(sorted(rows, key=lambda row: str(row["start_time"])))


def scanned(scanners: int, ports: int = 30) -> pa.Table:
    """Make a day in which outside addresses scan the server's ports; it uploads a little."""
    rows = [
        _row(
            86_400 * (scanner + 0.2 * port / ports) / scanners,
            f"45.{scanner // 250}.{scanner % 250}.77",
            SERVER,
            1000 + port,
        )
        for scanner in range(scanners)
        for port in range(ports)
    ]
    sent = {"src_bytes": 900_000, "dst_bytes": 4_000, "dst_packets": 40, "state": "SF"}
    rows += [_row(40_000 + 700 * at, SERVER, UPLOADED_TO, 443, **sent) for at in range(2)]
    return _table(rows)
