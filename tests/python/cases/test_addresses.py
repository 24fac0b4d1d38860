"""Addresses and networks: one grammar, in logs, lists and arguments."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.enrich import BlockLists
from limited import outcome
from small_logs import argus, canonical, zeek

PEERS = "13-peers-product.csv"
ALL_OF_A_FAMILY = [
    "::ffff:0:0/96",
    "::/80",
    "::/64",
    "0.0.0.0/0",
    "::/0",
    "::ffff:0.0.0.0/96",
    "0:0::/8",
]
MOST_OF_A_FAMILY = [*ALL_OF_A_FAMILY, "0.0.0.0/1", "::ffff:0:0/97", "2000::/3"]


def direction(flows: pa.Table, internal: Any) -> list[str]:
    found: list[str] = ft.classify_direction(flows, internal=internal)["direction"].to_pylist()
    return found


def test_the_mapped_network_of_a_file_is_refused_with_its_line(cases: Path) -> None:
    folder = cases / "19-internal-v4-mapped"
    with pytest.raises(ft.ArgumentError, match=r"line 2.*::ffff:0:0/96.*all of IPv4"):
        ft.classify_direction(folder / "conn.log", internal=folder / "local_nets.txt")


def test_a_mapped_address_is_the_ipv4_address(cases: Path) -> None:
    flows = ft.read_flows(cases / "19-internal-v4-mapped" / "conn.log")
    assert flows.to_arrow()["src_ip"].to_pylist() == ["10.20.0.5"] * 2
    assert direction(flows.to_arrow(), ["10.0.0.0/8"]) == ["outbound"] * 2
    assert direction(flows.to_arrow(), ["::ffff:10.0.0.0/104"]) == ["outbound"] * 2


@pytest.mark.parametrize("network", ALL_OF_A_FAMILY)
def test_networks_of_a_whole_family_are_refused(network: str) -> None:
    flows = canonical(src_ip=["8.8.8.8"])
    with pytest.raises(ft.ArgumentError, match="all of IPv"):
        ft.classify_direction(flows, internal=[network])
    with pytest.raises(ft.ArgumentError, match="all of IPv"):
        ft.read_flows(flows, internal=["10.0.0.0/8", network])


def test_halves_that_cover_a_whole_family_are_refused(tmp_path: Path) -> None:
    flows = canonical(src_ip=["8.8.8.8"])
    with pytest.raises(ft.ArgumentError, match=r"'0.0.0.0/1' is more than half of IPv4"):
        ft.classify_direction(flows, internal=["0.0.0.0/1", "128.0.0.0/1"])
    quarters = ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"]
    with pytest.raises(ft.ArgumentError, match="networks together are all of IPv4"):
        ft.classify_direction(flows, internal=quarters)
    with pytest.raises(ft.ArgumentError, match="networks together are all of IPv4"):
        ft.expanded_search(flows, quarters)
    assert direction(flows, quarters[1:2]) == ["external"]
    ranges = tmp_path / "ipranges.csv"
    ranges.write_text("0.0.0.0,255.255.255.255,all\n")
    with pytest.raises(ft.ArgumentError, match="line 1.*all of IPv4"):
        ft.classify_direction(flows, internal=ranges)
    ranges.write_text("1.0.0.0,126.255.255.255,low\n128.0.0.0,223.255.255.255,high\n")
    with pytest.raises(ft.ArgumentError, match="line 1.*more than half of IPv4"):
        ft.classify_direction(flows, internal=ranges)


@pytest.mark.parametrize("network", MOST_OF_A_FAMILY)
def test_hosts_are_not_most_of_a_family(network: str) -> None:
    pytest.importorskip("msticpy")
    flows = canonical(src_ip=["8.8.8.8"])
    nb = ft.NetworkFlowSummary(silent=True)
    for search in (
        lambda: ft.expanded_search(flows, network),
        lambda: ft.expanded_search(flows, ["10.0.0.1", network]),
        lambda: ft.classify_direction(flows, host=network),
        lambda: nb.run(network, data=flows),
        lambda: nb.run(["10.0.0.1", ipaddress.ip_network(network, strict=False)], data=flows),
    ):
        with pytest.raises(
            ft.ArgumentError, match=r"(all|more than half) of IPv.*; give addresses"
        ):
            search()


@pytest.mark.parametrize(
    "entry", [*MOST_OF_A_FAMILY, "0.0.0.0-255.255.255.255", "1.0.0.0 - 126.255.255.255"]
)
def test_a_block_list_entry_that_is_most_of_a_family_is_unusable(
    tmp_path: Path, entry: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"ip,name\n198.51.100.0/24,a\n{entry},b\n10.0.0.0-10.255.255.255,c\n")
    with pytest.warns(UserWarning, match=r"1 unusable of 3 entries; line 3: .* of IPv"):
        (one,) = BlockLists(path).lists
    assert one.unusable["position"].to_pylist() == ["line 3"]
    found = one.find(pa.array(["8.8.8.8", "2001:db8::1", "198.51.100.7", "10.9.9.9"]))
    assert found["position"].to_pylist() == [None, None, "line 2", "line 4"]


QUARTERS = ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"]
EIGHTHS = [f"{first:x}000::-{first:x}fff:{':'.join(['ffff'] * 7)}" for first in (2, 3)]


@pytest.mark.parametrize(
    ("entries", "covered"),
    [
        (QUARTERS, "all of IPv4"),
        ([f"::ffff:{quarter[:-2]}/98" for quarter in QUARTERS], "all of IPv4"),
        ([f"{first}.0.0.0-{first}.255.255.255" for first in range(1, 120)], "more than half of I"),
        ([f"{first}.{second}.0.0/16" for first in range(1, 114) for second in range(256)], "more"),
        (EIGHTHS, "all of IPv6"),
    ],
)
def test_a_block_list_that_together_lists_most_of_a_family_is_refused(
    tmp_path: Path, entries: list[str], covered: str
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("\n".join(entries))
    with pytest.raises(ft.FormatError, match=rf"list\.txt: its networks together are {covered}"):
        BlockLists(path)
    path.write_text("\n".join(entries[: len(entries) // 3 or 1]))
    assert not BlockLists(path).lists[0].unusable.num_rows


def test_an_indicator_of_all_addresses_is_unusable(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    patterns = ["[ipv4-addr:value = '9.9.9.9']", "[ipv4-addr:value ISSUBSET '0.0.0.0/0']"]
    things = [
        {"type": "indicator", "id": f"indicator--{n}", "pattern": pattern}
        for n, pattern in enumerate(patterns)
    ]
    path.write_text(json.dumps({"type": "bundle", "objects": things}))
    with pytest.warns(UserWarning, match="1 unusable of 2 entries; indicator--1"):
        (one,) = BlockLists(path).lists
    assert one.find(pa.array(["8.8.8.8", "9.9.9.9"]))["network"].to_pylist() == [None, "9.9.9.9"]


def test_block_lists_read_every_notation_of_an_address(cases: Path) -> None:
    folder = cases / "20-blocklist-spellings"
    peers = ft.read_flows(folder / "conn.log").to_arrow()["dst_ip"].combine_chunks()
    with pytest.warns(UserWarning, match="list.txt"):
        (one,) = BlockLists(folder / "list.txt").lists
    hits = peers.filter(one.find(peers)["network"].is_valid())
    assert sorted(hits.to_pylist()) == [
        "1.1.1.1",
        "2001:4860:4860::8888",
        "2620:fe::fe",
        "9.9.9.9",
    ]
    other = one.find(pa.array(["2606:4700:4700::1001", "2606:4700:4700::1111"]))
    assert other["network"].is_valid().to_pylist() == [True, False]


def test_unreadable_lines_are_shown_when_the_list_is_loaded(cases: Path) -> None:
    with pytest.warns(UserWarning, match="1 unusable.*line 7.*bad"):
        lists = BlockLists(cases / "20-blocklist-spellings" / "list.txt")
    assert len(lists.lists[0].unusable) == 1


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("192[.]0[.]2[.]1", "192.0.2.1"),
        ("192.0.2.1:8080", "192.0.2.1"),
        ("2001:DB8:0:0::1/128", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_block_lists_read_defanged_and_decorated_addresses(
    tmp_path: Path, entry: str, address: str
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"198.51.100.1\n{entry} C2\n")
    (one,) = BlockLists(path).lists
    assert one.find(pa.array([address]))["position"].to_pylist() == ["line 2"]


def test_argus_names_and_hexadecimal_icmp_ports_are_read(cases: Path) -> None:
    flows = ft.read_flows(cases / "22-argus-hex-and-names" / "argus.csv")
    rows = flows.to_arrow().to_pylist()
    assert [row["dst_port"] for row in rows[1:]] == [80, 443, None]
    assert sum(row["src_bytes"] for row in rows) == 840
    assert sum(row["src_bytes"] + row["dst_bytes"] for row in rows) == 1892
    assert (flows.report.rows_bad, len(flows)) == (0, 4)
    arp = rows[3]
    assert (arp["protocol"], arp["src_port"], arp["dst_port"]) == ("arp", None, None)


@pytest.mark.parametrize(
    ("port", "protocol", "number"),
    [("https", "tcp", 443), ("domain", "udp", 53), ("ssh", "tcp", 22), ("0x01bb", "tcp", 443)],
)
def test_port_names_come_from_the_service_list(
    tmp_path: Path, port: str, protocol: str, number: int
) -> None:
    flows = ft.read_flows(argus(tmp_path / "a.csv", {"Dport": port, "Proto": protocol}))
    assert flows.to_arrow()["dst_port"].to_pylist() == [number]


def test_an_unknown_port_name_is_a_bad_value(tmp_path: Path) -> None:
    report = ft.read_flows(argus(tmp_path / "a.csv", {}, {"Dport": "nosuchservice"})).report
    assert report.bad_rows[0].column == "Dport"
    assert report.bad_rows[0].value == "nosuchservice"


@pytest.mark.parametrize(
    "cell",
    [
        "10.0.0.1|junk",
        "[10.0.0.1",
        "10.0.0.1 10.0.0.2",
        "10.0.0.1]",
        "10.0.0.1,10.0.0.2",
        "10[.]0[.]0[.]1",
        "10.0.0.1|20|20|9|9|900|90",
        "0x0a000001",
        "10.0.0.01",
    ],
)
def test_a_zeek_address_is_one_plain_address(tmp_path: Path, cell: str) -> None:
    log = zeek(tmp_path / "conn.log", {}, {"id.orig_h": cell})
    flows = ft.read_flows(log)
    assert (len(flows), flows.report.rows_bad) == (1, 1)
    bad = flows.report.bad_rows[0]
    assert (bad.column, bad.value) == ("id.orig_h", cell)


def test_a_long_line_of_addresses_does_not_multiply(tmp_path: Path) -> None:
    many = [" ".join(f"10.{n}.{i >> 8}.{i & 255}" for i in range(700)) for n in (1, 2)]
    zeek(tmp_path / "conn.log", {}, {"id.orig_h": many[0], "id.resp_h": many[1]})
    done = outcome("read(sys.argv[1])", tmp_path / "conn.log", megabytes=2048)
    assert done == {"value": {"rows": 1, "bad": 1}}


def test_addresses_of_one_record_have_a_cap(cases: Path) -> None:
    done = outcome("read(sys.argv[1])", cases / "fuzz" / PEERS, megabytes=2048)
    assert done["value"]["bad"] == 1
    assert done["value"]["rows"] < 100_000


def test_the_cap_on_addresses_is_stated(cases: Path) -> None:
    expression = "[str(b) for b in ft.read_flows(sys.argv[1]).report.bad_rows]"
    (bad,) = outcome(expression, cases / "fuzz" / PEERS)["value"]
    assert "addresses" in bad
    assert len(bad) < 400


@pytest.mark.parametrize(
    ("ends", "read"), [((100, 100), 10_000), ((100, 101), 0), ((1, 10_001), 0)]
)
def test_the_cap_is_on_the_flows_of_a_record(
    tmp_path: Path, ends: tuple[int, int], read: int
) -> None:
    cells = [
        " ".join(f"10.{end}.{n >> 8}.{n & 255}" for n in range(size))
        for end, size in enumerate(ends)
    ]
    header = "FlowStartTime,SrcIp,DestIp,AclRule,AllowedInFlows"
    record = f"2020-01-01T00:00:00Z,{','.join(cells)},x,1"
    (tmp_path / "nta.csv").write_text(f"{header}\n{record}\n")
    flows = ft.read_flows(tmp_path / "nta.csv")
    assert (len(flows), flows.report.rows_bad) == (read, 0 if read else 1)


def test_nat_records_are_counted_and_none_is_dropped(cases: Path) -> None:
    log = cases / "07-aws-nat-pkt-addresses" / "vpc.log"
    flows = ft.read_flows(log)
    table = flows.to_arrow()
    pairs = zip(table["src_ip"].to_pylist(), table["dst_ip"].to_pylist(), strict=True)
    assert list(pairs) == [
        ("10.20.0.5", "1.1.1.1"),
        ("10.20.0.5", "10.20.9.9"),
        ("10.20.9.9", "1.1.1.1"),
        ("10.20.9.9", "10.20.8.8"),
    ]
    assert flows.report.rows_translated == 2
    assert "Translated addresses" in flows.report.facts()
    kept = ft.read_flows(log, keep=["pkt-srcaddr", "pkt-dstaddr"]).to_arrow()
    assert kept["pkt-srcaddr"].to_pylist()[1:] == ["10.20.0.5", "10.20.9.9", "9.9.9.9"]
    assert kept["pkt-dstaddr"].to_pylist()[1:] == ["1.1.1.1", "1.1.1.1", "10.20.0.5"]


@pytest.mark.parametrize(
    ("cells", "translated"),
    [
        ("10.0.0.1 1.1.1.1 10.0.0.1 1.1.1.1", 0),
        ("10.0.0.1 1.1.1.1 - -", 0),
        ("::ffff:10.0.0.1 2001:db8::1 10.0.0.1 2001:DB8:0::1", 0),
        ("10.0.0.1 1.1.1.1 10.0.0.9 1.1.1.1", 1),
        ("2001:db8::1 2001:db8::2 2001:db8::1 2001:db8::3", 1),
    ],
)
def test_a_record_is_translated_if_an_address_differs_not_its_notation(
    tmp_path: Path, cells: str, translated: int
) -> None:
    header = "version interface-id action log-status srcaddr dstaddr pkt-srcaddr pkt-dstaddr"
    (tmp_path / "vpc.log").write_text(f"{header}\n5 e ACCEPT OK {cells}\n")
    flows = ft.read_flows(tmp_path / "vpc.log")
    assert (len(flows), flows.report.rows_translated) == (1, translated)


@pytest.mark.parametrize(
    "given",
    [
        "10.20.0.0/24",
        ["10.20.0.5", "10.20.0.6"],
        ipaddress.ip_network("10.20.0.0/24"),
        ipaddress.ip_address("10.20.0.5"),
        "10[.]20[.]0[.]5",
        [ipaddress.ip_address("10.20.0.5"), "10.20.0.6"],
    ],
)
def test_a_host_is_an_address_a_network_or_a_list(given: Any) -> None:
    flows = canonical(src_ip=["10.20.0.5"], dst_ip=["10.99.0.1"])
    found = ft.classify_direction(flows, host=given)
    assert found["direction"].to_pylist() == ["outbound"]
    assert found["direction_reason"].to_pylist() == ["host"]


def test_internal_networks_are_strings_or_objects() -> None:
    flows = canonical(src_ip=["192.0.2.5"])
    objects = [ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_address("198.51.100.1")]
    assert direction(flows, objects) == ["outbound"]
    assert direction(flows, objects[0]) == ["outbound"]


@pytest.mark.parametrize("given", ["1[.]1[.]1[.]1", ipaddress.ip_address("1.1.1.1")])
def test_people_search_for_defanged_addresses_and_objects(given: Any) -> None:
    assert ft.expanded_search(canonical(), given).num_rows == 1
    assert ft.AsnDatabase().lookup([given])["address"].to_pylist() == ["1.1.1.1"]


@pytest.mark.parametrize("text", ["10.0.0.01", "10.1", "0x0a000001", "1.1.1.1.1", "[10.0.0.1"])
def test_an_argument_that_is_no_address_is_an_error(text: str) -> None:
    with pytest.raises(ft.ArgumentError, match="address"):
        ft.expanded_search(canonical(), text)
