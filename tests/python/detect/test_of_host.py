"""Findings about one host: which ones, in which context, and their pictures."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.analysis.hosts import flows_of_host
from flowtriage.detect import detector_status, flows_of
from flowtriage.detect.cards import MAX_PICTURES, finding_list
from flowtriage.detect.matching import MatchingFlows
from flowtriage.detect.of_host import HostFindings, findings_of_host, peers_of
from flowtriage.detect.pictures import TimeAxis, picture
from many_findings import SERVER, START, scanned

SCANNER, TARGETS = "45.76.139.22", [f"10.20.9.{at}" for at in range(1, 61)]


def sweep() -> pa.Table:
    """Flows of an outside address that tries one port of many hosts."""
    rows = [
        {
            "start_time": START + dt.timedelta(seconds=at),
            "end_time": START + dt.timedelta(seconds=at),
            "src_ip": SCANNER,
            "dst_ip": target,
            "src_port": 40_000,
            "dst_port": 445,
            "protocol": "tcp",
            "flows": 1,
            "src_bytes": 60,
            "dst_bytes": 0,
            "src_packets": 1,
            "dst_packets": 0,
            "state": "S0",
        }
        for at, target in enumerate(TARGETS)
    ]
    return pa.Table.from_pylist(rows, sample.SCHEMA)


def about(flows: pa.Table, host: str, **options: Any) -> HostFindings:
    return findings_of_host(flows, flows_of_host(flows, None, (host,)), **{"whole": True} | options)


def test_a_host_has_its_findings_and_no_others() -> None:
    day = sample.office_day()
    found = about(day, sample.HOST_IP).table
    every = ft.hunt(day)
    expected = [
        row
        for row in every.to_pylist()
        if sample.HOST_IP in (row["source"], row["dest"])
        or sample.HOST_IP in flows_of(day, row)["src_ip"].to_pylist()
        or sample.HOST_IP in flows_of(day, row)["dst_ip"].to_pylist()
    ]
    assert found.to_pylist() == expected
    assert len(expected) >= 4
    assert about(day, sample.BEACON.peer).table["dest"].to_pylist() == [sample.BEACON.peer]
    assert detector_status(found).equals(detector_status(every))


def test_one_of_several_targets_has_the_finding_too() -> None:
    flows = pa.concat_tables([sweep(), sample.office_day()])
    found = about(flows, TARGETS[7])
    assert found.table["detector"].to_pylist() == ["host_sweeps"]
    assert found.table["dest"].to_pylist() == [None]
    assert found.table["flows"].to_pylist() == [len(TARGETS)]
    assert found.matching.rows(found.table["flows_filter"][0].as_py()).to_pylist() == [0]
    assert "host_sweeps" not in about(flows, sample.HOST_IP).table["detector"].to_pylist()


def test_without_other_hosts_nothing_is_called_rare() -> None:
    day = sample.office_day()
    found = about(day, sample.HOST_IP, whole=False)
    assert "rare_networks" in about(day, sample.HOST_IP).table["detector"].to_pylist()
    assert "rare_networks" not in found.table["detector"].to_pylist()
    assert "rare networks (only the flows of this host were read)" in found.not_run
    assert "of this host only" in found.context
    assert "8,193" in about(day, sample.HOST_IP).context


def test_what_was_looked_for_is_stated_where_nothing_was_found() -> None:
    day = sample.office_day()
    printer = day.filter(pc.equal(day["dst_ip"], "10.20.30.9"))
    index = printer.column_names.index("src_bytes")
    printer = printer.set_column(index, "src_bytes", pa.nulls(printer.num_rows, pa.int64()))
    found = about(printer, "10.20.30.9")
    assert found.table.num_rows == 0
    assert found.none.startswith("No findings. Looked for: beacons, persistent retries, ")
    assert "uploads (the log has no bytes of both directions)" in found.none
    assert "\n" not in found.none
    absent = about(day, "192.0.2.7")
    assert absent.none == "No findings: the host has no flows."
    assert not any(detector_status(absent.table)["ran"].to_pylist())


def test_peers_are_in_the_order_of_severity() -> None:
    found = about(sample.office_day(), sample.HOST_IP).table
    peers = peers_of(found, [sample.HOST_IP]).to_pylist()
    assert peers[:3] == [sample.UPLOAD.peer, sample.BEACON.peer, sample.SCAN.peer]
    assert sample.HOST_IP not in peers
    assert len(peers) == len(set(peers))


def test_cards_have_evidence_facts_and_pictures() -> None:
    found = about(sample.office_day(), sample.HOST_IP)
    made = finding_list(found.table, found.matching)
    assert len(made.cards) == found.table.num_rows == sum(made.counts.values())
    beacon = made.cards[1]
    assert (beacon.severity, beacon.detector, beacon.technique) == ("warning", "Beacon", "T1071")
    assert ("period", "5 min", "1 s") in beacon.evidence
    assert ("calls", "288", "12") in beacon.evidence
    assert beacon.facts["Flows"] == "288"
    identity = found.table["finding"][1].as_py()
    assert beacon.facts["Flows as a table"] == f'result.flows_of("{identity}")'
    assert beacon.sparkline is not None
    assert set(beacon.sparkline.amounts) == {4.0}
    assert beacon.sparkline.unit == "flows per 20 min"
    assert beacon.sparkline.start == "2026-03-02 00:00"
    assert beacon.sparkline.end == "2026-03-03 00:00 UTC"


def test_pictures_have_the_sums_of_the_flows() -> None:
    found = about(sample.office_day(), sample.HOST_IP)
    rows = {row["detector"]: row for row in reversed(found.table.to_pylist())}
    axis = TimeAxis.of(found.matching.flows)
    assert axis is not None
    scan = picture(rows["port_scans"], found.matching, axis)
    assert sum(scan.amounts) == sample.SCAN.flows
    assert sum(amount > 0 for amount in scan.amounts) == 1
    upload = picture(rows["uploads"], found.matching, axis)
    assert sum(upload.amounts) == rows["uploads"]["bytes_out"]
    assert upload.unit == "bytes sent per 20 min"
    at = [number for number, amount in enumerate(upload.amounts) if amount]
    start, end = (hour * 3 for hour in sample.UPLOAD.hours)
    assert int(start) <= min(at) and max(at) <= int(end)


def test_long_connections_are_open_in_the_intervals_between() -> None:
    start = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
    rows = [
        {"start_time": start, "end_time": start + dt.timedelta(hours=10)},
        {"start_time": start + dt.timedelta(hours=5), "end_time": None},
        {"start_time": start + dt.timedelta(hours=23), "end_time": None},
    ]
    ends = {"src_ip": "10.0.0.1", "dst_ip": "8.8.8.8", "flows": 1}
    flows = pa.Table.from_pylist([row | ends for row in rows], sample.SCHEMA)
    axis = TimeAxis.of(flows)
    assert axis is not None
    finding = {"detector": "long_connections", "flows_filter": "dst_ip = '8.8.8.8'"}
    made = picture(finding, MatchingFlows(flows), axis)
    step = axis.step // 1_000_000
    expected = [1 + (at == 5 * 3600 // step) for at in range(10 * 3600 // step + 1)]
    assert list(made.amounts[: len(expected)]) == expected
    assert set(made.amounts[len(expected) : -1]) == {0}
    assert made.amounts[-1] == 1


@pytest.mark.parametrize(
    ("days", "step"), [(0, 1), (0.01, 10), (1, 1200), (7, 7200), (90, 86_400), (4000, 3_715_200)]
)
def test_an_axis_covers_any_span_with_few_intervals(days: float, step: int) -> None:
    last = START + dt.timedelta(days=days)
    flows = pa.table({"start_time": pa.array([START, last], pa.timestamp("us", "UTC"))})
    axis = TimeAxis.of(flows)
    assert axis is not None
    assert axis.step == step * 1_000_000
    assert 1 <= axis.count <= 96
    assert axis.at(flows["start_time"])[0].as_py() >= 0
    assert axis.at(flows["start_time"])[1].as_py() == axis.count - 1
    assert TimeAxis.of(flows.slice(0, 0)) is None


def test_hundreds_of_findings_have_a_limited_list() -> None:
    found = about(scanned(300), SERVER, internal=[f"{SERVER}/32"])
    assert found.table.num_rows > 300
    made = finding_list(found.table, found.matching)
    assert sum(made.counts.values()) == found.table.num_rows
    assert made.counts["warning", "Port scan"] == 300
    assert len(made.cards) < 130
    assert sum(card.sparkline is not None for card in made.cards) == MAX_PICTURES
    assert "Upload" in {card.detector for card in made.cards}
