"""Counters that contradict each other, or that a log leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from flowtriage.quality import QualityWarning, notices
from small_logs import argus, canonical, ocsf, zeek

COUNTERS = ("src_bytes", "dst_bytes", "src_packets", "dst_packets")
ASIM = {
    "EventSchema": "NetworkSession",
    "EventStartTime": "2025-03-01T12:00:00Z",
    "SrcIpAddr": "10.0.0.1",
    "DstIpAddr": "8.8.8.8",
    "SrcPortNumber": 50000,
    "DstPortNumber": 443,
    "NetworkProtocol": "TCP",
}
ZEEK = {"ts": 1772409600.1, "id.orig_h": "10.20.0.5", "id.resp_h": "1.1.1.1", "proto": "tcp"}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def asim(path: Path, *rows: dict[str, Any]) -> ft.Flows:
    return ft.read_flows(write(path, *(ASIM | row for row in rows)))


def counters(flows: ft.Flows) -> list[tuple[int | None, ...]]:
    return [tuple(row[name] for name in COUNTERS) for row in flows.to_arrow().to_pylist()]


def test_a_total_and_one_side_give_the_other_side(tmp_path: Path) -> None:
    totals = {"NetworkBytes": 1000, "NetworkPackets": 12}
    flows = asim(
        tmp_path / "asim.json",
        totals | {"SrcBytes": 30, "SrcPackets": 5},
        totals | {"DstBytes": 970, "DstPackets": 7},
        totals | {"SrcBytes": 30, "DstBytes": 970, "SrcPackets": 5, "DstPackets": 7},
    )
    assert counters(flows) == [(30, 970, 5, 7)] * 3
    total = {"bytes": 1000, "packets": 10}
    sides = ({"bytes_out": 300, "packets_out": 4}, {"bytes_in": 700, "packets_in": 6})
    flows = ft.read_flows(
        ocsf(tmp_path / "ocsf.json", *({"traffic": total | side} for side in sides))
    )
    assert counters(flows) == [(300, 700, 4, 6)] * 2
    assert flows.report.rows_without_sides == flows.report.rows_contradicted_totals == 0


def test_a_total_that_is_less_than_one_side_is_a_bad_value(tmp_path: Path) -> None:
    rows = [{"NetworkBytes": 1000, side: 2000} for side in ("SrcBytes", "DstBytes")]
    report = asim(tmp_path / "asim.json", *rows).report
    assert [row.column for row in report.bad_rows] == ["NetworkBytes"] * 2
    assert "is less than SrcBytes" in str(report.bad_rows[0])


def test_totals_that_contradict_both_sides_are_counted_and_stated(tmp_path: Path) -> None:
    rows = [
        {"NetworkBytes": 1000, "SrcBytes": 30, "DstBytes": 20},
        {"NetworkPackets": 1, "SrcPackets": 3, "DstPackets": 2},
        {"NetworkBytes": 50, "SrcBytes": 30, "DstBytes": 20},
        {"NetworkBytes": 50},
    ]
    flows = asim(tmp_path / "asim.json", *rows)
    assert counters(flows)[0] == (30, 20, None, None)
    assert flows.report.rows_contradicted_totals == 2
    assert notices(flows.report)["Contradicted totals"].startswith("2 records")
    assert flows.report.to_dict()["rows_contradicted_totals"] == 2
    traffic = {"bytes": 1000, "bytes_out": 900, "bytes_in": 900}
    with pytest.warns(QualityWarning, match="Contradicted totals: 1 record"):
        ft.flow_index(ocsf(tmp_path / "ocsf.json", {"traffic": traffic}))
    log = argus(tmp_path / "argus.csv", {"TotBytes": "1000"}, {})
    header, *lines = log.read_text().splitlines()
    log.write_text("\n".join([f"{header},DstBytes", f"{lines[0]},900", f"{lines[1]},312"]) + "\n")
    assert ft.read_flows(log).report.rows_contradicted_totals == 1


def test_payload_bytes_without_bytes_are_counted_and_stated(tmp_path: Path) -> None:
    payload = ZEEK | {"orig_bytes": 500_000, "resp_bytes": 700}
    first = payload | {"orig_ip_bytes": 600, "resp_ip_bytes": 900}
    path = write(tmp_path / "conn.json", first, *[payload] * 9)
    report = ft.read_flows(path).report
    assert report.rows_payload_only == 9
    assert notices(report)["Payload bytes only"].startswith("9 records")
    assert ft.flow_report(path).rows_payload_only == 9
    with pytest.warns(QualityWarning, match="Payload bytes only: 9 records"):
        ft.flow_index(path)
    never = write(tmp_path / "never.json", *[payload] * 3, ZEEK | {"orig_bytes": 0})
    assert ft.read_flows(never).report.rows_payload_only == 3
    one_side = write(tmp_path / "one.json", payload | {"orig_ip_bytes": 9}, first)
    assert ft.read_flows(one_side).report.rows_payload_only == 1


def test_packets_of_0_bytes_are_counted_and_stated(tmp_path: Path) -> None:
    row = {"SrcPackets": 50, "DstPackets": 40, "SrcBytes": 0, "DstBytes": 0}
    report = asim(tmp_path / "asim.json", row, row).report
    assert report.quality is not None
    assert (report.quality.packets_without_bytes, report.quality.bytes_without_packets) == (2, 0)
    assert notices(report)["Packets without bytes"].startswith("2 of 2 rows")
    rows = [{"orig_ip_bytes": "0"}, {}, {"orig_pkts": "0"}]
    ports = [row | {"id.orig_p": f"5000{port}"} for port, row in enumerate(rows)]
    log = zeek(tmp_path / "conn.log", *ports)
    found = notices(ft.read_flows(log).report)
    assert found["Packets without bytes"].startswith("1 of 3 rows")
    assert found["Bytes without packets"].startswith("1 of 3 rows")
    assert "totals of packets are too low" in found["Bytes without packets"]


def test_few_packets_of_0_bytes_are_a_fact_without_a_notice() -> None:
    ports = list(range(1000, 1200))
    flows = canonical(200, src_port=ports, src_packets=[1] * 200, src_bytes=[0] + [9] * 199)
    report = ft.read_flows(flows).report
    assert report.facts()["Packets without bytes"].startswith("1 of 200 rows")
    assert "Packets without bytes" not in notices(report)
    missing = canonical(2, src_packets=[1, 0], src_bytes=[None, 0], dst_packets=[None, 2])
    assert "Packets without bytes" not in ft.read_flows(missing).report.facts()
