"""Formats without a real file, on records written by hand from the field lists."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage import formats
from flowtriage.errors import ArgumentError, FormatError
from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.initiator import Initiator
from flowtriage.read import detect
from written_logs import AT, EPOCH, read, rows

NFDUMP_NEW = """firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows
2024-12-20 18:23:02.000,00:00:01.500,TCP,10.0.0.4,50000,192.0.2.1,443,9,900,2
2024-12-20 18:23:02.000,1.500,ICMP,10.0.0.4,0,192.0.2.1,8.1,9,900,1
Summary
flows,bytes,packets,avg_bps,avg_pps,avg_bpp
4,1800,18,1,1,1
"""


def test_nfdump_new_form_with_a_trailer_that_differs(log: Path) -> None:
    flows = read(log, NFDUMP_NEW, "nfdump")
    end = AT.replace(microsecond=500_000, second=3)
    assert rows(flows, "start_time", "end_time", "dst_port", "flows") == [
        (AT, end, 443, 2),
        (AT, end, 8 * 256 + 1, 1),
    ]
    assert flows.report.rows_bad == 0
    told = {total.name: (total.stated, total.read) for total in flows.report.totals}
    assert told == {"flows": (4, 3), "bytes": (1_800, 1_800), "packets": (18, 18)}
    assert "4, but 3 were read" in str(flows.report)


def test_nfdump_fast_and_any_order_of_tags(log: Path) -> None:
    fast = (
        "cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,"
        "flags,srcTos,packets,bytes\n"
        f"1,2,{EPOCH}000,{EPOCH}500,6,10.0.0.4,50000,192.0.2.1,443,0,0,1,2,...AP.SF,0,9,900\n"
    )
    flows = read(log, fast, "nfdump-fast")
    names = ("start_time", "dst_port", "src_bytes", "dst_bytes", "flows", "tcp_flags")
    assert rows(flows, *names) == [(AT, 443, 900, None, 1, "APSF")]
    custom = f"bytes,dstAddr,srcAddr,firstSeen\n900,192.0.2.1,10.0.0.4,{EPOCH}.000\n"
    flows = read(log, custom, "nfdump")
    assert rows(flows, "start_time", "src_ip", "src_bytes") == [(AT, "10.0.0.4", 900)]


def test_times_without_a_zone_are_utc_unless_said_otherwise(log: Path) -> None:
    flows = read(log, NFDUMP_NEW, "nfdump", tz="Europe/Prague")
    assert rows(flows, "start_time")[0][0] == AT.replace(hour=17)
    naive = pa.table(
        {
            "firstSeen": pa.array([AT.replace(tzinfo=None)], pa.timestamp("ms")),
            "srcAddr": ["10.0.0.4"],
            "dstAddr": ["192.0.2.1"],
        }
    )
    assert rows(ft.read_flows(naive, tz="+02:00"), "start_time") == [(AT.replace(hour=16),)]
    assert rows(ft.read_flows(naive), "start_time") == [(AT,)]
    assert "tz=" in str(ft.read_flows(naive).report)
    with pytest.raises(ArgumentError, match='invalid tz "Prague"'):
        ft.read_flows(naive, tz="Prague")


def test_argus_flows_begun_by_the_second_end_are_turned(log: Path) -> None:
    text = (
        "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,"
        "SrcBytes,Label\n"
        "2011/08/10 09:46:53.047277,3550.182373,udp,212.50.71.179,39678,  <->,147.32.84.229,13363,"
        "CON,0,0,12,875,413,flow=Background\n"
        "2011/08/10 09:46:53.048843,0.000883,tcp,192.0.2.1,0x01bb,   <-,147.32.84.229,13363,"
        "CON,0,0,2,135,75,flow=Background\n"
        "2011/08/10 09:46:53.048843,0.1,tcp,192.0.2.1,1,   ->,147.32.84.229,2,CON,0,0,2,135,175,\n"
    )
    flows = read(log, text, "argus")
    assert rows(flows, "src_ip", "src_port", "dst_port", "src_bytes", "dst_bytes") == [
        ("212.50.71.179", 39_678, 13_363, 413, 462),
        ("147.32.84.229", 13_363, 443, 60, 75),
    ]
    assert rows(flows, "start_time")[0][0] == datetime(2011, 8, 10, 9, 46, 53, 47_277, tzinfo=UTC)
    (bad,) = flows.report.bad_rows
    assert (bad.column, bad.number) == ("TotBytes", 4)


SPOT = {
    "treceived": "2024-12-20 18:23:02",
    "unix_tstamp": EPOCH,
    "tryear": 2024,
    "trmonth": 12,
    "tdur": 1.5,
    "sip": "10.0.0.4",
    "dip": "192.0.2.1",
    "sport": 50_000,
    "dport": 443,
    "proto": "TCP",
    "flag": ".AP.SF",
    "ipkt": 9,
    "ibyt": 900,
    "opkt": 0,
    "obyt": 0,
    "rip": "192.0.2.254",
}


def test_spot_as_csv_parquet_and_ranked_results(log: Path, tmp_path: Path) -> None:
    text = ",".join(SPOT) + "\n" + ",".join(map(str, SPOT.values())) + "\n"
    flows = read(log, text, "spot")
    names = ("start_time", "src_ip", "dst_port", "src_bytes", "dst_bytes", "tcp_flags", "host")
    expected = (AT, "10.0.0.4", 443, 900, None, "APSF", "192.0.2.254")
    assert rows(flows, *names) == [expected]
    pq.write_table(pa.Table.from_pylist([SPOT]), tmp_path / "flow.parquet")
    assert rows(ft.read_flows(tmp_path / "flow.parquet"), *names) == [expected]
    ranked = (
        "2024-12-20 18:23:02\t2024\t12\t20\t18\t23\t2\t1.5\t10.0.0.4\t192.0.2.1\t50000\t443\tTCP"
        "\t9\t900\t3\t30\t1.5e-07\n"
    )
    results = read(log, ranked * 2, "spot-results")
    assert rows(results, "src_ip", "dst_bytes", "score") == [("10.0.0.4", 30, 1.5e-07)] * 2


def test_spot_in_hive_partitions_keeps_their_values(tmp_path: Path) -> None:
    for hour, folder in ((18, "h=18"), (19, "h=__HIVE_DEFAULT_PARTITION__")):
        place = tmp_path / "flow" / "y=2024" / "m=12" / "d=20%2021" / folder
        place.mkdir(parents=True)
        row = SPOT | {"treceived": f"2024-12-20 {hour}:23:02"}
        pq.write_table(pa.Table.from_pylist([row]), place / "part.parquet")
    assert "y" not in ft.read_flows(tmp_path / "flow").to_arrow().column_names
    flows = ft.read_flows(tmp_path / "flow", keep=["h", "D"])
    assert rows(flows, "d", "h") == [("20 21", "18"), ("20 21", None)]
    everything = ft.read_flows(f"{tmp_path}/flow/y=*/*/*/*/*.parquet", keep=True)
    assert rows(everything, "y", "m", "tdur") == [("2024", "12", 1.5)] * 2


@pytest.mark.parametrize(
    ("action", "direction", "expected"),
    [
        ("Allow", "Outbound", (4, 0, "outbound")),
        ("Deny", "Local", (0, 4, "internal")),
        ("Reset Source", "NA", (0, 4, None)),
        (None, "External", (4, 0, "external")),
    ],
)
def test_asim_in_its_spellings(
    log: Path, action: str | None, direction: str, expected: tuple[Any, ...]
) -> None:
    record = {
        "EventSchema": "NetworkSession",
        "EventStartTime": "2024-12-20T18:23:02Z",
        "EventCount": 4,
        "SrcIpAddr": "10.0.0.4",
        "DstIpAddr": "192.0.2.1",
        "DstPortNumber": 443,
        "NetworkProtocol": "TCP",
        "NetworkDuration": 1500,
        "NetworkDirection": direction,
        "SrcBytes": 900,
        "DvcAction": action,
    }
    flows = read(log, json.dumps(record), "asim")
    assert rows(flows, "flows", "denied_flows", "reported_direction") == [expected]
    end = AT.replace(second=3, microsecond=500_000)
    assert rows(flows, "start_time", "end_time", "dst_port") == [(AT, end, 443)]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [(1, "inbound"), (2, "outbound"), (3, "internal"), (4, "internal"), (0, None)],
)
def test_ocsf_network_activity(log: Path, direction: int, expected: str | None) -> None:
    record = {
        "class_uid": 4001,
        "time": EPOCH * 1000,
        "src_endpoint": {"ip": "10.0.0.4", "port": 50_000},
        "dst_endpoint": {"ip": "192.0.2.1", "port": 443},
        "connection_info": {"direction_id": direction, "protocol_num": 6, "tcp_flags": 2},
        "traffic": {"bytes_out": 900, "bytes_in": 90, "packets_out": 9, "packets_in": 8},
        "action_id": 2,
    }
    other = {"class_uid": 4003, "time": 1, "src_endpoint": {"ip": "10.0.0.4"}}
    flows = read(log, f"{json.dumps(record)}\n{json.dumps(other)}\n", "ocsf")
    names = ("start_time", "dst_port", "protocol", "src_bytes", "dst_bytes", "tcp_flags")
    assert rows(flows, *names) == [(AT, 443, "tcp", 900, 90, "S")]
    assert rows(flows, "flows", "denied_flows", "reported_direction") == [(0, 1, expected)]
    assert flows.report.skipped == {"class_uid 4003": 1}


@pytest.mark.parametrize("delimiter", ["\t", "|"])
def test_zeek_logs_with_labels(log: Path, delimiter: str) -> None:
    names = ["ts", "uid", "id.orig_h", "id.resp_h", "proto", "conn_state", "label"]
    values = [f"{EPOCH}.0", "C1", "10.0.0.4", "192.0.2.1", "tcp", "S0", "Malicious   C&C"]
    if delimiter == "\t":
        text = "#separator \\x09\n#fields\t" + "\t".join(names) + "\n" + "\t".join(values) + "\n"
    else:
        text = "|".join(names) + "\n" + "|".join(values) + "\n"
    flows = read(log, text, "zeek", keep=["label"])
    assert rows(flows, "start_time", "src_ip", "label") == [(AT, "10.0.0.4", "Malicious   C&C")]


def test_a_format_is_one_declaration(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = Format(
        name="lighthouse",
        title="Lighthouse keeper's book",
        signature=("lamp",),
        endpoints=(Endpoints("ship", "shore"),),
        columns=(
            FieldMapping("start_time", "time", ("seen",), unit="ms"),
            FieldMapping("end_time", "duration", ("for",), unit="s"),
            FieldMapping("src_bytes", "difference", (("all", "answered"),)),
            FieldMapping("dst_bytes", "count", ("answered",)),
            FieldMapping("flows", "count", ("signals",), when=(("lamp", ("lit", "")),)),
            FieldMapping("denied_flows", "count", ("signals",), when=(("lamp", ("dark",)),)),
            FieldMapping(
                "reported_direction", "direction", ("way",), values=(("home", "inbound"),)
            ),
            FieldMapping("fog", "number", ("fog",)),
        ),
        nulls=("none",),
        initiator=Initiator(reversed=(("began", ("shore",)),)),
    )
    everything = (*formats.FORMATS, made_up)
    monkeypatch.setattr(formats, "FORMATS", everything)
    monkeypatch.setattr(detect, "FORMATS", everything)
    text = (
        "seen;for;ship;shore;lamp;all;answered;signals;way;fog;began\n"
        f"{EPOCH}000;2;10.0.0.4;192.0.2.1;lit;100;40;3;home;0.5;ship\n"
        f"{EPOCH}000;none;10.0.0.4;192.0.2.1;dark;100;40;3;O;none;shore\n"
    )
    flows = read(log, text, "lighthouse")
    names = ("src_ip", "src_bytes", "dst_bytes", "flows", "denied_flows", "fog")
    assert rows(flows, *names) == [
        ("10.0.0.4", 60, 40, 3, 0, 0.5),
        ("192.0.2.1", 40, 60, 0, 3, None),
    ]
    assert rows(flows, "reported_direction") == [("inbound",), ("outbound",)]


def test_an_unknown_log_names_every_candidate(log: Path) -> None:
    log.write_text("a,b\n1,2\n")
    with pytest.raises(FormatError) as error:
        ft.read_flows(log)
    for candidate in formats.FORMATS:
        assert f"{candidate.name} lacks" in str(error.value)
