"""Context moves the severity of findings, and never their score."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
import random_flows
from flowtriage import detect, sample
from flowtriage.errors import InputError
from regular_calls import START, calls, of


def beacon(**given: Any) -> dict[str, Any]:
    """Return the finding about regular calls."""
    (found,) = of(calls(288, 300, **given), detectors="beacons")
    return found


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"dst_port": 123, "protocol": "udp"}, "time service (NTP)"),
        ({"dst_port": 853}, "name resolution"),
        ({"dst_port": 1900, "protocol": "udp"}, "network configuration or discovery"),
        ({"dst_port": 993}, "mail polling"),
        ({"dst_port": 5228}, "push service"),
        ({"dst_ip": "10.0.0.9"}, "internal destination"),
        ({"dst_ip": "224.0.0.251"}, "multicast or broadcast"),
        ({"dst_ip": "10.0.0.255"}, "multicast or broadcast"),
        ({"dst_port": None, "protocol": "icmp"}, "no transport protocol"),
        ({"dst_ip": "8.8.4.4"}, "known network: Google"),
        ({"dst_ip": "20.190.128.1"}, "shared network: Microsoft"),
        ({"src_ip": "192.0.2.7"}, "no internal endpoint"),
    ],
)
def test_infrastructure_is_information(given: dict[str, Any], reason: str) -> None:
    plain, found = beacon(), beacon(**given)
    assert (plain["severity"], plain["context"]) == ("warning", [])
    assert found["severity"] == "information"
    assert reason in found["context"]
    assert found["score"] == plain["score"]


def test_a_shared_network_counts_on_common_ports_only() -> None:
    assert beacon(dst_ip="20.190.128.1", dst_port=4444)["severity"] == "warning"
    assert beacon(dst_ip="8.8.4.4", dst_port=4444)["severity"] == "information"


def test_a_shared_network_excuses_only_what_is_as_even_as_a_scheduled_task() -> None:
    seconds = random.Random(3)
    for spread, period, severity in (
        (1, 300, "information"),
        (40, 300, "warning"),
        (0, 30, "warning"),
    ):
        rows = calls(288, period, dst_ip="20.190.128.1")
        rows = [
            row | {"start_time": at, "end_time": at}
            for row in rows
            for at in [row["start_time"] + timedelta(seconds=seconds.uniform(0, spread))]
        ]
        (found,) = of(rows, detectors="beacons")
        assert found["severity"] == severity, (spread, period)
        shared = any(text.startswith("shared network") for text in found["context"])
        assert shared == (severity == "information")


def test_a_proxy_is_known_by_port_or_behaviour() -> None:
    by_port = beacon(dst_ip="10.0.0.9", dst_port=3128)
    assert (by_port["severity"], by_port["context"]) == ("warning", ["internal proxy"])
    clients = [row for host in range(5) for row in calls(1, 1, src_ip=f"10.0.1.{host}")]
    clients = [row | {"dst_ip": "10.0.0.9", "dst_port": 80} for row in clients]
    peers = [
        row
        for host in range(30)
        for row in calls(1, 1, src_ip="10.0.0.9", dst_ip=f"192.0.2.{host}")
    ]
    rows = calls(288, 300, dst_ip="10.0.0.9", dst_port=80)
    for others, severity in (
        ([], "information"),
        (clients, "information"),
        (clients + peers, "warning"),
    ):
        (found,) = of([*rows, *others], detectors="beacons")
        assert found["severity"] == severity


def test_popularity_is_judged_by_the_hosts_of_the_log() -> None:
    google, rows = "34.64.0.1", calls(288, 300, dst_ip="45.64.248.137", dst_port=8081)
    others = [
        row for host in range(9) for row in calls(1, 1, src_ip=f"10.0.1.{host}", dst_ip=google)
    ]
    (rare,) = of([*rows, *others], detectors="beacons")
    assert (rare["severity"], rare["context"]) == ("high", ["rare network: 1 of 10 hosts"])
    (alone,) = of(rows, detectors="beacons")
    assert (alone["severity"], alone["context"]) == ("warning", [])
    too = [row | {"dst_ip": "45.64.248.137"} for row in others]
    (popular,) = of([*rows, *too], detectors="beacons")
    assert popular["severity"] == "information"
    assert popular["context"] == ["popular network: 10 of 10 hosts"]
    assert rare["score"] == alone["score"] == popular["score"]


def test_inbound_calls_are_found_on_request() -> None:
    rows = calls(288, 300, src_ip="192.0.2.1", dst_ip="10.0.0.1")
    assert of(rows) == []
    (found,) = of(rows, detectors=detect.Beacons(inbound=True))
    assert (found["severity"], found["source"]) == ("warning", "192.0.2.1")
    clients = [
        row | {"src_ip": f"198.51.{host // 250}.{host % 250}", "dst_ip": "10.0.0.1"}
        for host in range(300) for row in calls(1, 1)
    ]  # fmt: skip
    (found,) = of([*rows, *clients], detectors=detect.Beacons(inbound=True))
    assert found["severity"] == "warning"
    assert found["context"] == ["public server: 301 outside clients answered"]
    scan = [
        row | {"src_ip": "203.0.113.9", "dst_port": port, "state": "S0"}
        for port in range(1, 40) for row in calls(1, 1, dst_ip="10.0.0.1")
    ]  # fmt: skip
    severities = [
        of(flows, detectors="port_scans")[0]["severity"] for flows in (scan, scan + clients)
    ]
    assert severities == ["warning", "information"]


def test_short_logs_and_weak_rhythms_are_stated() -> None:
    (short,) = of(calls(20, 60), detectors="beacons")
    assert short["context"] == ["short log: 19 min"]
    strict = detect.Context(weak_score=1.0)
    rows = [row | {"src_bytes": 900 + 900 * (i % 2)} for i, row in enumerate(calls(288, 300))]
    (weak,) = of(rows, detectors="beacons", context=strict)
    assert weak["severity"] == "information"
    assert weak["context"] == ["weak rhythm"]


def test_late_answers_are_no_scan() -> None:
    ports = range(40_000, 40_030)
    answers = [
        row | {"dst_port": port, "src_port": 5_353, "state": "S0"}
        for port in ports for row in calls(1, 1, src_ip="192.0.2.1", dst_ip="10.0.0.1")
    ]  # fmt: skip
    assert len(of(answers, detectors="port_scans")) == 1
    asked = [
        row | {"src_port": port, "protocol": "tcp"}
        for port in ports for row in calls(1, 1, dst_ip="224.0.0.251")
    ]  # fmt: skip
    assert of([*answers, *asked], detectors="port_scans") == []
    of_service = [row | {"src_port": 443} for row in answers]
    assert of(of_service, detectors="port_scans") == []


def test_peer_to_peer_programs_are_information() -> None:
    peers = [
        row | {"src_port": 6_881, "dst_port": 20_000 + host, "protocol": "udp", "state": "S0"}
        for host in range(60) for row in calls(1, 1, dst_ip=f"192.0.2.{host}")
    ]  # fmt: skip
    same_port = [row | {"dst_port": 6_881} for row in peers]
    (sweep,) = of(same_port, detectors="host_sweeps")
    assert (sweep["severity"], sweep["context"]) == ("high", ["short log: 0 s"])
    (known,) = of([*same_port, *peers], detectors="host_sweeps")
    assert known["severity"] == "information"
    assert known["context"][0].startswith("peer-to-peer")
    assert known["score"] == sweep["score"]


def test_traces_and_name_services_are_no_attack() -> None:
    trace = [
        row | {"dst_port": 33_434 + hop, "protocol": "udp", "state": "S0"}
        for hop in range(40) for row in calls(1, 1)
    ]  # fmt: skip
    assert of(trace, detectors="port_scans") == []
    assert len(of([row | {"protocol": "tcp"} for row in trace], detectors="port_scans")) == 1
    asked = [
        row | {"dst_port": 137, "protocol": "udp", "state": "S0"}
        for host in range(40) for row in calls(1, 1, dst_ip=f"192.0.2.{host}")
    ]  # fmt: skip
    (names,) = of(asked, detectors="host_sweeps")
    assert names["severity"] == "information"


def test_calls_to_many_servers_of_one_network_are_one_beacon() -> None:
    rows = [
        row | {"dst_ip": f"45.64.248.{1 + call * 7 % 20}"}
        for call, row in enumerate(calls(60, 301))
    ]
    (found,) = of(rows, detectors="beacons")
    assert (found["dest"], found["flows"], found["severity"]) == (None, 60, "warning")
    assert "called 20 addresses of" in found["summary"]
    assert found["as_name"] in found["summary"]
    assert detect.flows_of(random_flows.table(rows), found).num_rows == 60
    own = calls(60, 301, dst_ip="45.64.248.99")
    dests = [finding["dest"] for finding in of([*rows, *own], detectors="beacons")]
    assert dests == ["45.64.248.99"]


def test_rare_networks_are_called_by_one_host_in_few_flows() -> None:
    rows = calls(2, 60, dst_ip="45.64.248.137")
    (found,) = of(rows, detectors="rare_networks")
    assert (found["severity"], found["dest"], found["score"]) == (
        "information", "45.64.248.137", pytest.approx(0.5 * (1 - 1 / 3) + 0.5),
    )  # fmt: skip
    other = calls(1, 1, src_ip="10.0.0.2", dst_ip="45.64.248.139")
    assert of([*rows, *other], detectors="rare_networks") == []
    assert of(calls(4, 60, dst_ip="45.64.248.137"), detectors="rare_networks") == []
    assert of([row | {"state": "S0"} for row in rows], detectors="rare_networks") == []
    more = detect.RareNetworks(max_flows=4, max_hosts=2)
    assert len(of([*rows, *other], detectors=more)) == 2


def test_unidirectional_responses_answer() -> None:
    names = ["src_ip", "dst_ip", "src_port", "dst_port", "protocol"]
    request = dict(zip(names, ["10.0.0.1", "192.0.2.1", 50_000, 443, "tcp"], strict=True))
    response = dict(zip(names, ["192.0.2.1", "10.0.0.1", 443, 50_000, "tcp"], strict=True))
    rows = [
        {**side, "start_time": START + timedelta(seconds=47 * call), "src_bytes": 900, "flows": 1}
        for call in range(40) for side in (request, response)
    ]  # fmt: skip
    flows = random_flows.table(rows)
    findings = ft.hunt(flows, detectors=["beacons", "retries"])
    (found,) = findings.to_pylist()
    assert (found["detector"], found["flows"]) == ("beacons", 40)
    assert (found["bytes_out"], found["bytes_in"]) == (36_000, 36_000)
    assert detect.flows_of(flows, found).num_rows == 80
    lost = ft.hunt(random_flows.table(rows[::2]), detectors="retries")
    assert "without responses" in detect.detector_status(lost)["reason"][0].as_py()


def test_known_networks_are_replaceable(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    path.write_text("# ours\nnetwork,name,shared\n192.0.2.0/24,Our cloud,no\n")
    (found,) = of(calls(288, 300), detectors="beacons", known=path)
    assert found["context"] == ["known network: Our cloud"]
    for text, message in [
        ("network,name\nAS1,x\n", "not a list of known networks"),
        ("network,name,shared\nAS1,x,perhaps\n", "give yes or no"),
        ("network,name,shared\nASx,x,no\n", "invalid network"),
    ]:
        path.write_text(text)
        with pytest.raises((InputError, ft.ArgumentError), match=message):
            of(calls(1, 1), known=path)


def test_the_findings_of_the_sample_are_found_by_name() -> None:
    findings = ft.hunt(sample.office_day()).to_pylist()
    for planted, detector, end in [
        (sample.BEACON, "beacons", "dest"),
        (sample.SCAN, "port_scans", "source"),
        (sample.UPLOAD, "uploads", "dest"),
        (sample.RARE, "rare_networks", "dest"),
    ]:
        (found,) = [
            finding
            for finding in findings
            if (finding["detector"], finding[end]) == (detector, planted.peer)
        ]
        assert found["flows"] == planted.flows
        assert found["as_name"]
    severe = [finding for finding in findings if finding["severity"] != "information"]
    assert {finding["detector"] for finding in severe} == {"beacons", "port_scans", "uploads"}
    assert len(severe) == 3
