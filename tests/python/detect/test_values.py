"""Findings of empty, hostile and extreme flows."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

import flowtriage as ft
import random_flows
from flowtriage import detect
from flowtriage.errors import ArgumentError, InputError
from regular_calls import START, calls, of

COLUMNS = {
    "finding": pa.string(),
    "detector": pa.string(),
    "severity": pa.string(),
    "score": pa.float64(),
    "source": pa.string(),
    "dest": pa.string(),
    "dst_port": pa.uint16(),
    "protocol": pa.string(),
    "as_name": pa.string(),
    "country": pa.string(),
    "first_seen": pa.timestamp("us", "UTC"),
    "last_seen": pa.timestamp("us", "UTC"),
    "flows": pa.int64(),
    "bytes_out": pa.int64(),
    "bytes_in": pa.int64(),
    "summary": pa.string(),
    "evidence": pa.list_(
        pa.struct([("name", pa.string()), ("value", pa.float64()), ("threshold", pa.float64())])
    ),
    "technique": pa.string(),
    "context": pa.list_(pa.string()),
    "flows_filter": pa.string(),
}


def test_no_flows_have_no_findings() -> None:
    found = ft.hunt(random_flows.SCHEMA.empty_table())
    assert found.schema.remove_metadata() == pa.schema(list(COLUMNS.items()))
    assert found.num_rows == 0
    status = detect.detector_status(found)
    assert status["detector"].to_pylist() == list(detect.thresholds.DETECTORS)
    assert all(status["ran"].to_pylist())
    assert ft.hosts(random_flows.SCHEMA.empty_table()).num_rows == 0


def test_null_columns_are_no_evidence() -> None:
    rows = [{"src_ip": None, "dst_ip": None, "flows": 1} for _ in range(50)]
    found = ft.hunt(random_flows.table(rows))
    assert found.num_rows == 0
    reasons = {row["detector"]: row["reason"] for row in detect.detector_status(found).to_pylist()}
    assert reasons["beacons"] == "the log has no start times"
    assert reasons["port_scans"] == "the log has no ports"
    assert reasons["long_connections"] == "the log has no end times or durations"
    assert reasons["uploads"] == "the log has no bytes of both directions"
    assert reasons["rare_networks"] is None
    one_address = [row | {"src_ip": None} for row in calls(40, 60)]
    assert [finding["source"] for finding in of(one_address, detectors="beacons")] == [None]


@pytest.mark.parametrize("dest", ["192.0.2.1", "2001:db8::1"])
def test_a_beacon_is_found_over_both_versions(dest: str) -> None:
    source = "fd00::7" if ":" in dest else "10.0.0.1"
    rows = calls(20, 300, src_ip=source, dst_ip=dest)
    (found,) = of(rows, detectors="beacons")
    assert (found["source"], found["dest"], found["dst_port"]) == (source, dest, 443)
    assert found["flows_filter"] == (
        f"src_ip = '{source}' AND dst_ip = '{dest}' AND dst_port = 443 AND protocol = 'tcp'"
    )
    assert found["first_seen"] == START
    assert (found["flows"], found["bytes_out"], found["bytes_in"]) == (20, 18_000, 8_000)
    assert "20 times, every 5 min" in found["summary"]


def test_ids_are_stable_and_distinct() -> None:
    rows = [*calls(20, 300), *calls(30, 60, dst_port=8443), *calls(20, 60, dst_ip="192.0.2.9")]
    once, twice = of(rows), of(rows[::-1])
    assert once == twice
    assert len({finding["finding"] for finding in once}) == len(once) >= 3
    more = of([*rows, *calls(50, 47, dst_ip="192.0.2.77")])
    assert {finding["finding"] for finding in once} <= {finding["finding"] for finding in more}


def test_text_from_the_network_is_quoted() -> None:
    hostile = "t'cp\x1b[2j'; drop table flows; --"
    flows = random_flows.table([*calls(20, 300, protocol=hostile), *calls(20, 300)])
    findings = ft.hunt(flows, detectors="beacons").to_pylist()
    (found,) = [finding for finding in findings if finding["protocol"] == hostile]
    assert "\x1b" not in found["summary"]
    assert detect.flows_of(flows, found).num_rows == 20
    query = f"SELECT count(*) FROM flows WHERE {found['flows_filter']}"
    connection = duckdb.connect()
    connection.register("flows", flows)
    assert connection.execute(query).fetchall() == [(20,)]


def test_extreme_values_do_not_overflow() -> None:
    most = 2**63 - 1
    rows = [
        *calls(40, 1, src_bytes=most, dst_bytes=most),
        *calls(40, 1, src_bytes=most, dst_bytes=0, state="S0", dst_ip="192.0.2.2"),
        *calls(1, 1, start_time=datetime(1, 1, 1, tzinfo=UTC), end_time=START),
        *calls(1, 1, start_time=START, end_time=datetime(9999, 1, 1, tzinfo=UTC)),
        *calls(1, 1, flows=most),
    ]
    found = of(rows)
    assert {finding["detector"] for finding in found} >= {"floods", "long_connections"}
    assert all(0 <= finding["score"] <= 1 for finding in found)
    assert all((finding["bytes_out"] or 0) >= 0 for finding in found)


def test_records_of_intervals_have_no_rhythm() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    rows = [row for host in range(40) for row in calls(20, 600, start, src_ip=f"10.0.0.{host}")]
    found = ft.hunt(random_flows.table(rows), detectors=["beacons", "uploads"])
    assert found.num_rows == 0
    status = detect.detector_status(found).to_pylist()
    assert [(row["detector"], row["ran"]) for row in status] == [
        ("beacons", False),
        ("uploads", True),
    ]
    assert "intervals" in status[0]["reason"]
    several = ft.hunt(random_flows.table(calls(40, 47, flows=9)), detectors="beacons")
    assert detect.detector_status(several)["ran"].to_pylist() == [False]


def test_invalid_arguments_are_errors() -> None:
    flows = random_flows.table(calls(1, 1))
    for given, message in [
        ({"detectors": "beacon"}, "did you mean beacons"),
        ({"detectors": ["beacons", detect.Beacons()]}, "has 'beacons' twice"),
        ({"detectors": [7]}, "neither the name of a detector"),
        ({"internal": "x"}, "internal"),
    ]:
        with pytest.raises(ArgumentError, match=message):
            ft.hunt(flows, **given)
    for value in (-1, float("nan"), "many", None):
        with pytest.raises(ArgumentError, match="min_calls must be a number of 0 or more"):
            detect.Beacons(min_calls=value)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is not an IP address"):
        ft.hunt(random_flows.table(calls(1, 1, src_ip="x")))
    with pytest.raises(ArgumentError, match="no status of detectors"):
        detect.detector_status(flows)
    for condition in ("", "host = 'x'", "dst_port = 1 OR", "dst_port = 1; x", "(dst_port = 1"):
        with pytest.raises(ArgumentError, match="is not the condition of a finding"):
            detect.flows_of(flows, condition)
