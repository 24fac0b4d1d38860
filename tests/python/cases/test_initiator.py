"""Who initiated a flow, whichever packet the sensor logged first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flowtriage as ft
from flowtriage.quality import QualityWarning
from small_logs import argus, canonical, nfdump, ocsf, zeek

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


def test_the_broadcast_address_of_an_internal_network_initiates_nothing(tmp_path: Path) -> None:
    row = {"sa": "10.20.0.127", "da": "10.20.0.70", "pr": "UDP", "flg": "........"}
    log = nfdump(tmp_path / "nf.csv", row)
    assert endpoints(ft.read_flows(log)) == [("10.20.0.127", "10.20.0.70")]
    flows = ft.read_flows(log, internal=["10.20.0.64/26"])
    assert endpoints(flows) == [("10.20.0.70", "10.20.0.127")]
    assert ft.flow_report(log, internal=["10.20.0.64/26"]).reversed == flows.report.reversed


def test_a_host_whose_address_ends_in_255_may_initiate(tmp_path: Path) -> None:
    row = {"id.orig_h": "10.20.3.255", "id.resp_h": "10.20.0.5", "proto": "udp", "history": "Dd"}
    silent = {"id.orig_h": "10.20.3.255", "id.resp_h": "10.99.0.5", "proto": "udp", **NO_REPLY}
    tcp = {"id.orig_h": "10.20.3.255", "id.resp_h": "10.20.0.5", **NO_REPLY}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row, silent, tcp))
    assert flows.report.rows_reversed == 0


def test_only_what_the_unspecified_address_sent_makes_it_the_initiator(tmp_path: Path) -> None:
    row = {"id.orig_h": "10.20.0.1", "id.resp_h": "0.0.0.0", "proto": "udp", "history": "-"}
    silent = row | {"resp_pkts": 0, "resp_bytes": 0, "resp_ip_bytes": 0}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row, silent))
    assert endpoints(flows) == [("0.0.0.0", "10.20.0.1"), ("10.20.0.1", "0.0.0.0")]


def test_the_logged_direction_is_reversed_with_the_endpoints(tmp_path: Path) -> None:
    inbound = {"direction_id": 1, "protocol_num": 17}
    ends = {"src_endpoint": {"ip": "224.0.0.251", "port": 5353}, "connection_info": inbound}
    flows = ft.read_flows(ocsf(tmp_path / "ocsf.json", ends))
    assert column(flows, "reported_direction") == ["outbound"]
    assert ft.classify_direction(flows)["direction"].to_pylist() == ["outbound"]


def test_a_multicast_source_in_a_table_has_the_direction_of_its_peer() -> None:
    table = canonical(src_ip=["239.1.1.1"], dst_ip=["10.20.0.5"])
    with pytest.warns(QualityWarning, match="Endpoints exchanged: 1 "):
        found = ft.classify_direction(table)
    assert found["src_ip"].to_pylist() == ["10.20.0.5"]
    assert found["direction"].to_pylist() == ["outbound"]
    read = ft.classify_direction(ft.read_flows(table))
    assert found["direction_reason"] == read["direction_reason"]


def test_an_echo_reply_in_netflow_is_a_response_and_the_trailer_agrees(tmp_path: Path) -> None:
    reply = {"sa": "8.8.8.8", "da": "10.20.0.5", "pr": "ICMP", "sp": "0", "dp": "0.0"}
    request = {"sa": "10.20.0.5", "da": "8.8.8.8", "pr": "ICMP", "sp": "0", "dp": "8.0"}
    error = {"sa": "8.8.8.8", "da": "10.20.0.5", "pr": "ICMP", "sp": "0", "dp": "3.1"}
    rows = [row | {"flg": "........"} for row in (request, reply, error)]
    flows = ft.read_flows(nfdump(tmp_path / "nf.csv", *rows, trailer="3,15000,30,0,0,0"))
    ping = ("10.20.0.5", "8.8.8.8")
    assert endpoints(flows) == [ping, ping, ping[::-1]]
    assert column(flows, "dst_bytes") == [None, 5000, None]
    assert [(total.stated, total.read) for total in flows.report.totals] == [
        (3, 3),
        (15_000, 15_000),
        (30, 30),
    ]


def test_syn_and_ack_over_several_packets_are_of_either_endpoint() -> None:
    ports = {name: pa.array([9443], pa.uint16()) for name in ("src_port", "dst_port")}
    row = {"src_ip": ["192.0.2.9"], "dst_ip": ["10.20.0.5"], "tcp_flags": ["AS"], **ports}
    for counters, direction in (
        ({"src_packets": [1]}, "outbound"),
        ({"src_packets": [4]}, "inbound"),
        ({"src_bytes": [400]}, "inbound"),
    ):
        found = ft.classify_direction(canonical(**row, **counters))
        assert found["direction"].to_pylist() == [direction], counters


def test_endpoints_that_zeek_exchanged_itself_are_not_exchanged_by_ports(tmp_path: Path) -> None:
    row = {"id.orig_h": "192.0.2.9", "id.orig_p": 443, "id.resp_h": "10.20.0.5"}
    row |= {"id.resp_p": 50123, "conn_state": "OTH", "history": "^DdA"}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", row, row | {"history": "Hs"}))
    assert endpoints(flows) == [("192.0.2.9", "10.20.0.5"), ("10.20.0.5", "192.0.2.9")]
    assert flows.report.reversed == {"TCP flags": 1}


@pytest.mark.parametrize(
    ("flags", "ports", "exchanged"),
    [
        (("1a", "12"), (443, 50_123), False),
        (("10", "02"), (9001, 9000), True),
        (("18", "18"), (443, 50_123), True),
        (("18", "18"), (9001, 9000), False),
    ],
)
def test_suricata_states_the_flags_of_each_endpoint(
    tmp_path: Path, flags: tuple[str, str], ports: tuple[int, int], exchanged: bool
) -> None:
    event = {
        "timestamp": "2026-03-02T00:00:00.000000+0000",
        "event_type": "flow",
        "src_ip": "192.0.2.9",
        "src_port": ports[0],
        "dest_ip": "10.20.0.5",
        "dest_port": ports[1],
        "proto": "TCP",
        "flow": {"pkts_toserver": 3, "bytes_toserver": 300, "bytes_toclient": 700},
        "tcp": {"tcp_flags_ts": flags[0], "tcp_flags_tc": flags[1]},
    }
    path = tmp_path / "eve.json"
    path.write_text(json.dumps(event) + "\n")
    flows = ft.read_flows(path)
    assert (flows.report.rows_reversed, column(flows, "src_bytes")) == (
        (1, [700]) if exchanged else (0, [300])
    )


def test_suricata_states_the_icmp_type(tmp_path: Path) -> None:
    common = {"timestamp": "2026-03-02T00:00:00+0000", "event_type": "flow", "proto": "ICMP"}
    ends = {"src_ip": "8.8.8.8", "dest_ip": "10.20.0.5"}
    events = [common | ends | {"icmp_type": kind} for kind in (0, 8, 3)]
    path = tmp_path / "eve.json"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert endpoints(ft.read_flows(path)) == [
        ("10.20.0.5", "8.8.8.8"),
        ("8.8.8.8", "10.20.0.5"),
        ("8.8.8.8", "10.20.0.5"),
    ]


def test_an_endpoint_that_reports_its_own_session_knows_its_side() -> None:
    rows = [
        ("EndpointNetworkSession", "Inbound", "10.20.0.5"),
        ("EndpointNetworkSession", "Outbound", "10.20.0.5"),
        ("NetworkSession", "Inbound", "10.20.0.5"),
        ("EndpointNetworkSession", "Inbound", "10.20.0.1"),
    ]
    names = ["EventType", "NetworkDirection", "DvcIpAddr"]
    events = [
        {"EventStartTime": "2026-03-02T00:00:00Z", "SrcIpAddr": "10.20.0.5"}
        | {"DstIpAddr": "192.0.2.9", "SrcBytes": 300, "DstBytes": 700}
        | dict(zip(names, row, strict=True))
        for row in rows
    ]
    flows = ft.read_flows(pa.Table.from_pylist(events))
    assert column(flows, "src_ip") == ["192.0.2.9", *["10.20.0.5"] * 3]
    assert column(flows, "src_bytes") == [700, 300, 300, 300]
    assert column(flows, "reported_direction") == ["inbound", "outbound", "inbound", "inbound"]
    assert flows.report.reversed == {"exporter's side": 1}


@pytest.mark.parametrize(
    ("arrow", "port", "source"),
    [
        ("  <-", "8080", "1.1.1.1"),
        ("  ?>", "443", "10.20.0.5"),
        (" <?>", "50000", "10.20.0.5"),
        ("  ->", "20", "10.20.0.5"),
    ],
)
def test_argus_states_who_initiated_or_that_it_does_not_know(
    tmp_path: Path, arrow: str, port: str, source: str
) -> None:
    flows = ft.read_flows(argus(tmp_path / "a.csv", {"Dir": arrow, "Dport": port}))
    assert column(flows, "src_ip") == [source]
    unknown = {"Dir": " <?>", "Sport": "443", "Dport": "50000"}
    flows = ft.read_flows(argus(tmp_path / "b.csv", unknown))
    assert (column(flows, "src_ip"), column(flows, "dst_port")) == (["1.1.1.1"], [443])


def test_an_exchange_is_done_once(cases: Path) -> None:
    once = ft.read_flows(cases / ZEEK_CASE)
    twice = ft.read_flows(once.to_arrow())
    assert twice.to_arrow().equals(once.to_arrow())
    assert twice.report.rows_reversed == 0
