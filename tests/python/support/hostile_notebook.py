"""What the notebook of the test in JupyterLab works on: flows, providers, and hostile text."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pyarrow as pa

from flowtriage import AsnDatabase, DataProviders
from flowtriage.enrich.reputation import BlockLists
from ti_service import Service, ti_lookup

HOST = "193.0.6.139"
OUTBOUND, INBOUND, THREAT, V6 = "8.8.8.8", "1.1.1.1", "200.160.2.3", "2001:200::1"
MARK = "\u202egpj"
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "`${alert(1)}`",
    f"turned {MARK}",
    "$$\\alpha$$",
]


class HostileNames(AsnDatabase):
    """Names every network as an attacker might."""

    def lookup(self, addresses: Any) -> pa.Table:
        known = super().lookup(addresses)
        names = known["as_name"].to_pylist()
        hostile = [f"{name} {ATTACKS[len(name) % len(ATTACKS)]}" for name in names]
        return known.set_column(2, "as_name", pa.array(hostile, pa.string()))


def flows() -> pa.Table:
    """Flows of a host with a name, services and peers that are all hostile."""
    start = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
    ends = [(HOST, OUTBOUND, 90), (INBOUND, HOST, 80), (HOST, V6, 70), (HOST, THREAT, 2)]
    ends += [(HOST, "10.0.0.9", 5)]
    rows = [
        {
            "start_time": start + dt.timedelta(minutes=7 * at),
            "src_ip": source,
            "dst_ip": dest,
            "service": ATTACKS[at % len(ATTACKS)],
            "protocol": "tcp",
            "host": ATTACKS[0],
            "reported_direction": "outbound" if source == HOST else "inbound",
            "flows": count,
            "src_bytes": 100 * count,
            "dst_bytes": 10 * count,
        }
        for at in range(len(ATTACKS))
        for source, dest, count in ends
    ]
    return pa.Table.from_pylist(rows)


def service() -> Service:
    """Start the service of threat intelligence; it lives as long as the kernel."""
    made = Service({THREAT: ATTACKS}, {})
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made


def providers(url: str, block_list: str) -> DataProviders:
    """Make providers that ask the service and a block list."""
    made = DataProviders("LocalFlows", ["-tilookup", "-geolitelookup"], LocalFlows_paths=block_list)
    made.providers["tilookup"] = ti_lookup(url, "OTX", "GreyNoise")
    made.providers["blocklists"] = BlockLists(block_list)
    return made
