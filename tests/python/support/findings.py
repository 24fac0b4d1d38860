"""Findings, and allow-lists in plain Python, that several tests share."""

from __future__ import annotations

import datetime as dt
import ipaddress
import random
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from flowtriage import AsnDatabase
from flowtriage.detect import FINDINGS, AllowEntry
from flowtriage.detect.thresholds import DETECTORS
from flowtriage.enrich.services import service_ports

ADDRESSES = (
    *("10.0.0.1", "10.0.0.2", "10.1.2.3", "10.1.2.77", "192.0.2.1", "8.8.8.8", "1.1.1.1"),
    *("2001:db8::1", "2001:db8:1::5", "fd00::1", "2606:4700::1111"),
)
NETWORKS = (
    *("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "10.0.0.0/30", "8.8.8.0/24"),
    *("2001:db8::/32", "2001:db8:1::/48", "2001:db8::1", "fd00::/8", "1.1.1.1", "192.0.2.1"),
)
HOSTILE = '=HYPERLINK("http://e","x")<script>alert(1)</script>\x1b[31m\u202e😀\''


def finding(**facts: Any) -> dict[str, Any]:
    """One finding; what is not given is usual."""
    start = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
    source, dest = facts.get("source", "10.0.0.1"), facts.get("dest", "8.8.8.8")
    usual = {
        "finding": f"{source}-{dest}-{facts.get('dst_port', 443)}-{facts.get('detector')}",
        "detector": "beacons",
        "severity": "warning",
        "score": 0.9,
        "source": "10.0.0.1",
        "dest": "8.8.8.8",
        "dst_port": 443,
        "protocol": "tcp",
        "first_seen": start,
        "last_seen": start + dt.timedelta(hours=3, microseconds=7),
        "flows": 36,
        "bytes_out": 1000,
        "bytes_in": 2000,
        "summary": f"{source} called {dest}.",
        "evidence": [{"name": "jitter", "value": 0.02, "threshold": 0.3}],
        "technique": "T1071",
        "context": [],
        "flows_filter": f"src_ip = '{source}' AND dst_ip = '{dest}'",
    }
    return usual | facts


def table(*rows: dict[str, Any]) -> pa.Table:
    """Findings as `hunt` returns them, without the status of detectors."""
    return pa.Table.from_pylist(list(rows), schema=FINDINGS)


def random_findings(count: int, seed: int) -> pa.Table:
    """Findings about few addresses, ports and detectors, so that many entries match."""
    pick = random.Random(seed)
    return table(
        *(
            finding(
                finding=f"f{number % 40}",
                detector=pick.choice(list(DETECTORS)),
                source=pick.choice([*ADDRESSES, None]),
                dest=pick.choice([*ADDRESSES, None]),
                dst_port=pick.choice([53, 123, 443, 8443, None]),
                protocol=pick.choice(["tcp", "udp", "icmp", None]),
                context=["short log"] * pick.randrange(3),
            )
            for number in range(count)
        )
    )


def random_criteria(count: int, seed: int) -> list[dict[str, Any]]:
    """Criteria of entries, of every combination."""
    pick = random.Random(seed)
    values = {
        "address": NETWORKS,
        "source": NETWORKS,
        "dest": NETWORKS,
        "asn": (15169, 13335, 64496),
        "port": (53, 443, 8443),
        "service": ("ntp", "domain", "https"),
        "detector": tuple(DETECTORS),
        "finding": tuple(f"f{number}" for number in range(50)),
    }
    return [
        {name: pick.choice(values[name]) for name in pick.sample(list(values), pick.choice([1, 2]))}
        for _ in range(count)
    ]


def matches(row: dict[str, Any], entry: AllowEntry, database: AsnDatabase) -> bool:
    """Test one finding against one entry, without joins."""
    ends = [row["source"], row["dest"]]
    if row["dest"] is None and row.get("as_name"):
        ends[1] = re.findall(r"dst_ip (?:=|IN) \(?'([^']+)'", row["flows_filter"])[0]
    port = (row["dst_port"], row["protocol"])
    tests = {
        "address": lambda wanted: any(_within(row[end], wanted) for end in ("source", "dest")),
        "source": lambda wanted: _within(row["source"], wanted),
        "dest": lambda wanted: _within(row["dest"], wanted),
        "asn": lambda wanted: wanted in database.lookup([e for e in ends if e])["asn"].to_pylist(),
        "port": lambda wanted: row["dst_port"] == wanted,
        "service": lambda wanted: port in service_ports(wanted),
        "detector": lambda wanted: row["detector"] == wanted,
        "finding": lambda wanted: row["finding"] == wanted,
    }
    return all(tests[name](value) for name, value in entry.criteria.items())


def first_matching(
    rows: Sequence[dict[str, Any]], entries: Sequence[AllowEntry], database: AsnDatabase
) -> list[int | None]:
    """Return the index of the first entry that matches each finding, or None."""
    return [
        next((at for at, one in enumerate(entries) if matches(row, one, database)), None)
        for row in rows
    ]


def _within(address: str | None, network: str) -> bool:
    if address is None:
        return False
    parsed = ipaddress.ip_network(network)
    ip = ipaddress.ip_address(address)
    return ip.version == parsed.version and ip in parsed
