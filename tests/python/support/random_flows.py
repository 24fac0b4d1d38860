"""Random flows in which detectors find something, from a fixed seed."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa

import oracle

INSIDE = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.1.4", "192.168.7.5", "fd00::6"]
OUTSIDE = ["192.0.2.10", "192.0.2.11", "198.51.100.7", "203.0.113.9", "2001:db8::8"]
GROUPS = ["224.0.0.251", "ff02::fb", "255.255.255.255"]
PORTS = [22, 53, 80, 123, 139, 443, 445, 3389, 5000, 8080]
SCHEMA = pa.schema(
    [
        *((name, pa.timestamp("us", "UTC")) for name in ("start_time", "end_time")),
        *((name, pa.string()) for name in ("src_ip", "dst_ip")),
        *((name, pa.uint16()) for name in ("src_port", "dst_port")),
        *((name, pa.string()) for name in ("protocol", "service", "state")),
        *((name, pa.int64()) for name in ("src_bytes", "dst_bytes", "flows", "denied_flows")),
    ]
)
_SERVICES = [None, "ssl", "ssh", "dns", "http", "smtp,ssl", "rdp", "quic", ""]


class Generator:
    """Flows of some hosts with planted behaviour."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.rows: list[dict[str, Any]] = []

    def add(
        self, source: str, dest: str, port: int | None, start: float | None, **given: Any
    ) -> None:
        """Add a flow; `start` is in seconds."""
        pick = self.random.choice
        at = None if start is None else int(start * 1e6)
        end = (
            None if at is None or self.random.random() < 0.1 else at + self.random.randrange(10**7)
        )
        row = {
            "start_time": at,
            "end_time": end,
            "src_ip": source,
            "dst_ip": dest,
            "src_port": pick([None, *range(40_000, 40_010)]),
            "dst_port": port,
            "protocol": "icmp" if port is None else pick(["tcp", "tcp", "tcp", "udp"]),
            "service": pick(_SERVICES),
            "state": pick(["SF", "SF", "S0", "REJ", None]),
            "src_bytes": pick([None, self.random.randrange(5_000)]),
            "dst_bytes": pick([None, 0, self.random.randrange(5_000)]),
            "flows": 1,
            "denied_flows": pick([None, 0]),
        }
        self.rows.append(row | given)

    def noise(self, count: int) -> None:
        """Add flows between any addresses."""
        for _ in range(count):
            source = self.random.choice([*INSIDE, *OUTSIDE])
            dest = self.random.choice([*INSIDE, *OUTSIDE, *GROUPS])
            start = self.random.choice([None, *[self.random.random() * 7_200 for _ in range(9)]])
            self.add(source, dest, self.random.choice([None, *PORTS]), start)

    def calls(self, source: str, dest: str, period: float, count: int, **given: Any) -> None:
        """Add regular calls, some of them missing, some doubled."""
        for call in range(count):
            if self.random.random() < 0.9:
                at = call * period * (1 + 0.02 * self.random.random())
                self.add(source, dest, 443, at, **given)
                if self.random.random() < 0.2:
                    self.add(source, dest, 443, at + 0.5, **given)

    def table(self) -> pa.Table:
        """The flows in random order."""
        self.random.shuffle(self.rows)
        return pa.Table.from_pylist(self.rows, schema=SCHEMA)


def flows(seed: int) -> list[dict[str, Any]]:
    """Return random flows as rows, with times in microseconds."""
    made = Generator(seed)
    made.noise(1_500)
    pick = made.random.choice
    for _ in range(4):
        made.calls(pick(INSIDE), pick(OUTSIDE), pick([5.0, 60.0, 300.0]), pick([5, 8, 20, 40]),
                   protocol="tcp", state=pick(["SF", "S0"]))  # fmt: skip
    for _ in range(2):
        source, dest = pick([*INSIDE, *OUTSIDE]), pick(INSIDE)
        for port in range(1_000, 1_000 + pick([4, 12, 30])):
            made.add(
                source, dest, port, made.random.random() * 600, state=pick(["S0", "REJ", "SF"])
            )
        source, port = pick([*INSIDE, *OUTSIDE]), pick(PORTS)
        for host in range(pick([6, 20])):
            made.add(source, f"10.0.9.{host}", port, made.random.random() * 600, protocol="tcp",
                     state=pick(["S0", "S0", "REJ", "SF"]))  # fmt: skip
    for second in range(pick([5, 40])):
        made.add(pick(INSIDE), "198.51.100.20", 80, 60.0 + second, state="S0", protocol="tcp",
                 src_bytes=pick([40, 4_000]))  # fmt: skip
    made.random.shuffle(made.rows)
    return made.rows


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return flows as a table."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def is_internal(address: str) -> bool:
    """Whether an address is in one of the default internal networks."""
    ip = oracle.ipaddress.ip_address(address)
    return any(ip in network for network in oracle.INTERNAL)
