"""Reported directions that the addresses contradict."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.schema import SCHEMA


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
    assert report.quality.direction_conflicts == 2
    assert "2 rows whose logged direction contradicts their addresses" in str(report)
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
        assert flows.report.quality.direction_conflicts == 2
        conflicts = "2 rows whose logged direction contradicts their addresses (internal: 203.0.113"
        assert conflicts in str(flows.report)
        assert "Internal networks (default)" not in str(flows.report)
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
    assert default.direction_conflicts == 0  # these networks are outside by default
    assert "direction" not in ft.read_flows(table).to_arrow().column_names
    with pytest.raises(ArgumentError, match="is empty"):
        ft.read_flows(table, internal=[])
