"""Naive versions of the verbs, row by row, and random flows to try them on."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from datetime import UTC, datetime, timedelta
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


def table(flows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(flows, schema=SCHEMA)


def canonical(text: str | None) -> str | None:
    if text is None:
        return None
    address = ipaddress.ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


def direction(row: dict[str, Any]) -> str:
    if row["reported_direction"] not in (None, "unknown"):
        return LETTERS[row["reported_direction"]]
    if row["src_ip"] is None or row["dst_ip"] is None:
        return "U"
    source, dest = (
        any(ipaddress.ip_address(canonical(row[end])) in network for network in INTERNAL)
        for end in ("src_ip", "dst_ip")
    )
    return {(True, True): "L", (True, False): "O", (False, True): "I", (False, False): "X"}[
        source, dest
    ]


def measures(group: list[dict[str, Any]], flows: str) -> dict[str, Any]:
    def total(name: str) -> int | None:
        values = [row[name] for row in group if row[name] is not None]
        return sum(values) if values else None

    starts = [row["start_time"] for row in group if row["start_time"] is not None]
    ends = starts + [row["end_time"] for row in group if row["end_time"] is not None]
    return {
        flows: sum(row["flows"] for row in group),
        **{name: total(name) for name in SUMS},
        "first_seen": min(starts, default=None),
        "last_seen": max(ends, default=None),
    }


def address_order(text: str | None) -> tuple[bool, int]:
    if text is None:
        return True, 0
    address = ipaddress.ip_address(text)
    return False, int(address) + (0xFFFF << 32 if address.version == 4 else 0)


def text_order(text: str | None) -> tuple[bool, bytes]:
    return text is None, (text or "").encode()


def flow_index(flows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in flows:
        key = (canonical(row["src_ip"]), canonical(row["dst_ip"]), row["service"], direction(row))
        groups[key].append(row)
    names = ("source", "dest", "L7Protocol", "FlowDirection")
    ordered = sorted(
        groups.items(),
        key=lambda item: (
            address_order(item[0][0]),
            address_order(item[0][1]),
            text_order(item[0][2]),
            item[0][3],
        ),
    )
    return [
        {**dict(zip(names, key, strict=True)), **measures(group, "TotalAllowedFlows")}
        for key, group in ordered
    ]


def flow_summary(flows: list[dict[str, Any]], labels: dict[Any, str]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in flows:
        key = (labels[canonical(row["dst_ip"])], labels[canonical(row["src_ip"])])
        groups[key].append(row)

    def distinct(group: list[dict[str, Any]], name: str) -> list[str]:
        values = {canonical(r[name]) if name.endswith("ip") else r[name] for r in group} - {None}
        return sorted(values, key=address_order if name.endswith("ip") else text_order)

    out = []
    for (dest, source), group in groups.items():
        sums = measures(group, "TotalAllowedFlows")
        out.append(
            {
                "DestASN": dest,
                "SourceASN": source,
                "TotalAllowedFlows": sums.pop("TotalAllowedFlows"),
                "L7Protocols": distinct(group, "service"),
                "source_ips": distinct(group, "src_ip"),
                "dest_ips": distinct(group, "dst_ip"),
                **sums,
            }
        )
    return sorted(
        out,
        key=lambda r: (
            -r["TotalAllowedFlows"],
            text_order(r["DestASN"]),
            text_order(r["SourceASN"]),
        ),
    )


def timeline(flows: list[dict[str, Any]], by: str, width: timedelta) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, Any], list[dict[str, Any]]] = defaultdict(list)
    for row in flows:
        start = row["start_time"]
        slot = None if start is None else EPOCH + (start - EPOCH) // width * width
        groups[slot, direction(row) if by == "FlowDirection" else row["service"]].append(row)
    ordered = sorted(
        groups.items(), key=lambda i: (i[0][0] is None, i[0][0] or EPOCH, text_order(i[0][1]))
    )
    return [
        {
            "bin_start": slot,
            "bin_end": slot and slot + width,
            "series": series,
            **measures(group, "flows"),
        }
        for (slot, series), group in ordered
    ]
