"""Every detector against naive Python, on random flows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

import detect_oracle
import random_flows
from flowtriage import detect

SEEDS = range(12)
Row = dict[str, Any]
KEY = ("source", "dest", "dst_port", "protocol")


def keyed(found: pa.Table, *names: str) -> dict[tuple[Any, ...], Row]:
    """Return findings by columns, which are unique."""
    rows = found.to_pylist()
    by_key = {tuple(row[name] for name in names): row for row in rows}
    assert len(by_key) == len(rows)
    return by_key


def value(finding: Row, name: str) -> float:
    return next(float(part["value"]) for part in finding["evidence"] if part["name"] == name)


@pytest.fixture(params=SEEDS, scope="module")
def rows(request: pytest.FixtureRequest) -> list[Row]:
    return random_flows.flows(request.param)


@pytest.fixture(scope="module")
def flows(rows: list[Row]) -> pa.Table:
    return random_flows.table(rows)


def test_retries(rows: list[Row], flows: pa.Table) -> None:
    limits = detect.Retries(min_tries=4, min_failed=0.7, min_span=60)
    found = keyed(detect.retries(flows, thresholds=limits), *KEY)
    assert set(found) == detect_oracle.retries(rows, 4, 0.7, 60)


def test_port_scans(rows: list[Row], flows: pa.Table) -> None:
    limits = detect.PortScans(min_ports=8, min_failed=0.3, window=500)
    found = keyed(detect.port_scans(flows, thresholds=limits), "source", "dest")
    shares = {key: value(finding, "failed_share") for key, finding in found.items()}
    assert shares == pytest.approx(detect_oracle.port_scans(rows, 8, 0.3, 500))


def test_host_sweeps(rows: list[Row], flows: pa.Table) -> None:
    limits = detect.HostSweeps(min_hosts=5, min_failed=0.5, window=500)
    found = keyed(detect.host_sweeps(flows, thresholds=limits), "source", "dst_port", "protocol")
    shares = {key: value(finding, "failed_share") for key, finding in found.items()}
    assert shares == pytest.approx(detect_oracle.host_sweeps(rows, 5, 0.5, 500))


def test_floods(rows: list[Row], flows: pa.Table) -> None:
    limits = detect.Floods(min_flows=6, min_failed=0.6, min_bytes=8_000)
    found = keyed(detect.floods(flows, thresholds=limits), "dest", "dst_port", "protocol")
    peaks = {
        key: (value(finding, "flows_in_minute"), value(finding, "unanswered_bytes_in_minute"))
        for key, finding in found.items()
    }
    assert peaks == detect_oracle.floods(rows, 6, 0.6, 8_000)


def test_uploads(rows: list[Row], flows: pa.Table) -> None:
    limits = detect.Uploads(min_bytes=5_000, min_ratio=1.5)
    found = keyed(detect.uploads(flows, thresholds=limits), "source", "dest")
    assert set(found) == detect_oracle.uploads(rows, 5_000, 1.5)


def test_long_connections(rows: list[Row], flows: pa.Table) -> None:
    limits = detect.LongConnections(min_duration=9, max_gap=30)
    found = keyed(detect.long_connections(flows, thresholds=limits), *KEY)
    times = {key: value(finding, "duration_seconds") for key, finding in found.items()}
    assert times == pytest.approx(detect_oracle.long_connections(rows, 9, 30), abs=0.002)


def test_port_mismatches(rows: list[Row], flows: pa.Table) -> None:
    few = flows.slice(0, 900)
    found = keyed(detect.port_mismatches(few), *KEY)
    counts = {key: value(finding, "mismatched_flows") for key, finding in found.items()}
    assert counts == detect_oracle.port_mismatches(rows[:900])
    many = pa.concat_tables([flows] * 5)
    assert detect.port_mismatches(many).num_rows == 0
    (status,) = detect.detector_status(detect.port_mismatches(many)).to_pylist()
    assert "unreliable" in status["reason"]


def test_lateral_fan_out(rows: list[Row], flows: pa.Table) -> None:
    limits = detect.LateralFanOut(min_hosts=3, window=1_000)
    found = keyed(detect.lateral_fan_out(flows, thresholds=limits), "source")
    assert {key[0] for key in found} == detect_oracle.lateral_fan_out(rows, 3, 1_000)


def test_beacons(rows: list[Row], flows: pa.Table) -> None:
    limits = detect.Beacons(min_calls=8, few_calls=5, max_chance=0.05)
    found = keyed(detect.beacons(flows, thresholds=limits), *KEY)
    parts = {
        key: tuple(value(finding, name) for name in ("calls", "period_seconds", "regular_gaps"))
        for key, finding in found.items()
    }
    expected = detect_oracle.beacons(rows, limits, detect.Retries())
    assert set(parts) == set(expected)
    for key, of in expected.items():
        assert parts[key] == pytest.approx(of, abs=1e-6), key


def test_the_filter_of_a_finding_selects_its_flows(flows: pa.Table) -> None:
    limits = (
        detect.Retries(min_tries=4, min_span=60),
        detect.PortScans(min_ports=8, min_failed=0.3),
        detect.HostSweeps(min_hosts=5, min_failed=0.5),
        detect.Floods(min_flows=6, min_failed=0.6),
        detect.Uploads(min_bytes=5_000, min_ratio=1.5),
        detect.Beacons(min_calls=8, max_chance=0.05),
        detect.LateralFanOut(min_hosts=3),
    )
    findings = detect.hunt(flows, detectors=limits).to_pylist()
    assert {finding["detector"] for finding in findings} >= {"retries", "uploads"}
    for finding in findings:
        of = detect.flows_of(flows, finding)
        starts = [start for start in of["start_time"].to_pylist() if start is not None]
        assert of.num_rows == finding["flows"], finding
        assert min(starts, default=None) == finding["first_seen"]
        if finding["bytes_out"] is not None:
            assert sum(sent or 0 for sent in of["src_bytes"].to_pylist()) == finding["bytes_out"]
