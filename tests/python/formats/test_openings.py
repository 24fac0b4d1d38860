"""Initiators by a single SYN+ACK of Suricata, and by the names of ICMP types of ASIM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft


def read(path: Path, row: dict[str, Any]) -> ft.Flows:
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return ft.read_flows(path)


@pytest.mark.parametrize(
    ("flags", "packets", "exchanged"),
    [
        (("12", "00"), (1, 0), True),
        (("12", "04"), (1, 1), True),
        (("12", "10"), (3, 1), False),
        (("12", "12"), (1, 1), False),
        (("02", "12"), (1, 1), False),
        (("00", "12"), (0, 1), False),
    ],
)
def test_one_packet_with_syn_and_ack_is_of_the_responder(
    tmp_path: Path, flags: tuple[str, str], packets: tuple[int, int], exchanged: bool
) -> None:
    row = {
        "event_type": "flow",
        "timestamp": "2025-03-01T12:00:00.000000+0000",
        "src_ip": "10.0.0.1",
        "src_port": 443,
        "dest_ip": "8.8.8.8",
        "dest_port": 50000,
        "proto": "TCP",
        "flow": {
            "pkts_toserver": packets[0],
            "pkts_toclient": packets[1],
            "bytes_toserver": 60 * packets[0],
            "bytes_toclient": 60 * packets[1],
        },
        "tcp": {"tcp_flags_ts": flags[0], "tcp_flags_tc": flags[1]},
    }
    flows = read(tmp_path / "eve.json", row)
    (found,) = flows.to_arrow().to_pylist()
    assert (found["src_ip"] == "8.8.8.8") is exchanged
    assert (found["src_port"], found["dst_packets"]) == (
        (50000, packets[0]) if exchanged else (443, packets[1])
    )
    assert flows.report.reversed == ({"TCP flags": 1} if exchanged else {})


@pytest.mark.parametrize(
    ("name", "source", "exchanged"),
    [
        ("Echo Reply", "8.8.8.8", True),
        ("echo-reply", "8.8.8.8", True),
        ("0", "8.8.8.8", True),
        ("Echo", "8.8.8.8", False),
        ("Echo Request", "8.8.8.8", False),
        ("Timestamp Reply", "8.8.8.8", True),
        ("Destination Unreachable", "8.8.8.8", False),
        ("Echo Reply", "2001:db8::1", True),
        ("Neighbor Advertisement", "fe80::1", True),
        ("129", "2001:db8::1", True),
    ],
)
def test_icmp_types_have_names_or_numbers(
    tmp_path: Path, name: str, source: str, exchanged: bool
) -> None:
    row = {
        "EventSchema": "NetworkSession",
        "EventStartTime": "2025-03-01T12:00:00Z",
        "SrcIpAddr": source,
        "DstIpAddr": "fe80::2" if ":" in source else "10.0.0.1",
        "SrcBytes": 100,
        "DstBytes": 0,
        "NetworkProtocol": "ICMP",
        "NetworkIcmpType": name,
    }
    flows = read(tmp_path / "asim.json", row)
    assert flows.report.reversed == ({"ICMP type": 1} if exchanged else {})
    assert (flows.to_arrow()["dst_ip"].to_pylist() == [source]) is exchanged
