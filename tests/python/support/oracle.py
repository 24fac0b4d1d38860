"""Random canonical flows, and each of them as a record of a flow index."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

SUMS = ("denied_flows", "src_bytes", "dst_bytes", "src_packets", "dst_packets")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INTERNAL = [
    ipaddress.ip_network(n)
    for n in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
]
BROADCASTS = {
    ipaddress.ip_address("255.255.255.255"),
    *(network.broadcast_address for network in INTERNAL if network.version == 4),
}
LETTERS = {"inbound": "I", "outbound": "O", "internal": "L", "external": "X", "unknown": "U"}
SCHEMA = pa.schema(
    [
        ("start_time", pa.timestamp("us", "UTC")),
        ("end_time", pa.timestamp("us", "UTC")),
        ("src_ip", pa.string()),
        ("dst_ip", pa.string()),
        ("dst_port", pa.uint16()),
        ("service", pa.string()),
        *((name, pa.int64()) for name in ("flows", *SUMS)),
        ("reported_direction", pa.string()),
    ]
)
PORTS = pa.schema([("src_port", pa.uint16()), ("protocol", pa.string())])
INDEX = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "dest", "L7Protocol", "FlowDirection")),
        ("TotalAllowedFlows", pa.int64()),
        *((name, pa.timestamp("us", "UTC")) for name in ("first_seen", "last_seen")),
    ]
)

_addresses = st.one_of(
    st.sampled_from(
        ["10.0.0.1", "10.0.0.2", "::ffff:10.0.0.1", "8.8.8.8", "1.1.1.1", "fd00::1", "2606:4700::1"]
    ),
    st.none(),
    st.ip_addresses().map(str),
)
_counts = st.none() | st.integers(0, 2**40)
_times = st.none() | st.integers(0, 10**15).map(lambda us: EPOCH + timedelta(microseconds=us))


@st.composite
def _row(draw: st.DrawFn) -> dict[str, Any]:
    return settled(draw(_given_row()))


@st.composite
def _given_row(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "start_time": draw(_times),
        "end_time": draw(_times),
        "src_ip": draw(_addresses),
        "dst_ip": draw(_addresses),
        "dst_port": draw(st.none() | st.integers(0, 65535)),
        "service": draw(st.sampled_from([None, "dns", "ssl", "ünï", "", "a,b"])),
        "flows": draw(st.integers(0, 2**40)),
        **{name: draw(_counts) for name in SUMS},
        "reported_direction": draw(st.sampled_from([None, None, "inbound", "outbound", "unknown"])),
    }


def rows(max_size: int = 60) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(_row(), max_size=max_size)


def given_rows(max_size: int = 60) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Flows as a foreign table may have them: with early ends and any address as the source."""
    special = st.sampled_from(["224.0.0.1", "255.255.255.255", "10.0.0.255", "ff02::1", "0.0.0.0"])
    unlogged = {"reported_direction": st.none()}
    rows = st.builds(
        lambda row, own: row | own,
        _given_row(),
        st.fixed_dictionaries(
            unlogged, optional={"src_ip": special, "dst_ip": special, "src_packets": st.just(0)}
        ),
    )
    return st.lists(rows, max_size=max_size)


def settled(row: dict[str, Any]) -> dict[str, Any]:
    """Return a flow without an early end, and from its initiator as its addresses show it."""
    start, end = row["start_time"], row["end_time"]
    if start is not None and end is not None and end < start:
        row = row | {"end_time": None}
    if row["src_ip"] is None or row["dst_ip"] is None or not _is_reply(row):
        return row
    pairs = [("src_ip", "dst_ip"), ("src_bytes", "dst_bytes"), ("src_packets", "dst_packets")]
    swapped = {a: row[b] for pair in pairs for a, b in (pair, pair[::-1])}
    return row | swapped | {"dst_port": row.get("src_port")}


def _is_reply(row: dict[str, Any]) -> bool:
    source, dest = (ipaddress.ip_address(canonical(row[name])) for name in ("src_ip", "dst_ip"))
    ends = receives_only(row["src_ip"]), receives_only(row["dst_ip"])
    if ends[0] != ends[1]:
        return ends[0]
    if not any(row[name] for name in ("dst_bytes", "dst_packets")):
        return False
    if dest.is_unspecified and not source.is_unspecified:
        return True
    sent = [row[name] for name in ("src_bytes", "src_packets") if row[name] is not None]
    if not sent or any(sent) or row.get("protocol") == "tcp":
        return False
    bits = [f"{int(address):032b}" for address in (source, dest) if address.version == 4]
    if len(bits) < 2 or bits[0] == bits[1]:
        return False
    host = len(bits[0]) - len(bits[0].rstrip("1"))
    return 8 <= host < 32 and bits[0][:-host] == bits[1][:-host]


def table(flows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(flows, schema=SCHEMA)


@cache
def canonical(text: str | None) -> str | None:
    if text is None:
        return None
    address = ipaddress.ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


@cache
def is_internal(text: str) -> bool:
    address = ipaddress.ip_address(canonical(text))
    return any(address in network for network in INTERNAL)


def receives_only(text: str) -> bool:
    address = ipaddress.ip_address(canonical(text))
    return address.is_multicast or address in BROADCASTS


def direction(row: dict[str, Any]) -> str:
    if row["reported_direction"] not in (None, "unknown"):
        return LETTERS[row["reported_direction"]]
    if row["src_ip"] is None or row["dst_ip"] is None:
        return "U"
    source, dest = (is_internal(row[end]) for end in ("src_ip", "dst_ip"))
    if receives_only(row["src_ip"]) and not receives_only(row["dst_ip"]):
        source, dest = dest, source
    return {(True, True): "L", (True, False): "O", (False, True): "I", (False, False): "X"}[
        source, dest
    ]


@st.composite
def _row_with_ports(draw: st.DrawFn) -> dict[str, Any]:
    ports = st.sampled_from([None, 53, 80, 443, 50_000])
    own = {"src_port": draw(ports), "dst_port": draw(ports)}
    return {**draw(_row()), **own, "protocol": draw(st.sampled_from([None, "tcp", "udp", "icmp"]))}


def rows_with_ports(max_size: int = 60) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(_row_with_ports(), max_size=max_size)


def table_with_ports(flows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(flows, schema=pa.schema([*SCHEMA, *PORTS]))


def indexed(flows: list[dict[str, Any]], directions: list[str] | None = None) -> pa.Table:
    """Canonical addresses, and the direction of each flow unless it is given."""
    records = []
    for row, given in zip(flows, directions or [None] * len(flows), strict=True):
        times = [row[name] for name in ("start_time", "end_time") if row[name] is not None]
        own = {
            "source": canonical(row["src_ip"]),
            "dest": canonical(row["dst_ip"]),
            "L7Protocol": row["service"],
            "FlowDirection": LETTERS[given] if given else direction(row),
            "TotalAllowedFlows": row["flows"],
            "first_seen": row["start_time"],
            "last_seen": max(times, default=None),
        }
        records.append(row | own)
    counters = [(name, pa.int64()) for name in SUMS]
    ports = [("src_port", pa.uint16()), ("dst_port", pa.uint16()), ("protocol", pa.string())]
    return pa.Table.from_pylist(records, pa.schema([*INDEX, *counters, *ports]))
