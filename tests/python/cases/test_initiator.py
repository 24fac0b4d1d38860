"""Who initiated a flow, whichever packet the sensor logged first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flowtriage as ft
from small_logs import canonical, nfdump, ocsf, zeek

ZEEK_CASE = "01-zeek-broadcast-originator/conn.log"
NO_REPLY = {"orig_pkts": 0, "orig_ip_bytes": 0, "orig_bytes": 0, "conn_state": "SHR"}


def endpoints(flows: ft.Flows) -> list[tuple[str, str]]:
    table = flows.to_arrow()
    return list(zip(table["src_ip"].to_pylist(), table["dst_ip"].to_pylist(), strict=True))


def column(flows: ft.Flows, name: str) -> list[Any]:
    values: list[Any] = flows.to_arrow()[name].to_pylist()
    return values


def test_broadcast_and_multicast_addresses_initiate_nothing(cases: Path) -> None:
    flows = ft.read_flows(cases / ZEEK_CASE)
    assert endpoints(flows) == [
        ("10.20.0.5", "255.255.255.255"),
        ("192.168.7.20", "192.168.7.255"),
        ("192.168.7.1", "224.0.0.1"),
    ]
    sources = set(ft.flow_index(flows)["source"].to_pylist())
    assert sources == {"10.20.0.5", "192.168.7.20", "192.168.7.1"}


def test_counters_and_ports_are_exchanged_with_the_endpoints(cases: Path) -> None:
    flows = ft.read_flows(cases / ZEEK_CASE)
    assert column(flows, "src_bytes") == [1452, 200, 60]
    assert column(flows, "dst_bytes") == [0, 0, 0]
    assert column(flows, "src_packets") == [9, 2, 1]
    assert column(flows, "src_port")[:2] == [44818, 137]
    assert column(flows, "dst_port")[:2] == [50100, 137]
    both = [column(flows, name) for name in ("src_bytes", "dst_bytes")]
    assert sum(map(sum, both)) == 1712


def test_the_report_counts_exchanged_endpoints_by_reason(cases: Path) -> None:
    report = ft.read_flows(cases / ZEEK_CASE).report
    assert report.rows_reversed == 3
    assert report.reversed == {"destination-only address": 3}
    assert "Endpoints exchanged" in report.facts()
    assert report.to_dict()["reversed"] == {"destination-only address": 3}
    assert ft.flow_report(cases / ZEEK_CASE).reversed == report.reversed


def test_an_address_that_is_only_a_destination_has_no_as(cases: Path) -> None:
    unusable = ["255.255.255.255", "224.0.0.1", "239.255.255.250", "0.0.0.0", "ff02::1", "::"]
    found = ft.AsnDatabase().lookup(unusable)
    assert found["asn"].null_count == len(unusable)
    assert "Public" not in found["ip_type"].to_pylist()
    summary = ft.flow_summary(cases / ZEEK_CASE)
    labels = summary["DestASN"].to_pylist() + summary["SourceASN"].to_pylist()
    assert not [label for label in labels if label and label.startswith("AS")]


@pytest.mark.parametrize("address", ["ff02::1", "239.255.255.250", "255.255.255.255", "ff0e::1"])
def test_multicast_of_either_family_is_exchanged(tmp_path: Path, address: str) -> None:
    host = "fe80::9" if ":" in address else "10.20.0.5"
    row = {"id.orig_h": address, "id.resp_h": host, "proto": "udp", **NO_REPLY}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row))
    assert endpoints(flows) == [(host, address)]
    assert (column(flows, "src_bytes"), column(flows, "dst_bytes")) == ([110], [0])


def test_a_destination_only_address_is_exchanged_in_every_format(tmp_path: Path) -> None:
    broadcast = {"sa": "255.255.255.255", "da": "10.20.0.5", "pr": "UDP", "flg": "........"}
    assert endpoints(ft.read_flows(nfdump(tmp_path / "nf.csv", broadcast))) == [
        ("10.20.0.5", "255.255.255.255")
    ]
    events = {"src_endpoint": {"ip": "224.0.0.251", "port": 5353}}
    assert endpoints(ft.read_flows(ocsf(tmp_path / "ocsf.json", events))) == [
        ("10.20.0.5", "224.0.0.251")
    ]
    table = canonical(src_ip=["239.1.1.1"], dst_ip=["10.20.0.5"], dst_bytes=[700])
    flows = ft.read_flows(table)
    assert endpoints(flows) == [("10.20.0.5", "239.1.1.1")]
    assert column(flows, "src_bytes") == [700]


def test_a_client_without_an_address_initiates_its_dhcp_request(tmp_path: Path) -> None:
    ends = {"id.orig_h": "0.0.0.0", "id.resp_h": "255.255.255.255"}
    row = {**ends, "id.orig_p": 68, "id.resp_p": 67, "proto": "udp"}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row))
    assert endpoints(flows) == [("0.0.0.0", "255.255.255.255")]
    assert column(flows, "dst_port") == [67]


def test_an_echo_reply_is_the_response_whichever_came_first(cases: Path) -> None:
    flows = ft.read_flows(cases / "02-zeek-icmp-echo-reply-first" / "conn.log")
    assert endpoints(flows) == [
        ("10.20.0.5", "8.8.8.8"),
        ("10.20.0.5", "8.8.8.8"),
        ("2a02:a03f:1:2::5", "2001:4860:4860::8888"),
    ]
    internal = ["10.0.0.0/8", "2a02:a03f::/32"]
    direction = ft.classify_direction(flows, internal=internal)["direction"]
    assert direction.to_pylist() == ["outbound"] * 3
    assert flows.report.reversed == {"ICMP type": 2}


@pytest.mark.parametrize(
    ("reply", "request_"), [(14, 13), (16, 15), (18, 17), (129, 128), (136, 135), (134, 133)]
)
def test_other_icmp_replies_are_responses_with_their_counters(
    tmp_path: Path, reply: int, request_: int
) -> None:
    low = reply < 128
    one, other = ("192.0.2.9", "10.20.0.5") if low else ("2001:db8::9", "2001:db8::5")
    row = {"id.orig_h": one, "id.orig_p": reply, "id.resp_h": other, "id.resp_p": request_}
    row |= {"proto": "icmp", "history": "-", "orig_ip_bytes": 84, "resp_ip_bytes": 60}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row))
    assert endpoints(flows) == [(other, one)]
    assert (column(flows, "src_bytes"), column(flows, "dst_bytes")) == ([60], [84])


def test_an_icmp_error_has_no_request_and_stays(tmp_path: Path) -> None:
    row = {"id.orig_h": "192.0.2.9", "id.orig_p": 3, "id.resp_h": "10.20.0.5", "id.resp_p": 1}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row | {"proto": "icmp", "history": "-"}))
    assert endpoints(flows) == [("192.0.2.9", "10.20.0.5")]
    assert flows.report.rows_reversed == 0


def test_syn_ack_is_sent_by_the_responder_whatever_the_ports() -> None:
    table = canonical(
        src_ip=["192.0.2.9"],
        dst_ip=["10.20.0.5"],
        src_port=pa.array([9443], pa.uint16()),
        dst_port=pa.array([9444], pa.uint16()),
        protocol=["tcp"],
        tcp_flags=["AS"],
        src_bytes=[60],
    )
    assert ft.classify_direction(table)["direction"].to_pylist() == ["outbound"]
    assert ft.flow_index(table)["FlowDirection"].to_pylist() == ["O"]


def test_syn_alone_is_sent_by_the_initiator_even_from_a_well_known_port(tmp_path: Path) -> None:
    row = {"sa": "192.0.2.9", "da": "10.20.0.5", "sp": "443", "dp": "50000", "flg": "......S."}
    flows = ft.read_flows(nfdump(tmp_path / "nf.csv", row))
    assert ft.classify_direction(flows)["direction"].to_pylist() == ["inbound"]


def test_a_mid_stream_pick_up_from_a_well_known_port_is_exchanged(tmp_path: Path) -> None:
    row = {"id.orig_h": "192.0.2.9", "id.orig_p": 443, "id.resp_h": "10.20.0.5"}
    row |= {"id.resp_p": 50123, "conn_state": "OTH", "history": "DdA", "orig_ip_bytes": 9000}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row))
    assert endpoints(flows) == [("10.20.0.5", "192.0.2.9")]
    assert (column(flows, "dst_port"), column(flows, "dst_bytes")) == ([443], [9000])
    assert flows.report.reversed == {"ports": 1}


def test_a_handshake_decides_against_the_ports(tmp_path: Path) -> None:
    row = {"id.orig_h": "192.0.2.9", "id.orig_p": 20, "id.resp_h": "10.20.0.5"}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row | {"id.resp_p": 50123}))
    assert endpoints(flows) == [("192.0.2.9", "10.20.0.5")]


def test_two_ephemeral_ports_at_a_pick_up_stay_undecided(tmp_path: Path) -> None:
    row = {"id.orig_h": "192.0.2.9", "id.orig_p": 50001, "id.resp_h": "10.20.0.5"}
    row |= {"id.resp_p": 50123, "conn_state": "OTH", "history": "DdA"}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row))
    assert endpoints(flows) == [("192.0.2.9", "10.20.0.5")]
    assert flows.report.rows_reversed == 0


def test_an_assignment_that_ocsf_calls_unknown_is_decided_by_ports(tmp_path: Path) -> None:
    ends = {
        "src_endpoint": {"ip": "192.0.2.9", "port": 443},
        "dst_endpoint": {"ip": "10.20.0.5", "port": 50123},
        "traffic": {"bytes_out": 9000, "bytes_in": 700},
    }
    path = ocsf(
        tmp_path / "ocsf.json",
        ends | {"is_src_dst_assignment_known": False},
        ends | {"is_src_dst_assignment_known": True},
    )
    flows = ft.read_flows(path)
    assert endpoints(flows) == [("10.20.0.5", "192.0.2.9"), ("192.0.2.9", "10.20.0.5")]
    assert column(flows, "src_bytes") == [700, 9000]


def test_no_byte_is_lost_by_an_exchange(cases: Path) -> None:
    for name in (ZEEK_CASE, "02-zeek-icmp-echo-reply-first/conn.log"):
        table = ft.read_flows(cases / name).to_arrow()
        lines = [
            line.split("\t")
            for line in (cases / name).read_text().splitlines()
            if not line.startswith("#")
        ]
        logged = sum(int(line[17]) + int(line[19]) for line in lines)
        assert sum(pc.sum(table[n]).as_py() for n in ("src_bytes", "dst_bytes")) == logged
