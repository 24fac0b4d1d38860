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


def canonical(text: str | None) -> str | None:
    if text is None:
        return None
    address = ipaddress.ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


def receives_only(text: str) -> bool:
    address = ipaddress.ip_address(canonical(text))
    return address.is_multicast or address in BROADCASTS


def direction(row: dict[str, Any]) -> str:
    if row["reported_direction"] not in (None, "unknown"):
        return LETTERS[row["reported_direction"]]
    if row["src_ip"] is None or row["dst_ip"] is None:
        return "U"
    source, dest = (
        any(ipaddress.ip_address(canonical(row[end])) in network for network in INTERNAL)
        for end in ("src_ip", "dst_ip")
    )
    if receives_only(row["src_ip"]) and not receives_only(row["dst_ip"]):
        source, dest = dest, source
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


PORTS = pa.schema([("src_port", pa.uint16()), ("protocol", pa.string())])


@st.composite
def _row_with_ports(draw: st.DrawFn) -> dict[str, Any]:
    ports = st.sampled_from([None, 53, 80, 443, 50_000])
    own = {"src_port": draw(ports), "dst_port": draw(ports)}
    return {**draw(_row()), **own, "protocol": draw(st.sampled_from([None, "tcp", "udp", "icmp"]))}


def rows_with_ports(max_size: int = 60) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(_row_with_ports(), max_size=max_size)


def table_with_ports(flows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(flows, schema=pa.schema([*SCHEMA, *PORTS]))


def per_record(group: list[dict[str, Any]], unit: str, connections: int) -> dict[str, Any]:
    both = [(row[f"src_{unit}"], row[f"dst_{unit}"]) for row in group]
    known = [sum(way or 0 for way in ways) for ways in both if ways != (None, None)]
    return {
        f"max_{unit}": max(known, default=None),
        f"mean_{unit}": sum(known) / connections if known and connections else None,
    }


def expanded_search(flows: list[dict[str, Any]], ip: str) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in flows:
        ends = canonical(row["src_ip"]), canonical(row["dst_ip"])
        if canonical(ip) in ends:
            groups[(*ends, row["src_port"], row["dst_port"])].append(row)

    def order(key: tuple[Any, ...]) -> list[Any]:
        return [*map(address_order, key[:2]), *((port is None, port or 0) for port in key[2:])]

    found = []
    for key in sorted(groups, key=order):
        group = groups[key]
        sums = measures(group, "connections")
        found.append(
            {
                "first_seen": sums["first_seen"],
                "last_seen": sums["last_seen"],
                **dict(zip(("src_ip", "dst_ip", "src_port", "dst_port"), key, strict=True)),
                "connections": sums["connections"],
                **per_record(group, "packets", sums["connections"]),
                **per_record(group, "bytes", sums["connections"]),
                **{name: sums[name] for name in SUMS[1:]},
                "denied_connections": sums["denied_flows"],
                "protocols": ",".join(sorted({row["protocol"] for row in group} - {None})),
            }
        )
    return found


def connection_sets(flows: list[dict[str, Any]], ip: str) -> list[dict[str, Any]]:
    """Straight from flows, and not from a search."""
    sought = canonical(ip)
    groups: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    for row in flows:
        source, dest = canonical(row["src_ip"]), canonical(row["dst_ip"])
        if sought in (source, dest):
            groups[source if dest == sought else dest].append(row)
    internal = any(ipaddress.ip_address(sought or "") in network for network in INTERNAL)

    def total(values: list[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return sum(known) if known else None

    found = []
    for peer in sorted(groups, key=address_order):
        group = groups[peer]
        sent = [row for row in group if canonical(row["src_ip"]) == peer]
        got = [row for row in group if canonical(row["dst_ip"]) == peer]
        one_way = ("inbound", "outbound") if internal else ("outbound", "inbound")
        sums = measures(group, "connections")
        out: dict[str, Any] = {
            "peer": peer,
            "direction": "two-way" if sent and got else one_way[0] if sent else one_way[1],
            "connections": sums["connections"],
            "connections_from_peer": sum(row["flows"] for row in sent),
            "connections_to_peer": sum(row["flows"] for row in got),
        }
        for unit in ("bytes", "packets"):
            source, dest = f"src_{unit}", f"dst_{unit}"
            out[unit] = total([row[way] for row in group for way in (source, dest)])
            ways = {"from": (source, dest), "to": (dest, source)}
            for way, (own, other) in ways.items():
                values = [row[own] for row in sent] + [row[other] for row in got]
                out[f"{unit}_{way}_peer"] = total(values)
        for unit in ("packets", "bytes"):
            out |= per_record(group, unit, sums["connections"])
        ports = [row["src_port"] for row in sent] + [row["dst_port"] for row in got]
        lowest = sorted({port for port in ports if port is not None})[:10]
        out |= {name: sums[name] for name in ("first_seen", "last_seen")}
        found.append({**out, "peer_ports": ",".join(map(str, lowest))})
    return found
