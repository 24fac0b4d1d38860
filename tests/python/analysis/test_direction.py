"""Directions and their reasons: rules, reports, ports and flags."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.schema import SCHEMA


def verdict(**row: Any) -> tuple[str, str]:
    flow = {"src_ip": "192.0.2.1", "dst_ip": "10.0.0.4", "flows": 1, **row}
    table = pa.Table.from_pylist([flow], schema=SCHEMA)
    (told,) = ft.classify_direction(table).to_pylist()
    return told["direction"], told["direction_reason"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"src_port": 443, "dst_port": 50_000}, ("outbound", "ports/flags")),
        ({"src_port": 50_000, "dst_port": 443}, ("inbound", "private address")),
        ({"src_port": 50_000, "dst_port": 8080}, ("inbound", "private address")),
        ({"src_port": 443, "dst_port": 50_000, "tcp_flags": "S"}, ("inbound", "private address")),
        ({"src_port": 443, "dst_port": 50_000, "dst_packets": 0}, ("inbound", "private address")),
        (
            {"src_port": 443, "dst_port": 50_000, "reported_direction": "inbound"},
            ("inbound", "reported"),
        ),
        (
            {"src_port": 443, "dst_port": 50_000, "src_ip": "10.0.0.5"},
            ("internal", "private address"),
        ),
    ],
)
def test_ports_and_flags_turn_one_way_records(
    row: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert verdict(**row) == expected


def test_directions_and_their_reasons() -> None:
    rows = [
        {"src_ip": "10.0.0.1", "dst_ip": "8.8.8.8", "flows": 1, "reported_direction": "I"},
        {"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "flows": 1, "reported_direction": None},
        {"src_ip": "8.8.8.8", "dst_ip": "9.9.9.9", "flows": 1, "reported_direction": None},
        {"src_ip": None, "dst_ip": "9.9.9.9", "flows": 1, "reported_direction": None},
    ]
    flows = pa.Table.from_pylist(rows)

    def verdicts(**rules: Any) -> list[tuple[str, str]]:
        table = ft.classify_direction(flows, **rules)
        return list(
            zip(table["direction"].to_pylist(), table["direction_reason"].to_pylist(), strict=True)
        )

    assert verdicts() == [
        ("inbound", "reported"),
        ("internal", "private address"),
        ("external", "private address"),
        ("unknown", "none"),
    ]
    assert verdicts(host="10.0.0.2")[1] == ("inbound", "host")
    assert verdicts(internal=["8.0.0.0/8"])[2] == ("outbound", "internal ranges")
    with pytest.raises(ArgumentError, match="internal is empty"):
        ft.classify_direction(flows, internal=[])
    with pytest.raises(ArgumentError, match="10.0.0.0/40"):
        ft.classify_direction(flows, internal=["10.0.0.0/40"])
