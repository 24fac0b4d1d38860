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
from flowtriage.schema import SCHEMA

AT = datetime(2024, 12, 20, 18, 23, 2, tzinfo=UTC)
EPOCH = 1_734_718_982


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "flow.log"


def rows(flows: ft.Flows, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in flows.to_arrow().to_pylist()]


def read(log: Path, text: str, format: str, **options: Any) -> ft.Flows:
    """Read a text, and check that its format was told."""
    log.write_text(text)
    flows = ft.read_flows(log, **options)
    assert flows.report.format == format
    return flows


NTA = {
    "SubType": "FlowLog",
    "FlowStartTime": "2024-12-20T18:23:02Z",
    "FlowEndTime": "2024-12-20T18:33:02Z",
    "FlowType": "ExternalPublic",
    "SrcIp": "",
    "DestIp": "10.0.0.4",
    "DestPort": 443,
    "L4Protocol": "T",
    "L7Protocol": "https",
    "AllowedInFlows": 5,
    "AllowedOutFlows": 0,
    "DeniedInFlows": 0,
    "DeniedOutFlows": 0,
    "BytesSrcToDest": 900,
    "BytesDestToSrc": 90,
    "PacketsSrcToDest": 9,
    "PacketsDestToSrc": 8,
    "SrcPublicIps": "192.0.2.1|3|3|6|5|600|60 192.0.2.2|2|2|3|3|300|30",
    "DestPublicIps": "",
    "DestVm": "sub/group/vm1",
    "SrcVm": "",
    "AclRule": "web",
}


@pytest.mark.parametrize(("inbound", "allowed"), [("I", "A"), ("Inbound", "Allowed")])
def test_nta_uses_the_counters_of_each_address(log: Path, inbound: str, allowed: str) -> None:
    record = NTA | {"FlowDirection": inbound, "FlowStatus": allowed}
    flows = read(log, json.dumps(record), "azure-nta")
    names = ("src_ip", "dst_ip", "flows", "src_bytes", "dst_bytes", "src_packets", "host")
    assert rows(flows, *names) == [
        ("192.0.2.1", "10.0.0.4", 3, 600, 60, 6, "sub/group/vm1"),
        ("192.0.2.2", "10.0.0.4", 2, 300, 30, 3, "sub/group/vm1"),
    ]
    assert rows(flows, "reported_direction", "dst_port", "protocol")[0] == ("inbound", 443, "tcp")
    assert (flows.report.rows_counted, flows.report.rows_expanded) == (2, 0)
    assert flows.report.rows_repeated == 0


@pytest.mark.parametrize(("way", "host"), [("Inbound", "vm1"), ("O", "vm2")])
def test_nta_flows_were_seen_at_the_end_that_reports_them(way: str, host: str) -> None:
    ends = {"SrcIp": "10.0.0.5", "SrcPublicIps": "", "SrcVm": "vm2", "DestVm": "vm1"}
    flows = ft.read_flows(pa.Table.from_pylist([NTA | ends | {"FlowDirection": way}]))
    assert rows(flows, "src_ip", "host") == [("10.0.0.5", host)]


def test_nta_flows_that_were_refused_are_counted_as_such() -> None:
    denied = {"AllowedInFlows": 0, "DeniedInFlows": 5, "FlowStatus": "Denied"}
    record = NTA | denied | {"FlowDirection": "Inbound"}
    flows = ft.read_flows(pa.Table.from_pylist([record]))
    assert rows(flows, "flows", "denied_flows") == [(0, 3), (0, 2)]


def test_nta_expands_addresses_without_counters_and_tells_it() -> None:
    record = NTA | {"SrcPublicIps": "192.0.2.1 192.0.2.2 192.0.2.3", "FlowDirection": "I"}
    other = NTA | {"SubType": "Topology", "FlowDirection": "I"}
    flows = ft.read_flows(pa.Table.from_pylist([record, other]))
    assert rows(flows, "flows", "src_bytes") == [(5, 900)] * 3
    report = flows.report
    assert (report.rows_expanded, report.rows_repeated) == (1, 3)
    assert (round(report.repeated_flows), round(report.repeated_bytes)) == (10, 1_980)
    assert report.skipped == {"SubType Topology": 1}


def test_raw_azure_rows_use_the_counters_of_public_addresses() -> None:
    record = {
        "FlowStartTime_t": "2019-02-12T13:00:07Z",
        "VMIP_s": "10.0.3.5",
        "SrcIP_s": "",
        "DestIP_s": "",
        "PublicIPs_s": "192.0.2.1|4|4|9|8|7|6 192.0.2.2|1|1|1|1|1|1",
        "FlowDirection_s": "O",
        "L4Protocol_s": "T",
        "AllowedOutFlows_d": 5.0,
        "AllowedInFlows_d": 0.0,
        "OutboundBytes_d": 8.0,
        "InboundBytes_d": 7.0,
    }
    flows = ft.read_flows(pa.Table.from_pylist([record]))
    assert rows(flows, "src_ip", "dst_ip", "flows", "src_bytes", "dst_bytes", "src_packets") == [
        ("10.0.3.5", "192.0.2.1", 4, 7, 6, 9),
        ("10.0.3.5", "192.0.2.2", 1, 1, 1, 1),
    ]
    bad = record | {"PublicIPs_s": "192.0.2.1|4|4|9|8|x|6"}
    (row,) = ft.read_flows(pa.Table.from_pylist([bad])).report.bad_rows
    assert "counter" in str(row)


def nsg(*tuples: str, mac_first: bool = True) -> dict[str, Any]:
    inner: dict[str, Any] = {"mac": "000D3A", "flowTuples": list(tuples)}
    if not mac_first:
        inner = dict(reversed(inner.items()))
    return {
        "time": "2024-12-20T18:24:00Z",
        "properties": {"Version": 1, "flows": [{"rule": "r", "flows": [inner]}]},
    }


@pytest.mark.parametrize("form", ["records", "array", "lines", "indented"])
def test_nsg_version_1_in_every_wrapping(log: Path, form: str) -> None:
    first = nsg(f"{EPOCH},10.0.0.4,192.0.2.1,50000,443,T,O,A")
    second = nsg(f"{EPOCH},192.0.2.1,10.0.0.4,50001,22,U,I,D", mac_first=False)
    text = {
        "records": json.dumps({"records": [first, second]}),
        "array": json.dumps([first, second]),
        "lines": f"{json.dumps(first)}\n{json.dumps(second)}\n",
        "indented": json.dumps({"records": [first, second]}, indent=1),
    }[form]
    flows = read(log, text, "azure-nsg")
    names = ("start_time", "src_ip", "dst_port", "protocol", "flows", "denied_flows", "host")
    assert rows(flows, *names) == [
        (AT, "10.0.0.4", 443, "tcp", 1, 0, "000D3A"),
        (AT, "192.0.2.1", 22, "udp", 0, 1, "000D3A"),
    ]
    assert rows(flows, "src_bytes", "reported_direction") == [(None, "outbound"), (None, "inbound")]


def test_bad_tuples_are_counted_with_their_text(log: Path) -> None:
    good = f"{EPOCH},10.0.0.4,192.0.2.1,50000,443,T,O,A,B,,,,"
    text = json.dumps({"records": [nsg(good, "1,2,3", good.replace("443", "99999"))]})
    flows = read(log, text, "azure-nsg")
    assert (len(flows), flows.report.rows_read, flows.report.rows_bad) == (1, 3, 2)
    told = "\n".join(map(str, flows.report.bad_rows))
    assert "'1,2,3' has 3 values, not 8 to 13" in told
    assert "dst_port: '99999' is not a port" in told
    cut = read(log, text + text[:-40], "azure-nsg")
    assert (len(cut), cut.report.rows_bad) == (1, 3)
    assert any("is an incomplete JSON object" in str(row) for row in cut.report.bad_rows)


AWS = f"2 123456789012 eni-1 10.0.0.4 192.0.2.1 50000 443 6 9 900 {EPOCH} {EPOCH + 60} ACCEPT OK"
AWS_HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status"
)


def test_aws_with_header_without_and_from_cloudwatch(log: Path) -> None:
    rejected = AWS.replace("ACCEPT", "REJECT")
    silent = f"2 123456789012 eni-1 - - - - - - - {EPOCH} {EPOCH + 60} - NODATA"
    records = [AWS, rejected, silent]
    forms = {
        "plain": "\n".join(records) + "\n",
        "header": "\n".join([AWS_HEADER, *records, AWS_HEADER]),
        "cloudwatch": "".join(f"2024-12-20T18:23:02.000Z {record}\r\n" for record in records),
    }
    for name, text in forms.items():
        flows = read(log, text, "aws-vpc")
        assert rows(flows, "flows", "denied_flows", "src_bytes", "dst_bytes", "host") == [
            (1, 0, 900, None, "eni-1"),
            (0, 1, 900, None, "eni-1"),
        ], name
        assert flows.report.skipped == {"log-status NODATA": 1}
        assert (flows.report.rows_read, flows.report.rows_bad) == (3, 0)


def test_aws_version_5_in_any_order_and_as_parquet(log: Path, tmp_path: Path) -> None:
    record = {
        "flow-direction": "egress",
        "tcp-flags": "19",
        "dstaddr": "192.0.2.1",
        "srcaddr": "10.0.0.4",
        "end": EPOCH + 60,
        "start": EPOCH,
        "bytes": 900,
        "packets": 9,
        "protocol": 6,
        "srcport": 50_000,
        "dstport": 443,
        "traffic-path": 8,
        "action": "ACCEPT",
    }
    text = " ".join(record) + "\n" + " ".join(map(str, record.values())) + "\n"
    flows = read(log, text, "aws-vpc")
    assert rows(flows, "start_time", "reported_direction", "tcp_flags", "protocol", "flows") == [
        (AT, "outbound", "ASF", "tcp", 1)
    ]
    path = tmp_path / "flows.parquet"
    pq.write_table(
        pa.Table.from_pylist([{k.replace("-", "_"): v for k, v in record.items()}]), path
    )
    assert ft.read_flows(path).to_arrow().equals(flows.to_arrow())
    assert "denied_flows" in flows.to_arrow().column_names


AWS_FIELDS = ("start", "srcaddr", "dstaddr", "dstport", "bytes", "action", "log-status")
AWS_RECORDS = (
    f"{EPOCH} 10.0.0.4 192.0.2.1 443 900 ACCEPT OK",
    f"{EPOCH} 192.0.2.1 10.0.0.4 22 40 REJECT OK",
    f"{EPOCH} - - - - - NODATA",
)


@pytest.mark.parametrize(
    "columns",
    [
        list(AWS_FIELDS),
        " ".join(f"${{{name}}}" for name in AWS_FIELDS),
        ",".join(AWS_FIELDS),
    ],
)
@pytest.mark.parametrize("stamp", ["", "2024-12-20T18:23:02.000Z "])
def test_aws_fields_without_a_header_are_told_by_the_caller(
    log: Path, columns: Any, stamp: str
) -> None:
    text = "".join(f"{stamp}{record}\n" for record in AWS_RECORDS)
    flows = read(log, text, "aws-vpc", columns=columns)
    names = ("start_time", "src_ip", "dst_port", "src_bytes", "flows", "denied_flows")
    assert rows(flows, *names) == [
        (AT, "10.0.0.4", 443, 900, 1, 0),
        (AT, "192.0.2.1", 22, 40, 0, 1),
    ]
    assert flows.report.skipped == {"log-status NODATA": 1}
    headed = read(log, "\n".join([" ".join(AWS_FIELDS), *AWS_RECORDS]), "aws-vpc")
    assert headed.to_arrow().equals(flows.to_arrow())


def test_fields_that_do_not_fit_are_refused(log: Path) -> None:
    log.write_text(AWS_RECORDS[0])
    with pytest.raises(FormatError, match="has 2 fields, but the first line has .*7 split at ' '"):
        ft.read_flows(log, columns=["srcaddr", "dstaddr"])
    with pytest.raises(ArgumentError, match="'srcaddr' twice"):
        ft.read_flows(log, columns="srcaddr srcaddr")
    with pytest.raises(FormatError, match="aws-vpc lacks"):
        ft.read_flows(log, columns=list("abcdefg"), format="aws-vpc")


def gcp(reporter: str, sent: int, start: str = "2024-12-20T18:23:02Z") -> dict[str, Any]:
    return {
        "insertId": "x",
        "jsonPayload": {
            "reporter": reporter,
            "connection": {
                "src_ip": "10.0.0.4",
                "src_port": 50_000,
                "dest_ip": "10.0.0.5",
                "dest_port": 443,
                "protocol": 6,
            },
            "bytes_sent": str(sent),
            "packets_sent": "9",
            "start_time": start,
            "end_time": "2024-12-20T18:24:02.5Z",
        },
    }


@pytest.mark.parametrize("indent", [None, 2])
def test_gcp_tells_what_both_ends_reported(log: Path, indent: int | None) -> None:
    records = [gcp("SRC", 900), gcp("DEST", 880), gcp("DEST", 5, "2024-12-20T19:00:00Z")]
    records[2]["jsonPayload"]["end_time"] = "2024-12-20T19:00:01Z"
    flows = read(log, json.dumps(records, indent=indent), "gcp-vpc")
    assert rows(flows, "src_bytes", "dst_port", "host")[0] == (900, 443, "SRC")
    assert flows.report.quality is not None
    assert flows.report.quality.duplicates == 1
    assert "deduplicate=True" in str(flows.report)
    once = ft.read_flows(log, deduplicate=True)
    assert rows(once, "src_bytes", "host") == [(900, "SRC"), (5, "DEST")]
    assert once.report.rows_duplicate == 1


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


OCSF = {
    "class_uid": 4001,
    "time": EPOCH * 1000,
    "src_endpoint": {"ip": "10.0.0.4", "port": 50_000, "autonomous_system": {"number": 64_500}},
    "dst_endpoint": {"ip": "192.0.2.1", "port": 443},
    "connection_info": {"direction_id": 2, "protocol_num": 6},
    "traffic": {"bytes_out": 900, "bytes_in": 90},
    "action_id": 1,
}


def test_nested_columns_of_tables_are_read_as_nested_json(log: Path, tmp_path: Path) -> None:
    """Amazon Security Lake and BigQuery export such Parquet files."""
    for format, record in (("ocsf", OCSF), ("gcp-vpc", gcp("SRC", 900))):
        expected = read(log, json.dumps(record), format).to_arrow().select(SCHEMA.names)
        table = pa.Table.from_pylist([record, record])
        path = tmp_path / f"{format}.parquet"
        pq.write_table(table, path)
        for source in (table, path):
            flows = ft.read_flows(source)
            assert flows.report.format == format
            assert flows.to_arrow().select(SCHEMA.names).slice(0, 1).equals(expected)
    kept = ft.read_flows(tmp_path / "ocsf.parquet", keep=["src_endpoint.autonomous_system.number"])
    assert kept.to_arrow()["src_endpoint.autonomous_system.number"].to_pylist() == [64_500] * 2


@pytest.mark.extra
def test_nested_columns_of_a_dataframe(log: Path) -> None:
    pandas = pytest.importorskip("pandas")
    expected = read(log, json.dumps(OCSF), "ocsf").to_arrow().select(SCHEMA.names)
    flows = ft.read_flows(pandas.DataFrame([OCSF]))
    assert flows.to_arrow().select(SCHEMA.names).equals(expected)


def test_gcp_as_bigquery_exports_it(log: Path) -> None:
    record = gcp("DEST", 900)
    connection = record["jsonPayload"]["connection"]
    connection.update(src_port=50_000.0, dest_port=443.0, protocol=6.0)
    flows = read(log, json.dumps(record), "gcp-vpc")
    assert rows(flows, "src_port", "dst_port", "protocol") == [(50_000, 443, "tcp")]
    inner = read(log, json.dumps(record["jsonPayload"]), "gcp-vpc")
    assert inner.to_arrow().equals(flows.to_arrow())


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
