"""Flows, stores and stories that tests of the threat investigation share."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pyarrow as pa

import flowtriage as ft
from flowtriage.configuration import ContextSettings, FolderSettings, Settings, StoreSettings
from flowtriage.store.raw_flows import RawFlows

DAY = dt.date(2013, 9, 15)
IP, TWO_WAY, IPV6 = "10.0.0.1", "203.0.113.9", "2606:4700::1"
PEERS = (TWO_WAY, "198.51.100.7", "8.8.8.8", "10.0.0.2", IPV6, "1.1.1.1")
HOSTILE = '\'; DROP TABLE flow_scores; -- "x" $1 %s <script>alert(1)</script> \\ \t\n 😀 é {n}'
SCHEMA = pa.schema(
    [
        ("start_time", pa.timestamp("us", "UTC")),
        ("end_time", pa.timestamp("us", "UTC")),
        ("src_ip", pa.string()),
        ("dst_ip", pa.string()),
        ("src_port", pa.uint16()),
        ("dst_port", pa.uint16()),
        ("protocol", pa.string()),
        *(
            (name, pa.int64())
            for name in ("src_bytes", "dst_bytes", "src_packets", "dst_packets", "flows")
        ),
    ]
)


def at(hour: int = 0, second: float = 0, day: dt.date = DAY) -> dt.datetime:
    """A time of the day."""
    start = dt.datetime.combine(day, dt.time(hour), dt.UTC)
    return start + dt.timedelta(seconds=second)


def flow(source: str, dest: str, **facts: Any) -> dict[str, Any]:
    """One record; what is not given is usual."""
    start = facts.pop("start_time", at(10))
    usual = {
        "start_time": start,
        "end_time": start + dt.timedelta(seconds=2),
        "src_ip": source,
        "dst_ip": dest,
        "src_port": 40000,
        "dst_port": 443,
        "protocol": "tcp",
        "src_bytes": 100,
        "dst_bytes": 1000,
        "src_packets": 2,
        "dst_packets": 3,
        "flows": 1,
    }
    return usual | facts


def table(*rows: dict[str, Any]) -> pa.Table:
    """Flows in the canonical schema."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


FLOWS = table(
    flow(IP, "8.8.8.8", dst_bytes=7_000),
    flow(IP, TWO_WAY),
    flow(TWO_WAY, IP, src_port=443, dst_port=40000),
    flow("10.0.0.2", IP, start_time=at(11)),
    flow("10.0.0.2", "8.8.8.8"),
)


def random_flows(count: int = 600, seed: int = 7) -> list[dict[str, Any]]:
    """Flows of `IP`, and of others among themselves, in any order."""
    pick = random.Random(seed)
    rows = []
    for _ in range(count):
        ends = [IP, pick.choice(PEERS)] if pick.random() < 0.8 else pick.sample(PEERS, 2)
        if ends[1] not in ("8.8.8.8", "1.1.1.1") and pick.random() < 0.4:
            ends.reverse()
        icmp = pick.random() < 0.2
        known = pick.random() < 0.9
        rows.append(
            flow(
                *ends,
                start_time=at(0, pick.uniform(0, 86_000)),
                src_port=None if icmp else pick.choice([40000, 40001, 53]),
                dst_port=None if icmp else pick.choice([53, 443]),
                protocol="icmp" if icmp else pick.choice(["tcp", "udp"]),
                src_bytes=pick.randrange(10_000) if known else None,
                dst_bytes=pick.randrange(10_000) if known else None,
                src_packets=pick.randrange(10),
                dst_packets=pick.randrange(10),
                flows=pick.choice([1, 1, 1, 3]),
            )
        )
    return rows


def settings_in(folder: Path, **context: Any) -> Settings:
    """A configuration that keeps everything in a folder."""
    files = {"ipranges": None, "network_context": None, "iploc": None} | context
    return Settings(
        StoreSettings(url=f"duckdb:///{folder}/flows.duckdb"),
        FolderSettings(folder / "data", folder / "ipynb", folder / "flows"),
        context=ContextSettings(**files),
    )


def suspicious(store: ft.FlowStore, *rows: dict[str, Any], day: dt.date = DAY) -> None:
    """Store flows as suspicious connections, in the order of their rank."""
    found = [
        {
            "tstart": f"{row['start_time']:%Y-%m-%d %H:%M:%S}",
            "srcip": row["src_ip"],
            "dstip": row["dst_ip"],
            "sport": row["src_port"],
            "dport": row["dst_port"],
            "proto": row["protocol"],
            "rank": rank,
        }
        for rank, row in enumerate(rows)
    ]
    with store.transaction() as change:
        change.append("flow_scores", day, pa.Table.from_pylist(found))


def investigation(
    folder: Path,
    flows: pa.Table,
    store: ft.FlowStore | str | None = None,
    day: dt.date = DAY,
    **options: Any,
) -> ft.FlowThreatInvestigation:
    """An investigation of raw flows, which a log was ingested into."""
    log = folder / "log.parquet"
    if not log.exists():
        import pyarrow.parquet as pq

        pq.write_table(flows, log)
        RawFlows(folder / "flows").ingest([log])
    store = store or f"duckdb:///{folder}/flows.duckdb"
    if isinstance(store, str):
        store = ft.FlowStore(store)
    options = {"configuration": settings_in(folder), "silent": True} | options
    return ft.FlowThreatInvestigation(store, day, **options)
