"""Directions: ports and flags, networks from files, and what contradicts a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.flows import SCHEMA


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


NETWORKS = {
    "ipranges.csv": "start_ip,end_ip,name\n203.0.113.0,203.0.113.255,office\n",
    "quoted.csv": '"203.0.113.0","203.0.113.127","a"\n203.0.113.128,203.0.113.255,b\n',
    "networks.cfg": "# comment\n203.0.113.0/24    Office\n[2001:db8::]/32  v6\n",
    "local.zeek": (
        "redef Site::local_nets += {\n  203.0.113.0/24, # office\n  [2001:db8::]/32,\n};\n"
    ),
    "crlf.csv": "\ufeff203.0.113.0,203.0.113.255,office\r\n\r\n",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_internal_networks_come_from_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(NETWORKS[name])
    flows = pa.Table.from_pylist(
        [
            {"src_ip": source, "dst_ip": dest, "flows": 1}
            for source, dest in [
                ("203.0.113.200", "192.0.2.1"),
                ("10.0.0.4", "203.0.113.9"),
                ("10.0.0.4", "10.0.0.5"),
                ("203.0.113.1", "203.0.113.255"),
            ]
        ],
        schema=SCHEMA,
    )
    for internal in (path, str(path)):
        told = ft.classify_direction(flows, internal=internal)
        assert told["direction"].to_pylist() == ["outbound", "inbound", "external", "internal"]
        assert set(told["direction_reason"].to_pylist()) == {"internal ranges"}


def test_a_prefix_alone_is_no_path() -> None:
    flows = pa.Table.from_pylist(
        [{"src_ip": "203.0.113.200", "dst_ip": "10.0.0.1", "flows": 1}], schema=SCHEMA
    )
    for internal in ("203.0.113.0/24", ["203.0.113.0/24"]):
        assert ft.classify_direction(flows, internal=internal)["direction"][0].as_py() == "outbound"


def test_files_that_name_no_network(tmp_path: Path) -> None:
    flows = SCHEMA.empty_table()
    path = tmp_path / "ranges.csv"
    path.write_text("10.0.0.0,10.0.0.255,a\nten,eleven,b\n")
    with pytest.raises(ArgumentError, match="line 2: 'ten,eleven,b' is neither"):
        ft.classify_direction(flows, internal=path)
    path.write_text("10.0.0.9,10.0.0.1,backwards\n")
    with pytest.raises(ArgumentError, match="line 1"):
        ft.classify_direction(flows, internal=path)
    path.write_text("\n")
    with pytest.raises(ArgumentError, match="empty"):
        ft.classify_direction(flows, internal=path)
    with pytest.raises(FileNotFoundError):
        ft.classify_direction(flows, internal=tmp_path / "absent.csv")


def test_the_report_counts_reports_against_the_addresses() -> None:
    rows = [
        ("10.0.0.4", "192.0.2.1", "outbound"),
        ("10.0.0.4", "192.0.2.1", "inbound"),
        ("10.0.0.4", "10.0.0.5", "inbound"),
        ("10.0.0.4", "192.0.2.1", "internal"),
        ("10.0.0.4", "192.0.2.1", None),
        ("10.0.0.4", "192.0.2.1", "unknown"),
    ]
    names = ("src_ip", "dst_ip", "reported_direction")
    records = [dict(zip(names, row, strict=True)) | {"flows": 1} for row in rows]
    report = ft.read_flows(pa.Table.from_pylist(records, schema=SCHEMA)).report
    assert report.quality is not None
    assert report.quality.contradictions == 2
    assert "2 rows are reported against what their addresses tell" in str(report)
    assert "RFC 1918" in str(report)


def test_the_report_and_the_verdicts_go_by_the_networks_that_are_told(tmp_path: Path) -> None:
    rows = [
        ("203.0.113.7", "192.0.2.1", "inbound"),
        ("203.0.113.7", "192.0.2.1", "outbound"),
        ("203.0.113.7", "203.0.113.8", "external"),
        ("10.0.0.4", "192.0.2.1", None),
        ("203.0.113.7", "192.0.2.1", None),
    ]
    names = ("src_ip", "dst_ip", "reported_direction")
    records = [dict(zip(names, row, strict=True)) | {"flows": 1} for row in rows]
    table = pa.Table.from_pylist(records, schema=SCHEMA)
    path = tmp_path / "ipranges.csv"
    path.write_text("203.0.113.0,203.0.113.255,office\n")
    for internal in (path, ["203.0.113.0/24"]):
        flows = ft.read_flows(table, internal=internal)
        assert flows.report.quality is not None
        assert flows.report.quality.contradictions == 2
        assert "2 rows are reported against what their addresses tell (internal: 203.0.113" in str(
            flows.report
        )
        assert "Internal by default" not in str(flows.report)
        told = flows.to_arrow()
        assert told["direction"].to_pylist()[3:] == ["external", "outbound"]
        assert told["direction_reason"].to_pylist()[3:] == ["internal ranges"] * 2
        index = ft.flow_index(flows).to_pylist()
        (row,) = [row for row in index if row["source"] == "10.0.0.4"]
        assert row["FlowDirection"] == "X"
        streamed = ft.flow_report(table, internal=internal)
        assert streamed.quality == flows.report.quality
    default = ft.read_flows(table).report.quality
    assert default is not None
    assert default.contradictions == 0  # these networks are outside by default
    assert "direction" not in ft.read_flows(table).to_arrow().column_names
    with pytest.raises(ArgumentError, match="is empty"):
        ft.read_flows(table, internal=[])
