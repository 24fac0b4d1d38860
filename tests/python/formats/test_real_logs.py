"""Real logs of every format against what is known of them, counted from the raw files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flowtriage as ft

CAPTURE = {
    "zeek": "zeek/vast_example_conn.log.gz",
    "suricata": "suricata/vast_example_eve.json.gz",
    "nfdump": "netflow/vast_example.nfdump171.csv",
}


def total(table: pa.Table, *names: str) -> int:
    return sum(pc.sum(table[name]).as_py() or 0 for name in names)


def addresses(table: pa.Table, shared: Path) -> tuple[int, int]:
    """Number of addresses, and of public ones."""
    distinct = {*table["src_ip"].to_pylist(), *table["dst_ip"].to_pylist()}
    found = ft.AsnDatabase(shared / "mmdb" / "asn.mmdb").lookup(sorted(distinct))
    return len(distinct), pc.sum(pc.equal(found["ip_type"], "Public")).as_py()


def by_pair(table: pa.Table, *names: str) -> Counter[frozenset[str]]:
    sums: Counter[frozenset[str]] = Counter()
    for row in table.to_pylist():
        pair = frozenset((row["src_ip"], row["dst_ip"]))
        sums[pair] += sum(row[name] or 0 for name in names)
    return sums


def test_four_forms_of_a_capture_agree(shared: Path) -> None:
    tables = {}
    for name, path in CAPTURE.items():
        flows = ft.read_flows(shared / path)
        assert (flows.report.format, flows.report.rows_bad) == (name, 0)
        tables[name] = flows.to_arrow()
    rows = {name: table.num_rows for name, table in tables.items()}
    assert rows == {"zeek": 23, "suricata": 21, "nfdump": 79}
    both = ("src_bytes", "dst_bytes")
    zeek = by_pair(tables["zeek"], *both)
    assert (len(zeek), zeek.total()) == (9, 132_296)
    assert by_pair(tables["nfdump"], *both) == zeek
    packets = by_pair(tables["suricata"], "src_packets", "dst_packets")
    assert packets.total() == 1_000
    frames = by_pair(tables["suricata"], *both)
    headers = Counter({pair: 14 * n for pair, n in packets.items()})
    # Four refusals of 40 bytes were padded to Ethernet's 60 bytes.
    padded = frozenset(("192.168.168.100", "192.168.168.10"))
    assert frames == zeek + headers + Counter({padded: 4 * 6})


def test_stitched_netflow_tells_the_same_ends_as_zeek(shared: Path) -> None:
    flows = ft.read_flows(shared / CAPTURE["nfdump"], stitch=3600).to_arrow()
    zeek = ft.read_flows(shared / CAPTURE["zeek"]).to_arrow()

    def ends(table: pa.Table) -> set[tuple[str, str, int]]:
        names = ("src_ip", "dst_ip", "dst_port")
        return {tuple(row[name] for name in names) for row in table.to_pylist()}

    assert ends(flows) == ends(zeek)
    assert total(flows, "src_bytes", "dst_bytes") == 132_296
    assert total(flows, "src_packets", "dst_packets") == 1_000


@pytest.mark.parametrize(
    ("path", "flows", "data", "packets"),
    [
        ("netflow/slips_test1.nfdump171.csv", 4_593, 241_025, 4_652),
        ("netflow/vast_example.nfdump171.csv", 79, 132_296, 1_000),
    ],
)
def test_nfdump_totals_are_those_of_its_own_trailer(
    shared: Path, path: str, flows: int, data: int, packets: int
) -> None:
    read = ft.read_flows(shared / path)
    told = [(t.name, t.stated, t.read) for t in read.report.totals]
    assert told == [
        ("flows", flows, flows),
        ("bytes", data, data),
        ("packets", packets, packets),
    ]
    assert (read.report.rows_read, read.report.rows_bad, len(read)) == (flows, 0, flows)


def test_eve_gives_flow_events_only(shared: Path) -> None:
    flows = ft.read_flows(shared / "suricata" / "alaajili_2022_eve.json")
    assert (len(flows), flows.report.rows_bad) == (1_469, 0)
    assert flows.report.skipped["event_type alert"] == 653
    assert flows.report.rows_read == 1_469 + flows.report.rows_skipped
    assert addresses(flows.to_arrow(), shared) == (100, 91)


def test_aws_counts_records_without_data(shared: Path) -> None:
    flows = ft.read_flows(shared / "aws_vpc" / "drewpy_eks_2024-12-20_cwlogs.txt")
    report = flows.report
    assert (report.format, report.rows_read, report.rows_bad) == ("aws-vpc", 11_057, 0)
    assert (report.rows_skipped, len(flows)) == (63, 10_994)
    assert sum(n for value, n in report.skipped.items() if "DATA" in value) == 63
    table = flows.to_arrow()
    assert total(table, "src_bytes") == 3_245_090_831
    assert total(table, "flows", "denied_flows") == 10_994
    assert table["dst_bytes"].null_count == table.num_rows
    assert addresses(table, shared) == (824, 807)
    distinct = sorted({*table["src_ip"].to_pylist(), *table["dst_ip"].to_pylist()})
    asns = ft.AsnDatabase(shared / "mmdb" / "asn.mmdb").lookup(distinct)["asn"]
    assert pc.count_distinct(asns).as_py() == 99


def test_nsg_tuples_are_read_and_only_beginnings_count(shared: Path) -> None:
    flows = ft.read_flows(shared / "azure_nsg" / "danifitz_2020_PT1H.json")
    assert (flows.report.format, flows.report.rows_bad) == ("azure-nsg", 0)
    table = flows.to_arrow()
    assert table.num_rows == 8_203
    states = dict(zip(*pc.value_counts(table["state"]).flatten(), strict=True))
    assert {k.as_py(): v.as_py() for k, v in states.items()} == {"B": 5_061, "E": 3_142}
    assert total(table, "flows", "denied_flows") == 5_061
    ended = table.filter(pc.equal(table["state"], "E"))
    assert total(ended, "flows", "denied_flows") == 0
    assert total(ended, "src_bytes", "dst_bytes") == total(table, "src_bytes", "dst_bytes") > 0
    public = ft.AsnDatabase(shared / "mmdb" / "asn.mmdb").lookup(
        sorted({*table["src_ip"].to_pylist(), *table["dst_ip"].to_pylist()})
    )
    known = public.filter(pc.equal(public["ip_type"], "Public"))["address"]
    touches = pc.or_(
        pc.is_in(table["src_ip"], known.combine_chunks()),
        pc.is_in(table["dst_ip"], known.combine_chunks()),
    )
    assert pc.sum(touches).as_py() == 32


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("csp451_2026_PT1H.json", {"B": 5, "E": 5, "D": 66}),
        ("elastic_docs_sample_vnet_2022.json", {"B": 5, "E": 5, "D": 9}),
    ],
)
def test_vnet_tuples_are_read_with_their_states(
    shared: Path, name: str, states: dict[str, int]
) -> None:
    flows = ft.read_flows(shared / "azure_vnet" / name)
    assert (flows.report.format, flows.report.rows_bad) == ("azure-vnet", 0)
    table = flows.to_arrow()
    assert Counter(table["state"].to_pylist()) == states
    assert total(table, "flows") == states["B"]
    assert total(table, "denied_flows") == states["D"]
    assert str(table["start_time"][0].as_py().year) in ("2022", "2026")


def test_argus_is_read_with_hexadecimal_ports(shared: Path) -> None:
    flows = ft.read_flows(shared / "argus" / "slips_test3-mixed.binetflow")
    assert (flows.report.format, flows.report.rows_bad, len(flows)) == ("argus", 0, 89)
    table = flows.to_arrow()
    distinct = {*table["src_ip"].to_pylist(), *table["dst_ip"].to_pylist()}
    private = {"192.168.4.2", "192.168.4.8"}
    assert (len(distinct), len(distinct - private)) == (92, 90)
    assert sum(":" in address for address in distinct) == 20
    (ping,) = table.filter(pc.equal(table["protocol"], "icmp")).to_pylist()
    assert (ping["src_port"], ping["dst_port"]) == (0x0008, 0x0F72)


def test_azure_expansions_are_told_with_what_they_inflate(shared: Path) -> None:
    flows = ft.read_flows(shared / "azure_nta" / "az_net_flows_2019-02-12_13.csv")
    assert (flows.report.rows_read, flows.report.rows_bad, len(flows)) == (336, 0, 336)
    assert (flows.report.rows_repeated, round(flows.report.repeated_flows)) == (181, 1_087)
    assert total(flows.to_arrow(), "flows") == 2_300
    assert "1,087" in str(flows.report)
