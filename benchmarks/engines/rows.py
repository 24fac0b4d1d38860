"""Naive Python: row by row, ordered as flowtriage's answers are."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from benchmarks.engines.engine import BOTH_SIDES, FLOWS, KEYS, SUMS, Engine, Search

Row = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = pa.timestamp("us", "UTC")
_MEASURES = [*((name, pa.int64()) for name in SUMS), ("first_seen", _TIME), ("last_seen", _TIME)]
_TYPES: dict[str, pa.DataType] = dict(_MEASURES) | {
    **dict.fromkeys((FLOWS, "flows", "connections", "denied_connections"), pa.int64()),
    **dict.fromkeys(("connections_from_peer", "connections_to_peer"), pa.int64()),
    **dict.fromkeys(("src_port", "dst_port"), pa.int64()),
    **dict.fromkeys(("bin_start", "bin_end"), _TIME),
    **dict.fromkeys(("L7Protocols", "source_ips", "dest_ips"), pa.list_(pa.string())),
    **{f"{start}_{unit}": pa.int64() for unit in BOTH_SIDES for start in ("src", "dst", "max")},
    **{f"{unit}{end}": pa.int64() for unit in BOTH_SIDES for end in ("", "_from_peer", "_to_peer")},
    **{f"mean_{unit}": pa.float64() for unit in BOTH_SIDES},
}
"""Types of the columns of answers, unless they are text."""
_FOUND = (
    *("first_seen", "last_seen", "src_ip", "dst_ip", "src_port", "dst_port", "connections"),
    *("max_packets", "mean_packets", "max_bytes", "mean_bytes", *SUMS[1:]),
    *("denied_connections", "protocols"),
)
_PEERS = (
    *("peer", "direction", "connections", "connections_from_peer", "connections_to_peer"),
    "denied_connections",
    *(f"{unit}{end}" for unit in BOTH_SIDES for end in ("", "_from_peer", "_to_peer")),
    *("max_packets", "mean_packets", "max_bytes", "mean_bytes", "first_seen", "last_seen"),
    "peer_ports",
)


class Naive(Engine):
    """Loops over rows."""

    def __init__(self, flows: pa.Table) -> None:
        absent = dict.fromkeys({*SUMS, "src_port", "dst_port", "protocol"} - {*flows.column_names})
        self._rows: list[Row] = [row | absent for row in flows.to_pylist()]

    def flow_index(self, *, ordered: bool = True) -> pa.Table:
        groups = _grouped(self._rows, lambda row: tuple(row[name] for name in KEYS))
        rows = [dict(zip(KEYS, key, strict=True)) | _sums(group) for key, group in groups]
        rows.sort(key=lambda row: [_order(name, row[name]) for name in KEYS])
        return _table(rows, (*KEYS, FLOWS, *dict(_MEASURES)))

    def flow_summary(self, labels: Mapping[str | None, str]) -> pa.Table:
        groups = _grouped(self._rows, lambda row: (labels[row["dest"]], labels[row["source"]]))
        lists = {"L7Protocols": "L7Protocol", "source_ips": "source", "dest_ips": "dest"}
        rows = [
            {"DestASN": dest, "SourceASN": source}
            | {name: _distinct(group, column) for name, column in lists.items()}
            | _sums(group)
            for (dest, source), group in groups
        ]
        rows.sort(key=lambda row: (-row[FLOWS], row["DestASN"].encode(), row["SourceASN"].encode()))
        return _table(rows, ("DestASN", "SourceASN", FLOWS, *lists, *dict(_MEASURES)))

    def timeline(self, by: str, width: timedelta) -> pa.Table:
        def slot(row: Row) -> datetime | None:
            start = row["first_seen"]
            return None if start is None else _EPOCH + (start - _EPOCH) // width * width

        groups = _grouped(self._rows, lambda row: (slot(row), row[by]))
        rows = [
            {"bin_start": start, "bin_end": start and start + width, "series": series}
            | _sums(group, "flows")
            for (start, series), group in groups
        ]
        names = ("bin_start", "series")
        rows.sort(key=lambda row: [_order(name, row[name]) for name in names])
        return _table(rows, ("bin_start", "bin_end", "series", "flows", *dict(_MEASURES)))

    def top_n(self, key: str, by: str, n: int) -> pa.Table:
        groups = _grouped(self._rows, lambda row: row[key])
        rows = [{key: value} | _sums(group, "flows") for value, group in groups]

        def rank(row: Row) -> tuple[Any, ...]:
            value = _total(row[name] for name in BOTH_SIDES.get(by, (by,)))
            return value is None, -(value or 0), _order(key, row[key])

        return _table(sorted(rows, key=rank)[:n], (key, "flows", *dict(_MEASURES)))

    def search(self, ip: str, *, internal: bool) -> Search:
        """Find flows and peers, both straight from the flows."""
        own = [row for row in self._rows if ip in (row["source"], row["dest"])]
        return Search(_found(own), _peers(own, ip, internal))


def _found(own: list[Row]) -> pa.Table:
    keys = {"src_ip": "source", "dst_ip": "dest", "src_port": "src_port", "dst_port": "dst_port"}
    rows = []
    for key, group in _grouped(own, lambda row: tuple(row[name] for name in keys.values())):
        sums = _sums(group, "connections")
        protocols = sorted({row["protocol"] for row in group} - {None})
        rows.append(
            dict(zip(keys, key, strict=True))
            | sums
            | _records(group, _attempts(sums))
            | {"denied_connections": sums["denied_flows"], "protocols": ",".join(protocols)}
        )
    rows.sort(key=lambda row: [_order(old, row[name]) for name, old in keys.items()])
    return _table(rows, _FOUND)


def _peers(own: list[Row], ip: str, internal: bool) -> pa.Table:
    rows = []
    for peer, group in _grouped(
        own, lambda row: row["source"] if row["dest"] == ip else row["dest"]
    ):
        sent = [row for row in group if row["source"] == peer]
        got = [row for row in group if row["dest"] == peer]
        one_way = "inbound" if bool(sent) == internal else "outbound"
        sums = _sums(group, "connections")
        row = sums | _records(group, _attempts(sums))
        row |= {
            "peer": peer,
            "direction": "two-way" if sent and got else one_way,
            "connections_from_peer": sum(flow[FLOWS] for flow in sent),
            "connections_to_peer": sum(flow[FLOWS] for flow in got),
            "denied_connections": sums["denied_flows"] or 0,
        }
        for unit, (source, dest) in BOTH_SIDES.items():
            row[unit] = _total(flow[side] for flow in group for side in (source, dest))
            for end, (one, other) in {"from": (source, dest), "to": (dest, source)}.items():
                values = [flow[one] for flow in sent] + [flow[other] for flow in got]
                row[f"{unit}_{end}_peer"] = _total(values)
        ports = {flow["src_port"] for flow in sent} | {flow["dst_port"] for flow in got}
        row["peer_ports"] = ",".join(map(str, sorted(ports - {None})[:10]))
        rows.append(row)
    rows.sort(key=lambda row: _order("source", row["peer"]))
    return _table(rows, _PEERS)


def _grouped(
    rows: Iterable[Row], key: Callable[[Row], Hashable]
) -> Iterable[tuple[Any, list[Row]]]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups.items()


def _total(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _sums(group: list[Row], flows: str = FLOWS) -> Row:
    times = {
        name: [row[name] for row in group if row[name]] for name in ("first_seen", "last_seen")
    }
    return {
        flows: sum(row[FLOWS] for row in group),
        **{name: _total(row[name] for row in group) for name in SUMS},
        "first_seen": min(times["first_seen"], default=None),
        "last_seen": max(times["last_seen"], default=None),
    }


def _attempts(sums: Row) -> int:
    """Return the number of flows, allowed or denied."""
    return int(sums["connections"]) + (sums["denied_flows"] or 0)


def _records(group: list[Row], flows: int) -> Row:
    """Return the maximum of a record, and the mean per flow."""
    made: Row = {}
    for unit, sides in BOTH_SIDES.items():
        known = [n for row in group if (n := _total(row[side] for side in sides)) is not None]
        made[f"max_{unit}"] = max(known, default=None)
        made[f"mean_{unit}"] = sum(known) / flows if known and flows else None
    return made


def _distinct(group: list[Row], name: str) -> list[Any]:
    return sorted({row[name] for row in group} - {None}, key=lambda value: _order(name, value))


def _order(name: str, value: Any) -> tuple[bool, Any]:
    """Return what sorts values of a column: addresses as numbers, nulls last."""
    if value is None:
        return True, 0
    if name in ("source", "dest"):
        address = ipaddress.ip_address(value)
        return False, int(address) + (0xFFFF << 32 if address.version == 4 else 0)
    return False, value.encode() if isinstance(value, str) else value


def _table(rows: list[Row], names: Iterable[str]) -> pa.Table:
    schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in names])
    return pa.Table.from_pylist(rows, schema)
